// Writes a segment file from its beginning to its end, section by section. Must not: know where the content comes from.
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { AppendFile, Disk } from "../disk/contract.ts";
import { temporarySuffix } from "../disk/write-atomically.ts";
import { assert } from "../model/assert.ts";
import {
  type About,
  bytesOfWords,
  entriesPerFirst,
  magic,
  pageBytes,
  rowWords,
  type SectionName,
  segmentName,
  tableWords,
  tailBytes,
} from "./segment-format.ts";

/** What the writer does not find out by itself. */
export type SegmentFacts = Pick<
  About,
  | "partition"
  | "fromSeq"
  | "toSeq"
  | "firstOrdinal"
  | "endOrdinal"
  | "firstArrivedMs"
  | "lastArrivedMs"
  | "rawBytes"
>;

/** A block as a file has it. */
export interface WrittenBlock {
  readonly packed: Uint8Array;
  readonly rawBytes: number;
  /** CRC-32 of `packed`. */
  readonly sum: number;
}

/** A term as a file has it. */
export interface PostedTerm {
  /** hashOfTerm of terms.ts. */
  readonly hash: number;
  readonly scope: string;
  readonly kind: number;
  /** UTF-8. */
  readonly value: Uint8Array;
}

/** Whole pages are summed and written together. */
const stageBytes = 16 * pageBytes;
const noBytes = Buffer.alloc(pageBytes);

