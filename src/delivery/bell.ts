// Waiting that somebody else can end. Must not: know what is waited for.

/** Said to what ends a pause: without a reason each abort would make an error with its stack. */
const over = "The pause is over.";

/** Rung when there is news: every wait under way ends. */
export class Bell {
  readonly #waits = new Set<AbortController>();

  ring(): void {
    for (const wait of this.#waits) wait.abort(over);
  }

  /** Resolves when `pause` does, at the next ring, or when `signal` aborts. `pause` must resolve when its signal aborts. */
  async wait(
    signal: AbortSignal,
    pause: (signal: AbortSignal) => Promise<unknown> = untilAborted,
  ): Promise<void> {
    if (signal.aborted) return;
    const wait = new AbortController();
    const end = (): void => wait.abort(over);
    signal.addEventListener("abort", end, { once: true });
    this.#waits.add(wait);
    try {
      await pause(wait.signal);
    } finally {
      this.#waits.delete(wait);
      signal.removeEventListener("abort", end);
      if (!wait.signal.aborted) wait.abort(over);
    }
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
