// The newest durable frames, kept as they were appended: readers close to the end need no disk. Bounded by what the
// frames keep alive in memory, which is the whole buffer that a record is a part of.
import type { StoredFrame } from "./contract.ts";
import { recordBytesOf } from "./record-bytes.ts";

interface Kept {
  readonly frame: StoredFrame;
  readonly recordBytes: number;
  readonly heldBytes: number;
}

export class RecentFrames {
  readonly #bytesMax: number;
  #kept: Kept[] = [];
  /** Those before it are forgotten; the array is cut now and then only. */
  #first = 0;
  #heldBytes = 0;
  #endSeq = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes a frame that is durable now. Frames come in the order of their seq. */
  add(frame: StoredFrame): void {
    const { seq } = frame.position;
    if (seq !== this.#endSeq) this.#clear();
    const heldBytes = heldBytesOf(frame);
    this.#kept.push({ frame, recordBytes: recordBytesOf(frame.records), heldBytes });
    this.#endSeq = seq + 1;
    this.#heldBytes += heldBytes;
    while (this.#heldBytes > this.#bytesMax) this.#forgetOldest();
    if (this.#first > 1024 && this.#first * 2 > this.#kept.length) this.#compact();
  }

  /** Frames from `fromSeq` on, before `toSeq`, up to `bytesMax` of record bytes (at least one); undefined when it is not here. */
  read(
    fromSeq: number,
    range: { readonly toSeq: number; readonly bytesMax: number },
  ): StoredFrame[] | undefined {
    const at = this.#kept.length - (this.#endSeq - fromSeq);
    if (at < this.#first || fromSeq >= this.#endSeq) return undefined;
    const frames: StoredFrame[] = [];
    let left = range.bytesMax;
    for (let index = at; index < this.#kept.length; index += 1) {
      const kept = this.#kept[index];
      if (!kept || kept.frame.position.seq >= range.toSeq) break;
      if (frames.length > 0 && kept.recordBytes > left) break;
      left -= kept.recordBytes;
      frames.push(kept.frame);
    }
    return frames;
  }

  #forgetOldest(): void {
    this.#heldBytes -= this.#kept[this.#first]?.heldBytes ?? 0;
    this.#first += 1;
    if (this.#first >= this.#kept.length) this.#compact();
  }

  #compact(): void {
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  #clear(): void {
    this.#kept = [];
    this.#first = 0;
    this.#heldBytes = 0;
  }
}

/** Records are parts of larger buffers, as a rule all of one. */
function heldBytesOf({ records }: StoredFrame): number {
  let bytes = 0;
  let last: unknown;
  for (const { bytes: own } of records) {
    if (own.buffer !== last) bytes += own.buffer.byteLength;
    last = own.buffer;
  }
  return bytes;
}
