// The newest frames as they were written, in one room of fixed size that is written round and round: a reader close to the
// end needs no disk, and memory does not grow with what is posted. Groups are encoded here and written from here.
//
// What lies in the room is overwritten sooner or later: frames may be looked at only while they are visited.
import { blockBytes, pageMemory } from "../disk/page-memory.ts";
import type { StoredFrame } from "./contract.ts";
import type { Segment } from "./segment.ts";
import { decodeOwnFrame } from "./segment-format.ts";

interface Kept {
  readonly segment: Segment;
  /** Where the entry lies in the room. */
  readonly start: number;
  readonly end: number;
  readonly notes: Int32Array | undefined;
}

/** What was placed last: frames of these sizes, one after the other, from `firstSeq` on, and what was noted of each. */
export interface PlacedFrames {
  readonly segment: Segment;
  readonly firstSeq: number;
  readonly sizes: readonly number[];
  readonly notes: readonly (Int32Array | undefined)[];
}

export class RecentFrames {
  readonly #partition: string;
  readonly #bytesMax: number;
  /** Made when the first group comes. */
  #room: Buffer | undefined;
  /** Where the next group begins. */
  #next = 0;
  /** Oldest first, without a gap; those before `#first` are forgotten. */
  #kept: Kept[] = [];
  #first = 0;
  /** The seq after the newest. */
  #endSeq = 0;

  constructor(partition: string, bytesMax: number) {
    this.#partition = partition;
    this.#bytesMax = bytesMax;
  }

  /**
   * Room for the next group, valid until it is asked for again. One that would fill more than half is not kept here. It lies
   * in memory as it will in the file, where it begins at `offset`: what fills blocks of the file fills blocks of memory, and is
   * written from here without a copy (disk/append-file.ts).
   */
  place(bytes: number, offset: number): Buffer {
    if (bytes * 2 > this.#bytesMax) return Buffer.allocUnsafeSlow(bytes);
    this.#room ??= newRoom(this.#bytesMax + blockBytes);
    const within = offset % blockBytes;
    let free = this.#next;
    let start = free + ((within - free) & (blockBytes - 1));
    if (start + bytes > this.#room.length) {
      this.#forgetWhile((kept) => kept.start >= free);
      free = 0;
      start = within;
    }
    const end = start + bytes;
    this.#forgetWhile((kept) => kept.start < end && kept.end > free);
    this.#next = start;
    return this.#room.subarray(start, end);
  }

  /** What was placed last is durable. */
  keep(group: Buffer, { segment, firstSeq, sizes, notes }: PlacedFrames): void {
    if (firstSeq !== this.#endSeq) this.#forgetWhile(() => true);
    this.#endSeq = firstSeq + sizes.length;
    if (group.buffer !== this.#room?.buffer) return this.#forgetWhile(() => true);
    for (const [index, size] of sizes.entries()) {
      this.#kept.push({ segment, start: this.#next, end: this.#next + size, notes: notes[index] });
      this.#next += size;
    }
  }

  /** Visits frames from `fromSeq` on, before `toSeq`, until `visit` says false; none when the first is not here. */
  visit(
    range: { readonly fromSeq: number; readonly toSeq: number },
    visit: (frame: StoredFrame) => boolean,
  ): void {
    const at = this.#kept.length - (this.#endSeq - range.fromSeq);
    if (at < this.#first || !this.#room) return;
    const toSeq = Math.min(range.toSeq, this.#endSeq);
    for (let seq = range.fromSeq; seq < toSeq; seq += 1) {
      const kept = this.#kept[at + seq - range.fromSeq];
      if (!kept) return;
      const position = { partition: this.#partition, seq };
      const { notes } = kept;
      const matchSets = kept.segment.index;
      if (!matchSets) return;
      const own = { position, matchSets, notes };
      if (!visit(decodeOwnFrame(this.#room.subarray(kept.start, kept.end), own))) return;
    }
  }

  #forgetWhile(isOver: (kept: Kept) => boolean): void {
    for (let oldest = this.#kept[this.#first]; oldest && isOver(oldest); oldest = this.#kept[this.#first]) {
      this.#first += 1;
    }
    if (this.#first === 0 || this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }
}

function newRoom(bytes: number): Buffer {
  const memory = pageMemory(bytes);
  return memory ? Buffer.from(memory, 0, bytes) : Buffer.allocUnsafeSlow(bytes);
}
