// One tail: the lines that its reader gets, made when they are asked for. Each line is a JSON object with the position to
// go on from (`cursor`) and one thing more:
//   `start`      first of all: whether what was asked for begins before what the journal still has
//   `event`      the record as it stands in log files, and `derived`, when it is wanted, what LookupEvents would derive
//   `skipped`    frames of the journal that were trimmed before this reader took them
//   `heartbeat`  nothing to tell for a while, but the stream lives
//   `end`        the limit is reached, or all that there is was told and nobody wants to follow
//   `failure`    the journal cannot be read, or the reader may see it no longer; the stream ends
import type { Clock, Log, Metrics } from "../model/environment.ts";
import { compileFilter, type EventFilter } from "./event-filter.ts";
import { JournalWalk, type WalkedJournal, type WalkedRecord } from "./journal-walk.ts";
import { startOf, type TailStart } from "./look-back.ts";
import { RecordLookups } from "./looked-up.ts";
import { type TailPosition, tailPositionText } from "./tail-position.ts";
import type { Turns } from "./turns.ts";

export interface TailQuestion {
  readonly filter: EventFilter;
  readonly start: TailStart;
  /** Ends after so many events. */
  readonly limit?: number;
  /** Whether to wait for more at the end of the journal. */
  readonly follow: boolean;
  /** Asked now and then; false ends the stream. */
  readonly mayGoOn: () => boolean;
  /** Whether lines have what LookupEvents would derive: Username and Resources. */
  readonly derived: boolean;
}

/** Lines, a few at a time. `return` ends it at once, whatever it waits for. */
export type Tail = AsyncIterableIterator<Uint8Array>;

export interface TailParts {
  readonly journal: WalkedJournal;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly turns: Turns;
  /** Called once. */
  readonly ended: () => void;
}

const pieceBytesMax = 256 * 1024;
const heartbeatMs = 10_000;
/** Between two questions whether the reader may still see this. */
const askMs = 5_000;
const noLongerAllowed = {
  code: "AccessDeniedException",
  message: "The credentials of this request are no longer valid, or no longer allow cairn:TailEvents.",
};
/** A busy journal is not followed frame by frame. */
const pauseMs = 20;

export class TailStream implements Tail {
  readonly #question: TailQuestion;
  readonly #parts: TailParts;
  readonly #over = new AbortController();
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  #isEnded = false;

  constructor(question: TailQuestion, parts: TailParts) {
    this.#question = question;
    this.#parts = parts;
    this.#pieces = this.#run();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#isEnded ? undefined : await this.#pieces.next();
    if (piece?.done === false) return piece;
    this.#end();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#over.abort();
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#parts.ended();
  }

