// Follows the journal: takes management and Insights events into the open segment, seals it when it is full, and says what
// the journal may forget. Must not: search.
//
// Order: the segment's file is durable, then the position is stored, then the journal is released. A crash in between
// leaves a file that says itself up to which frame it goes. What is only in the open segment is taken again.
import { setImmediate as turn } from "node:timers/promises";
import { LookupScan } from "../event/lookup-scan.ts";
import { noteWords, notLookedUp } from "../event/record-notes.ts";
import { SurelyData } from "../event/surely-data.ts";
import type { Position, StoredFrame } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import { type HistoryPosition, readPosition, storePosition } from "./history-position.ts";
import type { HistoryLimits } from "./limits.ts";
import { OpenSegment } from "./open-segment.ts";
import type { HistoryOptions, HistoryPorts } from "./ports.ts";
import { sealSegment } from "./seal-segment.ts";
import type { RowSource } from "./search.ts";
import type { SegmentShelf } from "./segment-shelf.ts";

export interface FollowerParts {
  readonly ports: HistoryPorts;
  readonly options: HistoryOptions;
  readonly limits: HistoryLimits;
  readonly shelf: SegmentShelf;
  /** There is a new segment on the shelf. */
  readonly sealed: () => void;
}

const readerName = "history";
const manyCallers = 2048;
const noNotes = new Int32Array();

/** A segment in memory with the frames it comes from. */
interface Growing {
  readonly segment: OpenSegment;
  readonly fromSeq: number;
  toSeq: number;
  /** Record bytes of its frames, events of other categories among them. */
  coveredBytes: number;
  firstArrivedMs: number;
  lastArrivedMs: number;
}

