// A segment in its file: finds rows by binary search in the sorted sections, reads records by their blocks. Must not: hold
// more of it in memory than the table of its blocks; the rest is in the shared caches.
import type { Disk } from "../disk/contract.ts";
import { type BlockPlace, cacheKey, PagedFile, type SegmentCaches } from "./paged-file.ts";
import { lineOf } from "./packer.ts";
import { firstNotBelow } from "./rising-words.ts";
import type { Found, RowSource, Wanted } from "./search.ts";
import { type About, postingHeadWords, rowWords, SegmentDamage, tableWords } from "./segment-format.ts";
import { SortedWords } from "./sorted-words.ts";
import { hashOfId, hashOfTerm, idSeedOf, termKinds } from "./terms.ts";
import { newestFirst } from "./top-rows.ts";

/** Rows from `from` up to, without, `to`. */
interface RowRange {
  readonly from: number;
  readonly to: number;
}

interface RecordBlock extends BlockPlace {
  readonly rawStart: number;
  readonly rawBytes: number;
}

const rowBytes = rowWords * 4;

export class SealedSegment implements RowSource {
  readonly #file: PagedFile;
  readonly #seconds: SortedWords;
  readonly #ids: SortedWords;
  readonly #terms: SortedWords;
  #table: Promise<Buffer> | undefined;
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
    const { about } = this;
    const scope = about.scopes.indexOf(wanted.scope);
    if (scope === -1 || about.minSeconds > wanted.toSeconds || about.firstOrdinal >= wanted.endOrdinal) {
      return [];
    }
    return wanted.term.kind === "EventId" ? this.#findId(wanted) : this.#findTerm(wanted, scope);
  }

  async #findId(wanted: Wanted): Promise<readonly Found[]> {
    const hash = hashOfId(idSeedOf(wanted.scope), wanted.term.value);
    const rows: number[] = [];
    for (let at = await this.#ids.firstNotBelow(hash); at < this.#ids.count; at += 1) {
      if ((await this.#ids.at(at)) !== hash) break;
      rows.push(await this.#file.word(this.about.sections.ids + at * 8 + 4));
    }
    if (rows.length === 0) return [];
    const range = await this.#rangeOf(wanted);
    const inRange = rows.filter((row) => row >= range.from && row < range.to);
    const found = (await this.#foundAt(inRange)).filter(({ ordinal }) => ordinal < wanted.endOrdinal);
    return found.toSorted(newestFirst).slice(0, wanted.limit);
  }

  async #findTerm(wanted: Wanted, scope: number): Promise<readonly Found[]> {
    const posting = await this.#postingOf(wanted, scope);
    if (!posting) return [];
    const { from, to } = await this.#rangeOf(wanted);
    if (from >= to) return [];
    const found: Found[] = [];
    const rowAt = (index: number) => this.#file.word(posting.offset + index * 4);
    const list = { wordAt: rowAt, count: posting.count, wordsEnd: this.about.rows };
    for (let index = (await firstNotBelow(list, to)) - 1; index >= 0; ) {
      const rows: number[] = [];
      for (; index >= 0 && rows.length < wanted.limit - found.length; index -= 1) {
        const row = await rowAt(index);
        if (row < from) index = 0;
        else rows.push(row);
      }
      for (const one of await this.#foundAt(rows)) if (one.ordinal < wanted.endOrdinal) found.push(one);
      if (found.length === wanted.limit) break;
    }
    return found;
  }

  async #postingOf(
    { scope, term }: Wanted,
    scopeNumber: number,
  ): Promise<{ readonly offset: number; readonly count: number } | undefined> {
    if (term.kind === "EventId") return undefined;
    const kind = termKinds[term.kind];
    const hash = hashOfTerm({ scope, kind, value: term.value });
    const value = Buffer.from(term.value, "utf8");
    for (let at = await this.#terms.firstNotBelow(hash); at < this.#terms.count; at += 1) {
      if ((await this.#terms.at(at)) !== hash) return undefined;
      const { sections } = this.about;
      const offset = sections.postings + (await this.#file.word(sections.terms + at * 8 + 4));
      const head = await this.#file.bytes(offset, postingHeadWords * 4);
      const isTerm =
        head.readUInt32LE(0) === scopeNumber &&
        head.readUInt32LE(4) === kind &&
        head.readUInt32LE(8) === value.length;
      const valueOffset = offset + postingHeadWords * 4;
      if (isTerm && (await this.#file.bytes(valueOffset, value.length)).equals(value)) {
        return { offset: valueOffset + Math.ceil(value.length / 4) * 4, count: head.readUInt32LE(12) };
      }
    }
    return undefined;
  }

  /** The rows within the wanted times and behind the page before. */
  async #rangeOf({ fromSeconds, toSeconds, before }: Wanted): Promise<RowRange> {
    const from = await this.#seconds.firstNotBelow(fromSeconds);
    if (!before || before.seconds > toSeconds) {
      return { from, to: await this.#seconds.firstNotBelow(toSeconds + 1) };
    }
    const [first, end] = [
      await this.#seconds.firstNotBelow(before.seconds),
      await this.#seconds.firstNotBelow(before.seconds + 1),
    ];
    const ordinalAt = (index: number) =>
      this.#file.word(this.about.sections.rows + (first + index) * rowBytes + 4);
    const within = before.ordinal - this.about.firstOrdinal;
    const list = { wordAt: ordinalAt, count: end - first, wordsEnd: this.about.rows };
    return { from, to: first + (await firstNotBelow(list, within)) };
  }

  async #foundAt(rows: readonly number[]): Promise<readonly Found[]> {
    const { sections, firstOrdinal } = this.about;
    await this.#file.prefetch(rows.map((row) => sections.rows + row * rowBytes));
    return Promise.all(
      rows.map(async (row) => {
        const words = await this.#file.bytes(sections.rows + row * rowBytes, rowBytes);
        const place = words.readUInt32LE(8);
        return {
          seconds: words.readUInt32LE(0),
          ordinal: firstOrdinal + words.readUInt32LE(4),
          record: () => this.#recordAt(place),
        };
      }),
    );
  }

  async #recordAt(place: number): Promise<Buffer> {
    const block = await this.#blockOf(place);
    const { number, rawStart, rawBytes } = block;
    const packed = await this.#file.block(block);
    const record = lineOf({ key: cacheKey(this.#file.number, number), packed, rawBytes }, place - rawStart);
    if (!record) {
      throw new SegmentDamage(this.path, `There is no record at ${place} of the block at ${block.offset}.`);
    }
    return record;
  }

  async #blockOf(place: number): Promise<RecordBlock> {
    const { sections, blockCount } = this.about;
    this.#table ??= this.#file.bytes(sections.table, (blockCount + 1) * tableWords * 4);
    const table = await this.#table;
    const wordOf = (block: number, word: number) => table.readUInt32LE((block * tableWords + word) * 4);
    let low = 0;
    let high = blockCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (wordOf(middle, 0) <= place) low = middle;
      else high = middle - 1;
    }
    const [rawStart, offset] = [wordOf(low, 0), wordOf(low, 1)];
    return {
      number: low,
      ...{ rawStart, rawBytes: wordOf(low + 1, 0) - rawStart },
      ...{ offset, packedBytes: wordOf(low + 1, 1) - offset, sum: wordOf(low, 2) },
    };
  }
}
