// AssemblyScript. Writes one block: its tokens with codes of their own, or stored when that is shorter (RFC 1951 §3.2.4, 3.2.7).
import { align, put, settle, skipTo } from "./bits";
import { codeBitsMax, makeCodes, makeLengths, metaBitsMax } from "./huffman";
import {
  distanceCodesAt,
  distanceCountsAt,
  distanceLengthsAt,
  lengthCodesAt,
  literalCodesAt,
  literalCountsAt,
  literalLengthsAt,
  metaCodesAt,
  metaCountsAt,
  metaLengthsAt,
  metaMax,
  metaRunsAt,
  sequencesAt,
} from "./memory-map";
import {
  baseOfDistance,
  distanceSymbol,
  distanceSymbols,
  endOfBlock,
  extraOfDistance,
  lengthSymbol,
  literalSymbols,
} from "./symbols";
import { sequenceCount } from "./sequences";

const metaSymbols: i32 = 19;
/** The order in which lengths of the meta code stand. */
const metaOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
const storedBytesMax: usize = 0xffff;
const dynamicType: u64 = 2;

let literals: i32 = 0;
let distances: i32 = 0;
let runs: i32 = 0;

/** The sequences, which say the input from `from` to `to`, as a block that is not the last. */
export function writeBlock(from: usize, to: usize): void {
  store<u32>(literalCountsAt + 4 * endOfBlock, 1);
  makeLengths(literalCountsAt, literalSymbols, literalLengthsAt, codeBitsMax);
  makeLengths(distanceCountsAt, distanceSymbols, distanceLengthsAt, codeBitsMax);
  literals = lastUsed(literalLengthsAt, literalSymbols, 257);
  distances = lastUsed(distanceLengthsAt, distanceSymbols, 1);
  makeRuns();
  makeLengths(metaCountsAt, metaSymbols, metaLengthsAt, metaBitsMax);
  if (bitsOfSequences() > 8 * <u64>(to - from)) {
    writeStored(from, to);
    return;
  }
  makeCodes(literalLengthsAt, literalSymbols, literalCodesAt);
  makeCodes(distanceLengthsAt, distanceSymbols, distanceCodesAt);
  makeCodes(metaLengthsAt, metaSymbols, metaCodesAt);
  writeLengths();
  makeLengthCodes();
  writeSequences(from);
}

/** An empty stored block, as zlib's sync flush writes: what stands before it is filled up to a whole byte. Returns the end. */
export function writeSync(): usize {
  put(0, 3);
  settle();
  const at = align();
  store<u32>(at, 0xffff0000);
  return at + 4;
}

function writeStored(from: usize, to: usize): void {
  let next = from;
  while (next < to) {
    const bytes = min(to - next, storedBytesMax);
    put(0, 3);
    settle();
    const at = align();
    store<u32>(at, <u32>bytes | (~<u32>bytes << 16));
    memory.copy(at + 4, next, bytes);
    skipTo(at + 4 + bytes);
    next += bytes;
  }
}

function lastUsed(lengthsAt: usize, symbols: i32, least: i32): i32 {
  let count = symbols;
  while (count > least && load<u8>(lengthsAt + count - 1) === 0) count--;
  return count;
}

/** Without the lengths of the codes themselves: the choice needs no more. */
function bitsOfSequences(): u64 {
  let bits: u64 = 0;
  for (let symbol = 0; symbol < literalSymbols; symbol++) {
    const extra = symbol < 265 || symbol === 285 ? 0 : ((symbol - 257) >> 2) - 1;
    bits += <u64>load<u32>(literalCountsAt + 4 * symbol) * (load<u8>(literalLengthsAt + symbol) + extra);
  }
  for (let symbol = 0; symbol < distanceSymbols; symbol++) {
    const width = load<u8>(distanceLengthsAt + symbol) + extraOfDistance(symbol);
    bits += <u64>load<u32>(distanceCountsAt + 4 * symbol) * width;
  }
  return bits;
}

// @ts-ignore: decorator
@inline
function lengthAt(index: i32): u32 {
  return index < literals ? load<u8>(literalLengthsAt + index) : load<u8>(distanceLengthsAt + index - literals);
}

function addRun(symbol: u32, extra: u32): void {
  store<u32>(metaRunsAt + 4 * runs++, symbol | (extra << 8));
  const at = metaCountsAt + 4 * symbol;
  store<u32>(at, load<u32>(at) + 1);
}

