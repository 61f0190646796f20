// Which row has which term, in the order in which they came, each with the pair before it of the same term. Pure.

const wordsPerPair = 3;
const firstPairs = 8 * 1024;

export class PairList {
  #words = new Uint32Array(firstPairs * wordsPerPair);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `before`: a pair, or -1 for none. */
  push(term: number, row: number, before: number): void {
    const at = this.#length * wordsPerPair;
    if (at === this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    const words = this.#words;
    words[at] = term;
    words[at + 1] = row;
    words[at + 2] = before + 1;
    this.#length += 1;
  }

  termOf(pair: number): number {
    return this.#words[pair * wordsPerPair] ?? 0;
  }

  rowOf(pair: number): number {
    return this.#words[pair * wordsPerPair + 1] ?? 0;
  }

  /** -1 for none. */
  before(pair: number): number {
    return (this.#words[pair * wordsPerPair + 2] ?? 0) - 1;
  }
}
