// A number of slots for work that goes on at once.

import type { AtOnce } from "./at-once.ts";

export interface Slots {
  /** Waits for a slot, then starts the work. Resolves when the work has started, to its end. */
  start<Result>(work: () => AtOnce<Result>): AtOnce<Started<Result>>;
  /** Waits for a slot and for the end of the work. */
  run<Result>(work: () => AtOnce<Result>): Promise<Result>;
}

export interface Started<Result> {
  readonly done: AtOnce<Result>;
}

export function createSlots(count: number): Slots {
  let free = count;
  // Bounded by the callers: each waits for its turn before it asks for another.
  const waiting: (() => void)[] = [];
  const begin = <Result>(work: () => AtOnce<Result>): Started<Result> => {
    const result = work();
    if (!(result instanceof Promise)) return { done: result };
    free -= 1;
    const done = result.finally(() => {
      free += 1;
      waiting.shift()?.();
    });
    // Whoever awaits `done` hears of a failure; until then it is not unhandled.
    done.catch(() => undefined);
    return { done };
  };
  const start = <Result>(work: () => AtOnce<Result>): AtOnce<Started<Result>> => {
    if (free > 0) return begin(work);
    return new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(begin(work));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        // Work that was done at once leaves the slot for the next.
        if (free > 0) waiting.shift()?.();
      });
    });
  };
  return { start, run: async (work) => (await start(work)).done };
}
