// The bytes of a journal segment: how they are laid out, written and read. Pure. This header is the format.
//
// LAYOUT (little endian; version 1)
//   A partition is a folder of segments. A segment is `<seq of its first frame, 16 digits>.segment`:
//
//   segment header, 64 bytes                       entry, any number of times
//     0  magic  FF "Cairn" 0D 0A                     0  magic  FF C4 1A CE (FF never occurs in UTF-8)
//     8  u32 version                                 4  u32 CRC-32 of everything from byte 8 on,
//    12  u32 CRC-32 of bytes 16..64                        begun with the segment's salt
//    16  u64 first seq, as in the name               8  u32 bytes of the body
//    24  u64 first seq of the segment before it     12  body
//    32  u64 bytes of that segment that count
//    40  f64 wall clock when it was made            The salt is the header's CRC: an entry that a file system leaves
//    48  zeros                                      behind from another segment does not verify in this one.
//
//   body of every entry: 0 u8 kind (1 frame, 2 end mark) · 1 u8 door · 2 u16 bytes of the principal
//     · 4 u32 group start: offset in the file where the group began that this entry was written with
//   an end mark has nothing more. A frame goes on:
//     8 u64 seq · 16 f64 arrivedMs · 24 f64 configurationVersion · 32 u32 bytes of the frame id
//     36 u32 definitions · 40 u32 records · 44 frame id · principal
//     definitions: u32 number, u32 bytes, the text of the match set (match-set-text.ts)
//     record table: u32 bytes, u32 number of its match set, for each record
//     the records' bytes, one after the other
//
// LIMITS: below, in segmentLimits.
//
// INVARIANTS
//   1. A group (one writev, one sync) is written only after the group before it was synced. So an intact entry
//      proves that everything before its group start once was on stable storage.
//   2. A segment gets its name (rename, directory sync) only when its header is synced, and frames that were not
//      given their name yet are never acknowledged. A named segment has a whole header.
//   3. A successor's header says how many bytes of its predecessor count; what lies beyond is void. It is made only
//      when those bytes were synced, so they must all verify, and end with the seq before the successor's first.
//   4. Sequence numbers have no gaps and are never used twice among bytes that count.
//   5. A match set's definition stands in the first frame of the segment that uses it; numbers count from 0.
//
// FAILED WRITES: when a write or a sync fails, the segment is sealed: never written, synced or cut again. The next
//   group goes to a new segment, whose header makes the failed bytes void in the same atomic step that gives it its
//   name (or which takes the name of the sealed one, when that held nothing else). Until that step is durable,
//   nothing is accepted; when it fails the current segment is sealed as well, because a successor that counts its
//   bytes may be there already. So a frame whose outcome is unknown survives only when the process ends before the
//   step is made; its seq is then its own.
//
// RECOVERY (segment-recovery.ts)
//   Headers must form a chain without a missing link. In the last segment everything up to the last intact entry
//   counts. A bad entry with an intact one behind it, whose group began later, was synced once: that is damage
//   and the journal does not open. Otherwise it is the torn end of a last write, and void. Behind an end mark (a
//   clean close) nothing can be torn. The last group is the one whose sync nothing proves (the process may have been
//   killed before it, or after it failed): its frames are written again, at the head of the new segment that every
//   opening makes. Older segments verify when they are read.
import { crc32 } from "node:zlib";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { type DoorName, type FrameHeader, frameBytesMax, type StoredFrame } from "./contract.ts";

export const segmentHeaderBytes = 64;

export const segmentLimits = {
  frameRecordsMax: 65_535,
  frameIdBytesMax: 64,
  principalBytesMax: 8 * 1024,
  /** All match sets of one frame together. */
  frameDefinitionBytesMax: 4 * 1024 * 1024,
  entryBytesMax: 8 * 1024 * 1024,
  /** A segment ends when one of these is reached. */
  segmentBytesMax: 1024 * 1024 * 1024,
  segmentFramesMax: 131_072,
  segmentDefinitionBytesMax: 1024 * 1024,
} as const;

