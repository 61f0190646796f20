// A segment in its file: finds rows by binary search in the sorted sections, reads records by their blocks. Must not: hold
// more of it in memory than the table of its blocks; the rest is in the shared caches.
import type { Disk } from "../disk/contract.ts";
import { firstIndex } from "./first-index.ts";
import { type BlockPlace, cacheKey, PagedFile, type SegmentCaches } from "./paged-file.ts";
import { lineOf } from "./packer.ts";
import { firstNotBelow } from "./rising-words.ts";
import type { Found, RowSource, Wanted } from "./search.ts";
import { type About, postingHeadWords, rowWords, SegmentDamage, tableWords } from "./segment-format.ts";
import { SortedWords } from "./sorted-words.ts";
import { hashOfId, hashOfTerm, idSeedOf, termKinds } from "./terms.ts";
import { newestFirst, type Row } from "./top-rows.ts";

/** Rows from `from` up to, without, `to`. */
interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** The rows of a term: `count` words that rise. */
interface Posting {
  readonly offset: number;
  readonly count: number;
}

type Located = readonly [posting: Posting | undefined, within: RowRange];

interface WantedBlock extends BlockPlace {
  readonly rawStart: number;
  readonly rawBytes: number;
  /** Of the wanted records, those in it. */
  readonly indexes: number[];
}

const rowBytes = rowWords * 4;
/** Words of a posting on both sides of a guess: two or three pages. */
const readAheadWords = 3 * 1024;
const wholeRange: RowRange = { from: 0, to: Number.POSITIVE_INFINITY };

export class SealedSegment implements RowSource {
  readonly #file: PagedFile;
  readonly #seconds: SortedWords;
  readonly #ids: SortedWords;
  readonly #terms: SortedWords;
  #table: Buffer | undefined;
  /** What was found out ahead. */
  readonly #located = new WeakMap<Wanted, Located>();
  #users = 0;
  #isRetired = false;

