// Reads a segment file by pages: each is checked by its sum when it comes from the disk, and kept within the bound that all
// segments share. Must not: know what stands in it.
import { crc32 } from "node:zlib";
import type { Disk, ReadFile } from "../disk/contract.ts";
import { type About, magic, pageBytes, parseAbout, SegmentDamage, tailBytes } from "./segment-format.ts";
import { TwoAgeCache } from "./two-age-cache.ts";

/** What all segments of a history share. */
export interface SegmentCaches {
  readonly pages: TwoAgeCache<Buffer>;
  /** A new one for every file opened. */
  nextFile(): number;
}

export function createCaches(pageBytesMax: number): SegmentCaches {
  let files = 0;
  return {
    pages: new TwoAgeCache(pageBytesMax),
    nextFile: () => (files += 1),
  };
}

/** Of one file; more pages than any file has, and from half of them on more blocks. */
const keysPerFile = 2 ** 24;
const firstBlockKey = keysPerFile / 2;

export function cacheKey(file: number, place: number): number {
  return file * keysPerFile + place;
}

/** Pages between two wanted ones that are read with them: cheaper than to read twice. */
const nearPages = 4;
const runPagesMax = 64;

const noBytes = Buffer.alloc(0);

/** A block of a file. */
export interface BlockPlace {
  readonly number: number;
  readonly offset: number;
  readonly packedBytes: number;
  /** CRC-32. */
  readonly sum: number;
}

export class PagedFile {
  readonly path: string;
  readonly about: About;
  readonly sizeBytes: number;
  /** Its number among the caches' files. */
  readonly number: number;
  readonly #file: ReadFile;
  readonly #sums: Buffer;
  /** Pages are from here to there. */
  readonly #pagedStart: number;
  readonly #pagedEnd: number;
  readonly #caches: SegmentCaches;
  readonly #loading = new Map<number, Promise<Buffer>>();

  private constructor(path: string, opened: Opened, caches: SegmentCaches) {
    this.path = path;
    this.about = opened.about;
    this.sizeBytes = opened.file.sizeBytes;
    this.number = caches.nextFile();
    this.#file = opened.file;
    this.#sums = opened.sums;
    this.#pagedStart = opened.pagedStart;
    this.#pagedEnd = opened.pagedEnd;
    this.#caches = caches;
  }

