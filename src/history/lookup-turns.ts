// So many lookups read at once; the others wait in the order in which they came. Those who wait hold nothing but their place:
// the door's connections bound how many they are.

export class LookupTurns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnceMax: number) {
    this.#free = atOnceMax;
  }

  /** Resolves when it is one's turn; `end` must follow. */
  async begin(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives the turn to the next, if there is one. */
  end(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
