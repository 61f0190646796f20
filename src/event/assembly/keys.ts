// AssemblyScript. The keys that matter, per kind of object. The host names them (../scanner-keys.ts):
// names, places and kinds stand once. Whole keys are compared.
import { headOf } from "./interned";
import { keyBytes, keyContexts, keySlots, keysAt } from "./memory-map";

// An entry: length, kind, word, bit (32 bits each), the key's first 16 bytes and its last 16 bytes, and the number of the
// interned text that the last record had there.
const numberOffset: usize = 48;

/** `word` is where in the row or resource the value goes, `bit` tells the keys apart. */
export function addKey(context: u32, at: usize, length: usize): usize {
  const entry = entryAt(context, slotOf(at + length, length));
  if (load<u32>(entry) != 0) return 0;
  store<u32>(entry, <u32>length);
  v128.store(entry, headOf(at, min(length, 16)), 16);
  v128.store(entry, v128.load(at + length - 16), 32);
  return entry;
}

/** The entry of the key from `start` to its closing quote at `end`, or 0. */
// @ts-ignore: decorator
@inline
export function findKey(context: u32, start: usize, end: usize): usize {
  const length = end - start;
  const entry = entryAt(context, slotOf(end, length));
  // An empty key is no key either: a free slot has no length.
  return load<u32>(entry) == <u32>length && length != 0 && isKey(entry, start, length) ? entry : 0;
}

// @ts-ignore: decorator
@inline
export function lastNumber(entry: usize): u32 {
  return load<u32>(entry, numberOffset);
}

// @ts-ignore: decorator
@inline
export function setLastNumber(entry: usize, number: u32): void {
  store<u32>(entry, number, numberOffset);
}

/** To be called when the interned texts are cleared. */
export function forgetNumbers(): void {
  for (let slot: usize = 0; slot < keyContexts * keySlots; slot++) setLastNumber(entryAt(0, slot), 0);
}

// @ts-ignore: decorator
@inline
function isKey(entry: usize, start: usize, length: usize): bool {
  const head = length < 16 ? headOf(start, length) : v128.load(start);
  if (v128.any_true(v128.xor(head, v128.load(entry, 16)))) return false;
  return length <= 16 || !v128.any_true(v128.xor(v128.load(start + length - 16), v128.load(entry, 32)));
}

// @ts-ignore: decorator
@inline
function entryAt(context: u32, slot: usize): usize {
  return keysAt + (<usize>context * keySlots + slot) * keyBytes;
}

/**
 * By the last four bytes, among which a short key has its opening quote, and the length: keys often begin alike. With
 * this factor each of the host's keys has a slot of its own, so that there is never a second place to look at; where a
 * key was added for which that does not hold, `addKey` says so, and another factor has to be found.
 */
// @ts-ignore: decorator
@inline
function slotOf(end: usize, length: usize): usize {
  return ((load<u32>(end - 4) + <u32>length) * 0x1e2feb89) >>> 26;
}