  async *#run(): AsyncGenerator<Uint8Array, void> {
    let walk: JournalWalk | undefined;
    try {
      const { journal, clock, turns } = this.#parts;
      const { positions, isCut } = await startOf(journal, this.#question.start);
      walk = new JournalWalk({ journal, clock, turns }, positions);
      yield line(positions, { start: { atMs: clock.nowMs(), isCut } });
      yield* this.#follow(walk);
    } catch (error) {
      this.#parts.log.error(
        { failure: error instanceof Error ? error.stack : String(error) },
        "The journal could not be read for a tail; it ends.",
      );
      const message = "The journal could not be read; the server's log tells why.";
      yield line(walk?.positions ?? [], { failure: { code: "InternalFailure", message } });
    }
  }

  async *#follow(walk: JournalWalk): AsyncGenerator<Uint8Array, void> {
    const { clock, journal } = this.#parts;
    const { limit = Number.POSITIVE_INFINITY, follow } = this.#question;
    const ends = new Map(journal.partitions.map((name) => [name, journal.end(name).seq]));
    const matches = compileFilter(this.#question.filter);
    const lookups = new RecordLookups();
    let told = 0;
    let quietSinceMs = clock.monotonicMs();
    let askedMs = quietSinceMs;
    while (!this.#over.signal.aborted) {
      if (clock.monotonicMs() - askedMs >= askMs) {
        askedMs = clock.monotonicMs();
        if (!this.#question.mayGoOn()) {
          yield line(walk.positions, { failure: noLongerAllowed });
          return;
        }
      }
      const piece = new Piece(this.#question, { walk, lookups, eventsMax: limit - told });
      const { isAtEnd, framesSkipped } = await walk.step((walked) =>
        matches(walked.record) ? piece.add(walked) : "on",
      );
      told += piece.events;
      this.#count(piece.events, framesSkipped);
      const isThrough = walk.positions.every(({ partition, seq }) => seq >= (ends.get(partition) ?? 0));
      const isOver = told >= limit || (isThrough && !follow);
      const isSilent = framesSkipped === 0 && piece.events === 0;
      if (framesSkipped > 0) yield line(walk.positions, { skipped: { frames: framesSkipped } });
      if (piece.events > 0) yield piece.bytes();
      if (isOver) {
        yield line(walk.positions, { end: told >= limit ? "limit" : "journal" });
        return;
      }
      if (!isSilent) quietSinceMs = clock.monotonicMs();
      else if (clock.monotonicMs() - quietSinceMs >= heartbeatMs) {
        yield line(walk.positions, { heartbeat: true });
        quietSinceMs = clock.monotonicMs();
      }
      if (isAtEnd) await this.#pause(walk, quietSinceMs + heartbeatMs - clock.monotonicMs());
    }
  }

  /** Until there is more, or a heartbeat is due. */
  async #pause(walk: JournalWalk, heartbeatDueMs: number): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#over;
    await clock.sleep(pauseMs, signal);
    const pause = new AbortController();
    const end = (): void => pause.abort();
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    await Promise.race([
      walk.waitForMore(pause.signal),
      clock.sleep(Math.max(0, heartbeatDueMs), pause.signal),
    ]);
    signal.removeEventListener("abort", end);
    end();
  }

  #count(events: number, framesSkipped: number): void {
    const { metrics } = this.#parts;
    if (events > 0) metrics.count("tail_events_total", {}, events);
    if (framesSkipped > 0) metrics.count("tail_frames_skipped_total", {}, framesSkipped);
  }
}

/** The events of one slice, as lines. */
class Piece {
  events = 0;
  readonly #question: TailQuestion;
  readonly #eventsMax: number;
  /** Behind the last event, per partition. */
  #at: readonly TailPosition[];
  readonly #parts: Uint8Array[] = [];
  readonly #lookups: RecordLookups;
  #size = 0;

  constructor(
    question: TailQuestion,
    parts: { readonly walk: JournalWalk; readonly lookups: RecordLookups; readonly eventsMax: number },
  ) {
    const { walk, lookups, eventsMax } = parts;
    this.#lookups = lookups;
    this.#question = question;
    this.#at = walk.positions;
    this.#eventsMax = eventsMax;
  }

  add({ record, next }: WalkedRecord): "on" | "stop" {
    this.#at = this.#at.map((position) => (position.partition === next.partition ? next : position));
    const head = `{"cursor":"${tailPositionText(this.#at)}",${this.#derived(record.bytes)}"event":`;
    // Copied: the bytes are valid during the visit only.
    this.#push(Buffer.concat([Buffer.from(head), record.bytes, lineEnd]));
    this.events += 1;
    return this.events >= this.#eventsMax || this.#size >= pieceBytesMax ? "stop" : "on";
  }

  bytes(): Uint8Array {
    const [only] = this.#parts;
    return this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts, this.#size);
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  #derived(bytes: Uint8Array): string {
    if (!this.#question.derived) return "";
    const { username, resources = [] } = this.#lookups.of(bytes)?.derived ?? {};
    return `"derived":${JSON.stringify({ username, resources })},`;
  }
}

const lineEnd = Buffer.from("}\n");

function line(positions: readonly TailPosition[], content: object): Uint8Array {
  return Buffer.from(`${JSON.stringify({ cursor: tailPositionText(positions), ...content })}\n`);
}
