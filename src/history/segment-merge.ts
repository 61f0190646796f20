// Makes one segment of several neighbours: fewer files to look into, and large ones sort better. Blocks are copied as they
// are. Works in small steps. Must not: remove its inputs, or decide which to merge (merge-choice.ts).
import { setImmediate as turn } from "node:timers/promises";
import type { Disk } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { PagedFile } from "./paged-file.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import { postingHeadWords } from "./segment-format.ts";
import { type Columns, SegmentWriter } from "./segment-writer.ts";
import type { Term } from "./terms.ts";

/** So much between two turns. */
const stepRows = 16 * 1024;
const copyBytes = 256 * 1024;

/** An input, and what of it is in memory meanwhile. */
interface Input {
  readonly file: PagedFile;
  readonly columns: Columns;
  /** Where its records begin in the text of the result. */
  readonly rawStart: number;
  /** Where its ordinals begin in the result. */
  readonly ordinalStart: number;
  /** Row of the input → row of the result. */
  readonly rows: Uint32Array;
}

/** Takes neighbours, oldest first; resolves to the name of the result, which is durable. */
export async function mergeSegments(
  segments: readonly SealedSegment[],
  { disk, directory }: { readonly disk: Disk; readonly directory: string },
): Promise<string> {
  const first = segments[0]?.about;
  const last = segments.at(-1)?.about;
  assert(first && last && segments.length > 1, "a merge has several inputs");
  const { firstOrdinal } = first;
  const { endOrdinal } = last;
  const inputs: Input[] = [];
  let rawStart = 0;
  for (const { file } of segments) {
    inputs.push(await inputOf(file, { rawStart, ordinalStart: file.about.firstOrdinal - firstOrdinal }));
    rawStart += file.about.rawBytes;
  }
  const writer = await SegmentWriter.start(disk, directory, { firstOrdinal, endOrdinal });
  try {
    for (const { file } of inputs) await copyBlocks(file, writer);
    writer.columns(await mergedColumns(inputs));
    await writer.drain();
    await mergeIds(inputs, writer);
    await mergePostings(inputs, writer);
    return await writer.finish({
      ...{ partition: first.partition, fromSeq: first.fromSeq, toSeq: last.toSeq, firstOrdinal, endOrdinal },
      firstArrivedMs: first.firstArrivedMs,
      lastArrivedMs: last.lastArrivedMs,
      rawBytes: rawStart,
    });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function inputOf(
  file: PagedFile,
  starts: { readonly rawStart: number; readonly ordinalStart: number },
): Promise<Input> {
  const { rows, sections } = file.about;
  const columns = {
    seconds: await wordsOf(file, sections.seconds, rows),
    ordinals: await wordsOf(file, sections.ordinals, rows),
    places: await wordsOf(file, sections.places, rows),
  };
  return { file, columns, ...starts, rows: new Uint32Array(rows) };
}

async function wordsOf(file: PagedFile, offset: number, count: number): Promise<Uint32Array> {
  const words = new Uint32Array(count);
  const target = new Uint8Array(words.buffer);
  for (let at = 0; at < target.length; at += copyBytes) {
    target.set(await file.bytesOnce(offset + at, Math.min(copyBytes, target.length - at)), at);
  }
  return words;
}

async function copyBlocks(file: PagedFile, writer: SegmentWriter): Promise<void> {
  const { sections, blockCount } = file.about;
  const table = await wordsOf(file, sections.table, (blockCount + 1) * 2);
  for (let block = 0; block < blockCount; block += 1) {
    const [rawStart = 0, offset = 0, rawEnd = 0, end = 0] = table.subarray(block * 2, block * 2 + 4);
    writer.block(await file.bytesOnce(offset, end - offset), rawEnd - rawStart);
    await writer.drain();
  }
}

/** Fills the inputs' `rows`. */
async function mergedColumns(inputs: readonly Input[]): Promise<Columns> {
  const count = inputs.reduce((sum, { rows }) => sum + rows.length, 0);
  const result: Columns = {
    seconds: new Uint32Array(count),
    ordinals: new Uint32Array(count),
    places: new Uint32Array(count),
  };
  const heads = inputs.map((input) => ({ input, at: 0 }));
  for (let row = 0; row < count; row += 1) {
    let least: (typeof heads)[number] | undefined;
    let leastSeconds = Infinity;
    for (const head of heads) {
      const seconds = head.input.columns.seconds[head.at];
      // Of equal times the older input's come first: its numbers are lower.
      if (seconds === undefined || seconds >= leastSeconds) continue;
      least = head;
      leastSeconds = seconds;
    }
    assert(least, "there are as many rows as the inputs have");
    const { input, at } = least;
    result.seconds[row] = leastSeconds;
    result.ordinals[row] = input.ordinalStart + (input.columns.ordinals[at] ?? 0);
    result.places[row] = input.rawStart + (input.columns.places[at] ?? 0);
    input.rows[at] = row;
    least.at += 1;
    if (row % stepRows === stepRows - 1) await turn();
  }
  return result;
}

async function mergeIds(inputs: readonly Input[], writer: SegmentWriter): Promise<void> {
  const heads = await Promise.all(
    inputs.map(async ({ file, rows }) => {
      return { rows, pairs: await wordsOf(file, file.about.sections.ids, rows.length * 2), at: 0 };
    }),
  );
  let count = heads.reduce((sum, { pairs }) => sum + pairs.length, 0);
  while (count > 0) {
    const step = new Uint32Array(Math.min(count, stepRows * 2));
    for (let at = 0; at < step.length; at += 2) {
      let least: (typeof heads)[number] | undefined;
      let leastHash = Infinity;
      for (const head of heads) {
        const hash = head.pairs[head.at];
        if (hash === undefined || hash >= leastHash) continue;
        least = head;
        leastHash = hash;
      }
      assert(least, "there are as many ids as rows");
      step[at] = leastHash;
      step[at + 1] = least.rows[least.pairs[least.at + 1] ?? 0] ?? 0;
      least.at += 2;
    }
    writer.ids(step);
    await writer.drain();
    count -= step.length;
    await turn();
  }
  writer.endIds();
}

/** Goes through the terms of one input, in the order of their hashes. */
class TermHead {
  readonly input: Input;
  readonly #entries: Uint32Array;
  #at = 0;
  #window: { readonly start: number; readonly bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };

  constructor(input: Input, entries: Uint32Array) {
    this.input = input;
    this.#entries = entries;
  }

  get hash(): number {
    return this.#entries[this.#at] ?? Infinity;
  }

  /** The term it stands at, with its rows in the result; goes on to the next. */
  async take(): Promise<{ readonly term: Term; readonly rows: Uint32Array }> {
    const { file, rows } = this.input;
    const { scopes, sections } = file.about;
    const start = sections.postings + (this.#entries[this.#at + 1] ?? 0);
    // The next one begins where this one ends, and the section of the terms behind the last.
    const end = sections.postings + (this.#entries[this.#at + 3] ?? sections.terms - sections.postings);
    this.#at += 2;
    const window = this.#window;
    const isHere = start >= window.start && end <= window.start + window.bytes.length;
    const bytes = isHere ? window.bytes : await this.#load(start, end);
    const at = start - this.#window.start;
    const [scope, kind] = [scopes[bytes.readUInt32LE(at)] ?? "", bytes.readUInt32LE(at + 4)];
    const [valueBytes, count] = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)];
    const valueAt = at + postingHeadWords * 4;
    const value = bytes.toString("utf8", valueAt, valueAt + valueBytes);
    const rowsAt = valueAt + Math.ceil(valueBytes / 4) * 4;
    const own = new Uint32Array(count);
    for (let index = 0; index < count; index += 1)
      own[index] = rows[bytes.readUInt32LE(rowsAt + index * 4)] ?? 0;
    return { term: { scope, kind, value }, rows: own };
  }

  /** Postings lie in the order in which they are taken: much of them is read at once. */
  async #load(start: number, end: number): Promise<Buffer> {
    const { file } = this.input;
    const length = Math.min(Math.max(end - start, copyBytes), file.about.sections.terms - start);
    this.#window = { start, bytes: await file.bytesOnce(start, length) };
    return this.#window.bytes;
  }
}

async function mergePostings(inputs: readonly Input[], writer: SegmentWriter): Promise<void> {
  const heads: TermHead[] = [];
  for (const input of inputs) {
    const { sections, termCount } = input.file.about;
    heads.push(new TermHead(input, await wordsOf(input.file, sections.terms, termCount * 2)));
  }
  let rowsSinceTurn = 0;
  for (;;) {
    const hash = heads.reduce((least, head) => Math.min(least, head.hash), Infinity);
    if (hash === Infinity) return;
    // Different terms may have one hash.
    const terms: { readonly term: Term; readonly lists: Uint32Array[] }[] = [];
    for (const head of heads) {
      while (head.hash === hash) {
        const { term, rows } = await head.take();
        const known = terms.find((other) => isSameTerm(other.term, term));
        if (known) known.lists.push(rows);
        else terms.push({ term, lists: [rows] });
        rowsSinceTurn += rows.length + 10;
      }
    }
    for (const { term, lists } of terms) writer.posting(term, joined(lists));
    if (rowsSinceTurn < stepRows) continue;
    rowsSinceTurn = 0;
    await writer.drain();
    await turn();
  }
}

function isSameTerm(a: Term, b: Term): boolean {
  return a.kind === b.kind && a.value === b.value && a.scope === b.scope;
}

/** Lists that rise become one that rises. */
function joined(lists: readonly Uint32Array[]): Uint32Array {
  const [only] = lists;
  if (only && lists.length === 1) return only;
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  let isSorted = true;
  for (const list of lists) {
    if (at > 0 && (list[0] ?? 0) < (all[at - 1] ?? 0)) isSorted = false;
    all.set(list, at);
    at += list.length;
  }
  return isSorted ? all : all.sort();
}
