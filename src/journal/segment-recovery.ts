// Finds what a journal's folder holds when it opens: which segments, up to where they count, and which frames must
// be written again. The rules stand in segment-format.ts. Must not: change anything but leftovers of unnamed segments.
import { join } from "node:path";
import type { Disk, ReadFile } from "../disk/contract.ts";
import type { Log } from "../model/environment.ts";
import { assert } from "../model/assert.ts";
import type { Frame } from "./contract.ts";
import { JournalDamage } from "./journal-damage.ts";
import { type Segment, SegmentIndex } from "./segment.ts";
import {
  decodeSegmentHeader,
  type FrameEntry,
  parseSegmentFileName,
  segmentFileName,
  segmentHeaderBytes,
  type SegmentHeader,
  segmentSalt,
} from "./segment-format.ts";
import { indexFrame } from "./segment-reader.ts";
import { latestGroupStartBehind, type ScanResult, scanSegment } from "./segment-scan.ts";
import { unnamedSegment } from "./segment-writer.ts";

export interface RecoveredSegment {
  readonly segment: Segment;
  /** Ids of its frames, when it is young enough that they may be retried. */
  readonly frameIds: readonly { readonly id: string; readonly seq: number }[];
}

export interface Recovery {
  /** Oldest first. All are finished: the journal goes on in a new one. */
  readonly segments: readonly RecoveredSegment[];
  /** What the new segment's header says. */
  readonly nextHeader: Omit<SegmentHeader, "createdMs">;
  /** Frames whose sync nothing proves; they belong at the head of the new segment. */
  readonly unproven: readonly Frame[];
}

interface Place {
  readonly disk: Disk;
  readonly directory: string;
  readonly log: Log;
  /** Segments are read for their frame ids, newest first, until so many bytes. */
  readonly idBytes: number;
}

/** Throws JournalDamage when bytes that were synced once are not there any more. */
export async function recoverSegments(place: Place): Promise<Recovery> {
  const { disk, directory } = place;
  await disk.makeDirectory(directory);
  const names = await disk.list(directory);
  if (names.includes(unnamedSegment)) await disk.remove(join(directory, unnamedSegment));
  // A killed process may have left names that only the page cache knows.
  await disk.syncDirectory(directory);
  const firstSeqs = names.map(parseSegmentFileName).filter((seq) => seq !== undefined);
  firstSeqs.sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const firstSeq of firstSeqs) segments.push(await openSegment(place, firstSeq));
  linkSegments(segments);
  const last = segments.pop();
  if (!last) {
    return { segments: [], nextHeader: { firstSeq: 1, previousFirstSeq: 0, previousBytes: 0 }, unproven: [] };
  }
  return recoverLast(place, segments, last);
}

async function openSegment(place: Place, firstSeq: number): Promise<Segment> {
  const path = join(place.directory, segmentFileName(firstSeq));
  return withFile(place.disk, path, async (file) => {
    const bytes = await file.read(0, segmentHeaderBytes);
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string") throw new JournalDamage({ path, offset: 0 }, header);
    if (header.firstSeq !== firstSeq) {
      throw new JournalDamage({ path, offset: 0 }, "The file bears the name of another segment.");
    }
    const salt = segmentSalt(bytes);
    return { path, header, salt, bytes: file.sizeBytes, endSeq: firstSeq, voidBytes: 0, index: undefined };
  });
}

/** Every segment's successor says how it ends. */
function linkSegments(segments: readonly Segment[]): void {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (!next) return;
    const { previousFirstSeq, previousBytes } = next.header;
    if (previousFirstSeq !== segment.header.firstSeq) {
      throw new JournalDamage(
        { path: segment.path, offset: segment.bytes },
        `A whole segment is missing behind it: ${next.path} says that it follows ${segmentFileName(previousFirstSeq)}.`,
      );
    }
    if (segment.bytes < previousBytes) {
      throw new JournalDamage(
        { path: segment.path, offset: segment.bytes },
        `The file ends here but should have ${previousBytes} bytes.`,
      );
    }
    segment.voidBytes = segment.bytes - previousBytes;
    segment.bytes = previousBytes;
    segment.endSeq = next.header.firstSeq;
  }
}

