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

/** Of one file; more pages than any file has. */
const keysPerFile = 2 ** 24;

export function cacheKey(file: number, place: number): number {
  return file * keysPerFile + place;
}

/** Pages between two wanted ones that are read with them: cheaper than to read twice. */
const nearPages = 4;
const runPagesMax = 64;

export class PagedFile {
  readonly path: string;
  readonly about: About;
  readonly sizeBytes: number;
  /** Its number among the caches' files. */
  readonly number: number;
  readonly #file: ReadFile;
  readonly #sums: Buffer;
  readonly #pagedBytes: number;
  readonly #caches: SegmentCaches;
  readonly #loading = new Map<number, Promise<Buffer>>();

  private constructor(path: string, opened: Opened, caches: SegmentCaches) {
    this.path = path;
    this.about = opened.about;
    this.sizeBytes = opened.file.sizeBytes;
    this.number = caches.nextFile();
    this.#file = opened.file;
    this.#sums = opened.sums;
    this.#pagedBytes = opened.pagedBytes;
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
    if (offset + length > this.#pagedBytes) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + Math.max(1, length) - 1) / pageBytes);
    const start = offset - first * pageBytes;
    const [only, ...more] = await Promise.all(this.#pages(first, last));
    if (only && more.length === 0) return only.subarray(start, start + length);
    return Buffer.concat([...(only ? [only] : []), ...more]).subarray(start, start + length);
  }

  /** Reads the pages of these places before they are asked for one by one: those that lie close together at once. */
  async prefetch(offsets: readonly number[]): Promise<void> {
    const numbers = offsets.map((offset) => Math.floor(offset / pageBytes)).toSorted((a, b) => a - b);
    const loading: (Buffer | Promise<Buffer>)[] = [];
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
    const bytes = await this.#checked(first, Math.min((last + 1) * pageBytes, this.#pagedBytes) - start);
    if (bytes.length < offset + length - start) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    return bytes.subarray(offset - start, offset - start + length);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #cached(number: number): Buffer | undefined {
    return this.#caches.pages.get(cacheKey(this.number, number));
  }

  /** From the first to the last. Those that are not in memory and lie side by side are read at once. */
  #pages(first: number, last: number): (Buffer | Promise<Buffer>)[] {
    const pages: (Buffer | Promise<Buffer>)[] = [];
    for (let number = first; number <= last; number = first + pages.length) {
      const known = this.#known(number);
      if (known) {
        pages.push(known);
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
    const run = this.#checked(from, Math.min(to * pageBytes, this.#pagedBytes) - start);
    return Array.from({ length: to - from }, (_, index) => {
      const page = run
        .then((bytes) => {
          const own = bytes.subarray(index * pageBytes, (index + 1) * pageBytes);
          // A page alone must not hold the run it was read in.
          const kept = to - from === 1 ? own : Buffer.from(own);
          this.#caches.pages.add(cacheKey(this.number, from + index), kept);
          return kept;
        })
        .finally(() => this.#loading.delete(from + index));
      this.#loading.set(from + index, page);
      return page;
    });
  }

  /** So many bytes from a page's beginning, all of whose pages are whole and what was written. */
  async #checked(first: number, length: number): Promise<Buffer> {
    const offset = first * pageBytes;
    if (length <= 0) throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    const read = await this.#file.read(offset, length);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    for (let at = 0; at < length; at += pageBytes) {
      const page = bytes.subarray(at, Math.min(length, at + pageBytes));
      const sum = this.#sums.readUInt32LE((first + at / pageBytes) * 4);
      if (bytes.length !== length || crc32(page) !== sum) {
        throw new SegmentDamage(this.path, `The page at ${offset + at} is not what was written.`);
      }
    }
    return bytes;
  }
}

interface Opened {
  readonly file: ReadFile;
  readonly about: About;
  readonly sums: Buffer;
  readonly pagedBytes: number;
}

async function readEnd(file: ReadFile, path: string): Promise<Opened> {
  const size = file.sizeBytes;
  const tail = Buffer.from(await file.read(Math.max(0, size - tailBytes), tailBytes));
  if (tail.length !== tailBytes || !tail.subarray(0, magic.length).equals(magic)) {
    throw new SegmentDamage(path, "It does not end as a segment does.");
  }
  const pagedBytes = tail.readDoubleLE(8);
  const aboutOffset = tail.readDoubleLE(16);
  const aboutBytes = tail.readUInt32LE(24);
  const sumBytes = Math.ceil(pagedBytes / pageBytes) * 4;
  if (aboutOffset !== pagedBytes + sumBytes || aboutOffset + aboutBytes + tailBytes !== size) {
    throw new SegmentDamage(path, "Its parts do not fit together.");
  }
  const end = Buffer.from(await file.read(pagedBytes, sumBytes + aboutBytes));
  if (crc32(end) !== tail.readUInt32LE(28)) {
    throw new SegmentDamage(path, "What it says of itself is not what was written.");
  }
  const about = parseAbout(end.toString("utf8", sumBytes));
  if (!about)
    throw new SegmentDamage(
      path,
      "It was written by a version of Cairn whose segments this one does not read.",
    );
  return { file, about, sums: end.subarray(0, sumBytes), pagedBytes };
}
