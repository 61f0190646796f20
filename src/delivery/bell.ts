// Waiting that somebody else can end. Must not: know what is waited for.

/** Said to what ends a pause: without a reason each abort would make an error with its stack. */
const over = "The pause is over.";

/** Rung when there is news: every wait under way ends. Those who wait look again at what they wait for. */
export class Bell {
  readonly #ends = new Set<() => void>();
  /** Signals at whose end it rings by itself: one listener each, however often somebody waits. */
  readonly #followed = new WeakSet<AbortSignal>();

  ring(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  /** Resolves when `pause` does, at the next ring, or when `signal` aborts. `pause` must resolve when its signal aborts. */
  async wait(signal: AbortSignal, pause?: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (signal.aborted) return;
    this.#follow(signal);
    if (!pause) return new Promise((resolve) => this.#ends.add(resolve));
    const wait = new AbortController();
    const end = (): void => wait.abort(over);
    this.#ends.add(end);
    try {
      await pause(wait.signal);
    } finally {
      this.#ends.delete(end);
      if (!wait.signal.aborted) end();
    }
  }

  #follow(signal: AbortSignal): void {
    if (this.#followed.has(signal)) return;
    this.#followed.add(signal);
    signal.addEventListener("abort", () => this.ring(), { once: true });
  }
}
