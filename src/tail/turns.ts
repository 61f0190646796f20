// The share of the thread that all tails together may take: one slice at a time, and after each a rest three times as long.
// So a door that is busy answers others first, however much is watched.
import type { Clock } from "../model/environment.ts";

const restPerWork = 3;
/** Shorter rests are saved up: a timer costs more than they are worth. */
const restMsMin = 1;

export class Turns {
  readonly #clock: Clock;
  /** Resolves when the next slice may begin. */
  #next: Promise<void> = Promise.resolve();
  #owedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` when its turn comes; it should take a few milliseconds at most. */
  async take<Result>(work: () => Result): Promise<Result> {
    const before = this.#next;
    let done: () => void = () => undefined;
    this.#next = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    const startedMs = this.#clock.monotonicMs();
    try {
      return work();
    } finally {
      this.#owedMs += (this.#clock.monotonicMs() - startedMs) * restPerWork;
      void this.#rest().then(done);
    }
  }

  async #rest(): Promise<void> {
    if (this.#owedMs < restMsMin) return;
    const restMs = this.#owedMs;
    this.#owedMs = 0;
    await this.#clock.sleep(restMs);
  }
}