/** Both lists of lengths in one, runs of the same length put shortly. */
function makeRuns(): void {
  memory.fill(metaCountsAt, 0, 4 * metaMax);
  runs = 0;
  const all = literals + distances;
  for (let index = 0; index < all; ) {
    const length = lengthAt(index);
    let run: u32 = 1;
    while (index + <i32>run < all && lengthAt(index + run) === length) run++;
    index += run;
    if (length === 0) run = addZeros(run);
    else {
      addRun(length, 0);
      for (run--; run >= 3; ) {
        const some = min<u32>(run, 6);
        addRun(16, some - 3);
        run -= some;
      }
    }
    for (; run > 0; run--) addRun(length, 0);
  }
}

/** Returns how many zeros are left to be said one by one. */
function addZeros(count: u32): u32 {
  let run = count;
  while (run >= 11) {
    const some = min<u32>(run, 138);
    addRun(18, some - 11);
    run -= some;
  }
  if (run < 3) return run;
  addRun(17, run - 3);
  return 0;
}

function writeLengths(): void {
  let metas = metaSymbols;
  while (metas > 4 && load<u8>(metaLengthsAt + load<u8>(metaOrder + metas - 1)) === 0) metas--;
  put(dynamicType << 1, 3);
  put(literals - 257, 5);
  put(distances - 1, 5);
  put(metas - 4, 4);
  settle();
  for (let index = 0; index < metas; index++) {
    put(load<u8>(metaLengthsAt + load<u8>(metaOrder + index)), 3);
    settle();
  }
  for (let index = 0; index < runs; index++) {
    const run = load<u32>(metaRunsAt + 4 * index);
    const symbol = run & 0xff;
    put(load<u32>(metaCodesAt + 4 * symbol), load<u8>(metaLengthsAt + symbol));
    if (symbol >= 16) put(run >> 8, symbol === 16 ? 2 : symbol === 17 ? 3 : 7);
    settle();
  }
}

/** For each match length its code with its extra bits, and how wide that is: two words. */
function makeLengthCodes(): void {
  for (let length: u32 = 3; length <= 258; length++) {
    const said = lengthSymbol(length);
    const symbol = said & 0xffff;
    const width = <u32>load<u8>(literalLengthsAt + symbol);
    const at = lengthCodesAt + 8 * length;
    store<u32>(at, load<u32>(literalCodesAt + 4 * symbol) | ((said >> 24) << width));
    store<u32>(at, width + ((said >> 16) & 0xff), 4);
  }
}

/** Literals get their width beside their code, so that one look is enough: it stands in the upper half. */
function joinWidths(): void {
  for (let symbol = 0; symbol <= <i32>endOfBlock; symbol++) {
    const at = literalCodesAt + 4 * symbol;
    store<u32>(at, load<u32>(at) | (<u32>load<u8>(literalLengthsAt + symbol) << 16));
  }
}

// @ts-ignore: decorator
@inline
function putLiteral(symbol: usize): void {
  const code = load<u32>(literalCodesAt + 4 * symbol);
  put(code & 0xffff, code >> 16);
}

function writeSequences(from: usize): void {
  joinWidths();
  let literal = from;
  const end = sequencesAt + 8 * <usize>sequenceCount;
  for (let at = sequencesAt; at < end; at += 8) {
    const runEnd = literal + load<u32>(at);
    for (; literal + 3 <= runEnd; literal += 3) {
      putLiteral(load<u8>(literal));
      putLiteral(load<u8>(literal + 1));
      putLiteral(load<u8>(literal + 2));
      settle();
    }
    for (; literal < runEnd; literal++) putLiteral(load<u8>(literal));
    settle();
    const match = load<u32>(at, 4);
    if (match === 0) continue;
    literal += match >> 16;
    writeMatch(match >> 16, match & 0xffff);
  }
  putLiteral(endOfBlock);
  settle();
}

/** `less`: the distance less one. */
// @ts-ignore: decorator
@inline
function writeMatch(length: u32, less: u32): void {
  const lengthAt = lengthCodesAt + 8 * <usize>length;
  put(load<u32>(lengthAt), load<u32>(lengthAt, 4));
  const symbol = distanceSymbol(less);
  const width = <u64>load<u8>(distanceLengthsAt + symbol);
  const extra = <u64>(less + 1 - baseOfDistance(symbol)) << width;
  put(load<u32>(distanceCodesAt + 4 * symbol) | extra, width + extraOfDistance(symbol));
  settle();
}
