// Reads a segment file by pages: each is checked by its sum when it comes from the disk, and kept within the bound that all
// segments share. Must not: know what stands in it.
import { crc32 } from "node:zlib";
import type { Disk, ReadFile } from "../disk/contract.ts";
import { allDone } from "./all-done.ts";
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

/**
 * What is wanted together and is more than this is read once and not kept: it lies scattered, the next to ask for scattered
 * things will ask for others, and to read them again costs no more than to find them here.
 */
const keptTogetherMax = 8;

const noBytes = Buffer.alloc(0);

/** A block of a file. */
export interface BlockPlace {
  readonly number: number;
  readonly offset: number;
  readonly packedBytes: number;
  /** CRC-32. */
  readonly sum: number;
}

/** What is read whole and has a sum: a page or a block. */
interface Piece {
  /** In the cache. */
  readonly key: number;
  readonly offset: number;
  readonly length: number;
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
  word(offset: number): number | Promise<number> {
    const number = pageAt(offset);
    const page = this.#cached(number);
    return page ? this.#wordIn(page, offset) : this.#kept(number).then((come) => this.#wordIn(come, offset));
  }

  /** All words of a stretch, by the same offsets. */
  async words(offset: number, length: number): Promise<(offset: number) => number> {
    const [first, last] = [pageAt(offset), pageAt(offset + Math.max(1, length) - 1)];
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const cached = numbers.map((number) => this.#cached(number));
    const pages = cached.every((page) => page !== undefined)
      ? cached
      : await allDone(numbers.map(async (number, index) => cached[index] ?? this.#kept(number)));
    return (at) => this.#wordIn(pages[pageAt(at) - first] ?? noBytes, at);
  }

  async bytes(offset: number, length: number): Promise<Buffer> {
    const start = offset % pageBytes;
    const page = start + length <= pageBytes ? this.#cached(pageAt(offset)) : undefined;
    const isHere = page !== undefined && start + length <= page.length;
    return isHere ? page.subarray(start, start + length) : this.gathered([offset], length);
  }

  /** So many bytes of each of these places, one behind the other; what is not in memory is read in one go. */
  async gathered(offsets: readonly number[], length: number): Promise<Buffer> {
    const all = Buffer.allocUnsafe(offsets.length * length);
    const wanted = new Map<number, number[]>();
    for (const [index, offset] of offsets.entries()) {
      if (offset + length > this.#pagedEnd) {
        throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
      }
      for (let number = pageAt(offset); number * pageBytes < offset + length; number += 1) {
        const same = wanted.get(number);
        if (same) same.push(index);
        else wanted.set(number, [index]);
      }
    }
    const pieces = [...wanted.keys()].toSorted((a, b) => a - b).map((number) => this.#page(number));
    await this.#pieces(pieces, (page, { key, offset: start }) => {
      for (const index of wanted.get(key) ?? []) {
        const from = (offsets[index] ?? 0) - start;
        page.copy(all, index * length + Math.max(0, -from), Math.max(0, from), Math.max(0, from + length));
      }
    });
    return all;
  }

  /** The same, for what is read once: the cache keeps what lookups read. */
  async bytesOnce(offset: number, length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const [first, last] = [pageAt(offset), pageAt(offset + length - 1)];
    const start = first * pageBytes;
    const bytes = await this.#checked(first, Math.min((last + 1) * pageBytes, this.#pagedEnd) - start);
    if (bytes.length < offset + length - start) {
      throw new SegmentDamage(this.path, `There are no ${length} bytes at ${offset}.`);
    }
    return bytes.subarray(offset - start, offset - start + length);
  }

  /** Reads blocks, all in one go. `take` gets each as it lies in the file, checked and lent: it is something else afterwards. */
  async blocks<Place extends BlockPlace>(
    places: readonly Place[],
    take: (packed: Buffer, place: Place) => void,
  ): Promise<void> {
    const byKey = new Map(places.map((place) => [firstBlockKey + place.number, place]));
    const pieces = places.map(({ number, offset, packedBytes, sum }) => {
      return { key: firstBlockKey + number, offset, length: packedBytes, sum };
    });
    await this.#pieces(pieces, (packed, { key }) => {
      const place = byKey.get(key);
      if (place) take(packed, place);
    });
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

  #cached(key: number): Buffer | undefined {
    return this.#caches.pages.get(cacheKey(this.number, key));
  }

