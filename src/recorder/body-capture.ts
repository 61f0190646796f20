// Keeps the beginning of a body while it passes, as far as the record needs it and memory allows.
import type { CapturedBody } from "./contract.ts";

/** No description needs more, whatever it asks for. */
const capturedBytesMax = 4 * 1024 * 1024;

export class BodyCapture {
  readonly #bytesMax: number;
  readonly #take: (bytes: number) => boolean;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;
  #isCut = false;

  /** `take` counts what is kept against the memory of all requests; when it says no, the rest is not kept. */
  constructor(bytesMax: number, take: (bytes: number) => boolean) {
    this.#bytesMax = Math.min(bytesMax, capturedBytesMax);
    this.#take = take;
  }

  add(piece: Uint8Array): void {
    if (this.#isCut || piece.length === 0) return;
    const room = this.#bytesMax - this.#size;
    const kept = piece.length > room ? piece.subarray(0, room) : piece;
    if (kept.length < piece.length) this.#isCut = true;
    if (kept.length === 0) return;
    if (!this.#take(kept.length)) {
      this.#isCut = true;
      return;
    }
    this.#pieces.push(kept);
    this.#size += kept.length;
  }

  body(): CapturedBody {
    const [only = emptyBytes] = this.#pieces;
    const bytes = this.#pieces.length < 2 ? only : Buffer.concat(this.#pieces, this.#size);
    return { kind: this.#isCut ? "cut" : "whole", bytes };
  }
}

const emptyBytes = new Uint8Array(0);
