// Inflates a composed log file piece by piece and gives its records as the bytes they are. A file of 50 MB never stands
// inflated in memory. Must not: know where the records go.
import { createGunzip, gunzipSync } from "node:zlib";
import { LogFileRecords } from "../event/log-file-records.ts";

const pieceBytes = 64 * 1024;
/** Below this a hop to the thread pool costs more than inflating. */
const inflateHereBytesMax = 16 * 1024;

/**
 * The records of a file, some at a time, in order. Throws when the bytes are no log file of this house, or when they
 * inflate to more than `jsonBytesMax`.
 */
export async function* recordsOf(
  body: Uint8Array,
  jsonBytesMax: number,
): AsyncGenerator<readonly Uint8Array[], void> {
  const records = new LogFileRecords();
  if (body.length <= inflateHereBytesMax) {
    yield records.take(gunzipSync(body, { maxOutputLength: jsonBytesMax }));
  } else {
    for await (const piece of piecesOf(body, jsonBytesMax)) yield records.take(piece);
  }
  records.end();
}

async function* piecesOf(body: Uint8Array, jsonBytesMax: number): AsyncGenerator<Uint8Array, void> {
  const inflating = createGunzip({ chunkSize: pieceBytes });
  let size = 0;
  try {
    inflating.end(body);
    for await (const piece of inflating) {
      if (!Buffer.isBuffer(piece)) throw new Error("zlib gave no bytes.");
      size += piece.length;
      if (size > jsonBytesMax) throw new Error(`The log file inflates to more than ${jsonBytesMax} bytes.`);
      yield piece;
    }
  } finally {
    inflating.destroy();
  }
}
