// The durable log of accepted events: what an implementation promises. Types only.
//
// - `append` answers `durable` only when the frame is on stable storage. It is idempotent by frame id for as long
//   as the frame may still be retried (the current and the previous segment).
// - `refused` means nothing was written; `unknown` means it may or may not survive a crash.
// - Readers see durable frames only, in order, each exactly once per position.
// - A frame is at most `frameBytesMax`. Decisions (match sets) travel beside the bytes and come back unchanged.
// - Trimming follows the slowest registered reader; nothing that a registered reader has not released is removed.
// - Size is bounded: at the limit, events are refused with `full`, while `ownCallReserveBytes` stay open for
//   Cairn's own calls. A reservation made by `reserve` is honoured even at the limit.
import type { MatchSet } from "../selector/match-set.ts";

export const frameBytesMax = 2 * 1024 * 1024;

export type DoorName = "events" | "audit-events" | "own-calls" | "recorder";

export interface FrameHeader {
  readonly door: DoorName;
  /** ARN or description of who sent the records. */
  readonly principal: string;
  readonly arrivedMs: number;
  /** Version of the selector configuration by which the match sets were decided. */
  readonly configurationVersion: number;
}

export interface FrameRecord {
  /** One JSON object, UTF-8, as it will stand in the log file. */
  readonly bytes: Uint8Array;
  readonly matchSet: MatchSet;
}

export interface Frame {
  /** A UUID; the same id appended twice is one frame. */
  readonly id: string;
  readonly header: FrameHeader;
  readonly records: readonly FrameRecord[];
  /** What the door saw of the records (event/record-notes.ts). It is kept as long as they are in memory, and not written. */
  readonly notes?: Int32Array | undefined;
}

/** `seq` counts frames from 1 within a partition, without gaps. A position names the next frame to read. */
export interface Position {
  readonly partition: string;
  readonly seq: number;
}

export interface StoredFrame extends Frame {
  readonly position: Position;
}

export type AppendOutcome =
  | { readonly kind: "durable"; readonly position: Position }
  /** `closed` is also the answer while the disk takes no writes; `message` then says why, in a full sentence. */
  | { readonly kind: "refused"; readonly reason: "full" | "too-large" | "closed"; readonly message?: string }
  | { readonly kind: "unknown"; readonly message: string };

/** Room kept for one later append. Release it when the append does not happen; releasing twice is harmless. */
export interface Reservation {
  readonly bytes: number;
  release(): void;
}

export interface ReadBatch {
  readonly frames: readonly StoredFrame[];
  /** Where to read on; equals the position asked for when there was nothing. */
  readonly next: Position;
}

export interface Journal {
  readonly partitions: readonly string[];
  append(frame: Frame, room?: Reservation): Promise<AppendOutcome>;
  /** Keeps room for an own call of up to `bytes`; undefined when even the reserve is used up, or nothing can be written. */
  reserve(bytes: number): Reservation | undefined;
  /** Durable frames from `from` on, until about `bytesMax` of record bytes (at least one frame when there is one), ending before `until` when given. */
  read(from: Position, limits: { readonly bytesMax: number; readonly until?: Position }): Promise<ReadBatch>;
  /**
   * Calls `visit` at once, without a look at the disk, for the durable frames from `from` on that are still in memory, in
   * order, ending before `until` or when `visit` says false; not at all when the first one is not. A frame and its
   * records are valid during the call only: their bytes are overwritten later.
   */
  visitRecent(from: Position, until: Position, visit: (frame: StoredFrame) => boolean): void;
  /** The oldest position that can still be read, and the position after the last durable frame. */
  start(partition: string): Position;
  end(partition: string): Position;
  /** Resolves when the end lies beyond `position`, or when `signal` aborts. */
  waitBeyond(position: Position, signal: AbortSignal): Promise<void>;
  /** Declares a reader: nothing from `position` on is trimmed until it is released. */
  registerReader(name: string, position: Position): void;
  /** Everything before `position` is no longer needed by this reader. */
  release(name: string, position: Position): Promise<void>;
  /** Bytes on disk and the limit, for metrics and refusals. */
  usage(): { readonly bytes: number; readonly bytesMax: number };
  /** Syncs what was accepted, refuses everything after. */
  close(): Promise<void>;
}
