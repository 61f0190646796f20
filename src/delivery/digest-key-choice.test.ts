// Which key signs a digest: by its end time, whatever the order in which digests come.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseKey, type ChoosableKey, type KeyPeriods, newValidity } from "./digest-key-choice.ts";

const dayMs = 86_400_000;
const periods: KeyPeriods = { rotationMs: 20 * dayMs, validityMs: 30 * dayMs };
const key = (sinceDay: number, changes: Partial<ChoosableKey> = {}): ChoosableKey => ({
  sinceMs: sinceDay * dayMs,
  untilMs: (sinceDay + 30) * dayMs,
  madeMs: sinceDay * dayMs,
  privateKey: "private",
  ...changes,
});

describe("the key of an end time", () => {
  const [first, second] = [key(0), key(20)];
  const { privateKey: _gone, ...public20 } = second;
  const made = key(20, { madeMs: 45 * dayMs });
  test.each<[string, readonly ChoosableKey[], number, ChoosableKey | undefined]>([
    ["is none without keys", [], 5, undefined],
    ["is the one that is valid", [first], 5, first],
    ["counts from its first millisecond", [first], 0, first],
    ["is none before its validity", [second], 19.9, undefined],
    ["is the newest of two valid ones", [second, first], 25, second],
    ["is none when the valid one is due for rotation", [first], 20, undefined],
    ["is the old one just before", [first, second], 19.999, first],
    ["is none after all", [first, second], 51, undefined],
    ["is none when the private part is gone", [first, public20], 25, undefined],
    ["is the later made of two that begin together", [made, second], 25, made],
  ])("%s", (_what, keys, day, expected) => {
    expect(chooseKey(keys, day * dayMs, periods)).toBe(expected);
  });
});

describe("the validity of a new key", () => {
  const days = (keys: readonly ChoosableKey[], day: number, of: KeyPeriods = periods) => {
    const { sinceMs, untilMs } = newValidity(keys, day * dayMs, of);
    return [sinceMs / dayMs, untilMs / dayMs];
  };
  test.each<[string, readonly ChoosableKey[], number, readonly number[]]>([
    ["begins with the day of the first digest", [], 5.7, [5, 35]],
    ["follows at its turn", [key(0)], 20.1, [20, 50]],
    ["keeps to the turns when nothing was signed for long", [key(0)], 75, [60, 90]],
    ["goes back in turns for a digest before all keys", [key(40)], 39.9, [20, 50]],
    ["is made again when the private part is gone", [key(0), key(20)], 25, [20, 50]],
  ])("%s", (_what, keys, day, expected) => {
    expect(days(keys, day)).toEqual(expected);
  });

  test("with rotations shorter than a day begins with a rotation", () => {
    expect(newValidity([], 12_345_000, { rotationMs: 5000, validityMs: 8000 })).toEqual({
      sinceMs: 12_345_000,
      untilMs: 12_353_000,
    });
  });

  test("follows other periods from where it is", () => {
    expect(days([key(0)], 12, { rotationMs: 5 * dayMs, validityMs: 9 * dayMs })).toEqual([10, 19]);
    const longer = { rotationMs: 40 * dayMs, validityMs: 60 * dayMs };
    expect(days([key(0)], 35, longer)).toEqual([0, 60]);
  });
});

describe("whatever comes in whatever order", () => {
  test("the chosen key is valid, and one turn has one key", () => {
    const ends = fc.array(fc.integer({ min: 0, max: 400 * 24 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(ends, (hours) => {
        const keys: ChoosableKey[] = [];
        for (const hour of hours) {
          const endMs = hour * 3_600_000;
          let chosen = chooseKey(keys, endMs, periods);
          if (!chosen) {
            chosen = { ...newValidity(keys, endMs, periods), madeMs: 0, privateKey: "private" };
            keys.push(chosen);
          }
          expect(chosen.sinceMs).toBeLessThanOrEqual(endMs);
          expect(chosen.untilMs).toBeGreaterThan(endMs);
          expect(chooseKey(keys, endMs, periods)).toBe(chosen);
        }
        const turns = keys.map((each) => (each.sinceMs - (keys[0]?.sinceMs ?? 0)) / periods.rotationMs);
        expect(turns.every(Number.isInteger)).toBe(true);
        expect(new Set(turns).size).toBe(keys.length);
      }),
      { seed: 20_260_110, numRuns: 300 },
    );
  });
});
