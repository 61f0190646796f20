// Takes a gzip member apart by hand: what a lenient reader would pass over shows.
import { createInflateRaw } from "node:zlib";

const headerBytes = 10;
const trailerBytes = 8;

/** Unpacks exactly one gzip member and says how many bytes follow it. */
export async function unpack(bytes: Uint8Array): Promise<{ text: string; bytesAfter: number }> {
  const raw = createInflateRaw();
  raw.end(bytes.subarray(headerBytes));
  const chunks: Uint8Array[] = [];
  for await (const chunk of raw) chunks.push(chunk);
  return {
    text: Buffer.concat(chunks).toString("utf8"),
    bytesAfter: bytes.length - headerBytes - raw.bytesWritten - trailerBytes,
  };
}
