// The real clock and real randomness. Given to everything else as arguments by server.ts.
import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "./model/environment.ts";

export const realClock: Clock = {
  // oxlint-disable-next-line no-restricted-globals -- the one place that looks at the clock
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    if (signal?.aborted) return;
    try {
      await delay(ms, undefined, signal && { signal });
    } catch (error) {
      // Only the abort ends a sleep early, and that is what the caller asked for.
      if (!signal?.aborted) throw error;
    }
  },
};

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export const realRandom: Random = {
  uuid: () => randomUUID(),
  alphanumeric: (length) =>
    Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join(""),
  // oxlint-disable-next-line no-restricted-properties -- jitter only
  fraction: () => Math.random(),
};
