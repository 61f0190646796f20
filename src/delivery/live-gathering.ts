// Gathers the records of the cut that is still growing, frame by frame as the cutter counts them: then the journal need not
// be read again for its files, and most of them is deflated when the cut is made. Within a bound: a cut that holds more is
// gathered from the journal, pass by pass. Must not: read, cut.
import type { FrameRecord } from "../journal/contract.ts";
import { type Gathered, Gathering, type GatheringOptions } from "./gather.ts";

export class LiveGathering {
  readonly #bytesMax: number;
  #gathering: Gathering | undefined;

  constructor(options: Omit<GatheringOptions, "isWanted">, bytesMax: number) {
    // Who wants a file is known when the cut is made.
    this.#gathering = new Gathering({ ...options, isWanted: () => true });
    this.#bytesMax = bytesMax;
  }

  take(records: readonly FrameRecord[]): void {
    if (this.isFull) this.#gathering = undefined;
    this.#gathering?.take(records);
  }

  /** Whether nothing was given up. */
  get isWhole(): boolean {
    return this.#gathering !== undefined;
  }

  /** Whether taking more would give up all that is gathered. */
  get isFull(): boolean {
    return this.#gathering !== undefined && this.#gathering.heldBytes > this.#bytesMax;
  }

  /** The groups of some corners (slots.ts), to be composed before the others; undefined when it was too much. */
  give(corners: ReadonlySet<string>): Gathered | undefined {
    return this.#gathering?.give(corners);
  }

  /** Undefined when it was too much. */
  end(): Gathered | undefined {
    return this.#gathering?.end();
  }
}
