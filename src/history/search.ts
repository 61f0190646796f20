// Finds the newest wanted events over all segments. The order is by eventTime, then by number, both falling: numbers are
// given in journal order and never change, so a page can begin behind any event, and what arrived after the first page
// has a number beyond its end.
import { allDone } from "./all-done.ts";
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

export type Found = FoundInMemory | FoundInFile;

interface FoundInMemory extends Row {
  readonly record: () => Promise<Buffer>;
}

/** One whose record is read together with others of its file. */
interface FoundInFile extends Row {
  readonly source: RecordSource;
  readonly place: number;
}

export interface RecordSource {
  /** In the order of the places. */
  records(places: readonly number[]): Promise<readonly Buffer[]>;
}

/** A segment, open or sealed. */
export interface RowSource {
  /** No event of it is later. */
  readonly maxSeconds: number;
  /** The newest wanted rows, newest first, at most `limit`. Ids are compared by their hash alone: others may be among them. */
  find(wanted: Wanted): Promise<readonly Found[]>;
  /** Finds out where the rows of a term are, for `find`. */
  lookAhead?(wanted: Wanted): Promise<void>;
}

/** The newest wanted rows of all sources together. */
export async function search(sources: readonly RowSource[], wanted: Wanted): Promise<readonly Found[]> {
  const top = new TopRows<Found>(wanted.limit);
  const latestFirst = sources.toSorted((a, b) => b.maxSeconds - a.maxSeconds);
  // Of an id there is mostly one row in all: they look for it together.
  if (wanted.term.kind === "EventId") {
    const inTime = latestFirst.filter(({ maxSeconds }) => maxSeconds >= wanted.fromSeconds);
    for (const found of await allDone(inTime.map((source) => source.find(wanted)))) {
      for (const one of found) top.add(one);
    }
    return top.rows;
  }
  for (let asked = 0, atOnce = 1; asked < latestFirst.length; asked += atOnce, atOnce *= 2) {
    const some = latestFirst.slice(asked, asked + atOnce);
    // Mostly the latest has enough. When it has not, twice as many look together each time where their rows are.
    if (some.length > 1) await lookAhead(some, wanted);
    for (const source of some) {
      if (top.isFull && source.maxSeconds < top.worstSeconds) return top.rows;
      if (source.maxSeconds < wanted.fromSeconds) return top.rows;
      for (const found of await source.find(wanted)) top.add(found);
    }
  }
  return top.rows;
}

async function lookAhead(sources: readonly RowSource[], wanted: Wanted): Promise<void> {
  const inTime = sources.filter(({ maxSeconds }) => maxSeconds >= wanted.fromSeconds);
  await allDone(inTime.map(async (source) => source.lookAhead?.(wanted)));
}

/** The records of what was found, in its order; those of one file together. */
export async function recordsOf(found: readonly Found[]): Promise<readonly Buffer[]> {
  const records: Buffer[] = found.map(() => noRecord);
  const bySource = new Map<RecordSource, { readonly indexes: number[]; readonly places: number[] }>();
  for (const [index, one] of found.entries()) {
    if (!("source" in one)) {
      records[index] = await one.record();
      continue;
    }
    const known = bySource.get(one.source);
    const wanted = known ?? { indexes: [], places: [] };
    if (!known) bySource.set(one.source, wanted);
    wanted.indexes.push(index);
    wanted.places.push(one.place);
  }
  const reading = [...bySource].map(async ([source, { indexes, places }]) => {
    const read = await source.records(places);
    for (const [at, index] of indexes.entries()) records[index] = read[at] ?? noRecord;
  });
  await allDone(reading);
  return records;
}

const noRecord = Buffer.alloc(0);
