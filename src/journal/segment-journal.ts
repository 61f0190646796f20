// The journal over segment files on one machine's disk: joins room, committer, reader and trimmer to the contract.
// Formats and recovery: segment-format.ts. Must not: know what records mean.
import type { Disk } from "../disk/contract.ts";
import { assert } from "../model/assert.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type {
  AppendOutcome,
  Frame,
  Journal,
  Position,
  ReadBatch,
  Reservation,
  StoredFrame,
} from "./contract.ts";
import { EndWaiters } from "./end-waiters.ts";
import { FrameIds } from "./frame-ids.ts";
import { type FrameSize, measureFrame } from "./frame-size.ts";
import { GroupCommitter } from "./group-committer.ts";
import { JournalRoom } from "./journal-room.ts";
import { RecentFrames } from "./recent-frames.ts";
import { segmentLimits } from "./segment-format.ts";
import { SegmentList } from "./segment-list.ts";
import { recordBytesOf, SegmentReader } from "./segment-reader.ts";
import { type Recovery, recoverSegments } from "./segment-recovery.ts";
import { SegmentTrimmer } from "./segment-trimmer.ts";
import { SegmentWriter } from "./segment-writer.ts";

export interface SegmentJournalOptions {
  readonly disk: Disk;
  /** A folder of its own; made when missing. One process at a time (disk/directory-lock.ts). */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Size of all segments together, at most. */
  readonly bytesMax: number;
  /** Of `bytesMax`, what only own calls may use. */
  readonly ownCallReserveBytes: number;
  /** Default 64 MB; never more than a quarter of what events may use, so that trimming makes room in time. */
  readonly segmentBytesMax?: number;
  /** Memory for the newest frames, so that readers close to the end need no disk; default 32 MB, 0 keeps none. */
  readonly recentBytesMax?: number;
}

const partition = "0";
/** What the cutter has not looked at yet lies in it, also at full speed. */
const recentBytesDefault = 32 * 1024 * 1024;
const segmentBytesDefault = 64 * 1024 * 1024;

/**
 * Opens (or begins) the journal in a folder. Rejects with JournalDamage when bytes that were synced once are not
 * there any more, and with the disk's own error when the folder cannot be read or written.
 */
export async function openSegmentJournal(options: SegmentJournalOptions): Promise<Journal> {
  const { disk, directory, clock, log, bytesMax, ownCallReserveBytes } = options;
  const segmentBytesMax = Math.min(
    options.segmentBytesMax ?? segmentBytesDefault,
    Math.max(1, Math.floor((bytesMax - ownCallReserveBytes) / 4)),
    segmentLimits.segmentBytesMax,
  );
  const recovery = await recoverSegments({ disk, directory, log, idBytes: segmentBytesMax });
  const header = { ...recovery.nextHeader, createdMs: clock.nowMs() };
  const recent = new RecentFrames(partition, options.recentBytesMax ?? recentBytesDefault);
  const writer = await SegmentWriter.start({ disk, directory, recent }, header, recovery.unproven);
  const journal = new SegmentJournal(options, { recovery, writer, recent, segmentBytesMax });
  log.info(
    {
      directory,
      ...journal.usage(),
      startSeq: journal.start(partition).seq,
      endSeq: journal.end(partition).seq,
    },
    "The journal is open.",
  );
  return journal;
}

interface Opened {
  readonly recovery: Recovery;
  readonly writer: SegmentWriter;
  readonly recent: RecentFrames;
  readonly segmentBytesMax: number;
}

class SegmentJournal implements Journal {
  readonly partitions: readonly string[] = [partition];
  readonly #options: SegmentJournalOptions;
  readonly #segments: SegmentList;
  readonly #ids: FrameIds;
  readonly #room: JournalRoom;
  readonly #committer: GroupCommitter;
  readonly #reader: SegmentReader;
  readonly #trimmer: SegmentTrimmer;
  readonly #recent: RecentFrames;
  readonly #waiters = new EndWaiters();
  /** Frames on their way, by id: a repeated append shares the outcome. */
  readonly #underWay = new Map<string, Promise<AppendOutcome>>();
  #closing: Promise<void> | undefined;

