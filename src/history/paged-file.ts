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
    const page = this.#cached(number) ?? (await this.#load(number));
    const at = offset % pageBytes;
    if (at + 4 > page.length) throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    return page.readUInt32LE(at);
  }

  async bytes(offset: number, length: number): Promise<Buffer> {
    if (offset + length > this.#pagedBytes) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + Math.max(1, length) - 1) / pageBytes);
    const pages: Promise<Buffer>[] = [];
    for (let number = first; number <= last; number += 1) {
      const page = this.#cached(number);
      pages.push(page ? Promise.resolve(page) : this.#load(number));
    }
    const start = offset - first * pageBytes;
    const [only, ...more] = await Promise.all(pages);
    if (only && more.length === 0) return only.subarray(start, start + length);
    return Buffer.concat([...(only ? [only] : []), ...more]).subarray(start, start + length);
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

  #load(number: number): Promise<Buffer> {
    const running = this.#loading.get(number);
    if (running) return running;
    const loading = this.#read(number).finally(() => this.#loading.delete(number));
    this.#loading.set(number, loading);
    return loading;
  }

  async #read(number: number): Promise<Buffer> {
    const length = Math.min(pageBytes, this.#pagedBytes - number * pageBytes);
    const page = await this.#checked(number, length);
    this.#caches.pages.add(cacheKey(this.number, number), page);
    return page;
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
