// The host of the WebAssembly scanner (assembly/scanner.ts, compiled by tools/setup.mjs): copies windows of a body into
// its memory, calls it, takes its rows out. Pure: the instance is a cache of texts, nothing more.
//
// Its memory is 3 MB and never grows. A body is read in windows that fit the processor's cache; a record that goes on
// behind a window begins the next one. Scanning is synchronous, so one instance serves everybody; should a scan ever be
// begun within another, it gets undefined and the plain scanner does its work.
import { isUtf8 } from "node:buffer";
import { assert } from "../model/assert.ts";
import { scannerCode } from "./generated/scanner-code.ts";
import { resourceWords, rowWords, type ScannedRows } from "./in-place-fields.ts";
import { byte, type Span } from "./scan-bytes.ts";
import { bitOf, keys, word } from "./scanner-keys.ts";

/** How the records of a span stand beside each other. */
export type RecordsForm = "elements" | "lines";

export interface Step {
  readonly scanned: ScannedRows;
  /** The first word of the first row. */
  readonly firstRow: number;
  readonly count: number;
  /** Whether all of the records are UTF-8: of them together, for they begin and end with characters of their own. */
  readonly isUtf8: boolean;
  /**
   * `ended`: all was read, for elements up to and with the bracket before `at`. `more`: call again. `stuck`: what begins
   * at `at` is nothing the scanner can affirm. `torn`: behind an element, neither a comma nor a bracket stands at `at`.
   */
  readonly stop: "more" | "ended" | "stuck" | "torn";
  readonly at: number;
  /** Elements: whether a comma must come at `at`. */
  readonly isBehindOne: boolean;
}

/** A window fits the second-level cache beside what the scanner writes. */
const windowBytesMax = 512 * 1024;
/** What the scanner looks ahead before it says where it failed. */
const lookAheadBytes = 16;
const stops = ["more", "ended", "stuck", "torn"] as const;

/** Words of the report. */
const report = { stop: 0, stoppedAt: 1, failedAt: 2, resources: 3, interned: 4, isBeyondAscii: 5 } as const;

