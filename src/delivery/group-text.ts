// The text of one group of records, `{…},{…},…`, gathered in pieces. A piece is deflated as soon as it is full, once,
// however many log files it will stand in. Must not: know match sets or plans.
//
// Where pieces end depends on the records alone, never on how they were read: so the same group gives the same blocks.
import { assert } from "../model/assert.ts";
import type { Deflater } from "./deflater.ts";
import type { DeflatedText } from "./gzip-member.ts";

/** A piece ends before the record that would make it longer; several hundred records, so that little is lost at its ends. */
const pieceBytesMax = 1024 * 1024;
const firstRoomBytes = 16 * 1024;
/** About a hundred records. Fewer are deflated together with what stands beside them in a file: alone they would grow. */
const smallBytesMax = 128 * 1024;
const comma = 0x2c;

export interface Piece {
  readonly textBytes: number;
  /** Absent when it is deflated and nobody will hash it. */
  readonly text?: Uint8Array;
  /** Absent in a small group. */
  readonly deflated?: Promise<DeflatedText>;
}

export class GroupText {
  readonly #deflater: Deflater;
  /** Whether a file that stands in a digest holds this group: its text will be hashed. */
  readonly #isHashed: boolean;
  readonly #pieces: Piece[] = [];
  #open = Buffer.alloc(0);
  #length = 0;
  #recordCount = 0;

  constructor(deflater: Deflater, isHashed: boolean) {
    this.#deflater = deflater;
    this.#isHashed = isHashed;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Copies the record. */
  append(record: Uint8Array): void {
    if (this.#length > 0 && this.#length + 1 + record.length > pieceBytesMax) this.#endPiece();
    const start = this.#length === 0 ? 0 : this.#length + 1;
    const end = start + record.length;
    if (end > this.#open.length) this.#grow(end);
    if (start > 0) this.#open[this.#length] = comma;
    this.#open.set(record, start);
    this.#length = end;
    this.#recordCount += 1;
  }

  /** All of it; nothing is appended afterwards. Between two pieces stands a comma. */
  end(): readonly Piece[] {
    if (this.#length === 0) return this.#pieces;
    const isSmall = this.#pieces.length === 0 && this.#length <= smallBytesMax;
    if (!isSmall) this.#endPiece();
    else {
      const text = this.#open.subarray(0, this.#length);
      this.#pieces.push({ textBytes: text.length, text });
      this.#length = 0;
    }
    return this.#pieces;
  }

  #endPiece(): void {
    const text = this.#open.subarray(0, this.#length);
    const deflated = this.#deflater.deflate(text);
    // Whoever composes a file of it hears of a failure.
    deflated.catch(() => undefined);
    this.#pieces.push({ textBytes: text.length, deflated, ...(this.#isHashed && { text }) });
    this.#open = Buffer.alloc(0);
    this.#length = 0;
  }

  #grow(bytesMin: number): void {
    assert(bytesMin > this.#open.length, "there is no room left");
    // Who filled one piece will fill the next.
    const usualBytes =
      this.#pieces.length > 0 ? pieceBytesMax : Math.max(firstRoomBytes, 2 * this.#open.length);
    const room = Buffer.allocUnsafeSlow(Math.max(bytesMin, usualBytes));
    room.set(this.#open.subarray(0, this.#length));
    this.#open = room;
  }
}
