// AssemblyScript. Keys come in the order in which they came before: after each key, the scanner first looks whether one of
// the two that followed it last follows again. Nearly always one does, and a comparison of 32 bytes then stands for finding
// the key's end, checking its characters and its colon, and looking up whether it is wanted.
//
// A key is known by its bytes from its opening quote to its colon, and by the kind of object it stands in. Only keys
// without escapes, with their colon right behind them and of at most 32 bytes with both are known. The table is bounded:
// full, it takes no more keys, and it is cleared before the next window.
import { headOf, maskOf } from "./interned";
import { knownKeyBytes, knownKeysAt, knownKeySlots, knownKeySlotsAt, knownKeysMax } from "./memory-map";

// A known key: its text and the mask of it (32 bytes each), its length, the kind of object, its entry in keys.ts or 0,
// and the two known keys that followed it last.
const maskOffset: usize = 32;
const lengthOffset: usize = 64;
const contextOffset: usize = 68;
const wantedOffset: usize = 72;
const nextOffset: usize = 76;
const secondOffset: usize = 80;

const lengthMax: usize = 32;
const probesMax: u32 = 8;

/** In what kind of object a key was last looked for in vain. */
let askedContext: u32 = 0;

/** Number 0 is no key; it is what comes before the first. */
let count: usize = 1;
let last: usize = knownKeysAt;

/** To be called before a window is read. */
export function beginKeys(): void {
  last = knownKeysAt;
  if (count < knownKeysMax) return;
  memory.fill(knownKeySlotsAt, 0, knownKeySlots * 4);
  memory.fill(knownKeysAt, 0, knownKeyBytes);
  count = 1;
}

/** The known key that begins with the quote at `at` in an object of that kind, if it is the expected one; else 0. */
// @ts-ignore: decorator
@inline
export function expectedKey(at: usize, context: u32): usize {
  const known: usize = load<u32>(last, nextOffset);
  if (known == 0 || !isAt(known, at, context)) return secondKey(at, context);
  last = known;
  return known;
}

/** The key that followed the time before: kinds of events take turns. */
function secondKey(at: usize, context: u32): usize {
  const known: usize = load<u32>(last, secondOffset);
  if (known == 0 || !isAt(known, at, context)) {
    askedContext = context;
    return 0;
  }
  expect(known);
  return known;
}

/** Expects that key next time, and the one expected until now if it is not that. */
function expect(known: usize): void {
  store<u32>(last, load<u32>(last, nextOffset), secondOffset);
  store<u32>(last, <u32>known, nextOffset);
  last = known;
}

// @ts-ignore: decorator
@inline
function isAt(known: usize, at: usize, context: u32): bool {
  const head = v128.and(v128.xor(v128.load(at), v128.load(known)), v128.load(known, maskOffset));
  const tail = v128.and(v128.xor(v128.load(at, 16), v128.load(known, 16)), v128.load(known, maskOffset + 16));
  return !v128.any_true(v128.or(head, tail)) && load<u32>(known, contextOffset) == context;
}

/** Bytes from the opening quote to behind the colon. */
// @ts-ignore: decorator
@inline
export function knownLength(known: usize): usize {
  return load<u32>(known, lengthOffset);
}

/** The key's entry in keys.ts, or 0. */
// @ts-ignore: decorator
@inline
export function wantedEntry(known: usize): usize {
  return load<u32>(known, wantedOffset);
}

/**
 * From now on expects the key that was just looked for in vain where it stood: it goes from its opening quote at `at` to
 * behind its colon at `end`; `wanted` is its entry in keys.ts or 0.
 */
export function learnKey(at: usize, end: usize, wanted: usize): void {
  const length = end - at;
  if (length > lengthMax) return;
  let slot = slotOf(at, length);
  for (let probe: u32 = 0; probe < probesMax; probe++) {
    const place = knownKeySlotsAt + (slot & (knownKeySlots - 1)) * 4;
    let known: usize = load<u32>(place);
    if (known == 0) {
      if (count == knownKeysMax) return;
      known = addKnown(at, length, wanted);
      store<u32>(place, <u32>known);
    }
    if (knownLength(known) == length && isAt(known, at, askedContext)) {
      expect(known);
      return;
    }
    slot += 1;
  }
}

/** By the first 16 bytes: few keys share them. */
function slotOf(at: usize, length: usize): usize {
  const head = headOf(at, min(length, 16));
  const hash = i64x2.extract_lane(head, 0) * 0x9e3779b97f4a7c15 + i64x2.extract_lane(head, 1) * 0xbf58476d1ce4e5b9;
  return <usize>((hash ^ (hash >> 32)) + length + askedContext);
}

function addKnown(at: usize, length: usize, wanted: usize): usize {
  const known = knownKeysAt + count * knownKeyBytes;
  count += 1;
  memory.fill(known, 0, knownKeyBytes);
  v128.store(known, headOf(at, min(length, 16)));
  v128.store(known + maskOffset, maskOf(min(length, 16)));
  if (length > 16) {
    v128.store(known, headOf(at + 16, length - 16), 16);
    v128.store(known + maskOffset, maskOf(length - 16), 16);
  }
  store<u32>(known, <u32>length, lengthOffset);
  store<u32>(known, askedContext, contextOffset);
  store<u32>(known, <u32>wanted, wantedOffset);
  return known;
}
