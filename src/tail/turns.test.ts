// The share of the thread: one slice at a time, in the order they came, and rests in between.
import { expect, test } from "vitest";
import type { Clock } from "../model/environment.ts";
import { Turns } from "./turns.ts";

/** A clock that stands still but for what is slept and worked. */
function standingClock() {
  let ms = 0;
  const slept: number[] = [];
  const clock: Clock = {
    nowMs: () => ms,
    monotonicMs: () => ms,
    sleep: async (forMs) => {
      slept.push(forMs);
      ms += forMs;
    },
  };
  const work = (forMs: number) => () => {
    const startedMs = ms;
    ms += forMs;
    return startedMs;
  };
  return { clock, slept, work };
}

test("after each slice comes a rest three times as long, before whoever is next", async () => {
  const { clock, slept, work } = standingClock();
  const turns = new Turns(clock);
  const starts = await Promise.all([turns.take(work(4)), turns.take(work(2)), turns.take(work(1))]);
  expect(starts).toEqual([0, 16, 24]);
  expect(await turns.take(work(0))).toBe(28);
  expect(slept).toEqual([12, 6, 3]);
});

test("short rests are saved up", async () => {
  const { clock, slept, work } = standingClock();
  const turns = new Turns(clock);
  for (let slice = 0; slice < 9; slice += 1) await turns.take(work(0.125));
  await turns.take(work(0));
  expect(slept).toEqual([1.125, 1.125, 1.125]);
});

test("work that fails gives its turn on", async () => {
  const { clock, work } = standingClock();
  const turns = new Turns(clock);
  const failing = turns.take(() => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await turns.take(work(1))).toBe(0);
});
