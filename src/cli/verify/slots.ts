// A number of slots for work that goes on at once.

export interface Slots {
  /** Waits for a slot, then starts the work. Resolves when the work has started, to its end. */
  start<Result>(work: () => Promise<Result>): Promise<{ readonly done: Promise<Result> }>;
  /** Waits for a slot and for the end of the work. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const take = (): Promise<void> | undefined => {
    if (free === 0) return new Promise((resolve) => waiting.push(resolve));
    free -= 1;
    return undefined;
  };
  const give = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  const start: Slots["start"] = async (work) => {
    const turn = take();
    if (turn) await turn;
    const done = work().finally(give);
    // Whoever awaits `done` hears of a failure; until then it is not unhandled.
    done.catch(() => undefined);
    return { done };
  };
  return { start, run: async (work) => (await start(work)).done };
}
