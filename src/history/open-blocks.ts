// The records of a segment that is still open, in blocks: the newest as they came, those before compressed. A record is
// one line. Must not: know what is in a record.
import { assert } from "../model/assert.ts";
import { firstIndex } from "./first-index.ts";
import { lineOf, pack } from "./packer.ts";

/** A block as it will stand in the file. `rawStart` counts from the segment's beginning. */
export interface OpenBlock {
  readonly rawStart: number;
  readonly rawBytes: number;
  readonly packed: Buffer;
}

const lineFeed = 0x0a;
const pieceBytes = 512 * 1024;

export class OpenBlocks {
  readonly #blockBytes: number;
  readonly #packed: OpenBlock[] = [];
  /** The newest block. */
  #room: Buffer | undefined;
  /** Memory made anew for every block would make the garbage collector run for nothing else. */
  #spare: Buffer | undefined;
  #used = 0;
  /** Where packed blocks are kept. */
  #piece = Buffer.alloc(0);
  #pieceUsed = 0;
  /** Of all blocks, uncompressed. */
  #rawBytes = 0;
  #packedBytes = 0;

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  get rawBytes(): number {
    return this.#rawBytes;
  }

  /** In memory now. */
  get heldBytes(): number {
    return this.#packedBytes + (this.#room?.length ?? 0);
  }

  /** Of the newest block; offsets that `add` gives count in it. */
  get room(): Buffer {
    assert(this.#room, "something was added since the last block ended");
    return this.#room;
  }

  /** Whether the record fits the newest block. */
  fits(bytes: number): boolean {
    return this.#room !== undefined && this.#used + bytes + 1 <= this.#room.length;
  }

  /** Ends the newest block and compresses it. */
  endBlock(): void {
    if (!this.#room) return;
    const rawBytes = this.#used;
    const packed = this.#kept(pack(this.#room.subarray(0, rawBytes)));
    this.#packed.push({ rawStart: this.#rawBytes - rawBytes, rawBytes, packed });
    this.#packedBytes += packed.length;
    if (this.#room.length === this.#blockBytes) this.#spare = this.#room;
    this.#room = undefined;
    this.#used = 0;
  }

  /** Takes a copy of the record; returns where it begins in the newest block. */
  add(record: Uint8Array): number {
    this.#room ??= this.#newRoom(record.length + 1);
    const start = this.#used;
    assert(start + record.length + 1 <= this.#room.length, "a record is added to a block that it fits");
    this.#room.set(record, start);
    this.#room[start + record.length] = lineFeed;
    this.#used += record.length + 1;
    this.#rawBytes += record.length + 1;
    return start;
  }

  /** Where in the segment something at an offset of the newest block is. */
  placeOf(start: number): number {
    return this.#rawBytes - this.#used + start;
  }

  /** All blocks; nothing must be added any more. */
  all(): readonly OpenBlock[] {
    this.endBlock();
    return this.#packed;
  }

  /** The record at a place. */
  recordAt(place: number): Buffer {
    const roomStart = this.#rawBytes - this.#used;
    const { rawStart, rawBytes, packed } =
      this.#room && place >= roomStart
        ? { rawStart: roomStart, rawBytes: this.#room.length, packed: this.#room }
        : this.#blockOf(place);
    const record = lineOf({ key: packed, packed, rawBytes }, place - rawStart);
    assert(record, "a record lies where it was put");
    return record;
  }

  /** A copy. Blocks share pieces of memory: made one by one they would make the garbage collector run for nothing else. */
  #kept(packed: Uint8Array): Buffer {
    if (this.#pieceUsed + packed.length > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, packed.length));
      this.#pieceUsed = 0;
    }
    const own = this.#piece.subarray(this.#pieceUsed, this.#pieceUsed + packed.length);
    own.set(packed);
    this.#pieceUsed += packed.length;
    return own;
  }

  #newRoom(leastBytes: number): Buffer {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare && spare.length >= leastBytes) return spare;
    return Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, leastBytes));
  }

  #blockOf(place: number): OpenBlock {
    const packed = this.#packed;
    const block = packed[firstIndex(packed.length, (at) => (packed[at]?.rawStart ?? 0) > place) - 1];
    assert(block, "a place lies in a block");
    return block;
  }
}
