// One after the other, by name: work on the same bucket waits for its turn.

export interface Turns {
  /** Runs `work` when everything that came before under this name has ended, well or badly. */
  take<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** The waiting line is as long as its callers make it: the door and delivery bound how much they have in flight. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async take(name, work) {
      const before = last.get(name) ?? Promise.resolve();
      const mine = before.then(work, work);
      last.set(name, mine);
      try {
        return await mine;
      } finally {
        if (last.get(name) === mine) last.delete(name);
      }
    },
  };
}
