// Writes one segment: makes it durable under its name, then appends groups. Must not: be used after any call failed.
import { join } from "node:path";
import { temporarySuffix } from "../disk/write-atomically.ts";
import type { AppendFile, Disk } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { Frame, FrameRecord } from "./contract.ts";
import { matchSetText } from "./match-set-text.ts";
import type { RecentFrames } from "./recent-frames.ts";
import { type Segment, SegmentIndex } from "./segment.ts";
import {
  type Definition,
  encodeEndMark,
  encodedFrameBytes,
  encodeFrame,
  encodeSegmentHeader,
  type FrameToEncode,
  type SegmentHeader,
  segmentFileName,
  segmentHeaderBytes,
  segmentSalt,
} from "./segment-format.ts";

/** The name of a segment that has none yet. Whatever a crash leaves under it was never acknowledged. */
export const unnamedSegment = `next.segment${temporarySuffix}`;

interface EncodedGroup {
  /** Valid until the next group is encoded. */
  readonly bytes: Buffer;
  /** Of each frame. */
  readonly sizes: readonly number[];
  readonly offsets: readonly number[];
  readonly matchSets: readonly MatchSet[];
}

export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: AppendFile;
  readonly #recent: RecentFrames;
  readonly #numbers = new Map<string, number>();
  // The text of a match set is long; its object is nearly always the same.
  #numberOf = new WeakMap<MatchSet, number>();
  #definitionBytes = 0;

  private constructor(segment: Segment, file: AppendFile, recent: RecentFrames) {
    this.segment = segment;
    this.#file = file;
    this.#recent = recent;
  }

  /**
   * Makes a segment that begins with `frames` and returns when all of it, its name too, is on stable storage. It
   * replaces a segment of the same name, which must hold nothing that counts beyond `frames`.
   */
  static async start(
    place: { readonly disk: Disk; readonly directory: string; readonly recent: RecentFrames },
    header: SegmentHeader,
    frames: readonly Frame[],
  ): Promise<SegmentWriter> {
    const { disk, directory, recent } = place;
    const unnamed = join(directory, unnamedSegment);
    await disk.remove(unnamed);
    const file = await disk.create(unnamed);
    try {
      const path = join(directory, segmentFileName(header.firstSeq));
      const headerBytes = encodeSegmentHeader(header);
      await file.append([headerBytes]);
      const writer = new SegmentWriter(
        {
          path,
          header,
          salt: segmentSalt(headerBytes),
          bytes: segmentHeaderBytes,
          endSeq: header.firstSeq,
          voidBytes: 0,
          index: new SegmentIndex(),
        },
        file,
        recent,
      );
      if (frames.length === 0) await file.sync();
      else await writer.write(frames);
      await disk.rename(unnamed, path);
      await disk.syncDirectory(directory);
      return writer;
    } catch (error) {
      await closeQuietly(file);
      throw error;
    }
  }

  get definitionBytes(): number {
    return this.#definitionBytes;
  }

  /** Appends the frames as one group and syncs. Returns the bytes written; on an error nothing counts. */
  async write(frames: readonly Frame[]): Promise<number> {
    const { segment } = this;
    const group = this.#encode(frames);
    await this.#file.append([group.bytes]);
    await this.#file.sync();
    assert(segment.index, "the current segment has an index");
    for (const matchSet of group.matchSets) segment.index.addMatchSet(segment.index.matchSetCount, matchSet);
    this.#recent.keep(group.bytes, {
      ...{ segment, firstSeq: segment.endSeq, sizes: group.sizes },
      notes: frames.map(({ notes }) => notes),
    });
    for (const offset of group.offsets) segment.index.addFrame(segment.endSeq++, offset);
    segment.bytes += group.bytes.length;
    return group.bytes.length;
  }

  /** Ends the segment for good. `finished` says that no successor will tell how many bytes count. */
  async close(ending: "finished" | "followed"): Promise<void> {
    try {
      if (ending === "finished" && this.segment.endSeq > this.segment.header.firstSeq) {
        await this.#file.append([encodeEndMark(this.segment.bytes, this.segment.salt)]);
        await this.#file.sync();
      }
    } finally {
      await this.#file.close();
    }
  }

  /** After a failure: lets go of the file without touching it. */
  async abandon(): Promise<void> {
    await closeQuietly(this.#file);
  }

  #encode(frames: readonly Frame[]): EncodedGroup {
    const { salt, bytes: groupStart, endSeq } = this.segment;
    const matchSets: MatchSet[] = [];
    const toEncode = frames.map(({ id, header, records }, index): FrameToEncode => {
      const seq = endSeq + index;
      return { seq, groupStart, id, header, records, ...this.#number(records, matchSets) };
    });
    const sizes = toEncode.map(encodedFrameBytes);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const group = this.#recent.place(bytes, groupStart);
    const offsets: number[] = [];
    let at = 0;
    for (const [index, size] of sizes.entries()) {
      const frame = toEncode[index];
      assert(frame, "every frame has a size");
      encodeFrame(frame, salt, group.subarray(at, at + size));
      offsets.push(groupStart + at);
      at += size;
    }
    return { bytes: group, sizes, offsets, matchSets };
  }

  /** The numbers of the records' match sets; those that are new in this segment are defined and added to `matchSets`. */
  #number(
    records: readonly FrameRecord[],
    matchSets: MatchSet[],
  ): Pick<FrameToEncode, "definitions" | "matchSetNumbers"> {
    const definitions: Definition[] = [];
    const matchSetNumbers = records.map(({ matchSet }) => {
      const known = this.#numberOf.get(matchSet);
      if (known !== undefined) return known;
      return this.#numberByText(matchSet, (definition) => {
        definitions.push(definition);
        matchSets.push(matchSet);
      });
    });
    return { definitions, matchSetNumbers };
  }

  #numberByText(matchSet: MatchSet, define: (definition: Definition) => void): number {
    const text = matchSetText(matchSet);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
      this.#definitionBytes += text.length;
      define({ number, text });
    }
    this.#numberOf.set(matchSet, number);
    return number;
  }
}

/** The file's fate is sealed elsewhere; an error of close changes nothing. */
async function closeQuietly(file: AppendFile): Promise<void> {
  await file.close().catch(() => undefined);
}