  #wordIn(page: Buffer, offset: number): number {
    const at = offset % pageBytes;
    if (at + 4 > page.length) throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    return page.readUInt32LE(at);
  }

  #page(number: number): Piece {
    const offset = number * pageBytes;
    const length = Math.min(pageBytes, this.#pagedEnd - offset);
    if (length <= 0 || offset < this.#pagedStart) {
      throw new SegmentDamage(this.path, `There is nothing at ${offset}.`);
    }
    return {
      key: number,
      offset,
      length,
      sum: this.#sums.readUInt32LE(((offset - this.#pagedStart) / pageBytes) * 4),
    };
  }

  /** A page that comes to the cache; meanwhile whoever asks for it waits for the same. */
  async #kept(number: number): Promise<Buffer> {
    return this.#loading.get(number) ?? this.#load([this.#page(number)])[0] ?? noBytes;
  }

  /** `take` gets each once, in any order and lent. */
  async #pieces(pieces: readonly Piece[], take: (bytes: Buffer, piece: Piece) => void): Promise<void> {
    const coming: Promise<void>[] = [];
    const here: (readonly [Buffer, Piece])[] = [];
    const missing: Piece[] = [];
    for (const piece of pieces) {
      const cached = this.#cached(piece.key);
      const loading = this.#loading.get(piece.key);
      if (cached) here.push([cached, piece]);
      else if (loading) coming.push(loading.then((bytes) => take(bytes, piece)));
      else missing.push(piece);
    }
    if (missing.length > keptTogetherMax) coming.push(this.#read(missing, take));
    else if (missing.length > 0) {
      const loading = this.#load(missing);
      coming.push(...missing.map(async (piece, index) => take((await loading[index]) ?? noBytes, piece)));
    }
    if (coming.length > 0) await allDone(coming);
    for (const [cached, piece] of here) take(cached, piece);
  }

  /** What comes goes to the cache; meanwhile whoever asks for it waits for the same. */
  #load(pieces: readonly Piece[]): Promise<Buffer>[] {
    const kept = new Map<Piece, Buffer>();
    const reading = this.#read(pieces, (bytes, piece) => {
      const own = Buffer.allocUnsafeSlow(bytes.length);
      own.set(bytes);
      kept.set(piece, own);
      this.#caches.pages.add(cacheKey(this.number, piece.key), own);
    });
    return pieces.map((piece) => {
      const loading = reading
        .then(() => kept.get(piece) ?? noBytes)
        .finally(() => this.#loading.delete(piece.key));
      this.#loading.set(piece.key, loading);
      return loading;
    });
  }

  /** In one go. What is read is checked before it is taken. */
  async #read(pieces: readonly Piece[], take: (bytes: Buffer, piece: Piece) => void): Promise<void> {
    await this.#file.readMany(pieces, (read, index) => {
      const piece = pieces[index];
      if (!piece) return;
      const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
      this.check(bytes.length === piece.length ? bytes : noBytes, piece);
      take(bytes, piece);
    });
  }

  /** So many bytes from a page's beginning, all of whose pages are whole and what was written. */
  async #checked(first: number, length: number): Promise<Buffer> {
    const count = Math.max(1, Math.ceil(length / pageBytes));
    const pages = Array.from({ length: count }, (_, index) => this.#page(first + index));
    const start = first * pageBytes;
    const bytes = await this.unchecked(start, length);
    for (const page of pages) {
      const own = bytes.subarray(page.offset - start, page.offset - start + page.length);
      this.check(bytes.length === length ? own : noBytes, page);
    }
    return bytes;
  }
}

function pageAt(offset: number): number {
  return Math.floor(offset / pageBytes);
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
