// Reads frames back by seq, verifying every byte it gives out. Must not: read beyond what counts in a segment.
import type { Disk, ReadFile } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { FrameRecord, StoredFrame } from "./contract.ts";
import { JournalDamage } from "./journal-damage.ts";
import { parseMatchSetText } from "./match-set-text.ts";
import { type Segment, SegmentIndex } from "./segment.ts";
import { decodeEntry, type FrameEntry } from "./segment-format.ts";
import { scanSegment } from "./segment-scan.ts";

const chunkBytesMin = 64 * 1024;
const chunkBytesMax = 4 * 1024 * 1024;

export interface ReadRange {
  readonly fromSeq: number;
  /** Not included. */
  readonly toSeq: number;
  readonly bytesMax: number;
}

export class SegmentReader {
  readonly #disk: Disk;
  readonly #partition: string;
  readonly #indexing = new Map<Segment, Promise<SegmentIndex>>();

  constructor(disk: Disk, partition: string) {
    this.#disk = disk;
    this.#partition = partition;
  }

  /** Frames of one segment, in order, until `bytesMax` of record bytes; at least one. `range` lies within it. */
  async read(segment: Segment, range: ReadRange): Promise<StoredFrame[]> {
    const file = await this.#disk.openForReading(segment.path);
    if (!file) throw new Error(`The journal file ${segment.path} is gone: it was removed by hand.`);
    try {
      const index = segment.index ?? (await this.#indexOnce(segment, file));
      return await this.#readFrames(file, { segment, index }, range);
    } finally {
      await file.close();
    }
  }

  async #readFrames(
    file: ReadFile,
    { segment, index }: { readonly segment: Segment; readonly index: SegmentIndex },
    range: ReadRange,
  ): Promise<StoredFrame[]> {
    const frames: StoredFrame[] = [];
    let left = range.bytesMax;
    let { seq, offset } = index.pointBefore(range.fromSeq);
    while (seq < range.toSeq) {
      const wanted = Math.min(Math.max(left, chunkBytesMin), chunkBytesMax);
      const end = index.offsetBeyond(offset + wanted) ?? segment.bytes;
      const chunk = await file.read(offset, end - offset);
      for (let at = 0; at < end - offset; seq += 1) {
        const { entry, bytes } = frameAt(chunk, { at, seq, segment, chunkOffset: offset });
        at += bytes;
        if (seq < range.fromSeq) continue;
        const frame = this.#storedFrame(entry, { segment, index });
        const size = recordBytesOf(frame.records);
        if (seq >= range.toSeq || (frames.length > 0 && size > left)) return frames;
        left -= size;
        frames.push(frame);
      }
      offset = end;
    }
    return frames;
  }

  #storedFrame(
    entry: FrameEntry,
    from: { readonly segment: Segment; readonly index: SegmentIndex },
  ): StoredFrame {
    const records = entry.records.map(({ bytes, matchSetNumber }) => {
      const matchSet = from.index.matchSet(matchSetNumber);
      assert(matchSet, `match set ${matchSetNumber} is defined in ${from.segment.path}`);
      return { bytes, matchSet };
    });
    return {
      id: entry.id,
      header: entry.header,
      records,
      position: { partition: this.#partition, seq: entry.seq },
    };
  }

  /** Two reads at once index a segment only once, so that its match sets are one object each. */
  #indexOnce(segment: Segment, file: ReadFile): Promise<SegmentIndex> {
    const running = this.#indexing.get(segment);
    if (running) return running;
    const indexing = indexSegment(file, segment).finally(() => this.#indexing.delete(segment));
    this.#indexing.set(segment, indexing);
    return indexing;
  }
}

/** Reads the whole segment once, verifies what counts in it and keeps its index. Throws JournalDamage. */
async function indexSegment(file: ReadFile, segment: Segment): Promise<SegmentIndex> {
  const index = new SegmentIndex();
  const { salt, header, bytes, endSeq, path } = segment;
  const scan = await scanSegment(
    file,
    { salt, firstSeq: header.firstSeq, toOffset: bytes },
    (frame, offset) => {
      indexFrame(index, { frame, offset, path });
    },
  );
  if (scan.fault) throw new JournalDamage({ path, offset: scan.fault.offset }, scan.fault.reason);
  if (scan.bytes !== bytes || scan.endSeq !== endSeq) {
    throw new JournalDamage({ path, offset: scan.bytes }, `It should end before frame ${endSeq}.`);
  }
  segment.index = index;
  return index;
}

/** Adds one intact frame, and what it defines, to a segment's index. Throws when a definition is not understood. */
export function indexFrame(
  index: SegmentIndex,
  { frame, offset, path }: { readonly frame: FrameEntry; readonly offset: number; readonly path: string },
): void {
  for (const { number, text } of frame.definitions) {
    const matchSet = parseMatchSetText(text);
    if (!matchSet || number !== index.matchSetCount) {
      throw new JournalDamage(
        { path, offset },
        "The frame verifies but its match sets cannot be understood.",
      );
    }
    index.addMatchSet(number, matchSet);
  }
  index.addFrame(frame.seq, offset);
}

function frameAt(
  chunk: Uint8Array,
  place: {
    readonly at: number;
    readonly seq: number;
    readonly segment: Segment;
    readonly chunkOffset: number;
  },
): { readonly entry: FrameEntry; readonly bytes: number } {
  const { at, seq, segment, chunkOffset } = place;
  const decoded = decodeEntry(chunk, at, segment.salt);
  const where = { path: segment.path, offset: chunkOffset + at };
  if (decoded.kind === "short") throw new JournalDamage(where, "The file ends before the entry does.");
  if (decoded.kind === "bad") throw new JournalDamage(where, decoded.reason);
  const { entry, bytes } = decoded;
  if (entry.kind !== "frame" || entry.seq !== seq) {
    throw new JournalDamage(where, `Frame ${seq} should stand here.`);
  }
  return { entry, bytes };
}

/** The bytes of a frame's records, without anything around them. */
export function recordBytesOf(records: readonly FrameRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.bytes.length;
  return bytes;
}