async function recoverLast(place: Place, older: readonly Segment[], last: Segment): Promise<Recovery> {
  const frames: { readonly entry: FrameEntry; readonly offset: number }[] = [];
  const index = new SegmentIndex();
  const scan = await scanWhole(place.disk, last, (entry, offset) => {
    indexFrame(index, { frame: entry, offset, path: last.path });
    if (entry.groupStart !== frames.at(-1)?.entry.groupStart) frames.length = 0;
    frames.push({ entry: entry, offset });
  });
  if (scan.fault) await refuseDamage(place, last, scan);
  const provenBytes = scan.isClosed ? scan.bytes : Math.min(scan.lastGroupStart, scan.bytes);
  const unproven = frames.filter(({ offset }) => offset >= provenBytes);
  index.cut(provenBytes);
  last.index = index;
  last.voidBytes = last.bytes - provenBytes;
  last.bytes = provenBytes;
  last.endSeq = unproven[0]?.entry.seq ?? scan.endSeq;
  const holdsFrames = last.endSeq > last.header.firstSeq;
  const finished = holdsFrames ? [...older, last] : older;
  return {
    segments: await withFrameIds(place, finished),
    // Without frames that count, the new segment takes this one's name and place.
    nextHeader: holdsFrames
      ? { firstSeq: last.endSeq, previousFirstSeq: last.header.firstSeq, previousBytes: provenBytes }
      : last.header,
    unproven: unproven.map(({ entry }) => asFrame(entry, index)),
  };
}

function scanWhole(
  disk: Disk,
  segment: Segment,
  visit: (frame: FrameEntry, offset: number) => void,
): Promise<ScanResult> {
  const { salt, header, bytes, path } = segment;
  return withFile(disk, path, (file) => {
    return scanSegment(file, { salt, firstSeq: header.firstSeq, toOffset: bytes }, visit);
  });
}

/** A torn end is normal; a hole in what was synced is not. */
async function refuseDamage(place: Place, last: Segment, scan: ScanResult): Promise<void> {
  const { fault } = scan;
  assert(fault, "there is a bad entry to judge");
  const { offset, reason } = fault;
  const where = { path: last.path, offset };
  const behind = await withFile(place.disk, last.path, (file) => {
    return latestGroupStartBehind(file, { salt: last.salt, offset });
  });
  if (fault.isIntact || (behind !== undefined && behind > offset)) throw new JournalDamage(where, reason);
  place.log.warn(
    { path: last.path, offset, voidBytes: last.bytes - offset, reason },
    "The journal's last write was torn by the end of the process; it was never acknowledged and is left out.",
  );
}

async function withFrameIds(place: Place, segments: readonly Segment[]): Promise<RecoveredSegment[]> {
  const recovered: RecoveredSegment[] = [];
  let bytes = 0;
  for (const segment of segments.toReversed()) {
    const frameIds = bytes < place.idBytes ? await readFrameIds(place.disk, segment) : [];
    bytes += segment.bytes;
    recovered.push({ segment, frameIds });
  }
  return recovered.reverse();
}

/** Reads a whole segment, verifies it and keeps its index. */
async function readFrameIds(disk: Disk, segment: Segment): Promise<RecoveredSegment["frameIds"]> {
  const ids: { id: string; seq: number }[] = [];
  const index = new SegmentIndex();
  const scan = await scanWhole(disk, segment, (frame, offset) => {
    if (!segment.index) indexFrame(index, { frame, offset, path: segment.path });
    ids.push({ id: frame.id, seq: frame.seq });
  });
  if (scan.fault || scan.bytes !== segment.bytes || scan.endSeq !== segment.endSeq) {
    const reason = scan.fault?.reason ?? `It should end before frame ${segment.endSeq}.`;
    throw new JournalDamage({ path: segment.path, offset: scan.bytes }, reason);
  }
  segment.index ??= index;
  return ids;
}

function asFrame(entry: FrameEntry, index: SegmentIndex): Frame {
  const records = entry.records.map(({ bytes, matchSetNumber }) => {
    const matchSet = index.matchSet(matchSetNumber);
    assert(matchSet, "a frame's match sets are defined before it or in it");
    return { bytes, matchSet };
  });
  return { id: entry.id, header: entry.header, records };
}

async function withFile<Result>(
  disk: Disk,
  path: string,
  use: (file: ReadFile) => Promise<Result>,
): Promise<Result> {
  const file = await disk.openForReading(path);
  if (!file) throw new Error(`The journal file ${path} disappeared while the journal opened.`);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
