// Calls that passed without a record (policy `pass-and-count`): counted, shown, and logged at a limited rate.
import type { Clock, Log, Metrics } from "../model/environment.ts";

/** One line of the log tells of all that happened in this time. */
const logIntervalMs = 10_000;

export interface UnrecordedCalls {
  readonly count: number;
  /** When the last one passed; undefined while there is none. */
  readonly latestMs?: number;
}

export function bothUnrecorded(one: UnrecordedCalls, other: UnrecordedCalls): UnrecordedCalls {
  const latestMs = Math.max(one.latestMs ?? -1, other.latestMs ?? -1);
  return { count: one.count + other.count, ...(latestMs >= 0 && { latestMs }) };
}

export class Unrecorded {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #count = 0;
  #latestMs: number | undefined;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #loggedCount = 0;

  constructor({
    clock,
    log,
    metrics,
  }: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics }) {
    this.#clock = clock;
    this.#log = log;
    this.#metrics = metrics;
  }

  add(service: string): void {
    this.#count++;
    this.#latestMs = this.#clock.nowMs();
    this.#metrics.count("recorder_unrecorded_total");
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedMs < logIntervalMs) return;
    const calls = this.#count - this.#loggedCount;
    this.#loggedMs = nowMs;
    this.#loggedCount = this.#count;
    this.#log.error({ service, calls }, "Calls passed without a record: the journal did not take it.");
  }

  report(): UnrecordedCalls {
    const latestMs = this.#latestMs;
    return { count: this.#count, ...(latestMs !== undefined && { latestMs }) };
  }
}
