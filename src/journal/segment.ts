// One segment as the running journal knows it: its place, its extent and a sparse index. Must not: do I/O.
import { assert } from "../model/assert.ts";
import { firstIndex } from "../model/first-index.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { SegmentHeader } from "./segment-format.ts";

// A read begins at an index point, so at most this much is read in vain.
const indexSpacingBytes = 64 * 1024;

export interface Segment {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly salt: number;
  /** The bytes that count, header included. Grows only in the current segment, after each sync. */
  bytes: number;
  /** The seq after its last frame. */
  endSeq: number;
  /** Bytes in the file that do not count: the remains of failed writes. */
  voidBytes: number;
  /** Undefined until the segment was read once since the journal opened. */
  index: SegmentIndex | undefined;
}

export interface IndexPoint {
  readonly seq: number;
  readonly offset: number;
}

/** Where frames stand in a segment, every 64 KB or so, and the match sets that it defines. */
export class SegmentIndex {
  readonly #seqs: number[] = [];
  readonly #offsets: number[] = [];
  readonly #matchSets: MatchSet[] = [];

  /** Notes that a frame begins here; frames come in order. */
  addFrame(seq: number, offset: number): void {
    const last = this.#offsets.at(-1);
    if (last !== undefined && offset - last < indexSpacingBytes) return;
    this.#seqs.push(seq);
    this.#offsets.push(offset);
  }

  addMatchSet(number: number, matchSet: MatchSet): void {
    assert(
      number === this.#matchSets.length,
      "match sets are numbered from 0 in the order of their definitions",
    );
    this.#matchSets.push(matchSet);
  }

  get matchSetCount(): number {
    return this.#matchSets.length;
  }

  /** One object per definition: readers group by its identity. */
  matchSet(number: number): MatchSet | undefined {
    return this.#matchSets[number];
  }

  /** The last point at or before `seq`, which the segment must hold. */
  pointBefore(seq: number): IndexPoint {
    const seqs = this.#seqs;
    const at = firstIndex({ from: 0, to: seqs.length }, (index) => (seqs[index] ?? 0) > seq) - 1;
    const [found, offset] = [seqs[at], this.#offsets[at]];
    assert(found !== undefined && offset !== undefined && found <= seq, "the segment holds the frame");
    return { seq: found, offset };
  }

  /** The first point's offset at or beyond `offset`; undefined when the last point lies before it. */
  offsetBeyond(offset: number): number | undefined {
    const offsets = this.#offsets;
    return offsets[firstIndex({ from: 0, to: offsets.length }, (index) => (offsets[index] ?? 0) >= offset)];
  }

  /** Forgets the frames from `bytes` on. Match sets stay: their numbers are not used again. */
  cut(bytes: number): void {
    while ((this.#offsets.at(-1) ?? -1) >= bytes) {
      this.#offsets.pop();
      this.#seqs.pop();
    }
  }
}
