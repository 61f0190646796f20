// AssemblyScript. Finds earlier text that the text at a place repeats (LZ77, window of 32 KB).
//
// Stretches of six bytes are hashed into buckets of the four places that were there last. An entry is 16 bits of the hash, above
// 16 bits of the position: so most text that never was there before, such as an identifier, is known without a look at it.
// A position that is older than 16 bits can say is as good as any: what counts is that the bytes are the same.
import { bucketBits, bucketBytes, bucketsAt } from "./memory-map";

export const leastMatch: u32 = 5;
const greatestMatch: u32 = 258;
const windowBytes: u32 = 32768;

/** What `find` found. */
export let foundLength: u32 = 0;
export let foundDistance: u32 = 1;

export function forgetAll(): void {
  memory.fill(bucketsAt, 0, bucketBytes << bucketBits);
}

// @ts-ignore: decorator
@inline
function hashOf(at: usize): u64 {
  return (load<u64>(at) << 16) * 0x9e3779b185ebca87;
}

// @ts-ignore: decorator
@inline
function bucketOf(hash: u64): usize {
  return bucketsAt + <usize>(hash >> (64 - bucketBits)) * bucketBytes;
}

// @ts-ignore: decorator
@inline
function put(bucket: usize, places: v128, entry: u32): void {
  v128.store(bucket, v128.shuffle<i32>(i32x4.splat(entry), places, 0, 4, 5, 6));
}

// @ts-ignore: decorator
@inline
function tagOf(hash: u64): u32 {
  return <u32>(hash >> 16) & 0xffff0000;
}

/** Notes the text at `at`, which lies `position` bytes behind the beginning. */
// @ts-ignore: decorator
@inline
export function note(at: usize, position: u32): void {
  const hash = hashOf(at);
  const bucket = bucketOf(hash);
  put(bucket, v128.load(bucket), tagOf(hash) | (position & 0xffff));
}

// @ts-ignore: decorator
@inline
function common(left: usize, right: usize, most: u32): u32 {
  let length: u32 = 0;
  while (length < most) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(left + length), v128.load(right + length)));
    if (same !== 0xffff) return min(length + <u32>ctz(~same), most);
    length += 16;
  }
  return most;
}

/** The longest match at `at` that is longer than `least`; then notes the text. Where none is, `foundLength` is `least`. */
// @ts-ignore: decorator
@inline
export function find(at: usize, position: u32, end: usize, least: u32, near: u32): void {
  const hash = hashOf(at);
  const bucket = bucketOf(hash);
  const tag = tagOf(hash);
  const places = v128.load(bucket);
  let same = i32x4.bitmask(i32x4.eq(v128.and(places, i32x4.splat(0xffff0000)), i32x4.splat(tag)));
  foundLength = least;
  if (same !== 0) {
    const most = min<u32>(greatestMatch, <u32>(end - at));
    for (; same !== 0; same &= same - 1) {
      const distance = (position - load<u32>(bucket + 4 * ctz(same))) & 0xffff;
      if (distance - 1 >= min(position, windowBytes)) continue;
      const from = at - distance;
      // What is longer has the same four bytes at the end of what was found.
      if (load<u32>(from + foundLength - 3) !== load<u32>(at + foundLength - 3)) continue;
      const length = common(at, from, most);
      if (length <= foundLength) continue;
      foundLength = length;
      foundDistance = distance;
      if (length >= near) break;
    }
  }
  put(bucket, places, tag | (position & 0xffff));
}
