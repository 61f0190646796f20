// Cuts admitted records into journal frames of a bounded size. Pure.
import type { FrameRecord } from "../journal/contract.ts";

// Half the journal's frame limit: large enough to amortise a frame's header, small enough to read back in pieces.
const frameRecordBytesMax = 1024 * 1024;
const frameRecordsMax = 10_000;

export interface IndexedRecord {
  /** Place in the batch, for the answer. */
  readonly index: number;
  readonly record: FrameRecord;
}

/** Keeps the order; every frame holds at least one record. */
export function cutIntoFrames(records: readonly IndexedRecord[]): IndexedRecord[][] {
  const frames: IndexedRecord[][] = [];
  let current: IndexedRecord[] = [];
  let bytes = 0;
  for (const entry of records) {
    const size = entry.record.bytes.length;
    if (current.length > 0 && (bytes + size > frameRecordBytesMax || current.length >= frameRecordsMax)) {
      frames.push(current);
      current = [];
      bytes = 0;
    }
    current.push(entry);
    bytes += size;
  }
  if (current.length > 0) frames.push(current);
  return frames;
}
