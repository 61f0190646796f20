// The writing side: frames wait here, and all that wait are written and synced as one group while the next gather.
// Starts new segments, after a failed write too. Must not: decide whether there is room (journal-room.ts).
import type { Disk } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type { AppendOutcome, Frame } from "./contract.ts";
import type { FrameSize } from "./frame-size.ts";
import type { RecentFrames } from "./recent-frames.ts";
import { segmentLimits } from "./segment-format.ts";
import type { SegmentList } from "./segment-list.ts";
import { SegmentWriter } from "./segment-writer.ts";

const groupBytesMax = 8 * 1024 * 1024;

export interface CommitterParts {
  readonly disk: Disk;
  readonly directory: string;
  readonly recent: RecentFrames;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly partition: string;
  readonly segmentBytesMax: number;
  readonly segments: SegmentList;
  /** Called once per frame when its outcome is certain, before `append` resolves. `seq` is there when it is durable. */
  readonly onSettled: (frame: Frame, size: FrameSize, seq: number | undefined) => void;
  /** Called after each durable group. */
  readonly onGroup: () => void;
  /** Called when a segment got a successor, with the bytes of the finished one. */
  readonly onSegmentEnd: (bytes: number) => void;
}

interface Waiting {
  readonly frame: Frame;
  readonly size: FrameSize;
  readonly resolve: (outcome: AppendOutcome) => void;
}

export class GroupCommitter {
  readonly #parts: CommitterParts;
  #queue: Waiting[] = [];
  /** Undefined after a failed write, until a new segment is there. */
  #writer: SegmentWriter | undefined;
  #isRunning = false;
  #isNewSegmentWanted = false;
  /** No new segment could be started: told in the log once. */
  #isRefusing = false;
  #run: Promise<void> = Promise.resolve();

  /** `writer` writes the current segment of `parts.segments`. */
  constructor(parts: CommitterParts, writer: SegmentWriter) {
    this.#parts = parts;
    this.#writer = writer;
  }

  /** There is no segment to write to just now; the next append tries to start one. */
  get isStuck(): boolean {
    return this.#writer === undefined;
  }

  append(frame: Frame, size: FrameSize): Promise<AppendOutcome> {
    return new Promise((resolve) => {
      this.#queue.push({ frame, size, resolve });
      this.#start();
    });
  }

