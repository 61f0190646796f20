// AssemblyScript. Huffman codes of limited length from how often symbols occur (RFC 1951 §3.2.2).
//
// The symbols are sorted by their counts; code lengths come by the method of Moffat and Katajainen (1995), which needs no tree;
// what is longer than the limit is cut, and the sum of Kraft brought back to one by lengthening what costs least.
import { perLengthAt, sortedAt, weightsAt } from "./memory-map";

/** The longest code of deflate, and of the code that lengths are written in. */
export const codeBitsMax: u32 = 15;
export const metaBitsMax: u32 = 7;

// @ts-ignore: decorator
@inline
function word(at: usize, index: i32): u32 {
  return load<u32>(at + 4 * <usize>index);
}

// @ts-ignore: decorator
@inline
function setWord(at: usize, index: i32, value: u32): void {
  store<u32>(at + 4 * <usize>index, value);
}

/** Writes a length for each of `symbols` symbols, 0 for those that do not occur. At least two have a code: some readers want that. */
export function makeLengths(countsAt: usize, symbols: i32, lengthsAt: usize, bitsMax: u32): void {
  memory.fill(lengthsAt, 0, symbols);
  let used = 0;
  for (let symbol = 0; symbol < symbols; symbol++) {
    const count = word(countsAt, symbol);
    // Counts of a block fit 22 bits.
    if (count > 0) setWord(sortedAt, used++, (count << 9) | symbol);
  }
  if (used < 2) {
    const only = used === 1 ? word(sortedAt, 0) & 511 : 0;
    store<u8>(lengthsAt + only, 1);
    store<u8>(lengthsAt + (only === 0 ? 1 : 0), 1);
    return;
  }
  sort(used);
  weigh(used);
  limit(used, bitsMax);
  for (let index = 0; index < used; index++) {
    store<u8>(lengthsAt + (word(sortedAt, index) & 511), <u8>word(weightsAt, index));
  }
}

/** Ascending: the least frequent first. */
function sort(used: i32): void {
  let gap = 1;
  while (gap < used / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap = gap / 3) {
    for (let index = gap; index < used; index++) {
      const moving = word(sortedAt, index);
      let to = index;
      for (; to >= gap && word(sortedAt, to - gap) > moving; to -= gap) setWord(sortedAt, to, word(sortedAt, to - gap));
      setWord(sortedAt, to, moving);
    }
  }
}

let nextLeaf = 0;
let nextNode = 0;

/** Takes the lighter of the next leaf and the next inner node; remembers the parent of an inner node in its place. */
function takeLighter(parent: i32, used: i32): u32 {
  if (nextLeaf >= used || (nextNode < parent && word(weightsAt, nextNode) < word(weightsAt, nextLeaf))) {
    const weight = word(weightsAt, nextNode);
    setWord(weightsAt, nextNode++, parent);
    return weight;
  }
  return word(weightsAt, nextLeaf++);
}

/** Leaves the depth of each sorted symbol in `weights`. */
function weigh(used: i32): void {
  for (let index = 0; index < used; index++) setWord(weightsAt, index, word(sortedAt, index) >> 9);
  nextLeaf = 0;
  nextNode = 0;
  for (let parent = 0; parent < used - 1; parent++) {
    const weight = takeLighter(parent, used);
    setWord(weightsAt, parent, weight + takeLighter(parent, used));
  }
  // The depth of every inner node, from the root down …
  setWord(weightsAt, used - 2, 0);
  for (let node = used - 3; node >= 0; node--) {
    setWord(weightsAt, node, word(weightsAt, word(weightsAt, node)) + 1);
  }
  // … and of the leaves: what a level holds beyond its inner nodes.
  let places = 1;
  let node = used - 2;
  let leaf = used - 1;
  for (let depth: u32 = 0; places > 0; depth++) {
    let inner = 0;
    for (; node >= 0 && word(weightsAt, node) === depth; node--) inner++;
    for (let left = places - inner; left > 0; left--) setWord(weightsAt, leaf--, depth);
    places = 2 * inner;
  }
}

function limit(used: i32, bitsMax: u32): void {
  // In units of the longest code.
  let taken: u32 = 0;
  const room: u32 = 1 << bitsMax;
  for (let index = 0; index < used; index++) {
    if (word(weightsAt, index) > bitsMax) setWord(weightsAt, index, bitsMax);
    taken += 1 << (bitsMax - word(weightsAt, index));
  }
  while (taken > room) {
    // The least frequent of those that can still grow is the cheapest; the longest of them gives back least too much.
    let index = 0;
    while (word(weightsAt, index) >= bitsMax) index++;
    const length = word(weightsAt, index);
    setWord(weightsAt, index, length + 1);
    taken -= 1 << (bitsMax - length - 1);
  }
  // What was given back too much goes to the most frequent that can take it.
  for (let index = used - 1; index >= 0 && taken < room; index--) {
    for (let length = word(weightsAt, index); length > 1; length--) {
      const gain: u32 = 1 << (bitsMax - length);
      if (taken + gain > room) break;
      taken += gain;
      setWord(weightsAt, index, length - 1);
    }
  }
}

/** The canonical codes of these lengths, their bits turned round as they are written. */
export function makeCodes(lengthsAt: usize, symbols: i32, codesAt: usize): void {
  const nextAt = perLengthAt + 4 * 32;
  memory.fill(perLengthAt, 0, 4 * 32);
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = <i32>load<u8>(lengthsAt + symbol);
    setWord(perLengthAt, length, word(perLengthAt, length) + 1);
  }
  setWord(perLengthAt, 0, 0);
  let code: u32 = 0;
  for (let length = 1; length <= <i32>codeBitsMax; length++) {
    code = (code + word(perLengthAt, length - 1)) << 1;
    setWord(nextAt, length, code);
  }
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = <u32>load<u8>(lengthsAt + symbol);
    if (length === 0) continue;
    const own = word(nextAt, length);
    setWord(nextAt, length, own + 1);
    setWord(codesAt, symbol, reversed(own, length));
  }
}

function reversed(code: u32, length: u32): u32 {
  let turned: u32 = 0;
  for (let bit: u32 = 0; bit < length; bit++) turned |= ((code >> bit) & 1) << (length - 1 - bit);
  return turned;
}
