// Waiting within a time: what the work gives, `late`, or its error; and the alarm never outlives the wait.
import { expect, test } from "vitest";
import { inTime } from "./in-time.ts";

/** A clock whose sleeps end when they are told to; it keeps the signals it was given. */
function handClock() {
  const signals: AbortSignal[] = [];
  let ring = (): void => undefined;
  const sleep = (_ms: number, signal?: AbortSignal) => {
    if (signal) signals.push(signal);
    return new Promise<void>((resolve) => {
      ring = resolve;
    });
  };
  return { sleep, signals, ring: () => ring() };
}

test("gives what the work gives, and ends the alarm", async () => {
  const clock = handClock();
  expect(await inTime(Promise.resolve(7), 10, clock)).toBe(7);
  expect(clock.signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("is late when the time is up first", async () => {
  const clock = handClock();
  const waiting = inTime(new Promise<never>(() => {}), 10, clock);
  clock.ring();
  expect(await waiting).toBe("late");
});

test("fails as the work does, and ends the alarm", async () => {
  const clock = handClock();
  await expect(inTime(Promise.reject(new Error("broken")), 10, clock)).rejects.toThrow("broken");
  expect(clock.signals.map(({ aborted }) => aborted)).toEqual([true]);
});
