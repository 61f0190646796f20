// Makes one segment of several neighbours: fewer files to look into, and large ones sort better. Blocks are copied as they
// are. Works in small steps. Must not: remove its inputs, or decide which to merge (merge-choice.ts).
import { setImmediate as turn } from "node:timers/promises";
import type { Disk } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { PagedFile } from "./paged-file.ts";
import type { SealedSegment } from "./sealed-segment.ts";
import { bytesOfWords, postingHeadWords, rowWords, tableWords } from "./segment-format.ts";
import { type PostedTerm, SegmentWriter } from "./segment-writer.ts";

/** So much between two turns. */
const stepRows = 16 * 1024;
const copyBytes = 256 * 1024;

/** An input, and what of it is in memory meanwhile. */
interface Input {
  readonly file: PagedFile;
  /** Its rows as its file has them. */
  readonly own: Uint32Array;
  /** Where its records begin in the text of the result. */
  readonly rawStart: number;
  /** Where its ordinals begin in the result. */
  readonly ordinalStart: number;
  /** Row of the input → row of the result. */
  readonly merged: Uint32Array;
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
    writer.rows(await mergeRows(inputs));
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
  const own = await wordsOf(file, sections.rows, rows * rowWords);
  return { file, own, ...starts, merged: new Uint32Array(rows) };
}

async function wordsOf(file: PagedFile, offset: number, count: number): Promise<Uint32Array> {
  const words = new Uint32Array(count);
  const target = new Uint8Array(words.buffer);
  for (let at = 0; at < target.length; at += copyBytes) {
    target.set(await file.bytesOnce(offset + at, Math.min(copyBytes, target.length - at)), at);
  }
  return words;
}

/** As many blocks at once as fit a step, at least one. */
async function copyBlocks(file: PagedFile, writer: SegmentWriter): Promise<void> {
  const { sections, blockCount } = file.about;
  const table = await wordsOf(file, sections.table, (blockCount + 1) * tableWords);
  const wordOf = (block: number, word: number) => table[block * tableWords + word] ?? 0;
  for (let first = 0; first < blockCount; ) {
    const start = wordOf(first, 1);
    let end = first + 1;
    while (end < blockCount && wordOf(end + 1, 1) - start <= copyBytes) end += 1;
    const bytes = await file.unchecked(start, wordOf(end, 1) - start);
    for (let block = first; block < end; block += 1) {
      const packed = bytes.subarray(wordOf(block, 1) - start, wordOf(block + 1, 1) - start);
      const sum = wordOf(block, 2);
      file.check(packed, { offset: wordOf(block, 1), sum });
      writer.block({ packed, rawBytes: wordOf(block + 1, 0) - wordOf(block, 0), sum });
    }
    await writer.drain();
    first = end;
  }
}

/** Several lists of entries that rise by their first word, and the least entry that none of them has passed. */
class Rising {
  readonly #lists: readonly Uint32Array[];
  readonly #stride: number;
  /** By list: where it stands, and the word there; Infinity behind its end. */
  readonly #places: Uint32Array;
  readonly #words: Float64Array;
  /** The list of the least entry; of equal ones the earlier list's. */
  list = 0;

  constructor(lists: readonly Uint32Array[], stride: number) {
    this.#lists = lists;
    this.#stride = stride;
    this.#places = new Uint32Array(lists.length);
    this.#words = Float64Array.from(lists, (list) => list[0] ?? Infinity);
    this.#findLeast();
  }

  /** Where in its list the least entry begins. */
  get place(): number {
    return this.#places[this.list] ?? 0;
  }

  /** Passes the least entry. */
  pass(): void {
    const place = this.place + this.#stride;
    this.#places[this.list] = place;
    this.#words[this.list] = this.#lists[this.list]?.[place] ?? Infinity;
    this.#findLeast();
  }

  #findLeast(): void {
    const words = this.#words;
    let least = 0;
    for (let list = 1; list < words.length; list += 1) {
      if ((words[list] ?? Infinity) < (words[least] ?? Infinity)) least = list;
    }
    this.list = least;
  }
}

/** Of equal times the older input's come first: its numbers are lower. Fills the inputs' `merged`. */
async function mergeRows(inputs: readonly Input[]): Promise<Uint32Array> {
  const count = inputs.reduce((sum, { merged }) => sum + merged.length, 0);
  const result = new Uint32Array(count * rowWords);
  const rising = new Rising(
    inputs.map(({ own }) => own),
    rowWords,
  );
  for (let row = 0; row < count; row += 1) {
    const input = inputs[rising.list];
    assert(input, "there are as many rows as the inputs have");
    const { place } = rising;
    result[row * rowWords] = input.own[place] ?? 0;
    result[row * rowWords + 1] = input.ordinalStart + (input.own[place + 1] ?? 0);
    result[row * rowWords + 2] = input.rawStart + (input.own[place + 2] ?? 0);
    input.merged[place / rowWords] = row;
    rising.pass();
    if (row % stepRows === stepRows - 1) await turn();
  }
  return result;
}

async function mergeIds(inputs: readonly Input[], writer: SegmentWriter): Promise<void> {
  const lists = await Promise.all(
    inputs.map(({ file, merged }) => wordsOf(file, file.about.sections.ids, merged.length * 2)),
  );
  const rising = new Rising(lists, 2);
  let words = lists.reduce((sum, { length }) => sum + length, 0);
  while (words > 0) {
    const step = new Uint32Array(Math.min(words, stepRows * 2));
    for (let at = 0; at < step.length; at += 2) {
      const { list, place } = rising;
      step[at] = lists[list]?.[place] ?? 0;
      step[at + 1] = inputs[list]?.merged[lists[list]?.[place + 1] ?? 0] ?? 0;
      rising.pass();
    }
    writer.ids(step);
    await writer.drain();
    words -= step.length;
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
  async take(): Promise<{ readonly term: PostedTerm; readonly rows: Uint32Array }> {
    const { hash } = this;
    const { file, merged } = this.input;
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
    const value = bytes.subarray(valueAt, valueAt + valueBytes);
    const rowsAt = valueAt + Math.ceil(valueBytes / 4) * 4;
    const rows = new Uint32Array(count);
    bytesOfWords(rows).set(bytes.subarray(rowsAt, rowsAt + count * 4));
    for (let at = 0; at < count; at += 1) rows[at] = merged[rows[at] ?? 0] ?? 0;
    return { term: { hash, scope, kind, value }, rows };
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
    const terms: { readonly term: PostedTerm; readonly lists: Uint32Array[] }[] = [];
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

function isSameTerm(a: PostedTerm, b: PostedTerm): boolean {
  return a.kind === b.kind && a.scope === b.scope && Buffer.compare(a.value, b.value) === 0;
}

/** Lists that rise become one that rises. Each begins nearly where the one before ends: only late events lie across. */
export function joined(lists: readonly Uint32Array[]): Uint32Array {
  const [only] = lists;
  if (only && lists.length === 1) return only;
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let used = 0;
  for (const list of lists) {
    mergeIn(all, used, list);
    used += list.length;
  }
  return all;
}

/** Merges a list into the `used` words before, from the end: what lies below all of the list stays where it is. */
function mergeIn(all: Uint32Array, used: number, list: Uint32Array): void {
  let before = used - 1;
  let place = used + list.length - 1;
  for (let own = list.length - 1; own >= 0; place -= 1) {
    const word = list[own] ?? 0;
    const other = before >= 0 ? (all[before] ?? 0) : -1;
    if (other > word) {
      all[place] = other;
      before -= 1;
    } else {
      all[place] = word;
      own -= 1;
    }
  }
}
