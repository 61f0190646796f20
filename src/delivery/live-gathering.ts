// Gathers the records of the cut that is still growing, frame by frame as the cutter counts them: then the journal need not
// be read again for its files, and most of them is deflated when the cut is made. Within a bound: a cut that holds more is
// gathered from the journal, pass by pass. Must not: read, cut.
import type { FrameRecord } from "../journal/contract.ts";
import { type Gathered, Gathering, type GroupsOfSlot } from "./gather.ts";

export class LiveGathering {
  readonly #bytesMax: number;
  #gathering: Gathering | undefined;

  constructor(options: Omit<Gathered, "isWanted">, bytesMax: number) {
    // Who wants a file is known when the cut is made.
    this.#gathering = new Gathering({ ...options, isWanted: () => true });
    this.#bytesMax = bytesMax;
  }

  take(records: readonly FrameRecord[]): void {
    this.#gathering?.take(records);
    if (this.#gathering && this.#gathering.heldBytes > this.#bytesMax) this.#gathering = undefined;
  }

  /** Undefined when it was too much. */
  end(): GroupsOfSlot | undefined {
    return this.#gathering?.end();
  }
}