export class Follower {
  readonly #parts: FollowerParts;
  readonly #partition: string;
  readonly #surelyData = new SurelyData();
  readonly #scan = new LookupScan(manyCallers);
  #growing: Growing;
  /** Full, and on its way to its file. */
  #full: Growing | undefined;
  #sealing: Promise<void> | undefined;
  #fault: string | undefined;
  #caughtUpMs: number;
  #skippedCount = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: FollowerParts) {
    const [partition, ...more] = parts.ports.journal.partitions;
    assert(partition !== undefined && more.length === 0, "the journal has one partition");
    this.#parts = parts;
    this.#partition = partition;
    this.#growing = this.#newGrowing({ seq: 1, ordinal: 0 });
    this.#caughtUpMs = parts.ports.clock.nowMs();
  }

  /** To be called when the shelf is open. Throws when state or journal fail. */
  async open(): Promise<void> {
    const { ports } = this.#parts;
    const position = await this.#firstPosition();
    this.#growing = this.#newGrowing(position);
    ports.journal.registerReader(readerName, this.#at(position.seq));
  }

  /** In memory, the older one first. */
  get sources(): readonly (RowSource & { readonly rows: number })[] {
    return [...(this.#full ? [this.#full.segment] : []), this.#growing.segment];
  }

  /** The number of the next event. */
  get endOrdinal(): number {
    return this.#growing.segment.endOrdinal;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  /** Events that were never taken, since the start. */
  get skippedCount(): number {
    return this.#skippedCount;
  }

  get memoryBytes(): number {
    const all = [this.#growing, ...(this.#full ? [this.#full] : [])];
    return all.reduce((sum, { segment }) => sum + segment.memoryBytes, 0);
  }

  /** Whether everything that was journaled is found. */
  get hasCaughtUp(): boolean {
    return this.#growing.toSeq >= this.#parts.ports.journal.end(this.#partition).seq;
  }

  /** How long ago everything that was journaled was found. */
  behindMs(): number {
    return this.hasCaughtUp ? 0 : Math.max(0, this.#parts.ports.clock.nowMs() - this.#caughtUpMs);
  }

  /** Follows until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { journal, clock } = this.#parts.ports;
    const { pauseMs, retryMs } = this.#parts.limits;
    while (!signal.aborted) {
      try {
        await this.catchUp(signal);
        await journal.waitBeyond(this.#at(this.#growing.toSeq), signal);
        // Until now there was nothing to take.
        this.#caughtUpMs = clock.nowMs();
        // At rest, who looks up finds everything: lookups catch up by themselves.
        await clock.sleep(pauseMs, signal);
      } catch (error) {
        this.#raise(error);
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Takes everything that is durable when it begins. Throws when the journal fails. */
  catchUp(signal: AbortSignal): Promise<void> {
    const { seq: end } = this.#parts.ports.journal.end(this.#partition);
    const turn = this.#turn.then(() => this.#take(end, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when no file is being written. */
  async settled(): Promise<void> {
    await this.#sealing;
  }

  async #take(end: number, signal: AbortSignal): Promise<void> {
    while (this.#growing.toSeq < end && !signal.aborted) {
      await this.#makeRoom(signal);
      const from = this.#growing.toSeq;
      this.#takeRecent(end);
      if (this.#growing.toSeq === from) await this.#takeFromDisk(end);
      await turn();
    }
    if (!signal.aborted) this.#caughtUpMs = this.#parts.ports.clock.nowMs();
  }

  #takeRecent(end: number): void {
    let left = this.#parts.limits.sliceBytes;
    this.#parts.ports.journal.visitRecent(this.#at(this.#growing.toSeq), this.#at(end), (frame) => {
      left -= this.#takeFrame(frame);
      return left > 0 && !this.#isFull();
    });
    this.#growing.segment.look();
  }

  async #takeFromDisk(end: number): Promise<void> {
    const { journal } = this.#parts.ports;
    const limits = { bytesMax: this.#parts.limits.sliceBytes, until: this.#at(end) };
    const { frames } = await journal.read(this.#at(this.#growing.toSeq), limits);
    assert(frames.length > 0, "the journal holds the frames before its end");
    for (const frame of frames) {
      if (this.#isFull()) break;
      this.#takeFrame(frame);
    }
    // Without a wait: what counts as taken is found.
    this.#growing.segment.look();
  }

  /** Returns the bytes of the frame's records. */
  #takeFrame({ header, records, notes, position }: StoredFrame): number {
    const growing = this.#growing;
    let bytes = 0;
    for (const [index, record] of records.entries()) {
      bytes += record.bytes.length;
      const note = { words: notes ?? noNotes, at: index * noteWords };
      if (note.words[note.at] === notLookedUp || growing.segment.takeNoted(record, note)) continue;
      if (!this.#surelyData.is(bufferOf(record.bytes))) growing.segment.take(record);
    }
    growing.toSeq = position.seq + 1;
    growing.coveredBytes += bytes;
    growing.firstArrivedMs = Math.min(growing.firstArrivedMs, header.arrivedMs);
    growing.lastArrivedMs = Math.max(growing.lastArrivedMs, header.arrivedMs);
    return bytes;
  }

  #isFull(): boolean {
    const { segment, coveredBytes, firstArrivedMs, lastArrivedMs } = this.#growing;
    const { sealRows, sealMemoryBytes, sealShareMax, coveredBytesMax, coveredShareMax } = this.#parts.limits;
    const { bytesMax } = this.#parts.ports.journal.usage();
    return (
      segment.rows >= sealRows ||
      segment.memoryBytes >= sealMemoryBytes ||
      lastArrivedMs - firstArrivedMs >= this.#parts.options.retentionMs * sealShareMax ||
      coveredBytes >= Math.min(coveredBytesMax, bytesMax * coveredShareMax)
    );
  }

  /** So that the next slice can be taken: a full segment makes way for a new one once the one before it is sealed. */
  async #makeRoom(signal: AbortSignal): Promise<void> {
    if (!this.#isFull()) return;
    await this.#sealing;
    if (signal.aborted) return;
    const full = this.#growing;
    this.#full = full;
    this.#growing = this.#newGrowing({ seq: full.toSeq, ordinal: full.segment.endOrdinal });
    this.#sealing = this.#sealUntilDone(full, signal).catch((error: unknown) => this.#raise(error));
  }

  /** Tries until the file is there, or until the journal needs the room: then the events are given up. */
  async #sealUntilDone(full: Growing, signal: AbortSignal): Promise<void> {
    const { ports, limits } = this.#parts;
    while (!signal.aborted) {
      try {
        await this.#seal(full);
        this.#fault = undefined;
        return;
      } catch (error) {
        this.#raise(error);
      }
      const { bytes, bytesMax } = ports.journal.usage();
      if (bytes > bytesMax * limits.journalShareMax) return this.#giveUp(full);
      await ports.clock.sleep(limits.retryMs, signal);
    }
  }

  async #seal(full: Growing): Promise<void> {
    const { ports, options, shelf } = this.#parts;
    const { segment, fromSeq, toSeq, firstArrivedMs, lastArrivedMs } = full;
    if (segment.rows > 0 && this.#full === full) {
      const name = await sealSegment(
        segment,
        { disk: ports.disk, directory: options.directory },
        { partition: this.#partition, fromSeq, toSeq, firstArrivedMs, lastArrivedMs },
      );
      await shelf.add(name);
      ports.log.debug({ name, events: segment.rows, toSeq }, "A segment of the event history was sealed.");
    }
    this.#full = undefined;
    await storePosition(ports.state, { seq: toSeq, ordinal: segment.endOrdinal });
    await ports.journal.release(readerName, this.#at(toSeq));
    this.#parts.sealed();
  }

  async #giveUp(full: Growing): Promise<void> {
    const { journal, log, metrics } = this.#parts.ports;
    const { rows } = full.segment;
    this.#full = undefined;
    this.#skippedCount += rows;
    metrics.count("history_skipped_events_total", {}, rows);
    log.error(
      { events: rows, fromSeq: full.fromSeq, toSeq: full.toSeq, fault: this.#fault },
      "Events were given up by the event history: it cannot be written, and the journal needs the room. Log files are not touched by this.",
    );
    await journal.release(readerName, this.#at(full.toSeq));
  }

  #raise(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    if (this.#fault !== detail) {
      this.#parts.ports.log.error({ error: detail }, "The event history could not go on; it is tried again.");
    }
    this.#fault = detail;
  }

  async #firstPosition(): Promise<HistoryPosition> {
    const { ports, shelf } = this.#parts;
    const last = shelf.segments.at(-1)?.about;
    const stored = await readPosition(ports.state);
    const seq = Math.max(1, last?.toSeq ?? 1, stored?.seq ?? 1);
    const ordinal = Math.max(last?.endOrdinal ?? 0, stored?.ordinal ?? 0);
    const start = ports.journal.start(this.#partition).seq;
    const end = ports.journal.end(this.#partition).seq;
    if (seq > end) {
      ports.log.warn({ seq, end }, "The journal ends before the event history does: it is followed anew.");
      return { seq: start, ordinal };
    }
    if (seq < start) {
      ports.log.warn(
        { seq, start },
        "The journal begins behind the event history: some events are not in it.",
      );
      return { seq: start, ordinal };
    }
    return { seq, ordinal };
  }

  #newGrowing({ seq, ordinal }: HistoryPosition): Growing {
    return {
      segment: new OpenSegment(ordinal, this.#parts.limits.blockBytes, this.#scan),
      ...{ fromSeq: seq, toSeq: seq, coveredBytes: 0, firstArrivedMs: Infinity, lastArrivedMs: 0 },
    };
  }

  #at(seq: number): Position {
    return { partition: this.#partition, seq };
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
