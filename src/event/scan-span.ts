// Reads the records of a span of a body with the scanner, and those it cannot affirm with scan-record.ts. Pure.
// Undefined as an answer means: something here is for the plain scanner to judge, or too much for any.
import { isUtf8 } from "node:buffer";
import { AffirmedRecord, rowWords } from "./in-place-fields.ts";
import { byte, type Span, skipSpace, trimEnd, valueExtent } from "./scan-bytes.ts";
import { readLine } from "./scan-plain.ts";
import { readRecord } from "./scan-record.ts";
import { batchRecordsMax, plainRecord, type ScannedRecord } from "./scanned-record.ts";
import { type RecordsForm, Scanner, type Step } from "./scanner.ts";

/** Records in order, and the place behind what was read. */
export interface SpanRecords {
  readonly records: readonly ScannedRecord[];
  readonly end: number;
}

/** `affirmed`: what comes first must be a record that the scanner affirms. */
type First = "any" | "affirmed";

// Compiled when the first body comes: commands of the command line that scan nothing do not pay for it.
let scanner: Scanner | undefined;

/** Takes a span that begins with the bracket of a list; it may go on behind the list. */
export function scanList({ bytes, start, end }: Span): SpanRecords | undefined {
  const first = skipSpace({ bytes, start: start + 1, end });
  if (bytes[first] === byte.closeBracket && first < end) return { records: [], end: first + 1 };
  return scanWith({ bytes, start: first, end }, (scan) => scan.all("elements", "any"));
}

/** Takes a span of lines without white space around it. */
export function scanLines(span: Span, first: First): SpanRecords | undefined {
  return scanWith(span, (scan) => scan.all("lines", first));
}

/** The record that fills the span, over any number of lines. */
export function scanOne(span: Span): AffirmedRecord | undefined {
  return scanWith(span, (scan) => scan.one());
}

function scanWith<Answer>(span: Span, work: (scan: SpanScan) => Answer): Answer | undefined {
  scanner ??= new Scanner();
  if (!scanner.begin(span)) return undefined;
  try {
    return work(new SpanScan(scanner, span));
  } finally {
    scanner.end();
  }
}

class SpanScan {
  readonly #scanner: Scanner;
  readonly #span: Span;
  readonly #records: ScannedRecord[] = [];

  constructor(scanner: Scanner, span: Span) {
    this.#scanner = scanner;
    this.#span = span;
  }

  one(): AffirmedRecord | undefined {
    const { start, end } = this.#span;
    const { scanned, firstRow, count, isUtf8 } = this.#scanner.step("elements", start, false);
    if (count !== 1 || !isUtf8) return undefined;
    const record = new AffirmedRecord(scanned, firstRow, 0);
    return record.end === end && !record.isOdd ? record : undefined;
  }

  all(form: RecordsForm, first: First): SpanRecords | undefined {
    let at = this.#span.start;
    let isBehindOne = false;
    for (;;) {
      const step = this.#scanner.step(form, at, isBehindOne);
      if (!this.#take(step, first)) return undefined;
      if (first === "affirmed" && this.#records.length === 0) return undefined;
      at = step.at;
      isBehindOne = step.isBehindOne;
      if (step.stop === "ended") return { records: this.#records, end: at };
      if (step.stop === "torn") return undefined;
      if (step.stop === "more") continue;
      const record = form === "lines" ? this.#lineAt(at) : this.#elementAt(at);
      if (!record || this.#records.length === batchRecordsMax) return undefined;
      this.#records.push(record);
      at = form === "lines" ? this.#lineEnd(at) : record.end;
      isBehindOne = form === "elements";
    }
  }

  /** Adds the rows of a step; false when there are too many records, or one that only the plain scanner can judge. */
  #take({ scanned, firstRow, count, isUtf8: areUtf8 }: Step, first: First): boolean {
    if (this.#records.length + count > batchRecordsMax) return false;
    const records = this.#records;
    for (let row = firstRow; row < firstRow + count * rowWords; row += rowWords) {
      const record = new AffirmedRecord(scanned, row, records.length);
      if (!record.isOdd && (areUtf8 || isUtf8(this.#bytesOf(record)))) {
        records.push(record);
        continue;
      }
      if (first === "affirmed" && records.length === 0) return false;
      const plain = this.#readPlainly(record);
      if (!plain) return false;
      records.push(plain);
    }
    return true;
  }

  /** The record that stands alone in the line that begins at `at`. */
  #lineAt(at: number): ScannedRecord {
    const { bytes } = this.#span;
    const line: Span = { bytes, start: at, end: trimEnd({ bytes, start: at, end: this.#lineEnd(at) }) };
    return plainRecord(line, { index: this.#records.length, reading: readLine(line) });
  }

  /** Where the line ends, before its line feed. */
  #lineEnd(at: number): number {
    const feed = this.#span.bytes.indexOf(byte.lineFeed, at);
    return feed === -1 || feed > this.#span.end ? this.#span.end : feed;
  }

  /** The object that begins at `at`. Other values make an array doubtful, and so does an object without an end. */
  #elementAt(at: number): ScannedRecord | undefined {
    const { bytes, end } = this.#span;
    const extent = valueExtent({ bytes, start: at, end });
    return extent && bytes[at] === byte.openBrace
      ? this.#readPlainly({ start: at, end: extent.end })
      : undefined;
  }

  #readPlainly({ start, end }: Extent): ScannedRecord | undefined {
    const own: Span = { bytes: this.#span.bytes, start, end };
    const reading = readRecord(own);
    if (reading.kind === "not-json") return undefined;
    return plainRecord(own, { index: this.#records.length, reading });
  }

  #bytesOf({ start, end }: Extent): Uint8Array {
    return this.#span.bytes.subarray(start, end);
  }
}

interface Extent {
  readonly start: number;
  readonly end: number;
}
