// One gzip member (RFC 1952) out of texts that were deflated apart. Never more than one: validate-logs and Python's
// zlib.decompress read the first only (formats.md §2.2). Must not: know records.
//
// A text is deflated once into blocks that end on a byte and are not the last (RFC 1951 §3.2.3). Such blocks of any
// texts, one after the other, are one deflate stream; the member's CRC follows from theirs. Short texts in between stand
// in stored blocks.
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, deflateRawSync, gzip, gzipSync } from "node:zlib";
import { assert } from "../model/assert.ts";
import { combineCrc32 } from "./crc32-combine.ts";

export interface DeflatedText {
  /** Deflate blocks, none of them final, ending on a byte. */
  readonly blocks: Uint8Array;
  readonly crc: number;
  readonly textBytes: number;
}

/** 1 fastest … 9 smallest. */
export type CompressionLevel = number;

const defaultCompressionLevel = 6;

const deflateByPool = promisify(deflateRaw);
const gzipByPool = promisify(gzip);

/** zlib's largest tables (256 KB more for each text under way): 7 % less time for the same level, and no larger. */
const memoryLevel = 9;
/** Below this a hop to the thread pool costs more than deflating. */
const hereBytesMax = 16 * 1024;
/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing of the platform shows. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty final block with fixed codes. */
const finalBlock = Buffer.from([0x03, 0x00]);
/** Position and value of the header's operating-system byte. */
const gzipSystem = { offset: 9, unknown: 255 };
const trailerBytes = 8;
const storedBytesMax = 0xffff;

/** The same text and level give the same blocks, in every process of the same zlib. */
export async function deflateText(text: Uint8Array, level: CompressionLevel): Promise<DeflatedText> {
  const { Z_SYNC_FLUSH: finishFlush } = constants;
  const options = { level, finishFlush, memLevel: memoryLevel, chunkSize: chunkSizeFor(text) };
  const blocks =
    text.length <= hereBytesMax ? deflateRawSync(text, options) : await deflateByPool(text, options);
  return { blocks, crc: crc32(text), textBytes: text.length };
}

/** A short text as it is, in a stored block. */
export function storedText(text: Uint8Array): DeflatedText {
  assert(text.length <= storedBytesMax, "a stored block takes up to 64 KB");
  const blocks = Buffer.alloc(5 + text.length);
  blocks.writeUInt16LE(text.length, 1);
  blocks.writeUInt16LE(~text.length & 0xffff, 3);
  blocks.set(text, 5);
  return { blocks, crc: crc32(text), textBytes: text.length };
}

/** The member that inflates to the texts in their order. */
export function gzipMember(texts: readonly DeflatedText[]): Uint8Array {
  let crc = 0;
  let textBytes = 0;
  for (const text of texts) {
    crc = combineCrc32(crc, text.crc, text.textBytes);
    textBytes += text.textBytes;
  }
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(textBytes % 2 ** 32, 4);
  return Buffer.concat([header, ...texts.map(({ blocks }) => blocks), finalBlock, trailer]);
}

/** The member of one text, at zlib's own level. */
export async function gzipOneMember(text: Uint8Array): Promise<Uint8Array> {
  const level = defaultCompressionLevel;
  const bytes = text.length <= hereBytesMax ? gzipSync(text, { level }) : await gzipByPool(text, { level });
  bytes[gzipSystem.offset] = gzipSystem.unknown;
  return bytes;
}

/** Room for the whole output at once: each further chunk is a hop to the main thread. */
function chunkSizeFor(text: Uint8Array): number {
  return Math.max(1024, Math.ceil(text.length / 4));
}
