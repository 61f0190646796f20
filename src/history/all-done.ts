// Waits for several things at once, so that none is still under way when one has failed. Pure.

/** Like Promise.all, but rejects when all have ended. */
export async function allDone<Result>(all: readonly (Result | Promise<Result>)[]): Promise<Result[]> {
  await Promise.allSettled(all);
  return Promise.all(all);
}
