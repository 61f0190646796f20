// A list of 32-bit words that grows. Pure.

const firstLength = 1024;

export class WordList {
  #words = new Uint32Array(firstLength);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All of them, until the next is pushed. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  push(word: number): void {
    if (this.#length === this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length] = word;
    this.#length += 1;
  }

  at(index: number): number {
    return this.#words[index] ?? 0;
  }
}
