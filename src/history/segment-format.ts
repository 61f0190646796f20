// The format of a segment file, which never changes once it has its name. What reads and writes it: segment-writer.ts,
// sealed-segment.ts. Words are 32 bits, little-endian; every section begins at a multiple of 8.
//
//   blocks      packed records (packer.ts), each record one line. What follows begins at a multiple of `pageBytes`
//   table       per block: rawStart, file offset, CRC-32; then one entry more, the ends of the first two
//   rows        per row: eventTime in seconds, number of the event (ordinal) from the segment's first on, where the record
//               stands in the blocks' text. Sorted by (seconds, ordinal)
//   ids         per row, sorted by hash: hash of the event id, row
//   postings    per term: number of its scope, kind, bytes of its value, count of rows, value (filled up to a word), rows
//   terms       per term, sorted by hash: hash, offset in `postings`
//   sums        CRC-32 of every page of `pageBytes` from `table` up to here, the last one perhaps shorter
//   about       JSON: `About` below
//   tail        magic, offsets of `table`, `sums` and `about` (64-bit floats), bytes of `about`, CRC-32 of sums and about together
//
// Limits: rows and places are words; `merged…Max` of limits.ts keep them so.
// Invariants: a segment holds every event with a number from `firstOrdinal` up to `endOrdinal`; of all segments each number
// is in one, but for the inputs of a merge whose removal a crash cut short: they are removed at the next start.
// Recovery: a file is written as `….writing`, synced and renamed. Everything that is read is checked by the sum of its block or page.
import { z } from "zod";
import { assert } from "../model/assert.ts";

export const pageBytes = 16 * 1024;
export const magic = Buffer.from("CAIRNHS1", "latin1");
export const tailBytes = 40;
/** `About` holds the first word of every so many entries: a search then looks into few pages. */
export const entriesPerFirst = 1024;
export const postingHeadWords = 4;
export const rowWords = 3;
export const tableWords = 3;

const number = z.number().int().nonnegative();
const sectionNames = [...(["table", "rows", "ids", "postings", "terms"] as const)] as const;
export type SectionName = (typeof sectionNames)[number];

const aboutForm = z.object({
  version: z.literal(2),
  /** The frames of the journal whose events it holds: from, to (exclusive). */
  partition: z.string(),
  fromSeq: number,
  toSeq: number,
  firstOrdinal: number,
  endOrdinal: number,
  rows: number,
  termCount: number,
  minSeconds: number,
  maxSeconds: number,
  /** When the first and the last of its frames came. */
  firstArrivedMs: number,
  lastArrivedMs: number,
  rawBytes: number,
  blockCount: number,
  /** scopeText of each scope; postings name them by number. */
  scopes: z.array(z.string()),
  sections: z.record(z.enum(sectionNames), number),
  rowFirsts: z.array(number),
  idFirsts: z.array(number),
  termFirsts: z.array(number),
});

export type About = z.infer<typeof aboutForm>;

export function parseAbout(text: string): About | undefined {
  try {
    return aboutForm.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A file of the history that is not what it was, or none of ours. */
export class SegmentDamage extends Error {
  readonly path: string;

  constructor(path: string, what: string) {
    super(`${path}: ${what}`);
    this.path = path;
  }
}

const nameForm = /^(\d{16})-(\d{16})\.segment$/;

export function segmentName(firstOrdinal: number, endOrdinal: number): string {
  return `${String(firstOrdinal).padStart(16, "0")}-${String(endOrdinal).padStart(16, "0")}.segment`;
}

/** The numbers in a name, or undefined when it is no segment's. */
export function parseSegmentName(
  name: string,
): { readonly firstOrdinal: number; readonly endOrdinal: number } | undefined {
  const match = nameForm.exec(name);
  if (!match) return undefined;
  return { firstOrdinal: Number(match[1]), endOrdinal: Number(match[2]) };
}

/** The bytes of words, without a copy. */
export function bytesOfWords(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

assert(bytesOfWords(Uint32Array.of(1))[0] === 1, "words in memory are little-endian, as in the files");