const entryHeadBytes = 12;
const markBodyBytes = 8;
const frameBodyBytes = 44;
const formatVersion = 1;
const segmentMagic = Buffer.from([0xff, 0x43, 0x61, 0x69, 0x72, 0x6e, 0x0d, 0x0a]);
export const entryMagic: Uint8Array = Buffer.from([0xff, 0xc4, 0x1a, 0xce]);
const kinds = { frame: 1, endMark: 2 } as const;
const doors: readonly DoorName[] = ["events", "audit-events", "own-calls", "recorder"];

assert(
  segmentLimits.entryBytesMax >=
    frameBytesMax +
      16 * segmentLimits.frameRecordsMax +
      segmentLimits.frameDefinitionBytesMax +
      segmentLimits.principalBytesMax +
      1024,
  "the largest frame fits an entry, with a definition for each of its records",
);

export interface SegmentHeader {
  readonly firstSeq: number;
  /** The segment before it, and how many of its bytes count; 0 and 0 when there never was one. */
  readonly previousFirstSeq: number;
  readonly previousBytes: number;
  readonly createdMs: number;
}

/** A match set as a segment defines it: its number there and its text. */
export interface Definition {
  readonly number: number;
  readonly text: string;
}

export interface FrameEntry<Stored = NumberedRecord> {
  readonly kind: "frame";
  readonly seq: number;
  readonly groupStart: number;
  readonly id: string;
  readonly header: FrameHeader;
  readonly definitions: readonly Definition[];
  readonly records: readonly Stored[];
}

/** A record as it stands in its frame. */
export interface NumberedRecord {
  readonly bytes: Uint8Array;
  readonly matchSetNumber: number;
}

interface EndMark {
  readonly kind: "end-mark";
  readonly groupStart: number;
}

/** `short`: the window ends before the entry does, which needs `bytes` from its beginning on. */
export type DecodedEntry =
  | { readonly kind: "entry"; readonly entry: FrameEntry | EndMark; readonly bytes: number }
  | { readonly kind: "short"; readonly bytes: number }
  | { readonly kind: "bad"; readonly reason: string };

