// A section of a segment file whose entries rise by their first word. The first of every so many is in memory: a search
// then reads one page, or two.
import type { PagedFile } from "./paged-file.ts";
import { entriesPerFirst } from "./segment-format.ts";

export interface SectionPlace {
  readonly offset: number;
  /** Bytes of an entry. */
  readonly stride: number;
  readonly count: number;
  readonly firsts: readonly number[];
}

export class SortedWords {
  readonly #file: PagedFile;
  readonly #place: SectionPlace;

  constructor(file: PagedFile, place: SectionPlace) {
    this.#file = file;
    this.#place = place;
  }

  get count(): number {
    return this.#place.count;
  }

  at(index: number): number | Promise<number> {
    return this.#file.word(this.#place.offset + index * this.#place.stride);
  }

  /** Where `firstNotBelow` will be, as far as is known without reading. */
  roughly(word: number): number {
    const { firsts, count } = this.#place;
    const block = firstIndex(firsts.length, (index) => (firsts[index] ?? 0) >= word);
    return Math.max(0, Math.min(count, (block - 0.5) * entriesPerFirst));
  }

  /** The first entry whose word is not below; `count` when all are. */
  async firstNotBelow(word: number): Promise<number> {
    const { firsts, count } = this.#place;
    const block = firstIndex(firsts.length, (index) => (firsts[index] ?? 0) >= word);
    const from = Math.max(0, (block - 1) * entriesPerFirst);
    const to = Math.min(count, block * entriesPerFirst);
    if (from >= to) return from;
    const { offset, stride } = this.#place;
    const wordAt = await this.#file.words(offset + from * stride, (to - from) * stride);
    return from + firstIndex(to - from, (index) => wordAt(offset + (from + index) * stride) >= word);
  }
}

function firstIndex(count: number, isReached: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
