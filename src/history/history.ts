// The event history as a whole: starts and stops its parts, and looks up over what is sealed and what is not yet.
import { inTime } from "../model/in-time.ts";
import { Follower } from "./follower.ts";
import { checkLimits, defaultLimits, type HistoryLimits } from "./limits.ts";
import type { HistoryOptions, HistoryPorts } from "./ports.ts";
import { LookupTurns } from "./lookup-turns.ts";
import { type Found, recordsOf, type RowSource, search, type Wanted } from "./search.ts";
import { SegmentDamage } from "./segment-format.ts";
import { SegmentShelf } from "./segment-shelf.ts";

export interface HistoryRecord {
  readonly seconds: number;
  readonly ordinal: number;
  /** One JSON object. */
  readonly bytes: Buffer;
}

export interface HistoryPage {
  /** At most as many as were wanted; fewer when they are large. */
  readonly records: readonly HistoryRecord[];
  readonly hasMore: boolean;
}

export interface HistoryUsage {
  /** Events that can be looked up, those beyond the retention among them until their segment goes. */
  readonly events: number;
  /** On disk. */
  readonly bytes: number;
  readonly segments: number;
  readonly memoryBytes: number;
  readonly behindMs: number;
}

export interface History {
  /** Takes up what the last process left, and follows the journal. Throws when its folder, state or journal cannot be read. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Everything acknowledged before has a number below this, once it was waited for (within a bound). */
  endOrdinal(): Promise<number>;
  /** The newest wanted events, newest first. Of an id, others with the same hash may be among them. */
  lookup(wanted: Wanted): Promise<HistoryPage>;
  health(): { readonly ok: boolean; readonly detail?: string };
  usage(): HistoryUsage;
  readonly retentionMs: number;
}

export function createHistory(
  ports: HistoryPorts,
  options: HistoryOptions,
  limits: HistoryLimits = defaultLimits,
): History {
  checkLimits(limits);
  return new RunningHistory(ports, options, limits);
}

/** A healthy history is behind by no more: then it says so. */
const behindMsMax = 60_000;

class RunningHistory implements History {
  readonly #ports: HistoryPorts;
  readonly #options: HistoryOptions;
  readonly #limits: HistoryLimits;
  readonly #shelf: SegmentShelf;
  readonly #follower: Follower;
  readonly #turns: LookupTurns;
  readonly #stopping = new AbortController();
  #loops: readonly Promise<void>[] = [];
  /** Aborted when there is something to tidy. */
  #rest = new AbortController();

  constructor(ports: HistoryPorts, options: HistoryOptions, limits: HistoryLimits) {
    this.#ports = ports;
    this.#options = options;
    this.#limits = limits;
    this.#turns = new LookupTurns(limits.lookupsMax);
    this.#shelf = new SegmentShelf({ ports, options, limits });
    this.#follower = new Follower({
      ...{ ports, options, limits, shelf: this.#shelf },
      sealed: () => this.#rest.abort(),
    });
  }

  get retentionMs(): number {
    return this.#options.retentionMs;
  }

  async start(): Promise<void> {
    await this.#shelf.open();
    await this.#follower.open();
    const { signal } = this.#stopping;
    this.#loops = [this.#follower.run(signal), this.#tidy(signal)];
    const { events, segments, bytes } = this.usage();
    this.#ports.log.info({ events, segments, bytes }, "The event history is open.");
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const all = Promise.all([...this.#loops, this.#follower.settled()]);
    await inTime(all, this.#limits.stopMsMax, this.#ports.clock);
    await this.#shelf.close();
  }

  async endOrdinal(): Promise<number> {
    const { clock } = this.#ports;
    const { signal } = this.#stopping;
    // One with a fault waits for the disk: what is there is found.
    if (this.#follower.fault !== undefined || this.#follower.hasCaughtUp) return this.#follower.endOrdinal;
    const caughtUp = this.#follower.catchUp(signal).catch(() => undefined);
    await inTime(caughtUp, this.#limits.catchUpMsMax, clock);
    return this.#follower.endOrdinal;
  }

  async lookup(wanted: Wanted): Promise<HistoryPage> {
    await this.#turns.begin();
    try {
      for (;;) {
        try {
          return await this.#lookupOnce(wanted);
        } catch (error) {
          // Without the damaged segment; there are only so many.
          if (!(error instanceof SegmentDamage)) throw error;
          await this.#shelf.damaged(error);
        }
      }
    } finally {
      this.#turns.end();
    }
  }

  async #lookupOnce(wanted: Wanted): Promise<HistoryPage> {
    const sealed = this.#shelf.segments;
    // Taken together, without a wait in between: an event is in one of them.
    const sources: readonly RowSource[] = [...sealed, ...this.#follower.sources];
    for (const segment of sealed) segment.enter();
    try {
      const found = await search(sources, { ...wanted, limit: wanted.limit + 1 });
      const wantedOnes = found.slice(0, wanted.limit);
      const records = await this.#read(wantedOnes);
      return { records, hasMore: found.length > records.length };
    } finally {
      for (const segment of sealed) await segment.leave();
    }
  }

  /** As many as fit an answer, at least one. */
  async #read(found: readonly Found[]): Promise<readonly HistoryRecord[]> {
    const read = await recordsOf(found);
    const records: HistoryRecord[] = [];
    let bytes = 0;
    for (const [index, { seconds, ordinal }] of found.entries()) {
      const own = read[index];
      if (!own || bytes >= this.#limits.pageBytesMax) break;
      records.push({ seconds, ordinal, bytes: own });
      bytes += own.length;
    }
    return records;
  }

  health(): { readonly ok: boolean; readonly detail?: string } {
    const { fault, skippedCount } = this.#follower;
    const behindMs = this.#follower.behindMs();
    const { damagedCount } = this.#shelf;
    const details = [
      ...(fault === undefined ? [] : [`The event history cannot be written: ${fault}`]),
      ...(behindMs > behindMsMax
        ? [`The event history is ${Math.round(behindMs / 1000)} seconds behind.`]
        : []),
      ...(damagedCount > 0 ? [`${damagedCount} files of the event history are damaged.`] : []),
      ...(skippedCount > 0 ? [`${skippedCount} events were given up by the event history.`] : []),
    ];
    // Events are taken all the same: what history lacks makes no server unready.
    return details.length === 0 ? { ok: true } : { ok: true, detail: details.join(" ") };
  }

  usage(): HistoryUsage {
    const { segments } = this.#shelf;
    const sealed = segments.reduce((sum, { about }) => sum + about.rows, 0);
    const inMemory = this.#follower.sources.reduce((sum, { rows }) => sum + rows, 0);
    return {
      events: sealed + inMemory,
      bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      segments: segments.length,
      memoryBytes: this.#follower.memoryBytes,
      behindMs: this.#follower.behindMs(),
    };
  }

  /** Removes what is over and merges what is small, now and then. */
  async #tidy(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    while (!signal.aborted) {
      try {
        await this.#shelf.dropExpired();
        await this.#shelf.merge(signal);
      } catch (error) {
        log.warn({ error: String(error) }, "The event history could not be tidied; it is tried again.");
      }
      this.#rest = new AbortController();
      await clock.sleep(this.#limits.tidyMs, AbortSignal.any([signal, this.#rest.signal]));
    }
  }
}
