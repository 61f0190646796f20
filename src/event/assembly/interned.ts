// AssemblyScript. Interns short texts that many records share (source, name, Region, account …): equal bytes get equal
// numbers from 1 on, so that the host makes one string of each instead of one per event.
//
// A hash table with open addressing. Its size is bounded three ways: number of texts, their bytes, and the length of a
// search, so that whoever sends made-up or colliding texts only loses his own speed. Full, it takes no new text: 0 is
// returned and the host reads the record; the host then clears it before the next batch.
import { internedAt, internedBytes, internedMax, internedSlots, internedSlotsAt } from "./memory-map";
import { internedTextsAt, internedTextsEnd } from "./memory-map";

const quote: u32 = 0x22;

const lengthMax: usize = 128;
const probesMax: u32 = 16;

let count: u32 = 0;
let textsEnd: usize = internedTextsAt;

/** 16 bytes of ones before 16 of zeros: read from its middle, less n, it keeps the first n of 16 bytes. */
const masks = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0,
]);

/** Ones in the first `length` (at most 16) bytes. */
// @ts-ignore: decorator
@inline
export function maskOf(length: usize): v128 {
  return v128.load(masks + 16 - length);
}

/** The first `length` (at most 16) bytes at `at`, zeros behind them. */
// @ts-ignore: decorator
@inline
export function headOf(at: usize, length: usize): v128 {
  return v128.and(v128.load(at), maskOf(length));
}

export function internedCount(): u32 {
  return count;
}

export function clearInterned(): void {
  memory.fill(internedSlotsAt, 0, internedSlots * 4);
  count = 0;
  textsEnd = internedTextsAt;
}

/** Behind the text of that number if it stands at `start` with a quote behind it, else 0; long texts are not looked at. */
// @ts-ignore: decorator
@inline
export function repeatedEnd(number: u32, start: usize): usize {
  if (number == 0) return 0;
  const entry = internedAt + <usize>(number - 1) * internedBytes;
  const length: usize = load<u32>(entry, 4);
  const known: usize = load<u32>(entry, 8);
  if (length > 32 || load<u8>(start + length) != quote) return 0;
  const shorter = min<usize>(length, 16);
  const head = v128.and(v128.xor(v128.load(start), v128.load(known)), maskOf(shorter));
  const tail = v128.and(v128.xor(v128.load(start, 16), v128.load(known, 16)), maskOf(length - shorter));
  return v128.any_true(v128.or(head, tail)) ? 0 : start + length;
}

/** The number of the text from `start` to `end`, or 0 when it has none and gets none. */
export function intern(start: usize, end: usize): u32 {
  const length = end - start;
  if (length > lengthMax) return 0;
  const hash = hashOf(start, length);
  let slot: usize = <usize>hash & (internedSlots - 1);
  for (let probe: u32 = 0; probe < probesMax; probe++) {
    const number = load<u32>(internedSlotsAt + slot * 4);
    if (number == 0) return add(start, length, slot, hash);
    const entry = internedAt + <usize>(number - 1) * internedBytes;
    if (load<u32>(entry) == hash && load<u32>(entry, 4) == <u32>length) {
      if (isEqual(start, load<u32>(entry, 8), length)) return number;
    }
    slot = (slot + 1) & (internedSlots - 1);
  }
  return 0;
}

function hashOf(start: usize, length: usize): u32 {
  let hash: u64 = length;
  let at = start;
  let rest = length;
  while (rest > 16) {
    hash = mixed(hash, v128.load(at));
    at += 16;
    rest -= 16;
  }
  hash = mixed(hash, headOf(at, rest));
  return <u32>(hash ^ (hash >> 32));
}

// @ts-ignore: decorator
@inline
function mixed(hash: u64, block: v128): u64 {
  const low = i64x2.extract_lane(block, 0);
  const high = i64x2.extract_lane(block, 1);
  hash = (hash ^ low) * 0x9e3779b97f4a7c15;
  hash = (rotl<u64>(hash, 29) ^ high) * 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 29);
}

/** Texts in the table are padded with zeros to whole blocks of 16 bytes. */
function isEqual(start: usize, known: usize, length: usize): bool {
  while (length > 16) {
    if (v128.any_true(v128.xor(v128.load(start), v128.load(known)))) return false;
    start += 16;
    known += 16;
    length -= 16;
  }
  return !v128.any_true(v128.xor(headOf(start, length), v128.load(known)));
}

function add(start: usize, length: usize, slot: usize, hash: u32): u32 {
  const end = textsEnd + ((length + 16) & ~15);
  if (count == <u32>internedMax || end > internedTextsEnd) return 0;
  memory.fill(textsEnd, 0, end - textsEnd);
  memory.copy(textsEnd, start, length);
  const entry = internedAt + <usize>count * internedBytes;
  store<u32>(entry, hash);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, <u32>textsEnd, 8);
  textsEnd = end;
  count += 1;
  store<u32>(internedSlotsAt + slot * 4, count);
  return count;
}
