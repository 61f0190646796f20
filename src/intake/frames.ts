// Cuts admitted records into journal frames of a bounded size. Pure.
import { noteWords } from "../event/record-notes.ts";
import type { Frame } from "../journal/contract.ts";
import type { MatchSet } from "../selector/match-set.ts";

// Half the journal's frame limit: large enough to amortise a frame's header, small enough to read back in pieces.
const frameRecordBytesMax = 1024 * 1024;
const frameRecordsMax = 10_000;
// A frame brings the match sets it uses, and the journal takes 4 MB of them (segment-format.ts). A destination is about
// 70 bytes there, and what stands around them as much as two: where hundreds of trails log, few sets are that much.
const frameDestinationsMax = 40_000;
const aroundDestinations = 2;

export type FrameContent = Pick<Frame, "records" | "notes">;

/** Keeps the order; every frame holds at least one record, and gets its part of the notes. */
export function cutIntoFrames({ records, notes }: FrameContent): FrameContent[] {
  const frames: FrameContent[] = [];
  const part = (from: number, to: number): FrameContent => ({
    records: from === 0 && to === records.length ? records : records.slice(from, to),
    notes: notes?.subarray(from * noteWords, to * noteWords),
  });
  let first = 0;
  let bytes = 0;
  let destinations = 0;
  let sets = new Set<MatchSet>();
  // Records of one set often come together; the set is not looked up again then.
  let lastSet: MatchSet | undefined;
  for (const [at, { matchSet, bytes: own }] of records.entries()) {
    const isNewSet = matchSet !== lastSet && !sets.has(matchSet);
    const isFull =
      bytes + own.length > frameRecordBytesMax ||
      at - first >= frameRecordsMax ||
      (isNewSet && destinations + weightOf(matchSet) > frameDestinationsMax);
    if (at > first && isFull) {
      frames.push(part(first, at));
      first = at;
      bytes = 0;
      destinations = 0;
      sets = new Set();
    }
    bytes += own.length;
    lastSet = matchSet;
    if (sets.has(matchSet)) continue;
    sets.add(matchSet);
    destinations += weightOf(matchSet);
  }
  if (first < records.length) frames.push(part(first, records.length));
  return frames;
}

function weightOf({ destinations }: MatchSet): number {
  return aroundDestinations + destinations.length;
}
