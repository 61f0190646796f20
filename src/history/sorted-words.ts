// A section of a segment file whose entries rise by their first word. The first of every so many is in memory: a search
// then reads one page, or two.
import { firstIndex } from "./first-index.ts";
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
    return Math.max(0, Math.min(this.count, (this.#firstInMemory(word) - 0.5) * entriesPerFirst));
  }

  /** The first entry whose word is not below; `count` when all are. */
  async firstNotBelow(word: number): Promise<number> {
    const first = this.#firstInMemory(word);
    const from = Math.max(0, (first - 1) * entriesPerFirst);
    const to = Math.min(this.count, first * entriesPerFirst);
    if (from >= to) return from;
    const { offset, stride } = this.#place;
    const wordAt = await this.#file.words(offset + from * stride, (to - from) * stride);
    return from + firstIndex(to - from, (index) => wordAt(offset + (from + index) * stride) >= word);
  }

  /** The same among those in memory. */
  #firstInMemory(word: number): number {
    const { firsts } = this.#place;
    return firstIndex(firsts.length, (index) => (firsts[index] ?? 0) >= word);
  }
}
