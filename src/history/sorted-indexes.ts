// Sorts numbers by their words: by digits, the lowest first, so that equal words keep their order. Pure.

const digitBits = 11;
const digits = 2 ** digitBits;

/** The indexes of the words, by their word; of equal words the first comes first. */
export function sortedIndexes(words: Uint32Array): Uint32Array {
  let order = new Uint32Array(words.length);
  for (let index = 0; index < order.length; index += 1) order[index] = index;
  if (isRising(words)) return order;
  let spare = new Uint32Array(words.length);
  for (let shift = 0; shift < 32; shift += digitBits) {
    if (!sortByDigit({ words, shift, order, into: spare })) continue;
    [order, spare] = [spare, order];
  }
  return order;
}

function isRising(words: Uint32Array): boolean {
  for (let at = 1; at < words.length; at += 1) if ((words[at - 1] ?? 0) > (words[at] ?? 0)) return false;
  return true;
}

interface Digit {
  readonly words: Uint32Array;
  readonly shift: number;
  readonly order: Uint32Array;
  readonly into: Uint32Array;
}

/** False when all words have the same digit: then nothing was done. */
function sortByDigit({ words, shift, order, into }: Digit): boolean {
  const counts = new Uint32Array(digits);
  for (let at = 0; at < words.length; at += 1) {
    const digit = ((words[at] ?? 0) >>> shift) & (digits - 1);
    counts[digit] = (counts[digit] ?? 0) + 1;
  }
  let start = 0;
  for (let digit = 0; digit < digits; digit += 1) {
    const count = counts[digit] ?? 0;
    if (count === words.length) return false;
    counts[digit] = start;
    start += count;
  }
  for (let at = 0; at < order.length; at += 1) {
    const index = order[at] ?? 0;
    const digit = ((words[index] ?? 0) >>> shift) & (digits - 1);
    const place = counts[digit] ?? 0;
    into[place] = index;
    counts[digit] = place + 1;
  }
  return true;
}