export class Scanner {
  readonly #code: ScannerExports;
  /** Where things lie in the scanner's memory, in bytes, and how large they are. */
  readonly #map: Readonly<Record<Place, number>>;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #rows = new WordPool();
  readonly #resources = new WordPool();
  #texts: (string | undefined)[] = [undefined];
  #body: Buffer | undefined;
  #spanEnd = 0;
  #windowStart = 0;
  #windowEnd = 0;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(scannerCode, "base64"));
    this.#code = new WebAssembly.Instance(module, {}).exports;
    this.#map = mapOf(this.#code);
    this.#bytes = new Uint8Array(this.#code.memory.buffer);
    this.#words = new Int32Array(this.#code.memory.buffer);
    assert(this.#map.rowWords === rowWords, "rows have the same size on both sides");
    assert(this.#map.resourceWords === resourceWords, "resources have the same size on both sides");
    const { inputAt, inputBytesMax, padding } = this.#map;
    assert(inputAt + inputBytesMax + padding <= this.#bytes.length, "the input fits the memory");
    this.#addKeys();
  }

  /** Claims the scanner for a span, or says no when it is in use. */
  begin(span: Span): boolean {
    if (this.#body) return false;
    this.#body = Buffer.from(span.bytes.buffer, span.bytes.byteOffset, span.bytes.byteLength);
    this.#spanEnd = span.end;
    this.#windowStart = 0;
    this.#windowEnd = 0;
    // Cleared in time, so that it hardly ever fills within a body. Older rows keep their own list of texts.
    if (this.#texts.length > (this.#map.internedMax * 3) / 4) {
      this.#code.clearTexts();
      this.#texts = [undefined];
    }
    return true;
  }

  /** Lets the body go. */
  end(): void {
    this.#body = undefined;
  }

  /** Reads on at `at`, as far as one call gets. */
  step(form: RecordsForm, at: number, isBehindOne: boolean): Step {
    if (at < this.#windowStart || at >= this.#windowEnd) this.#load(at, windowBytesMax);
    for (;;) {
      const step = this.#call(form, at, isBehindOne);
      const isCutOff = step.stop === "more" && step.count === 0 && step.at === at;
      if (!isCutOff) return step;
      const { inputBytesMax } = this.#map;
      if (at === this.#windowStart && this.#windowEnd - at === inputBytesMax)
        return { ...step, stop: "stuck" };
      this.#load(at, at === this.#windowStart ? inputBytesMax : windowBytesMax);
    }
  }

  #load(at: number, bytesMax: number): void {
    assert(this.#body, "the scanner was begun");
    const { inputAt, padding } = this.#map;
    const end = Math.min(this.#spanEnd, at + bytesMax);
    this.#bytes.set(this.#body.subarray(at, end), inputAt);
    this.#bytes.fill(0, inputAt + end - at, inputAt + end - at + padding);
    this.#windowStart = at;
    this.#windowEnd = end;
  }

  #call(form: RecordsForm, at: number, isBehindOne: boolean): Step {
    const toInput = this.#map.inputAt - this.#windowStart;
    const isLast = this.#windowEnd === this.#spanEnd;
    const count =
      form === "elements"
        ? this.#code.scanElements(at + toInput, isBehindOne ? 1 : 0)
        : this.#code.scanLines(at + toInput, this.#windowEnd + toInput, isLast ? 1 : 0);
    this.#takeTexts();
    const firstRow = this.#rows.add(this.#words, this.#map.rowsAt / 4, count * rowWords);
    const stop = stops[this.#reported(report.stop)] ?? "stuck";
    return {
      scanned: this.#scannedRows(),
      firstRow,
      count,
      isUtf8: this.#isUtf8(count),
      stop: !isLast && this.#isCutOff(form, stop) ? "more" : stop,
      at: this.#reported(report.stoppedAt) - toInput,
      isBehindOne: stop === "torn",
    };
  }

  #reported(word: number): number {
    return this.#words[this.#map.reportAt / 4 + word] ?? 0;
  }

  /** Whether the scanner stopped only because the window ends. */
  #isCutOff(form: RecordsForm, stop: Step["stop"]): boolean {
    if (stop === "ended") return form === "lines";
    const failedAt = this.#reported(stop === "stuck" ? report.failedAt : report.stoppedAt);
    return failedAt - this.#map.inputAt + this.#windowStart + lookAheadBytes >= this.#windowEnd;
  }

  /** What the rows refer to. Rows and resources are copied out: the next call writes over them. */
  #scannedRows(): ScannedRows {
    assert(this.#body, "the scanner was begun");
    const count = this.#reported(report.resources) * resourceWords;
    const firstResource = this.#resources.add(this.#words, this.#map.resourcesAt / 4, count);
    return {
      rows: this.#rows.words,
      resources: this.#resources.words,
      firstResource,
      texts: this.#texts,
      body: this.#body,
      offset: this.#windowStart,
    };
  }

  #isUtf8(count: number): boolean {
    if (count === 0 || this.#reported(report.isBeyondAscii) === 0) return true;
    const { inputAt, rowsAt } = this.#map;
    const start = this.#words[rowsAt / 4 + word.start] ?? 0;
    const end = this.#words[rowsAt / 4 + (count - 1) * rowWords + word.end] ?? 0;
    return isUtf8(this.#bytes.subarray(inputAt + start, inputAt + end));
  }

  /** Makes a string of each text that was interned since the last call. */
  #takeTexts(): void {
    const count = this.#reported(report.interned);
    const { internedAt, internedBytes } = this.#map;
    for (let number = this.#texts.length; number <= count; number += 1) {
      const entry = (internedAt + (number - 1) * internedBytes) / 4;
      const length = this.#words[entry + 1] ?? 0;
      const at = this.#words[entry + 2] ?? 0;
      this.#texts.push(decoder.decode(this.#bytes.subarray(at, at + length)));
    }
  }

  #addKeys(): void {
    const { inputAt } = this.#map;
    const keyAt = inputAt + 16;
    for (const key of keys) {
      const text = encoder.encode(`${key.name}"`);
      this.#bytes.fill(0, inputAt, keyAt + 64);
      // Quotes stand around a key where it is found too: a short one is hashed with them.
      this.#bytes[keyAt - 1] = byte.quote;
      this.#bytes.set(text, keyAt);
      const entry = this.#code.addKey(key.object, key.name.length) / 4;
      assert(entry > 0, `the key ${key.name} has a slot of its own (assembly/keys.ts)`);
      this.#words.set([key.kind, key.word, bitOf(key)], entry + 1);
    }
  }
}

const encoder = new TextEncoder();
// Texts of bodies that are no UTF-8 are made too; their records are refused all the same. A byte order mark is kept.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Holds copies of rows one behind the other: an array for every small body would cost more than scanning it. */
class WordPool {
  words = new Int32Array(0);
  #used = 0;

  /** Copies so many words and returns where they stand in `words`, which those before them may not share. */
  add(source: Int32Array, from: number, count: number): number {
    if (this.#used + count > this.words.length) {
      this.words = new Int32Array(Math.max(count, poolWordsMin));
      this.#used = 0;
    }
    const first = this.#used;
    this.#used += count;
    if (count > copiedOneByOneMax) this.words.set(source.subarray(from, from + count), first);
    else for (let at = 0; at < count; at += 1) this.words[first + at] = source[from + at] ?? 0;
    return first;
  }
}

const poolWordsMin = 16 * 1024;
const copiedOneByOneMax = 128;

type Place =
  | ("inputAt" | "inputBytesMax" | "padding" | "reportAt" | "rowsAt" | "rowWords" | "resourcesAt")
  | ("resourceWords" | "internedAt" | "internedBytes" | "internedMax");

function mapOf(code: ScannerExports): Readonly<Record<Place, number>> {
  const { inputAt, inputBytesMax, padding, reportAt } = code;
  const { rowsAt, rowWords, resourcesAt, resourceWords, internedAt, internedBytes, internedMax } = code;
  return {
    inputAt: inputAt.value,
    inputBytesMax: inputBytesMax.value,
    padding: padding.value,
    reportAt: reportAt.value,
    rowsAt: rowsAt.value,
    rowWords: rowWords.value,
    resourcesAt: resourcesAt.value,
    resourceWords: resourceWords.value,
    internedAt: internedAt.value,
    internedBytes: internedBytes.value,
    internedMax: internedMax.value,
  };
}

/** What the module exports; its code is compiled from assembly/scanner.ts. */
type ScannerExports = Readonly<Record<Place, { readonly value: number }>> & {
  readonly memory: { readonly buffer: ArrayBuffer };
  clearTexts(): void;
  addKey(object: number, length: number): number;
  scanElements(at: number, isBehindOne: number): number;
  scanLines(at: number, end: number, isLast: number): number;
};

/** The global that Node has and the configured type library lacks, as far as it is used here. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: ScannerExports };
};
