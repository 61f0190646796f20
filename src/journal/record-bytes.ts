// How many bytes the records of a frame have. Pure.
import type { FrameRecord } from "./contract.ts";

/** The bytes of a frame's records, without anything around them. */
export function recordBytesOf(records: readonly FrameRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.bytes.length;
  return bytes;
}
