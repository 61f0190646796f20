// Walks the journal record by record, in slices: the newest frames where they lie in memory, older ones from the disk.
// What was trimmed meanwhile is skipped and counted. Must not: know what is done with a record.
import type { FrameRecord, Journal, Position, StoredFrame } from "../journal/contract.ts";
import type { Clock } from "../model/environment.ts";
import type { TailPosition } from "./tail-position.ts";
import type { Turns } from "./turns.ts";

export type WalkedJournal = Pick<
  Journal,
  "partitions" | "start" | "end" | "read" | "visitRecent" | "waitBeyond"
>;

export interface WalkedRecord {
  /** Its bytes are valid during the visit only. */
  readonly record: FrameRecord;
  readonly frame: StoredFrame;
  /** Where the walk stands behind this record. */
  readonly next: TailPosition;
}

/** `stop`: this record was visited, and no more for now. */
export type Visit = (walked: WalkedRecord) => "on" | "stop";

export interface WalkStep {
  readonly isAtEnd: boolean;
  /** Frames that were gone before they were read; of how many records nobody knows. */
  readonly framesSkipped: number;
}

const sliceMsMax = 4;
/** How many records are visited between two looks at the clock. */
const recordsPerLook = 32;
const readBytesMax = 256 * 1024;

export class JournalWalk {
  readonly #journal: WalkedJournal;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #positions: Map<string, TailPosition>;

  constructor(
    parts: { readonly journal: WalkedJournal; readonly clock: Clock; readonly turns: Turns },
    positions: readonly TailPosition[],
  ) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#turns = parts.turns;
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
  }

  get positions(): readonly TailPosition[] {
    return [...this.#positions.values()];
  }

  /** Visits what comes next, in a few milliseconds. Rejects when the journal cannot be read. */
  async step(visit: Visit): Promise<WalkStep> {
    let framesSkipped = 0;
    let isStopped = false;
    const guarded: Visit = (walked) => {
      const answer = visit(walked);
      isStopped = answer === "stop";
      return answer;
    };
    for (const position of this.positions) {
      if (isStopped) break;
      framesSkipped += this.#skipTrimmed(position.partition);
      await this.#stepIn(position.partition, guarded);
    }
    return { isAtEnd: this.positions.every((position) => this.#isAtEnd(position)), framesSkipped };
  }

  /** Resolves when there is more to visit, or when `signal` aborts. */
  async waitForMore(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    await Promise.race(this.positions.map((at) => this.#journal.waitBeyond(frameOf(at), over.signal)));
    signal.removeEventListener("abort", end);
    end();
  }

  #isAtEnd({ partition, seq }: TailPosition): boolean {
    return seq >= this.#journal.end(partition).seq;
  }

  #at(partition: string): TailPosition {
    return this.#positions.get(partition) ?? { ...this.#journal.end(partition), index: 0 };
  }

  #moveTo(position: TailPosition): void {
    this.#positions.set(position.partition, position);
  }

  /** Moves to the oldest frame that is still there; from a position beyond the end, which is another journal's, too. */
  #skipTrimmed(partition: string): number {
    const { seq } = this.#at(partition);
    const start = this.#journal.start(partition).seq;
    if (seq >= start && seq <= this.#journal.end(partition).seq) return 0;
    this.#moveTo({ partition, seq: start, index: 0 });
    return Math.max(0, start - seq);
  }

  async #stepIn(partition: string, visit: Visit): Promise<void> {
    const before = this.#at(partition);
    if (this.#isAtEnd(before)) return;
    await this.#turns.take(() => this.#visitRecent(partition, visit));
    if (this.#at(partition) !== before) return;
    const from = frameOf(before);
    const until = this.#journal.end(partition);
    const batch = await this.#journal
      .read(from, { bytesMax: readBytesMax, until })
      .catch((error: unknown) => {
        // Trimmed while it was read: the next step counts it.
        if (this.#journal.start(partition).seq > from.seq) return undefined;
        throw error;
      });
    if (batch) await this.#turns.take(() => this.#visitFrames(batch.frames, visit));
  }

  #visitRecent(partition: string, visit: Visit): void {
    const from = frameOf(this.#at(partition));
    if (from.seq < this.#journal.start(partition).seq) return;
    const bounded = this.#bounded(visit);
    this.#journal.visitRecent(from, this.#journal.end(partition), (frame) =>
      this.#visitFrame(frame, bounded),
    );
  }

  #visitFrames(frames: readonly StoredFrame[], visit: Visit): void {
    const bounded = this.#bounded(visit);
    for (const frame of frames) if (!this.#visitFrame(frame, bounded)) return;
  }

  /** False when the visitor stopped; the position is behind the last record that was visited. */
  #visitFrame(frame: StoredFrame, visit: Visit): boolean {
    const { partition, seq } = frame.position;
    const { records } = frame;
    const { seq: ownSeq, index: first } = this.#at(partition);
    for (let index = seq === ownSeq ? first : 0; index < records.length; index += 1) {
      const record = records[index];
      const isLast = index + 1 === records.length;
      const next = isLast ? { partition, seq: seq + 1, index: 0 } : { partition, seq, index: index + 1 };
      if (record && visit({ record, frame, next }) === "stop") {
        this.#moveTo(next);
        return false;
      }
    }
    this.#moveTo({ partition, seq: seq + 1, index: 0 });
    return true;
  }

  /** The same visitor, stopped when a slice's time is over. */
  #bounded(visit: Visit): Visit {
    const untilMs = this.#clock.monotonicMs() + sliceMsMax;
    let visited = 0;
    return (walked) => {
      visited += 1;
      const isLate = visited % recordsPerLook === 0 && this.#clock.monotonicMs() > untilMs;
      return visit(walked) === "stop" || isLate ? "stop" : "on";
    };
  }
}

function frameOf({ partition, seq }: TailPosition): Position {
  return { partition, seq };
}
