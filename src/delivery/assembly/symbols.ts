// AssemblyScript. The symbols of lengths and distances (RFC 1951 §3.2.5), in tables that are made once.
import { distanceBasesAt, farSymbolsAt, lengthSymbolsAt, nearSymbolsAt } from "./memory-map";

export const endOfBlock: u32 = 256;
export const literalSymbols: i32 = 286;
export const distanceSymbols: i32 = 30;
const firstLengthSymbol: u32 = 257;
const leastLength: u32 = 3;
const greatestLength: u32 = 258;

/** Extra bits of a length symbol, counted from the first of them. */
function extraOfLength(index: u32): u32 {
  return index < 8 ? 0 : (index >> 2) - 1;
}

// @ts-ignore: decorator
@inline
export function extraOfDistance(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1;
}

export function makeSymbols(): void {
  let length = leastLength;
  for (let index: u32 = 0; index < 28; index++) {
    const extra = extraOfLength(index);
    for (let bits: u32 = 0; bits < 1 << extra; bits++, length++) {
      setLength(length, firstLengthSymbol + index, (extra << 16) | (bits << 24));
    }
  }
  // The longest has a symbol of its own, though the one before could say it too.
  setLength(greatestLength, firstLengthSymbol + 28, 0);
  let distance: u32 = 1;
  for (let symbol: u32 = 0; symbol < <u32>distanceSymbols; symbol++) {
    store<u32>(distanceBasesAt + 4 * <usize>symbol, distance);
    const end = distance + (1 << extraOfDistance(symbol));
    for (; distance < end; distance++) {
      const less = distance - 1;
      if (less < 256) store<u8>(nearSymbolsAt + less, <u8>symbol);
      else store<u8>(farSymbolsAt + (less >> 7), <u8>symbol);
    }
  }
}

function setLength(length: u32, symbol: u32, extra: u32): void {
  store<u32>(lengthSymbolsAt + 4 * <usize>length, symbol | extra);
}

/** Bits 0 to 15 the symbol, 16 to 23 how many extra bits, from 24 which. */
// @ts-ignore: decorator
@inline
export function lengthSymbol(length: u32): u32 {
  return load<u32>(lengthSymbolsAt + 4 * <usize>length);
}

/** `less`: the distance less one. */
// @ts-ignore: decorator
@inline
export function distanceSymbol(less: u32): u32 {
  return less < 256 ? load<u8>(nearSymbolsAt + less) : load<u8>(farSymbolsAt + (less >> 7));
}

// @ts-ignore: decorator
@inline
export function baseOfDistance(symbol: u32): u32 {
  return load<u32>(distanceBasesAt + 4 * <usize>symbol);
}
