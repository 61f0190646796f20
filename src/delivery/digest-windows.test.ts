// The windows of digests: where they end, which files they name, and what holds for every clock.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillWindow, firstEndMs, lastEndMs, nextEndMs, regularEndMs, rhythmOf } from "./digest-windows.ts";

const hourMs = 3_600_000;
const sinceMs = Date.UTC(2026, 0, 10, 9, 17, 28, 640);
const anchorMs = Date.UTC(2026, 0, 10, 9, 17, 28);
const rhythm = rhythmOf(sinceMs, hourMs);

describe("the starting digest ends", () => {
  const ends = (firstMs: number, afterMs?: number): number => firstEndMs(rhythm, firstMs, afterMs) - anchorMs;

  test.each([
    ["at the second of StartLogging when a file comes in the first hour", ends(sinceMs + 5 * 60_000), 0],
    ["at the last whole hour since then before the first file", ends(anchorMs + 2 * hourMs + 1), 2 * hourMs],
    ["at that hour when the file comes with it", ends(anchorMs + 2 * hourMs), 2 * hourMs],
    ["not before StartLogging when the clock stepped back", ends(anchorMs - 90 * hourMs), 0],
    ["after the last digest of the chain before", ends(sinceMs, anchorMs), 1_000],
    ["far after it when that one ended in the future", ends(sinceMs, anchorMs + hourMs), hourMs + 1_000],
    ["where it would when that one ended before", ends(sinceMs, anchorMs - 1_000), 0],
  ])("%s", (_what, endMs, expected) => {
    expect(endMs).toBe(expected);
  });
});

describe("a regular digest ends", () => {
  const ends = (startMs: number, horizonMs: number): number | undefined =>
    regularEndMs(rhythm, { startMs: anchorMs + startMs, horizonMs: anchorMs + horizonMs, windowsMax: 744 });

  test.each([
    ["an hour later", 0, hourMs, hourMs],
    ["not before its hour is over", 0, hourMs - 1, undefined],
    ["at the next hour of StartLogging after a window that was cut short", 1_000, 3 * hourMs, hourMs],
    ["hour by hour when a month is missing", 0, 744 * hourMs, hourMs],
    ["at the last hour when more than a month is missing", 0, 745 * hourMs + 5, 745 * hourMs],
  ])("%s", (_what, startMs, horizonMs, expected) => {
    const endMs = ends(startMs, horizonMs);
    expect(endMs).toBe(expected === undefined ? undefined : anchorMs + expected);
  });
});

test("the last digest ends in the second of the stop, and after the one before", () => {
  expect(lastEndMs(anchorMs, anchorMs + 1_999)).toBe(anchorMs + 1_000);
  expect(lastEndMs(anchorMs, anchorMs + 999)).toBe(anchorMs + 1_000);
  expect(lastEndMs(anchorMs, anchorMs - hourMs)).toBe(anchorMs + 1_000);
});

describe("a window names", () => {
  const at = (...seconds: number[]): number[] => seconds.map((second) => anchorMs + second * 1_000);
  const window = { startMs: anchorMs, endMs: anchorMs + 10_000 };

  test.each([
    ["what was delivered before its end", "before-end", at(1, 9.999, 10), 9, { count: 2, end: 10 }],
    ["what came late for the window before", "before-end", at(-5, 1), 9, { count: 2, end: 10 }],
    ["nothing when it is the starting one", "nothing", at(-5, 1), 9, { count: 0, end: 10 }],
    ["everything when it is the last", "all", at(1, 99), 9, { count: 2, end: 10 }],
    [
      "as many files as fit, up to a whole second",
      "before-end",
      at(1, 2, 3.5),
      2,
      { count: 2, end: 3, cut: true },
    ],
    ["fewer when they share the second", "before-end", at(1, 3, 3.5), 2, { count: 1, end: 3, cut: true }],
    ["as many as fit when all share one", "before-end", at(0, 0.1, 0.2), 2, { count: 2, end: 1, cut: true }],
    ["as many as fit of the last ones", "all", at(20, 30, 40), 2, { count: 2, end: 40, cut: true }],
  ] as const)("%s", (_what, takes, times, filesMax, expected) => {
    const { end, count } = expected;
    const isCutShort = "cut" in expected;
    const filled = fillWindow({ ...window, takes }, times, filesMax);
    expect(filled).toEqual({ count, endMs: anchorMs + end * 1_000, isCutShort });
  });
});

test("whatever comes, windows follow each other without a gap, in whole seconds, and name everything in its order", () => {
  const step = fc.record({ laterMs: fc.integer({ min: -20_000, max: 40_000 }), files: fc.nat(6) });
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (steps, seconds) => {
        const own = rhythmOf(sinceMs, seconds * 1_000);
        let nowMs = sinceMs;
        let lastMs = 0;
        let startMs = firstEndMs(own, nowMs, undefined);
        let waiting: number[] = [];
        const named: number[] = [];
        const noted: number[] = [];
        for (const { laterMs, files } of steps) {
          nowMs += laterMs;
          lastMs = Math.max(lastMs, nowMs);
          for (let file = 0; file < files; file += 1) {
            waiting.push(lastMs);
            noted.push(lastMs);
          }
          const limits = { startMs, horizonMs: nowMs, windowsMax: 5 };
          const endMs = regularEndMs(own, limits);
          if (endMs === undefined) continue;
          const filled = fillWindow({ startMs, endMs, takes: "before-end" }, waiting, 4);
          expect(filled.endMs).toBeGreaterThan(startMs);
          expect(filled.endMs).toBeLessThanOrEqual(endMs);
          expect(filled.endMs % 1_000).toBe(0);
          expect(filled.count).toBeLessThanOrEqual(4);
          expect(nextEndMs(own, startMs)).toBeLessThanOrEqual(endMs);
          named.push(...waiting.slice(0, filled.count));
          waiting = waiting.slice(filled.count);
          startMs = filled.endMs;
        }
        expect([...named, ...waiting]).toEqual(noted);
      },
    ),
    { seed: 20_260_110, numRuns: 500 },
  );
});