export class SegmentWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #path: string;
  readonly #name: string;
  readonly #file: AppendFile;
  /** What comes is copied here; full ones wait to be written. */
  #stage: Buffer = Buffer.allocUnsafeSlow(stageBytes);
  #staged = 0;
  #stageStart = 0;
  #full: Buffer[] = [];
  #spare: Buffer | undefined;
  #offset = 0;
  /** Where the table begins: pages have sums from there on. */
  #pagedStart = Infinity;
  readonly #sums: number[] = [];
  readonly #sections: Partial<Record<SectionName, number>> = {};
  readonly #table: number[] = [];
  #rawBytes = 0;
  #rows: Uint32Array | undefined;
  readonly #idFirsts: number[] = [];
  #idCount = 0;
  readonly #terms: number[] = [];
  readonly #scopes = new Map<string, number>();

  private constructor(
    disk: Disk,
    place: { readonly directory: string; readonly name: string },
    file: AppendFile,
  ) {
    this.#disk = disk;
    this.#directory = place.directory;
    this.#name = place.name;
    this.#path = join(place.directory, place.name);
    this.#file = file;
  }

  static async start(
    disk: Disk,
    directory: string,
    { firstOrdinal, endOrdinal }: Pick<About, "firstOrdinal" | "endOrdinal">,
  ): Promise<SegmentWriter> {
    const name = segmentName(firstOrdinal, endOrdinal);
    const temporary = join(directory, name) + temporarySuffix;
    // What a crash or a full disk left under this name was never part of anything.
    await disk.remove(temporary);
    return new SegmentWriter(disk, { directory, name }, await disk.create(temporary));
  }

  /** Writes what is staged in whole. To be called between every few things that are added: they wait in memory. */
  async drain(): Promise<void> {
    const full = this.#full;
    this.#full = [];
    if (full.length === 0) return;
    await this.#file.append(full);
    [this.#spare] = full;
  }

  /** Blocks come first, in order. */
  block({ packed, rawBytes, sum }: WrittenBlock): void {
    assert(!this.#rows, "blocks come before rows");
    this.#table.push(this.#rawBytes, this.#offset, sum);
    this.#rawBytes += rawBytes;
    this.#append(packed);
  }

  /** All rows as the file has them, sorted. */
  rows(rows: Uint32Array): void {
    this.#table.push(this.#rawBytes, this.#offset, 0);
    this.#rows = rows;
    this.#align(pageBytes);
    this.#pagedStart = this.#offset;
    this.#section("table", bytesOfWords(Uint32Array.from(this.#table)));
    this.#section("rows", bytesOfWords(rows));
    this.#begin("ids");
  }

  /** Pairs of hash and row, sorted by hash, in as many pieces as one likes. */
  ids(pairs: Uint32Array): void {
    for (let at = 0; at < pairs.length; at += 2) {
      if (this.#idCount % entriesPerFirst === 0) this.#idFirsts.push(pairs[at] ?? 0);
      this.#idCount += 1;
    }
    this.#append(bytesOfWords(pairs));
  }

  endIds(): void {
    this.#begin("postings");
  }

  /** Terms come sorted by their hash. */
  posting({ hash, scope, kind, value }: PostedTerm, rows: Uint32Array): void {
    assert((this.#terms.at(-2) ?? 0) <= hash, "postings come in the order of their hashes");
    this.#terms.push(hash, this.#offset - (this.#sections.postings ?? 0));
    this.#append(bytesOfWords(Uint32Array.of(this.#scopeNumber(scope), kind, value.length, rows.length)));
    this.#append(value);
    this.#align(4);
    this.#append(bytesOfWords(rows));
  }

  /** Makes the file durable and gives it its name, which is returned. */
  async finish(facts: SegmentFacts): Promise<string> {
    const terms = Uint32Array.from(this.#terms);
    this.#section("terms", bytesOfWords(terms));
    this.#align(8);
    const sumsOffset = this.#offset;
    this.#sumStage();
    const sums = bytesOfWords(Uint32Array.from(this.#sums));
    const about = Buffer.from(JSON.stringify(this.#about(facts, terms)), "utf8");
    const tail = Buffer.alloc(tailBytes);
    magic.copy(tail);
    tail.writeDoubleLE(this.#pagedStart, 8);
    tail.writeDoubleLE(sumsOffset, 16);
    tail.writeDoubleLE(sumsOffset + sums.length, 24);
    tail.writeUInt32LE(about.length, 32);
    tail.writeUInt32LE(crc32(about, crc32(sums)), 36);
    await this.drain();
    await this.#file.append([this.#stage.subarray(0, this.#staged), sums, about, tail]);
    await this.#file.sync();
    await this.#file.close();
    await this.#disk.rename(this.#path + temporarySuffix, this.#path);
    await this.#disk.syncDirectory(this.#directory);
    return this.#name;
  }

  /** Leaves nothing behind, if the disk lets it. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await this.#disk.remove(this.#path + temporarySuffix).catch(() => undefined);
  }

  #about(facts: SegmentFacts, terms: Uint32Array): About {
    const rows = this.#rows ?? new Uint32Array();
    const sections = this.#sections;
    return {
      version: 2,
      ...facts,
      rows: rows.length / rowWords,
      termCount: terms.length / 2,
      minSeconds: rows[0] ?? 0,
      maxSeconds: rows.at(-rowWords) ?? 0,
      blockCount: this.#table.length / tableWords - 1,
      scopes: [...this.#scopes.keys()],
      sections: {
        table: sections.table ?? 0,
        rows: sections.rows ?? 0,
        ids: sections.ids ?? 0,
        postings: sections.postings ?? 0,
        terms: sections.terms ?? 0,
      },
      rowFirsts: firstsOf(rows, rowWords),
      idFirsts: this.#idFirsts,
      termFirsts: firstsOf(terms, 2),
    };
  }

  #scopeNumber(scope: string): number {
    let number = this.#scopes.get(scope);
    if (number === undefined) {
      number = this.#scopes.size;
      this.#scopes.set(scope, number);
    }
    return number;
  }

  #section(name: SectionName, bytes: Uint8Array): void {
    this.#begin(name);
    this.#append(bytes);
  }

  #begin(name: SectionName): void {
    this.#align(8);
    this.#sections[name] = this.#offset;
  }

  #align(bytes: number): void {
    const rest = this.#offset % bytes;
    if (rest > 0) this.#append(noBytes.subarray(0, bytes - rest));
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + stageBytes - this.#staged);
      this.#stage.set(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), this.#staged);
      this.#staged += end - at;
      at = end;
      if (this.#staged === stageBytes) this.#endStage();
    }
    this.#offset += bytes.length;
  }

  #endStage(): void {
    this.#sumStage();
    this.#full.push(this.#stage);
    this.#stage = this.#spare ?? Buffer.allocUnsafeSlow(stageBytes);
    this.#spare = undefined;
    this.#staged = 0;
  }

  /** A stage begins at a page's beginning. */
  #sumStage(): void {
    const start = this.#stageStart;
    for (let at = Math.max(0, this.#pagedStart - start); at < this.#staged; at += pageBytes) {
      this.#sums.push(crc32(this.#stage.subarray(at, Math.min(this.#staged, at + pageBytes))));
    }
    this.#stageStart += this.#staged;
  }
}

function firstsOf(words: Uint32Array, stride: number): number[] {
  const firsts: number[] = [];
  for (let at = 0; at < words.length; at += entriesPerFirst * stride) firsts.push(words[at] ?? 0);
  return firsts;
}
