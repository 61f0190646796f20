// Sorts numbers by their words, quickly: word and index become one float, which typed arrays sort by themselves. Pure.
import { assert } from "../model/assert.ts";

const indexesMax = 2 ** 21;

/** The indexes from 0 up to `count`, by their word; equal words keep their order. */
export function sortedIndexes(count: number, wordOf: (index: number) => number): Uint32Array {
  assert(count <= indexesMax, "a word and its index fit a float");
  const keys = new Float64Array(count);
  let isSorted = true;
  let before = 0;
  for (let index = 0; index < count; index += 1) {
    const word = wordOf(index);
    if (word < before) isSorted = false;
    before = word;
    keys[index] = word * indexesMax + index;
  }
  if (!isSorted) keys.sort();
  return Uint32Array.from(keys, (key) => key % indexesMax);
}
