// The live stream of events: everything in this folder reads the journal for somebody who watches, from wherever they want.
// A tail pulls at its reader's pace and keeps nothing from being trimmed: it is told what it missed. Must not: know HTTP,
// register as a reader of the journal, or take more than its share of the thread (turns.ts).
import type { AccountId } from "../model/arn.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { compileFilter, type EventFilter } from "./event-filter.ts";
import { JournalWalk, type WalkedJournal } from "./journal-walk.ts";
import { startOf } from "./look-back.ts";
import { type Tail, type TailQuestion, TailStream } from "./tail-stream.ts";
import { Turns } from "./turns.ts";

export type { EventFilter } from "./event-filter.ts";
export type { Tail, TailQuestion } from "./tail-stream.ts";
export { parseTailPosition } from "./tail-position.ts";

/**
 * Each costs a connection, and up to a piece of output in memory. A client that died without a word keeps its place until TCP
 * gives up on a heartbeat (tail-stream.ts): a quarter of an hour on Linux, sooner when what waits for it fills the connection.
 */
const tailsMax = 32;
const findMsMax = 10_000;
const findsMax = 4;

export interface Tails {
  /** `full`: as many as there may be are open. What is given must be read or ended. */
  open(question: TailQuestion): Tail | "full";
  /**
   * The newest record with that id which the journal still has, of that account when one is given; `unfinished` when none
   * was found in the time that a search may take, `busy` while as many searches are under way as there may be.
   */
  find(eventId: string, account: AccountId | undefined): Promise<FoundRecord | Unfound>;
}

export type Unfound = "unfinished" | "busy" | undefined;

/** A record as it was decided at the door. */
export interface FoundRecord {
  readonly bytes: Uint8Array;
  readonly matchSet: MatchSet;
  readonly arrivedMs: number;
}

export interface TailsPorts {
  readonly journal: WalkedJournal;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function createTails(ports: TailsPorts): Tails {
  const turns = new Turns(ports.clock);
  let open = 0;
  let finds = 0;
  const count = (change: 1 | -1): void => {
    open += change;
    ports.metrics.gauge("tails", open);
  };
  return {
    open(question) {
      if (open >= tailsMax) {
        ports.metrics.count("tails_refused_total");
        return "full";
      }
      count(1);
      return new TailStream(question, { ...ports, turns, ended: () => count(-1) });
    },
    async find(eventId, account) {
      if (finds >= findsMax) return "busy";
      finds += 1;
      try {
        const filter = { attributes: [["EventId", eventId]], ...(account && { account }) } as const;
        return await findNewest(filter, { ports, turns });
      } finally {
        finds -= 1;
      }
    },
  };
}

async function findNewest(
  filter: EventFilter,
  { ports, turns }: { readonly ports: TailsPorts; readonly turns: Turns },
): Promise<FoundRecord | Unfound> {
  const { journal, clock } = ports;
  const matches = compileFilter(filter);
  const { positions } = await startOf(journal, { kind: "start" });
  const walk = new JournalWalk({ journal, clock, turns }, positions);
  const untilMs = clock.monotonicMs() + findMsMax;
  let found: FoundRecord | undefined;
  for (;;) {
    const step = await walk.step(({ record, frame }) => {
      if (!matches(record)) return "on";
      // The bytes are the journal's own room, which is written over.
      const bytes = Uint8Array.from(record.bytes);
      found = { bytes, matchSet: record.matchSet, arrivedMs: frame.header.arrivedMs };
      return "on";
    });
    if (step.isAtEnd) return found;
    if (clock.monotonicMs() > untilMs) return found ?? "unfinished";
  }
}
