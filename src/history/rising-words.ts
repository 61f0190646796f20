// Searches words that rise, in a file of which each page costs a read. Pure.

export interface RisingWords {
  readonly wordAt: (index: number) => number | Promise<number>;
  readonly count: number;
  /** All words are below. */
  readonly wordsEnd: number;
}

/** So far from where a word should stand it is looked for first: mostly within its page, or the next. */
const firstStride = 1024;

/**
 * The first index whose word is not below; `count` when all are. Looks where it should be if the words rose evenly, and in
 * growing strides from there: to halve the whole list would read a page at each step.
 */
export async function firstNotBelow({ wordAt, count, wordsEnd }: RisingWords, word: number): Promise<number> {
  let low = 0;
  let high = count;
  const even = Math.floor((count * word) / Math.max(1, wordsEnd));
  let guess = Math.max(0, Math.min(count - 1, even));
  for (let stride = firstStride; low < high; stride *= 2) {
    if ((await wordAt(guess)) < word) {
      low = guess + 1;
      if (high < count || low + stride >= high) break;
      guess = low + stride;
    } else {
      high = guess;
      if (low > 0 || high - stride < low) break;
      guess = high - stride;
    }
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await wordAt(middle)) < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