  /** Ends the current segment when it is large enough to be worth trimming. */
  endSegmentSoon(): void {
    if (this.#parts.segments.current.bytes * 2 <= this.#parts.segmentBytesMax) return;
    this.#isNewSegmentWanted = true;
    this.#start();
  }

  /** Writes what waits and closes the file. Nothing may be appended any more. */
  async close(): Promise<void> {
    await this.#run;
    const writer = this.#writer;
    this.#writer = undefined;
    try {
      await writer?.close("finished");
    } catch (error) {
      // Everything acknowledged is synced; only the mark that tells a clean end is missing.
      this.#parts.log.warn(
        { error: String(error) },
        "The journal's last segment could not be closed cleanly.",
      );
    }
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run = this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    // Frames that are appended in the same turn go into the first group together.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#isNewSegmentWanted) {
      const group = this.#takeGroup();
      const groupBytes = group.reduce((sum, { size }) => sum + size.bytes, 0);
      const trouble = await this.#makeReady(groupBytes);
      if (trouble !== undefined) this.#refuse(group, trouble);
      else if (group.length > 0) await this.#commit(group, groupBytes);
    }
    this.#isRunning = false;
  }

  #takeGroup(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const { size } of this.#queue) {
      if (count > 0 && bytes + size.bytes > Math.min(groupBytesMax, this.#parts.segmentBytesMax)) break;
      bytes += size.bytes;
      count += 1;
    }
    const group = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return group;
  }

  /** Sees to a segment that takes the group; returns why there is none. */
  async #makeReady(groupBytes: number): Promise<string | undefined> {
    const isWanted = this.#isNewSegmentWanted;
    this.#isNewSegmentWanted = false;
    if (this.#writer && !this.#isFull(this.#writer, groupBytes) && !isWanted) return undefined;
    try {
      await this.#startSegment();
      if (this.#isRefusing) this.#parts.log.info({}, "The journal writes again.");
      this.#isRefusing = false;
      return undefined;
    } catch (error) {
      // The successor may have its name already, and its header ends the current segment where it is now.
      await this.#writer?.abandon();
      this.#writer = undefined;
      const message = "The journal could not start a new segment; it takes nothing until the disk allows it.";
      // Every append tries again: the log hears of it once.
      if (!this.#isRefusing) this.#parts.log.error({ error: String(error) }, message);
      this.#isRefusing = true;
      this.#parts.metrics.count("journal_failed_writes_total");
      return `${message} ${String(error)}`;
    }
  }

  #isFull(writer: SegmentWriter, groupBytes: number): boolean {
    const { bytes, endSeq, header } = writer.segment;
    const frames = endSeq - header.firstSeq;
    if (frames === 0) return false;
    return (
      bytes + groupBytes > this.#parts.segmentBytesMax ||
      frames >= segmentLimits.segmentFramesMax ||
      writer.definitionBytes >= segmentLimits.segmentDefinitionBytesMax
    );
  }

  async #startSegment(): Promise<void> {
    const { disk, directory, recent, clock, segments, log } = this.#parts;
    const { header: current, bytes, endSeq } = segments.current;
    const hasFrames = endSeq > current.firstSeq;
    const place = hasFrames
      ? { firstSeq: endSeq, previousFirstSeq: current.firstSeq, previousBytes: bytes }
      : current;
    const header = { ...place, createdMs: clock.nowMs() };
    const next = await SegmentWriter.start({ disk, directory, recent }, header, []);
    const before = this.#writer;
    this.#writer = next;
    segments.follow(next.segment);
    if (hasFrames) this.#parts.onSegmentEnd(bytes);
    try {
      await before?.close("followed");
    } catch (error) {
      log.warn(
        { error: String(error) },
        "A finished journal segment could not be closed; all of it is synced.",
      );
    }
  }

  async #commit(group: readonly Waiting[], groupBytes: number): Promise<void> {
    const { clock, metrics, segments, partition } = this.#parts;
    const writer = this.#writer;
    assert(writer, "a group is written to a segment");
    const startedMs = clock.monotonicMs();
    const firstSeq = segments.endSeq;
    let bytes: number;
    try {
      bytes = await writer.write(group.map(({ frame }) => frame));
    } catch (error) {
      await this.#seal(writer, groupBytes);
      this.#giveUp(group, error);
      return;
    }
    for (const [index, { frame, size }] of group.entries())
      this.#parts.onSettled(frame, size, firstSeq + index);
    this.#parts.onGroup();
    for (const [index, { resolve }] of group.entries()) {
      resolve({ kind: "durable", position: { partition, seq: firstSeq + index } });
    }
    metrics.observe("journal_sync_seconds", (clock.monotonicMs() - startedMs) / 1000);
    metrics.count("journal_append_bytes_total", {}, bytes);
    metrics.count("journal_frames_total", {}, group.length);
    metrics.gauge("journal_bytes", segments.bytes);
  }

  /** After a failed write nothing is known of the group's bytes: the segment is never touched again. */
  async #seal(writer: SegmentWriter, groupBytes: number): Promise<void> {
    this.#writer = undefined;
    writer.segment.voidBytes += groupBytes;
    await writer.abandon();
  }

  #giveUp(group: readonly Waiting[], error: unknown): void {
    const { log, metrics } = this.#parts;
    const message =
      "A write to the journal failed; its frames are not acknowledged and go on in a new segment.";
    log.error({ frames: group.length, error: String(error) }, message);
    metrics.count("journal_failed_writes_total");
    for (const { frame, size, resolve } of group) {
      this.#parts.onSettled(frame, size, undefined);
      resolve({ kind: "unknown", message: `The journal could not confirm the write. ${String(error)}` });
    }
  }

  #refuse(group: readonly Waiting[], message: string): void {
    for (const { frame, size, resolve } of group) {
      this.#parts.onSettled(frame, size, undefined);
      resolve({ kind: "refused", reason: "closed", message });
    }
  }
}
