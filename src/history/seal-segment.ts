// Writes an open segment that grows no more as a file: rows sorted by time, postings by term. Works in small steps, so that
// the door has its turns in between. Must not: change the open segment, which is searched until its file is there.
import { setImmediate as turn } from "node:timers/promises";
import type { Disk } from "../disk/contract.ts";
import type { OpenSegment } from "./open-segment.ts";
import { type SegmentFacts, SegmentWriter } from "./segment-writer.ts";
import { sortedIndexes } from "./sorted-indexes.ts";
import { hashOfTerm } from "./terms.ts";

export interface SealPlace {
  readonly disk: Disk;
  readonly directory: string;
}

/** Resolves to the name of the file, which is durable. On an error nothing is left but perhaps a temporary file. */
export async function sealSegment(
  open: OpenSegment,
  { disk, directory }: SealPlace,
  facts: Omit<SegmentFacts, "rawBytes" | "firstOrdinal" | "endOrdinal">,
): Promise<string> {
  const { firstOrdinal, endOrdinal } = open;
  const writer = await SegmentWriter.start(disk, directory, { firstOrdinal, endOrdinal });
  try {
    for (const { packed, rawBytes } of open.blocks.all()) writer.block(packed, rawBytes);
    await writer.drain();
    const order = sortedIndexes(open.rows, (row) => open.seconds.at(row));
    await turn();
    await writeColumns(open, writer, order);
    await writePostings(open, writer, order);
    return await writer.finish({ ...facts, firstOrdinal, endOrdinal, rawBytes: open.blocks.rawBytes });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function writeColumns(open: OpenSegment, writer: SegmentWriter, order: Uint32Array): Promise<void> {
  writer.columns({
    seconds: order.map((row) => open.seconds.at(row)),
    ordinals: order,
    places: order.map((row) => open.places.at(row)),
  });
  await writer.drain();
  await turn();
  const byHash = sortedIndexes(order.length, (row) => open.idHashes.at(order[row] ?? 0));
  const pairs = new Uint32Array(order.length * 2);
  for (const [at, row] of byHash.entries()) {
    pairs[at * 2] = open.idHashes.at(order[row] ?? 0);
    pairs[at * 2 + 1] = row;
  }
  writer.ids(pairs);
  writer.endIds();
  await writer.drain();
  await turn();
}

/** So many terms, or pairs of row and term, between two turns. */
const stepLength = 2 * 1024;

async function writePostings(open: OpenSegment, writer: SegmentWriter, order: Uint32Array): Promise<void> {
  const { terms, termRows } = open;
  const next = new Uint32Array(terms.length);
  for (let term = 1; term < terms.length; term += 1) {
    next[term] = (next[term - 1] ?? 0) + (termRows[term - 1] ?? 0);
  }
  const starts = next.slice();
  const rows = new Uint32Array(open.pairs.length);
  for (const [sorted, row] of order.entries()) {
    const end = row + 1 < open.rows ? open.firstPairs.at(row + 1) : open.pairs.length;
    for (let pair = open.firstPairs.at(row); pair < end; pair += 1) {
      const term = open.pairs.termOf(pair);
      const at = next[term] ?? 0;
      rows[at] = sorted;
      next[term] = at + 1;
    }
    if (sorted % stepLength === stepLength - 1) await turn();
  }
  const hashes = Uint32Array.from(terms, hashOfTerm);
  await turn();
  for (const [count, at] of sortedIndexes(terms.length, (term) => hashes[term] ?? 0).entries()) {
    const term = terms[at];
    const start = starts[at] ?? 0;
    if (term) writer.posting(term, rows.subarray(start, start + (termRows[at] ?? 0)));
    if (count % stepLength < stepLength - 1) continue;
    await writer.drain();
    await turn();
  }
}
