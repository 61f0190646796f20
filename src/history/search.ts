// Finds the newest wanted events over all segments. The order is by eventTime, then by number, both falling: numbers are
// given in journal order and never change, so a page can begin behind any event, and what arrived after the first page
// has a number beyond its end.
import type { TermKind } from "./terms.ts";
import { type Row, TopRows } from "./top-rows.ts";

export interface WantedTerm {
  readonly kind: TermKind | "EventId";
  /** Empty for `All`. */
  readonly value: string;
}

export interface Wanted {
  /** scopeText of terms.ts. */
  readonly scope: string;
  readonly term: WantedTerm;
  /** Both inclusive. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Events from this number on are not there yet. */
  readonly endOrdinal: number;
  /** Only what comes behind this one. */
  readonly before?: Row;
  readonly limit: number;
}

export interface Found extends Row {
  readonly record: () => Promise<Buffer>;
}

/** A segment, open or sealed. */
export interface RowSource {
  /** No event of it is later. */
  readonly maxSeconds: number;
  /** The newest wanted rows, newest first, at most `limit`. Ids are compared by their hash alone: others may be among them. */
  find(wanted: Wanted): Promise<readonly Found[]>;
}

/** The newest wanted rows of all sources together. */
export async function search(sources: readonly RowSource[], wanted: Wanted): Promise<readonly Found[]> {
  const top = new TopRows<Found>(wanted.limit);
  const latestFirst = sources.toSorted((a, b) => b.maxSeconds - a.maxSeconds);
  for (const source of latestFirst) {
    if (top.isFull && source.maxSeconds < top.worstSeconds) break;
    if (source.maxSeconds < wanted.fromSeconds) break;
    for (const found of await source.find(wanted)) top.add(found);
  }
  return top.rows;
}