  constructor(options: SegmentJournalOptions, { recovery, writer, recent, segmentBytesMax }: Opened) {
    const { disk, directory, clock, log, metrics, bytesMax, ownCallReserveBytes } = options;
    this.#options = options;
    this.#segments = new SegmentList([...recovery.segments.map(({ segment }) => segment), writer.segment]);
    this.#ids = rememberedIds(recovery, segmentBytesMax);
    this.#recent = recent;
    this.#room = new JournalRoom({ bytesMax, ownCallReserveBytes });
    this.#reader = new SegmentReader(disk, partition);
    this.#trimmer = new SegmentTrimmer({ disk, directory, log, segments: this.#segments });
    this.#committer = new GroupCommitter(
      {
        ...{ disk, directory, clock, log, metrics, partition, segmentBytesMax, recent },
        segments: this.#segments,
        onSettled: (frame, size, seq) => this.#settle(frame, size, seq),
        onGroup: () => this.#waiters.wake(this.#segments.endSeq),
        onSegmentEnd: (bytes) => {
          this.#ids.endSegment(bytes);
          void this.#trimmer.trim();
        },
      },
      writer,
    );
  }

  async append(frame: Frame, room?: Reservation): Promise<AppendOutcome> {
    const known = this.#knownOutcome(frame.id);
    if (known) {
      room?.release();
      return known;
    }
    const outcome = this.#admit(frame, room);
    room?.release();
    return outcome;
  }

  reserve(bytes: number): Reservation | undefined {
    // Without a segment to write to, no room can be promised.
    if (this.#closing || this.#committer.isStuck) return undefined;
    return this.#room.reserve(bytes, this.#segments.bytes);
  }

  async read(
    from: Position,
    limits: { readonly bytesMax: number; readonly until?: Position },
  ): Promise<ReadBatch> {
    if (this.#closing) throw new Error("The journal is closed.");
    this.#checkPosition(from);
    const toSeq = Math.min(limits.until?.seq ?? Number.POSITIVE_INFINITY, this.#segments.endSeq);
    const frames: StoredFrame[] = [];
    let bytesLeft = limits.bytesMax;
    let seq = from.seq;
    while (seq < toSeq && (frames.length === 0 || bytesLeft > 0)) {
      const segment = this.#segments.holding(seq);
      const until = Math.min(toSeq, segment.endSeq);
      const range = { fromSeq: seq, toSeq: until, bytesMax: bytesLeft };
      const more = await this.#reader.read(segment, range).catch((error: unknown) => {
        // Frames that every registered reader has released may be trimmed while somebody else reads them.
        this.#checkPosition({ partition, seq });
        throw error;
      });
      const bytes = more.reduce((sum, { records }) => sum + recordBytesOf(records), 0);
      // A segment's first frame always comes; it may be more than this batch still takes.
      if (frames.length > 0 && bytes > bytesLeft) break;
      for (const frame of more) frames.push(frame);
      bytesLeft -= bytes;
      seq += more.length;
      if (seq < until || seq < this.#segments.startSeq) break;
    }
    return { frames, next: { partition, seq } };
  }

  visitRecent(from: Position, until: Position, visit: (frame: StoredFrame) => boolean): void {
    if (this.#closing) throw new Error("The journal is closed.");
    this.#checkPosition(from);
    const toSeq = Math.min(until.seq, this.#segments.endSeq);
    this.#recent.visit({ fromSeq: from.seq, toSeq }, visit);
  }

  start(name: string): Position {
    assert(name === partition, "the journal has one partition");
    return { partition, seq: this.#segments.startSeq };
  }

  end(name: string): Position {
    assert(name === partition, "the journal has one partition");
    return { partition, seq: this.#segments.endSeq };
  }

  waitBeyond(position: Position, signal: AbortSignal): Promise<void> {
    if (this.#segments.endSeq > position.seq) return Promise.resolve();
    return this.#waiters.wait(position.seq, signal);
  }

  registerReader(name: string, position: Position): void {
    this.#checkPosition(position);
    this.#trimmer.register(name, position.seq);
  }

  async release(name: string, position: Position): Promise<void> {
    assert(position.seq <= this.#segments.endSeq, "only frames that exist are released");
    this.#trimmer.release(name, position.seq);
    if (this.#closing) return;
    await this.#trimmer.trim();
    this.#options.metrics.gauge("journal_bytes", this.#segments.bytes);
  }

  usage(): { readonly bytes: number; readonly bytesMax: number } {
    return { bytes: this.#segments.bytes, bytesMax: this.#options.bytesMax };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#committer.close();
    await this.#trimmer.trim();
  }

  /** The outcome of a frame that is durable already, or on its way. */
  #knownOutcome(id: string): Promise<AppendOutcome> | AppendOutcome | undefined {
    const seq = this.#ids.seqOf(id);
    if (seq !== undefined) return { kind: "durable", position: { partition, seq } };
    return this.#underWay.get(id);
  }

  #admit(frame: Frame, room: Reservation | undefined): Promise<AppendOutcome> | AppendOutcome {
    if (this.#closing) return { kind: "refused", reason: "closed", message: "The journal is closed." };
    const size = measureFrame(frame);
    if (!size) return { kind: "refused", reason: "too-large" };
    const isOwnCall = frame.header.door === "own-calls";
    if (!this.#room.admit({ ...size, isOwnCall }, this.#segments.bytes, room)) {
      this.#committer.endSegmentSoon();
      return { kind: "refused", reason: "full", message: "The journal is full: its readers are behind." };
    }
    const outcome = this.#committer.append(frame, size);
    this.#underWay.set(frame.id, outcome);
    return outcome;
  }

  #settle(frame: Frame, size: FrameSize, seq: number | undefined): void {
    this.#room.written(size.bytes);
    this.#underWay.delete(frame.id);
    if (seq !== undefined) this.#ids.add(frame.id, seq);
  }

  #checkPosition(position: Position): void {
    const { startSeq, endSeq } = this.#segments;
    const { seq } = position;
    if (position.partition !== partition)
      throw new Error(`The journal has no partition ${position.partition}.`);
    if (seq < startSeq) {
      throw new Error(
        `Frame ${seq} of the journal is trimmed: the oldest one that can be read is ${startSeq}.`,
      );
    }
    if (seq > endSeq) {
      throw new Error(
        `Frame ${seq} lies beyond the journal's end ${endSeq}: this journal is not the one that the position is of.`,
      );
    }
  }
}

function rememberedIds(recovery: Recovery, bytesMin: number): FrameIds {
  const ids = new FrameIds(bytesMin);
  for (const { segment, frameIds } of recovery.segments) {
    for (const { id, seq } of frameIds) ids.add(id, seq);
    ids.endSegment(segment.bytes);
  }
  for (const [index, { id }] of recovery.unproven.entries())
    ids.add(id, recovery.nextHeader.firstSeq + index);
  return ids;
}
