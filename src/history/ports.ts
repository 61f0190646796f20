// Event history: what LookupEvents finds. A reader of the journal gathers management and Insights events into immutable
// segments that hold both the records and the postings to find them by. Types: what it needs of the house; server.ts joins.
//
//   journal → follower.ts → open-segment.ts → seal-segment.ts → segment files → segment-merge.ts → fewer, larger ones
//   LookupEvents → lookup-events.ts → search.ts → open-segment.ts, sealed-segment.ts
//
// Must not: know HTTP, trails or what selectors decided.
import type { Disk } from "../disk/contract.ts";
import type { Journal } from "../journal/contract.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { StateStore } from "../state/contract.ts";

export interface HistoryPorts {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface HistoryOptions {
  /** A folder of its own; made when missing. */
  readonly directory: string;
  /** How long an event can be looked up, from its eventTime on. */
  readonly retentionMs: number;
}
