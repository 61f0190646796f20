// AssemblyScript, compiled to WebAssembly by tools/setup.mjs; the host is ../packer.ts. The LZ4 block format (lz4_Block_format.md
// of the LZ4 project): sequences of a token, literals, and a copy of what stood up to 64 KB before. One pass, one table.
//
// A token holds two counts of four bits, that of the literals above that of the copied bytes; 15 goes on in bytes that are
// added, the last of which is below 255. The last sequence has no copy, and its literals are at least the last five bytes.
import { packedAt, packedBytesMax, rawAt, rawBytesMax, seenAt, seenBits, seenBytes } from "./memory-map";

export { memoryEnd, packedAt, packedBytesMax, rawAt, rawBytesMax } from "./memory-map";

const copyBytesMin: usize = 4;
const distanceMax: usize = 0xffff;
/** No copy reaches into the last bytes, and none begins in the bytes before them. */
const lastLiterals: usize = 5;
const lastCopyStart: usize = 12;
const countInToken: usize = 15;
/**
 * The search goes by three bytes, for a copy is followed back to where it begins, and by more after so many places without
 * one: what repeats nothing is soon passed.
 */
const firstStep: usize = 3;
const patienceBits: usize = 6;

/** Packs the block at `rawAt` to `packedAt`; returns its packed length. */
export function pack(rawBytes: usize): usize {
  memory.fill(seenAt, 0, seenBytes);
  lastDistance = 1;
  const end = rawAt + rawBytes;
  let out = packedAt;
  let literals = rawAt;
  if (rawBytes > lastCopyStart) {
    const lastStart = end - lastCopyStart;
    // Nothing stands before the first byte.
    let at = rawAt + 1;
    while (at <= lastStart) {
      at = nextCopy(at, lastStart);
      if (at == 0) break;
      let from = copySource;
      while (at > literals && from > rawAt && load<u8>(at - 1) == load<u8>(from - 1)) {
        at--;
        from--;
      }
      const copyEnd = equalEnd(at + copyBytesMin, from + copyBytesMin, end - lastLiterals);
      out = writeSequence(out, literals, at, copyEnd - at - copyBytesMin);
      lastDistance = at - from;
      store<u16>(out, <u16>lastDistance);
      out = writeRest(out + 2, copyEnd - at - copyBytesMin);
      store<u32>(slotOf(load<u64>(copyEnd - 2)), <u32>(copyEnd - 2));
      literals = copyEnd;
      at = copyEnd;
    }
  }
  return writeSequence(out, literals, end, 0) - packedAt;
}

/** Where the copy that `nextCopy` found comes from. */
let copySource: usize = 0;
/** How far before its copy the last one lay: behind an id or a time that differs, records often go on alike. */
let lastDistance: usize = 1;

/** The first place from `at` on whose bytes stood before within reach; 0 when there is none up to `lastStart`. */
// @ts-ignore: decorator
@inline
function nextCopy(at: usize, lastStart: usize): usize {
  let tries: usize = firstStep << patienceBits;
  while (at <= lastStart) {
    const bytes = load<u64>(at);
    if (load<u32>(at - lastDistance) == <u32>bytes) {
      copySource = at - lastDistance;
      return at;
    }
    const slot = slotOf(bytes);
    const seen: usize = load<u32>(slot);
    store<u32>(slot, <u32>at);
    if (seen != 0 && load<u32>(seen) == <u32>bytes && at - seen <= distanceMax) {
      copySource = seen;
      return at;
    }
    at += tries++ >> patienceBits;
  }
  return 0;
}

/** By the first six of eight bytes. */
// @ts-ignore: decorator
@inline
function slotOf(bytes: u64): usize {
  return seenAt + (<usize>(((bytes << 16) * 0x9e3779b185ebca87) >> (64 - seenBits)) << 2);
}

/** Behind the bytes from `at` on that equal those from `from` on, before `end`. */
// @ts-ignore: decorator
@inline
function equalEnd(at: usize, from: usize, end: usize): usize {
  while (at + 16 <= end) {
    const equal = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(from)));
    if (equal != 0xffff) return at + ctz<u32>(~equal);
    at += 16;
    from += 16;
  }
  while (at < end && load<u8>(at) == load<u8>(from)) {
    at++;
    from++;
  }
  return at;
}

/** A token and its literals. The rest of `copied`, when it is large, comes behind the distance. */
// @ts-ignore: decorator
@inline
function writeSequence(out: usize, from: usize, to: usize, copied: usize): usize {
  const count = to - from;
  store<u8>(out, <u8>((min(count, countInToken) << 4) | min(copied, countInToken)));
  const literalsAt = writeRest(out + 1, count);
  copyLoosely(literalsAt, from, count);
  return literalsAt + count;
}

/** What a count has beyond its four bits. */
// @ts-ignore: decorator
@inline
function writeRest(out: usize, count: usize): usize {
  if (count < countInToken) return out;
  let rest = count - countInToken;
  while (rest >= 255) {
    store<u8>(out++, 255);
    rest -= 255;
  }
  store<u8>(out, <u8>rest);
  return out + 1;
}

/** Copies up to 15 bytes more than `count`. The two may overlap when they are 16 bytes apart or more. */
// @ts-ignore: decorator
@inline
function copyLoosely(to: usize, from: usize, count: usize): void {
  const end = to + count;
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

/** Unpacks the block at `packedAt` to `rawAt`; false when it is no block of that length. Touches nothing else. */
export function unpack(packedBytes: usize, rawBytes: usize): bool {
  if (packedBytes > packedBytesMax || rawBytes > rawBytesMax) return false;
  const packedEnd = packedAt + packedBytes;
  const rawEnd = rawAt + rawBytes;
  let to = rawAt;
  readAt = packedAt;
  while (readAt < packedEnd) {
    const token: usize = load<u8>(readAt++);
    const literals = readCount(token >> 4, packedEnd);
    if (literals > rawEnd - to || literals > packedEnd - readAt) return false;
    copyLoosely(to, readAt, literals);
    to += literals;
    readAt += literals;
    if (readAt == packedEnd) return to == rawEnd;
    if (packedEnd - readAt < 2) return false;
    const distance: usize = load<u16>(readAt);
    readAt += 2;
    const copied = readCount(token & countInToken, packedEnd) + copyBytesMin;
    if (distance == 0 || distance > to - rawAt || copied > rawEnd - to) return false;
    copyBefore(to, distance, copied);
    to += copied;
  }
  return false;
}

let readAt: usize = 0;

/** A count whose first four bits are in the token. */
// @ts-ignore: decorator
@inline
function readCount(inToken: usize, packedEnd: usize): usize {
  let count = inToken;
  if (inToken < countInToken) return count;
  while (readAt < packedEnd) {
    const more: usize = load<u8>(readAt++);
    count += more;
    if (more < 255) break;
  }
  return count;
}

/** Bytes that stood before; near ones repeat themselves. */
// @ts-ignore: decorator
@inline
function copyBefore(to: usize, distance: usize, count: usize): void {
  if (distance >= 16) return copyLoosely(to, to - distance, count);
  for (const end = to + count; to < end; to++) store<u8>(to, load<u8>(to - distance));
}
