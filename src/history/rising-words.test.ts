// That the place is found, whatever the words, and with few looks where they rise evenly.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { firstNotBelow } from "./rising-words.ts";

async function search(words: Uint32Array, word: number, wordsEnd: number) {
  const pages = new Set<number>();
  const wordAt = (index: number) => {
    expect(index >= 0 && index < words.length).toBe(true);
    pages.add(Math.floor(index / 4096));
    return Promise.resolve(words[index] ?? 0);
  };
  const found = await firstNotBelow({ wordAt, count: words.length, wordsEnd }, word);
  return { found, pages: pages.size };
}

const anyWords = fc
  .tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 40 }), fc.nat({ max: 2 ** 31 }))
  .map(([count, power, start]) =>
    Uint32Array.from(
      { length: count },
      (_, at) => start + 1_000_000 * (at / Math.max(1, count)) ** (power / 8),
    ),
  );

test("the first word that is not below is found", async () => {
  await fc.assert(
    fc.asyncProperty(anyWords, fc.nat(), fc.integer({ min: -5, max: 5 }), async (words, at, near) => {
      const end = (words.at(-1) ?? 0) + 1;
      for (const word of [(words[at % Math.max(1, words.length)] ?? 0) + near, 0, -1, end, end + 7]) {
        const below = words.findIndex((one) => one >= word);
        expect((await search(words, word, end)).found).toBe(below === -1 ? words.length : below);
      }
    }),
    { numRuns: 300 },
  );
});

test("where they rise about evenly, few pages are looked at", async () => {
  const words = Uint32Array.from({ length: 1_000_000 }, (_, at) => at * 2 + (at % 7) * 300);
  const rising = words.toSorted();
  for (const word of [1, 1_000, 777_777, 1_000_000, 1_999_999, 2_100_000]) {
    expect((await search(rising, word, 2_001_800)).pages, String(word)).toBeLessThanOrEqual(4);
  }
});
