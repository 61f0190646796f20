// Waits for something, but not for ever.
import type { Clock } from "./environment.ts";

/** What the work gives, or `late` after so many milliseconds; the work goes on then, unheard. Rejects when the work does. */
export async function inTime<Result>(
  work: Promise<Result>,
  msMax: number,
  clock: Pick<Clock, "sleep">,
): Promise<Result | "late"> {
  const alarm = new AbortController();
  try {
    return await Promise.race([work, clock.sleep(msMax, alarm.signal).then(() => "late" as const)]);
  } finally {
    alarm.abort();
  }
}