  private constructor(file: PagedFile) {
    const { sections, rows, termCount, rowFirsts, idFirsts, termFirsts } = file.about;
    this.#file = file;
    this.#seconds = new SortedWords(file, {
      offset: sections.rows,
      stride: rowBytes,
      count: rows,
      firsts: rowFirsts,
    });
    this.#ids = new SortedWords(file, { offset: sections.ids, stride: 8, count: rows, firsts: idFirsts });
    this.#terms = new SortedWords(file, {
      offset: sections.terms,
      stride: 8,
      count: termCount,
      firsts: termFirsts,
    });
  }

  /** Throws SegmentDamage when the file is not whole. */
  static async open(disk: Disk, path: string, caches: SegmentCaches): Promise<SealedSegment> {
    return new SealedSegment(await PagedFile.open(disk, path, caches));
  }

  get about(): About {
    return this.#file.about;
  }

  get path(): string {
    return this.#file.path;
  }

  get bytes(): number {
    return this.#file.sizeBytes;
  }

  get maxSeconds(): number {
    return this.about.maxSeconds;
  }

  /** What a merge copies. */
  get file(): PagedFile {
    return this.#file;
  }

  /** Keeps the file open until `leave`. */
  enter(): void {
    this.#users += 1;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    await this.#closeUnused();
  }

  /** Its file is removed or damaged: closed as soon as nobody reads it. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.#closeUnused();
  }

  async #closeUnused(): Promise<void> {
    if (this.#isRetired && this.#users === 0) await this.#file.close();
  }

  async find(wanted: Wanted): Promise<readonly Found[]> {
    const scope = this.#scopeOf(wanted);
    if (scope === undefined) return [];
    return wanted.term.kind === "EventId" ? this.#findId(wanted) : this.#findTerm(wanted, scope);
  }

  async lookAhead(wanted: Wanted): Promise<void> {
    const scope = this.#scopeOf(wanted);
    if (scope === undefined) return;
    this.#located.set(wanted, await this.#locate(wanted, scope));
  }

  /** Its number here; undefined when there is nothing of it. */
  #scopeOf(wanted: Wanted): number | undefined {
    const { scopes, minSeconds, firstOrdinal } = this.about;
    const scope = scopes.indexOf(wanted.scope);
    const mayHave = scope !== -1 && minSeconds <= wanted.toSeconds && firstOrdinal < wanted.endOrdinal;
    return mayHave ? scope : undefined;
  }

  async #findId(wanted: Wanted): Promise<readonly Found[]> {
    const hash = hashOfId(idSeedOf(wanted.scope), wanted.term.value);
    const rows: number[] = [];
    for (let at = await this.#ids.firstNotBelow(hash); at < this.#ids.count; at += 1) {
      if ((await this.#ids.at(at)) !== hash) break;
      rows.push(await this.#file.word(this.about.sections.ids + at * 8 + 4));
    }
    // Mostly there is one, and its row says when it was. What was posted again and again is looked for by its time first.
    const range = rows.length > wanted.limit ? await this.#rangeOf(wanted) : wholeRange;
    const inRange = rows.filter((row) => row >= range.from && row < range.to);
    const found = (await this.#foundAt(inRange)).filter((one) => isWanted(one, wanted));
    return found.toSorted(newestFirst).slice(0, wanted.limit);
  }

  async #findTerm(wanted: Wanted, scope: number): Promise<readonly Found[]> {
    const [posting, { from, to }] = this.#located.get(wanted) ?? (await this.#locate(wanted, scope));
    if (!posting || from >= to) return [];
    const rowAt = (index: number) => this.#file.word(posting.offset + index * 4);
    const list = { wordAt: rowAt, count: posting.count, wordsEnd: this.about.rows };
    const found: Found[] = [];
    for (let end = await firstNotBelow(list, to); end > 0; ) {
      const start = Math.max(0, end - (wanted.limit - found.length));
      const rows = await this.#rowsIn(posting, { from: start, to: end });
      const inRange = rows.filter((row) => row >= from);
      for (const one of await this.#foundAt(inRange)) if (one.ordinal < wanted.endOrdinal) found.push(one);
      if (found.length === wanted.limit || inRange.length < rows.length) break;
      end = start;
    }
    return found;
  }

  /** Both together, so that what they read first is read in one go. */
  #locate(wanted: Wanted, scope: number): Promise<Located> {
    return Promise.all([this.#postingOf(wanted, scope), this.#rangeOf(wanted)]);
  }

  /** Some rows of a posting, the last one first. */
  async #rowsIn(posting: Posting, { from, to }: RowRange): Promise<readonly number[]> {
    const start = posting.offset + from * 4;
    const rowAt = await this.#file.words(start, (to - from) * 4);
    return Array.from({ length: to - from }, (_, index) => rowAt(start + (to - from - 1 - index) * 4));
  }

  async #postingOf(wanted: Wanted, scopeNumber: number): Promise<Posting | undefined> {
    const { scope, term } = wanted;
    if (term.kind === "EventId") return undefined;
    const kind = termKinds[term.kind];
    const hash = hashOfTerm({ scope, kind, value: term.value });
    const value = Buffer.from(term.value, "utf8");
    for (let at = await this.#terms.firstNotBelow(hash); at < this.#terms.count; at += 1) {
      if ((await this.#terms.at(at)) !== hash) return undefined;
      const { start, end } = await this.#placeOfPosting(at);
      const rowsAt = postingHeadWords * 4 + Math.ceil(value.length / 4) * 4;
      if (start + rowsAt > end) continue;
      const offset = start + rowsAt;
      // Most likely it is this one: the part of it that is looked into next is read with its head.
      const [head] = await Promise.all([
        this.#file.bytes(start, rowsAt),
        this.#readAhead({ offset, count: (end - offset) / 4 }, wanted.toSeconds),
      ]);
      const isTerm =
        head.readUInt32LE(0) === scopeNumber &&
        head.readUInt32LE(4) === kind &&
        head.readUInt32LE(8) === value.length;
      const valueAt = postingHeadWords * 4;
      if (isTerm && head.subarray(valueAt, valueAt + value.length).equals(value)) {
        return { offset, count: head.readUInt32LE(12) };
      }
    }
    return undefined;
  }

  /** It ends where the next one begins; the last one perhaps a word before the next section. */
  async #placeOfPosting(term: number): Promise<{ readonly start: number; readonly end: number }> {
    const { sections, termCount } = this.about;
    const [start, end] = await Promise.all([
      this.#file.word(sections.terms + term * 8 + 4),
      term + 1 < termCount
        ? this.#file.word(sections.terms + (term + 1) * 8 + 4)
        : sections.terms - sections.postings,
    ]);
    return { start: sections.postings + start, end: sections.postings + end };
  }

  /** Brings to the cache what lies about where the rows of this time should be, if they rise evenly. */
  async #readAhead({ offset, count }: Posting, seconds: number): Promise<void> {
    // It lies beside its head.
    if (count <= readAheadWords) return;
    const guess = Math.floor((count * this.#seconds.roughly(seconds)) / Math.max(1, this.about.rows));
    const from = Math.max(0, guess - readAheadWords);
    const to = Math.min(count, guess + readAheadWords);
    await this.#file.words(offset + from * 4, (to - from) * 4);
  }

  /** The rows within the wanted times and behind the page before. */
  async #rangeOf({ fromSeconds, toSeconds, before }: Wanted): Promise<RowRange> {
    if (!before || before.seconds > toSeconds) {
      const [from, to] = await Promise.all([this.#firstAt(fromSeconds), this.#firstAt(toSeconds + 1)]);
      return { from, to };
    }
    const [from, first, end] = await Promise.all([
      this.#firstAt(fromSeconds),
      this.#firstAt(before.seconds),
      this.#firstAt(before.seconds + 1),
    ]);
    const ordinalAt = (index: number) =>
      this.#file.word(this.about.sections.rows + (first + index) * rowBytes + 4);
    const within = before.ordinal - this.about.firstOrdinal;
    const list = { wordAt: ordinalAt, count: end - first, wordsEnd: this.about.rows };
    return { from, to: first + (await firstNotBelow(list, within)) };
  }

  /** The first row at this second or later. */
  async #firstAt(seconds: number): Promise<number> {
    const { minSeconds, maxSeconds, rows } = this.about;
    if (seconds <= minSeconds) return 0;
    return seconds > maxSeconds ? rows : this.#seconds.firstNotBelow(seconds);
  }

  async #foundAt(rows: readonly number[]): Promise<readonly Found[]> {
    const { sections, firstOrdinal } = this.about;
    const offsets = rows.map((row) => sections.rows + row * rowBytes);
    const words = await this.#file.gathered(offsets, rowBytes);
    return rows.map((_row, index) => ({
      seconds: words.readUInt32LE(index * rowBytes),
      ordinal: firstOrdinal + words.readUInt32LE(index * rowBytes + 4),
      source: this,
      place: words.readUInt32LE(index * rowBytes + 8),
    }));
  }

  /** The records at these places; all their blocks are read in one go. */
  async records(places: readonly number[]): Promise<readonly Buffer[]> {
    const table = await this.#tableWords();
    const blocks = new Map<number, WantedBlock>();
    for (const [index, place] of places.entries()) {
      const number = this.#blockAt(place, table);
      const block = blocks.get(number);
      if (block) block.indexes.push(index);
      else blocks.set(number, { ...blockOf(number, table), indexes: [index] });
    }
    const records: Buffer[] = places.map(() => noRecord);
    const inOrder = [...blocks.values()].toSorted((a, b) => a.number - b.number);
    await this.#file.blocks(inOrder, (packed, block) => {
      for (const index of block.indexes) records[index] = this.#recordIn(block, packed, places[index] ?? 0);
    });
    return records;
  }

  #recordIn({ number, offset, rawStart, rawBytes }: WantedBlock, packed: Buffer, place: number): Buffer {
    const record = lineOf({ key: cacheKey(this.#file.number, number), packed, rawBytes }, place - rawStart);
    if (!record) {
      throw new SegmentDamage(this.path, `There is no record at ${place} of the block at ${offset}.`);
    }
    return record;
  }

  async #tableWords(): Promise<Buffer> {
    const { sections, blockCount } = this.about;
    this.#table ??= await this.#file.bytes(sections.table, (blockCount + 1) * tableWords * 4);
    return this.#table;
  }

  /** The last one that does not begin behind the place. */
  #blockAt(place: number, table: Buffer): number {
    const { blockCount } = this.about;
    return Math.max(0, firstIndex(blockCount, (block) => tableWord(table, block, 0) > place) - 1);
  }
}

const noRecord = Buffer.alloc(0);

function isWanted(row: Row, { fromSeconds, toSeconds, endOrdinal, before }: Wanted): boolean {
  const isInTime = row.seconds >= fromSeconds && row.seconds <= toSeconds && row.ordinal < endOrdinal;
  return isInTime && (!before || newestFirst(row, before) > 0);
}

function tableWord(table: Buffer, block: number, word: number): number {
  return table.readUInt32LE((block * tableWords + word) * 4);
}

function blockOf(number: number, table: Buffer): Omit<WantedBlock, "indexes"> {
  const [rawStart, offset] = [tableWord(table, number, 0), tableWord(table, number, 1)];
  return {
    number,
    ...{ rawStart, rawBytes: tableWord(table, number + 1, 0) - rawStart },
    ...{ offset, packedBytes: tableWord(table, number + 1, 1) - offset, sum: tableWord(table, number, 2) },
  };
}
