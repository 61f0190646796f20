// Walks the entries of a segment file from front to back, verifying each. Must not: decide what a bad entry means.
import type { ReadFile } from "../disk/contract.ts";
import { decodeEntry, entryMagic, type FrameEntry, segmentHeaderBytes } from "./segment-format.ts";

const windowBytes = 1024 * 1024;

export interface ScanFault {
  readonly offset: number;
  readonly reason: string;
  /** The entry there verifies and still cannot be right: no torn write looks like that. */
  readonly isIntact: boolean;
}

export interface ScanResult {
  /** Offset after the last intact frame. */
  readonly bytes: number;
  /** The seq after it. */
  readonly endSeq: number;
  /** Where the group of the last intact entry began. */
  readonly lastGroupStart: number;
  /** An end mark stands behind the last frame, at the end of the file: everything before it was synced. */
  readonly isClosed: boolean;
  /** Why the scan ended before `toOffset`; undefined when every byte was understood. */
  readonly fault: ScanFault | undefined;
}

/**
 * Gives every intact frame between the header and `toOffset` to `visit`, in order, with its offset. The first must
 * have `firstSeq`, each next one the next seq; anything else ends the scan.
 */
export async function scanSegment(
  file: ReadFile,
  segment: { readonly salt: number; readonly firstSeq: number; readonly toOffset: number },
  visit: (frame: FrameEntry, offset: number) => void,
): Promise<ScanResult> {
  const { salt, toOffset } = segment;
  let offset = segmentHeaderBytes;
  let endSeq = segment.firstSeq;
  let lastGroupStart = segmentHeaderBytes;
  let window: Uint8Array = new Uint8Array();
  let windowStart = offset;
  const stop = (fault?: Omit<ScanFault, "offset">, isClosed = false): ScanResult => {
    return { bytes: offset, endSeq, lastGroupStart, isClosed, fault: fault && { offset, ...fault } };
  };
  const torn = (reason: string) => stop({ reason, isIntact: false });
  while (offset < toOffset) {
    const decoded = decodeEntry(window, offset - windowStart, salt);
    if (decoded.kind === "bad") return torn(decoded.reason);
    if (decoded.kind === "short") {
      if (decoded.bytes > toOffset - offset) return torn("The file ends before the entry does.");
      windowStart = offset;
      window = await file.read(offset, Math.min(Math.max(windowBytes, decoded.bytes), toOffset - offset));
      if (window.length < decoded.bytes) return torn("The file is shorter than it was.");
      continue;
    }
    const { entry, bytes } = decoded;
    if (entry.kind === "end-mark") {
      if (offset + bytes === toOffset) return stop(undefined, true);
      return stop({ reason: "Something follows the end mark.", isIntact: true });
    }
    if (entry.seq !== endSeq) {
      return stop({ reason: `Frame ${endSeq} should stand here, not ${entry.seq}.`, isIntact: true });
    }
    visit(entry, offset);
    lastGroupStart = entry.groupStart;
    offset += bytes;
    endSeq += 1;
  }
  return stop();
}

/**
 * The latest group start that intact entries behind `offset` tell; undefined when there is no intact entry. When it
 * lies beyond `offset`, the byte at `offset` was synced once.
 */
export async function latestGroupStartBehind(
  file: ReadFile,
  segment: { readonly salt: number; readonly offset: number },
): Promise<number | undefined> {
  const tail = Buffer.from(await file.read(segment.offset, file.sizeBytes - segment.offset));
  let latest: number | undefined;
  let at = tail.indexOf(entryMagic, 1);
  while (at !== -1) {
    const decoded = decodeEntry(tail, at, segment.salt);
    if (decoded.kind === "entry") {
      latest = Math.max(latest ?? 0, decoded.entry.groupStart);
      at = tail.indexOf(entryMagic, at + decoded.bytes);
    } else {
      at = tail.indexOf(entryMagic, at + 1);
    }
  }
  return latest;
}
