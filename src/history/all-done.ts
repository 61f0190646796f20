// Waits for several things at once, so that none is still under way when one has failed. Pure.

/** Like Promise.all, but rejects when all have ended. */
export async function allDone<Result>(all: readonly Promise<Result>[]): Promise<Result[]> {
  const ended = await Promise.allSettled(all);
  return ended.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}
