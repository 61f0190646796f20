// Cuts admitted records into journal frames of a bounded size. Pure.
import type { FrameRecord } from "../journal/contract.ts";
import type { MatchSet } from "../selector/match-set.ts";

// Half the journal's frame limit: large enough to amortise a frame's header, small enough to read back in pieces.
const frameRecordBytesMax = 1024 * 1024;
const frameRecordsMax = 10_000;
// A frame brings the match sets it uses, and the journal takes 4 MB of them (segment-format.ts). A destination is about
// 70 bytes there, and what stands around them as much as two: where hundreds of trails log, few sets are that much.
const frameDestinationsMax = 40_000;
const aroundDestinations = 2;

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
  let destinations = 0;
  let sets = new Set<MatchSet>();
  for (const entry of records) {
    const { matchSet, bytes: own } = entry.record;
    const isFull =
      bytes + own.length > frameRecordBytesMax ||
      current.length >= frameRecordsMax ||
      (!sets.has(matchSet) && destinations + weightOf(matchSet) > frameDestinationsMax);
    if (current.length > 0 && isFull) {
      frames.push(current);
      current = [];
      bytes = 0;
      destinations = 0;
      sets = new Set();
    }
    current.push(entry);
    bytes += own.length;
    if (sets.has(matchSet)) continue;
    sets.add(matchSet);
    destinations += weightOf(matchSet);
  }
  if (current.length > 0) frames.push(current);
  return frames;
}

function weightOf({ destinations }: MatchSet): number {
  return aroundDestinations + destinations.length;
}
