// The segments of a partition, oldest first; the last one is written to. Must not: do I/O.
import { assert } from "../model/assert.ts";
import { firstIndex } from "../model/first-index.ts";
import type { Segment } from "./segment.ts";

export class SegmentList {
  readonly #segments: Segment[];
  #startSeq: number;

  /** There is always at least one: the current segment. */
  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments];
    this.#startSeq = this.#at(0).header.firstSeq;
  }

  get current(): Segment {
    return this.#at(-1);
  }

  get oldest(): Segment {
    return this.#at(0);
  }

  get count(): number {
    return this.#segments.length;
  }

  /** The first seq that can be read. */
  get startSeq(): number {
    return this.#startSeq;
  }

  /** The seq after the last durable frame. */
  get endSeq(): number {
    return this.current.endSeq;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes + segment.voidBytes, 0);
  }

  /** The segment that holds the frame `seq`, which must exist. */
  holding(seq: number): Segment {
    const span = { from: 0, to: this.#segments.length };
    const found = this.#at(firstIndex(span, (index) => this.#at(index).header.firstSeq > seq) - 1);
    assert(found.header.firstSeq <= seq && seq < found.endSeq, "a segment holds every readable frame");
    return found;
  }

  /** A new current segment; it takes the place of one that held no frames. */
  follow(next: Segment): void {
    const { header, endSeq } = this.current;
    assert(next.header.firstSeq === endSeq, "a new segment begins where the last one ended");
    if (header.firstSeq === endSeq) this.#segments.pop();
    this.#segments.push(next);
  }

  /** From now on the oldest segment cannot be read. */
  closeOldest(): void {
    assert(this.count > 1, "the current segment is never trimmed");
    this.#startSeq = this.oldest.endSeq;
  }

  /** The oldest segment's file is gone for good. */
  dropOldest(): void {
    assert(this.oldest.endSeq <= this.#startSeq, "a segment is closed to readers before it is dropped");
    this.#segments.shift();
  }

  #at(index: number): Segment {
    const segment = this.#segments.at(index);
    assert(segment, "a journal has a current segment");
    return segment;
  }
}