export function segmentFileName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, "0")}.segment`;
}

/** The first seq that a file name tells, or undefined when it is not a segment's. */
export function parseSegmentFileName(name: string): number | undefined {
  const seq = Number(/^(\d{16})\.segment$/.exec(name)?.[1]);
  return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeBigUInt64LE(BigInt(header.firstSeq), 16);
  bytes.writeBigUInt64LE(BigInt(header.previousFirstSeq), 24);
  bytes.writeBigUInt64LE(BigInt(header.previousBytes), 32);
  bytes.writeDoubleLE(header.createdMs, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

/** The salt that the checksums of a segment's entries begin with. */
export function segmentSalt(header: Uint8Array): number {
  return asBuffer(header).readUInt32LE(12);
}

/** Reads a segment's header, or says in a sentence what is wrong with it. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  const header = asBuffer(bytes);
  if (header.length < segmentHeaderBytes) return "The file is shorter than a segment's header.";
  if (!header.subarray(0, 8).equals(segmentMagic)) return "The file does not begin like a segment.";
  const version = header.readUInt32LE(8);
  if (version !== formatVersion)
    return `The segment has format version ${version}, this Cairn reads ${formatVersion}.`;
  if (crc32(header.subarray(16, segmentHeaderBytes)) !== header.readUInt32LE(12)) {
    return "The checksum of the segment's header is wrong.";
  }
  return {
    firstSeq: Number(header.readBigUInt64LE(16)),
    previousFirstSeq: Number(header.readBigUInt64LE(24)),
    previousBytes: Number(header.readBigUInt64LE(32)),
    createdMs: header.readDoubleLE(40),
  };
}

export interface FrameToEncode {
  readonly seq: number;
  readonly groupStart: number;
  readonly id: string;
  readonly header: FrameHeader;
  readonly definitions: readonly Definition[];
  readonly records: readonly { readonly bytes: Uint8Array }[];
  /** The number of each record's match set. */
  readonly matchSetNumbers: readonly number[];
}

/** How many bytes the frame takes in a segment. */
export function encodedFrameBytes(frame: FrameToEncode): number {
  const { id, header, definitions, records } = frame;
  let bytes = entryHeadBytes + frameBodyBytes + Buffer.byteLength(id) + Buffer.byteLength(header.principal);
  for (const { text } of definitions) bytes += 8 + Buffer.byteLength(text);
  for (const record of records) bytes += 8 + record.bytes.length;
  return bytes;
}

/** Writes the frame into `entry`, which is as long as `encodedFrameBytes` says. Copies the records: one buffer is written and checked sooner than hundreds. */
export function encodeFrame(frame: FrameToEncode, salt: number, entry: Buffer): void {
  entry.set(entryMagic);
  entry.writeUInt32LE(entry.length - entryHeadBytes, 8);
  const body = entry.subarray(entryHeadBytes);
  const end = encodeRecords(frame, body, encodeHead(frame, body));
  assert(end === body.length, "the frame fills its entry to the end");
  entry.writeUInt32LE(crc32(entry.subarray(8), salt), 4);
}

/** Everything before the record table; returns where that begins. */
function encodeHead(frame: FrameToEncode, body: Buffer): number {
  const { id, header, definitions } = frame;
  body[0] = kinds.frame;
  body[1] = doors.indexOf(header.door);
  body.writeUInt32LE(frame.groupStart, 4);
  body.writeBigUInt64LE(BigInt(frame.seq), 8);
  body.writeDoubleLE(header.arrivedMs, 16);
  body.writeDoubleLE(header.configurationVersion, 24);
  body.writeUInt32LE(definitions.length, 36);
  body.writeUInt32LE(frame.records.length, 40);
  const idBytes = body.write(id, frameBodyBytes);
  body.writeUInt32LE(idBytes, 32);
  let at = frameBodyBytes + idBytes;
  const principalBytes = body.write(header.principal, at);
  body.writeUInt16LE(principalBytes, 2);
  at += principalBytes;
  for (const { number, text } of definitions) {
    const textBytes = body.write(text, at + 8);
    body.writeUInt32LE(number, at);
    body.writeUInt32LE(textBytes, at + 4);
    at += 8 + textBytes;
  }
  return at;
}

/** The record table and the records; returns where they end. */
function encodeRecords({ records, matchSetNumbers }: FrameToEncode, body: Buffer, tableAt: number): number {
  let entryAt = tableAt;
  let recordAt = tableAt + 8 * records.length;
  for (const [index, { bytes }] of records.entries()) {
    const number = matchSetNumbers[index];
    assert(number !== undefined, "every record has the number of its match set");
    body.writeUInt32LE(bytes.length, entryAt);
    body.writeUInt32LE(number, entryAt + 4);
    body.set(bytes, recordAt);
    entryAt += 8;
    recordAt += bytes.length;
  }
  return recordAt;
}

/** The entry that says: everything before `groupStart` is synced and nothing follows. */
export function encodeEndMark(groupStart: number, salt: number): Uint8Array {
  const own = Buffer.alloc(entryHeadBytes + markBodyBytes);
  own.set(entryMagic);
  own.writeUInt32LE(markBodyBytes, 8);
  own[entryHeadBytes] = kinds.endMark;
  own.writeUInt32LE(groupStart, entryHeadBytes + 4);
  own.writeUInt32LE(crc32(own.subarray(8), salt), 4);
  return own;
}

/** Reads the entry at `at` of `window`; its records are views into it. */
export function decodeEntry(window: Uint8Array, at: number, salt: number): DecodedEntry {
  const all = asBuffer(window);
  if (all.length - at < entryHeadBytes) return { kind: "short", bytes: entryHeadBytes };
  if (all.compare(entryMagic, 0, 4, at, at + 4) !== 0) return bad("No entry begins here.");
  const bodyBytes = all.readUInt32LE(at + 8);
  const bytes = entryHeadBytes + bodyBytes;
  if (bodyBytes < markBodyBytes || bytes > segmentLimits.entryBytesMax) {
    return bad("The entry's length is impossible.");
  }
  if (all.length - at < bytes) return { kind: "short", bytes };
  if (crc32(all.subarray(at + 8, at + bytes), salt) !== all.readUInt32LE(at + 4)) {
    return bad("The entry's checksum is wrong.");
  }
  const body = all.subarray(at + entryHeadBytes, at + bytes);
  if (body[0] === kinds.endMark) {
    return { kind: "entry", entry: { kind: "end-mark", groupStart: body.readUInt32LE(4) }, bytes };
  }
  const isFrame = body[0] === kinds.frame && bodyBytes >= frameBodyBytes;
  const entry = isFrame ? decodeFrame(body, numberedRecord) : undefined;
  return entry ? { kind: "entry", entry, bytes } : bad("The entry verifies but cannot be understood.");
}

function numberedRecord(bytes: Uint8Array, matchSetNumber: number): NumberedRecord {
  return { bytes, matchSetNumber };
}

/** Undefined when the parts do not add up: then it was not written by encodeFrame. */
function decodeFrame<Stored>(
  body: Buffer,
  recordOf: (bytes: Uint8Array, matchSetNumber: number) => Stored,
): FrameEntry<Stored> | undefined {
  const door = doors[body[1] ?? 0];
  const principalBytes = body.readUInt16LE(2);
  const idBytes = body.readUInt32LE(32);
  const recordCount = body.readUInt32LE(40);
  let at = frameBodyBytes + idBytes + principalBytes;
  const definitions: Definition[] = [];
  for (let left = body.readUInt32LE(36); left > 0; left -= 1) {
    if (at + 8 > body.length) return undefined;
    const end = at + 8 + body.readUInt32LE(at + 4);
    definitions.push({ number: body.readUInt32LE(at), text: body.toString("utf8", at + 8, end) });
    at = end;
  }
  let recordAt = at + 8 * recordCount;
  if (!door || recordAt > body.length) return undefined;
  const records: Stored[] = [];
  for (let left = recordCount; left > 0; left -= 1) {
    const length = body.readUInt32LE(at);
    if (recordAt + length > body.length) return undefined;
    // Readers ask for every record; `subarray` costs three times as much.
    const bytes = new Uint8Array(body.buffer, body.byteOffset + recordAt, length);
    records.push(recordOf(bytes, body.readUInt32LE(at + 4)));
    recordAt += length;
    at += 8;
  }
  if (recordAt !== body.length) return undefined;
  return {
    kind: "frame",
    seq: Number(body.readBigUInt64LE(8)),
    groupStart: body.readUInt32LE(4),
    id: body.toString("utf8", frameBodyBytes, frameBodyBytes + idBytes),
    header: {
      door,
      principal: body.toString("utf8", frameBodyBytes + idBytes, frameBodyBytes + idBytes + principalBytes),
      arrivedMs: body.readDoubleLE(16),
      configurationVersion: body.readDoubleLE(24),
    },
    definitions,
    records,
  };
}

/** What the bytes of a frame do not say. */
interface OwnFrame extends Pick<StoredFrame, "position" | "notes"> {
  readonly matchSets: { matchSet(number: number): MatchSet | undefined };
}

/** A frame as `encodeFrame` left it in this process: nothing is checked, and its records are views into it. */
export function decodeOwnFrame(entry: Buffer, { position, matchSets, notes }: OwnFrame): StoredFrame {
  const frame = decodeFrame(entry.subarray(entryHeadBytes), (bytes, number) => {
    const matchSet = matchSets.matchSet(number);
    assert(matchSet, "a written frame's match sets are defined");
    return { bytes, matchSet };
  });
  assert(frame, "what was encoded here can be decoded");
  const { id, header, records } = frame;
  return { id, header, records, position, notes };
}

function bad(reason: string): DecodedEntry {
  return { kind: "bad", reason };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