  /** Throws SegmentDamage when the file is not whole. */
  static async open(disk: Disk, path: string, caches: SegmentCaches): Promise<PagedFile> {
    const file = await disk.openForReading(path);
    if (!file) throw new SegmentDamage(path, "The file is gone.");
    try {
      return new PagedFile(path, await readEnd(file, path), caches);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The word at a multiple of four. */
  async word(offset: number): Promise<number> {
    const number = Math.floor(offset / pageBytes);
    const page = this.#cached(number) ?? (await this.#pages(number, number)[0]);
    const at = offset % pageBytes;
    if (!page || at + 4 > page.length) throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    return page.readUInt32LE(at);
  }

  async bytes(offset: number, length: number): Promise<Buffer> {
    if (offset + length > this.#pagedEnd) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + Math.max(1, length) - 1) / pageBytes);
    const start = offset - first * pageBytes;
    const known = first === last ? this.#cached(first) : undefined;
    const pages = known ? [known] : await Promise.all(this.#pages(first, last));
    const [only] = pages;
    const all = only && pages.length === 1 ? only : Buffer.concat(pages);
    return all.subarray(start, start + length);
  }

  /** Reads the pages of these places before they are asked for one by one: those that lie close together at once. */
  async prefetch(offsets: readonly number[]): Promise<void> {
    const numbers = offsets.map((offset) => Math.floor(offset / pageBytes)).toSorted((a, b) => a - b);
    const loading: Promise<Buffer>[] = [];
    for (let at = 0; at < numbers.length; ) {
      const first = numbers[at] ?? 0;
      let last = first;
      for (at += 1; at < numbers.length; at += 1) {
        const next = numbers[at] ?? 0;
        if (next > last + nearPages || next >= first + runPagesMax) break;
        last = next;
      }
      loading.push(...this.#pages(first, last));
    }
    await Promise.all(loading);
  }

  /** The same, for what is read once: the cache keeps what lookups read. */
  async bytesOnce(offset: number, length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + length - 1) / pageBytes);
    const start = first * pageBytes;
    const bytes = await this.#checked(first, Math.min((last + 1) * pageBytes, this.#pagedEnd) - start);
    if (bytes.length < offset + length - start) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    return bytes.subarray(offset - start, offset - start + length);
  }

  /** A block, in the cache like a page. */
  async block({ number, offset, packedBytes, sum }: BlockPlace): Promise<Buffer> {
    const key = firstBlockKey + number;
    return this.#known(key) ?? this.#loaded(key, this.#readBlock({ offset, packedBytes, sum }));
  }

  async #readBlock({ offset, packedBytes, sum }: Omit<BlockPlace, "number">): Promise<Buffer> {
    const packed = await this.unchecked(offset, packedBytes);
    this.check(packed, { offset, sum });
    return packed;
  }

  /** Bytes that have no page: whoever reads them checks them. */
  async unchecked(offset: number, length: number): Promise<Buffer> {
    const read = await this.#file.read(offset, length);
    return Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  }

  /** Throws SegmentDamage when the bytes at this offset are not those of the sum. */
  check(bytes: Uint8Array, { offset, sum }: { readonly offset: number; readonly sum: number }): void {
    if (bytes.length === 0 || crc32(bytes) !== sum) {
      throw new SegmentDamage(this.path, `What stands at ${offset} is not what was written.`);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #cached(number: number): Buffer | undefined {
    return this.#caches.pages.get(cacheKey(this.number, number));
  }

  /** From the first to the last. Those that are not in memory and lie side by side are read at once. */
  #pages(first: number, last: number): Promise<Buffer>[] {
    const pages: Promise<Buffer>[] = [];
    for (let number = first; number <= last; number = first + pages.length) {
      const known = this.#known(number);
      if (known) {
        pages.push(Promise.resolve(known));
        continue;
      }
      let end = number + 1;
      while (end <= last && !this.#known(end)) end += 1;
      pages.push(...this.#load(number, end));
    }
    return pages;
  }

  #known(number: number): Buffer | Promise<Buffer> | undefined {
    return this.#cached(number) ?? this.#loading.get(number);
  }

  #load(from: number, to: number): Promise<Buffer>[] {
    const start = from * pageBytes;
    const run = this.#checked(from, Math.min(to * pageBytes, this.#pagedEnd) - start);
    return Array.from({ length: to - from }, (_, index) => {
      const page = run.then((bytes) => {
        const own = bytes.subarray(index * pageBytes, (index + 1) * pageBytes);
        // A page alone must not hold the run it was read in.
        return to - from === 1 ? own : Buffer.from(own);
      });
      return this.#loaded(from + index, page);
    });
  }

  /** What comes goes to the cache; meanwhile whoever asks for it waits for the same. */
  #loaded(number: number, coming: Promise<Buffer>): Promise<Buffer> {
    const loading = coming
      .then((bytes) => {
        this.#caches.pages.add(cacheKey(this.number, number), bytes);
        return bytes;
      })
      .finally(() => this.#loading.delete(number));
    this.#loading.set(number, loading);
    return loading;
  }

  /** So many bytes from a page's beginning, all of whose pages are whole and what was written. */
  async #checked(first: number, length: number): Promise<Buffer> {
    const offset = first * pageBytes;
    if (length <= 0 || offset < this.#pagedStart) {
      throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    }
    const bytes = await this.unchecked(offset, length);
    for (let at = 0; at < length; at += pageBytes) {
      const page = bytes.subarray(at, Math.min(length, at + pageBytes));
      const sum = this.#sums.readUInt32LE(((offset + at - this.#pagedStart) / pageBytes) * 4);
      this.check(bytes.length === length ? page : noBytes, { offset: offset + at, sum });
    }
    return bytes;
  }
}

interface Opened {
  readonly file: ReadFile;
  readonly about: About;
  readonly sums: Buffer;
  readonly pagedStart: number;
  readonly pagedEnd: number;
}

async function readEnd(file: ReadFile, path: string): Promise<Opened> {
  const size = file.sizeBytes;
  const tail = Buffer.from(await file.read(Math.max(0, size - tailBytes), tailBytes));
  if (tail.length !== tailBytes || !tail.subarray(0, magic.length).equals(magic)) {
    throw new SegmentDamage(path, "It does not end as a segment does.");
  }
  const [pagedStart, pagedEnd, aboutOffset] = [
    tail.readDoubleLE(8),
    tail.readDoubleLE(16),
    tail.readDoubleLE(24),
  ];
  const aboutBytes = tail.readUInt32LE(32);
  const sumBytes = Math.ceil((pagedEnd - pagedStart) / pageBytes) * 4;
  const isWhole = pagedStart % pageBytes === 0 && pagedStart >= 0 && sumBytes > 0;
  if (!isWhole || aboutOffset !== pagedEnd + sumBytes || aboutOffset + aboutBytes + tailBytes !== size) {
    throw new SegmentDamage(path, "Its parts do not fit together.");
  }
  const end = Buffer.from(await file.read(pagedEnd, sumBytes + aboutBytes));
  if (crc32(end) !== tail.readUInt32LE(36)) {
    throw new SegmentDamage(path, "What it says of itself is not what was written.");
  }
  const about = parseAbout(end.toString("utf8", sumBytes));
  if (!about)
    throw new SegmentDamage(
      path,
      "It was written by a version of Cairn whose segments this one does not read.",
    );
  return { file, about, sums: end.subarray(0, sumBytes), pagedStart, pagedEnd };
}
