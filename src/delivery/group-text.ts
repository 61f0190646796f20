// The text of one group of records, `{…},{…},…`, gathered in pieces. A piece is deflated as soon as it is full, once,
// however many log files it will stand in. Must not: know match sets or plans.
//
// Where pieces end depends on the records alone, never on how they were read: so the same group gives the same blocks.
import { type Deflater, roomBytes } from "./deflater.ts";
import type { DeflatedText } from "./gzip-member.ts";

/** A piece ends before the record that would make it longer; several hundred records, so that little is lost at its ends. */
const pieceBytesMax = roomBytes;
const firstRoomBytes = 4 * 1024;
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

export interface GroupTextOptions {
  readonly deflater: Deflater;
  /** Whether a file that stands in a digest holds this group: its text will be hashed, and is kept. */
  readonly isHashed: boolean;
  /** Told how many bytes more are held in memory, or fewer when it is negative. */
  readonly onHeld: (bytes: number) => void;
}

export class GroupText {
  readonly #options: GroupTextOptions;
  readonly #pieces: Piece[] = [];
  #open: Buffer = Buffer.alloc(0);
  #length = 0;
  #recordCount = 0;

  constructor(options: GroupTextOptions) {
    this.#options = options;
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
    const { deflater, isHashed, onHeld } = this.#options;
    const room = this.#open;
    const text = room.subarray(0, this.#length);
    const deflated = deflater.deflate(text).then((done) => {
      if (isHashed) return done;
      onHeld(done.blocks.length - room.length);
      deflater.takeBack(room);
      return done;
    });
    // Whoever composes a file of it hears of a failure.
    deflated.catch(() => undefined);
    this.#pieces.push({ textBytes: text.length, deflated, ...(isHashed && { text }) });
    this.#open = Buffer.alloc(0);
    this.#length = 0;
  }

  #grow(bytesMin: number): void {
    const room = this.#room(bytesMin);
    room.set(this.#open.subarray(0, this.#length));
    this.#options.onHeld(room.length - this.#open.length);
    this.#open = room;
  }

  #room(bytesMin: number): Buffer {
    // Who filled one piece will fill the next.
    const isLarge = this.#pieces.length > 0 || 2 * this.#open.length >= roomBytes;
    if (isLarge && bytesMin <= roomBytes) return this.#options.deflater.lend();
    return Buffer.allocUnsafeSlow(Math.max(firstRoomBytes, bytesMin, 2 * this.#open.length));
  }
}
