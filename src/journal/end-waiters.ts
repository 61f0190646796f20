// Those who wait for the journal to grow. Must not: poll.

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
}

export class EndWaiters {
  readonly #waiting = new Set<Waiter>();

  /** Resolves when `wake` tells an end beyond `seq`, or when `signal` aborts. */
  wait(seq: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        seq,
        resolve: () => {
          this.#waiting.delete(waiter);
          signal.removeEventListener("abort", waiter.resolve);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", waiter.resolve);
    });
  }

  wake(endSeq: number): void {
    for (const waiter of this.#waiting) if (endSeq > waiter.seq) waiter.resolve();
  }
}
