// Remembers the ids of the newest durable frames, so that a repeated append is answered and not written. Bounded:
// the current segment, the one before it, and as many older ones as together stay below a segment's size. A segment
// that was trimmed is remembered until the process ends.

interface Generation {
  readonly ids: string[];
  bytes: number;
}

export class FrameIds {
  readonly #bytesMin: number;
  readonly #seqs = new Map<string, number>();
  readonly #generations: Generation[] = [{ ids: [], bytes: 0 }];

  /** `bytesMin`: the newest finished segments that together hold so many bytes are never forgotten. */
  constructor(bytesMin: number) {
    this.#bytesMin = bytesMin;
  }

  /** The seq of a durable frame, when its id is still remembered. */
  seqOf(id: string): number | undefined {
    return this.#seqs.get(id);
  }

  add(id: string, seq: number): void {
    this.#seqs.set(id, seq);
    this.#generations.at(-1)?.ids.push(id);
  }

  /** The current segment ended with so many bytes; forgets what is old enough. */
  endSegment(bytes: number): void {
    const last = this.#generations.at(-1);
    if (last) last.bytes = bytes;
    this.#generations.push({ ids: [], bytes: 0 });
    let kept = this.#generations.reduce((sum, generation) => sum + generation.bytes, 0);
    // The current segment and the one before it always stay.
    while (this.#generations.length > 2) {
      kept -= this.#generations[0]?.bytes ?? 0;
      if (kept < this.#bytesMin) return;
      for (const id of this.#generations.shift()?.ids ?? []) this.#seqs.delete(id);
    }
  }
}
