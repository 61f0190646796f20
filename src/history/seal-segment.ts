// Writes an open segment that grows no more as a file: rows sorted by time, postings by term. Works in small steps, so that
// the door has its turns in between. Must not: change the open segment, which is searched until its file is there.
import { setImmediate as turn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { Disk } from "../disk/contract.ts";
import type { OpenSegment } from "./open-segment.ts";
import { rowWords } from "./segment-format.ts";
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
    await writeBlocks(open, writer);
    const order = sortedIndexes(open.seconds.words);
    await turn();
    await writeRows(open, writer, order);
    await writePostings(open, writer, order);
    return await writer.finish({ ...facts, firstOrdinal, endOrdinal, rawBytes: open.blocks.rawBytes });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** So many bytes between two turns. */
const stepBytes = 512 * 1024;

async function writeBlocks(open: OpenSegment, writer: SegmentWriter): Promise<void> {
  let bytes = 0;
  for (const { packed, rawBytes } of open.blocks.all()) {
    writer.block({ packed, rawBytes, sum: crc32(packed) });
    bytes += packed.length;
    if (bytes < stepBytes) continue;
    bytes = 0;
    await writer.drain();
  }
  await writer.drain();
}

async function writeRows(open: OpenSegment, writer: SegmentWriter, order: Uint32Array): Promise<void> {
  const rows = new Uint32Array(order.length * rowWords);
  const hashes = new Uint32Array(order.length);
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at] ?? 0;
    rows[at * rowWords] = open.seconds.at(row);
    rows[at * rowWords + 1] = row;
    rows[at * rowWords + 2] = open.places.at(row);
    hashes[at] = open.idHashes.at(row);
  }
  writer.rows(rows);
  await writer.drain();
  await turn();
  const byHash = sortedIndexes(hashes);
  const pairs = new Uint32Array(order.length * 2);
  for (let at = 0; at < byHash.length; at += 1) {
    const row = byHash[at] ?? 0;
    pairs[at * 2] = hashes[row] ?? 0;
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
  for (let sorted = 0; sorted < order.length; sorted += 1) {
    const row = order[sorted] ?? 0;
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
  for (const [count, at] of sortedIndexes(hashes).entries()) {
    const term = terms[at];
    const start = starts[at] ?? 0;
    if (term) {
      const { scope, kind, value } = term;
      const posting = { hash: hashes[at] ?? 0, scope, kind, value: Buffer.from(value, "utf8") };
      writer.posting(posting, rows.subarray(start, start + (termRows[at] ?? 0)));
    }
    if (count % stepLength < stepLength - 1) continue;
    await writer.drain();
    await turn();
  }
}
