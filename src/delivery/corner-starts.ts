// Tells which records of a frame are still to be filed: a busy account and Region has files of its own before the rest is cut
// (slots.ts `cornerName`), so one range of the journal begins at another frame for each. Pure.
import type { FrameRecord, StoredFrame } from "../journal/contract.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { cornerName } from "./slots.ts";

export class CornerStarts {
  readonly #starts: ReadonlyMap<string, number>;
  /** From here on nothing is left out. */
  readonly #lastStart: number;
  readonly #startOf = new Map<MatchSet, number>();

  /** `starts`: the first frame that counts, by corner; for all others every frame counts. */
  constructor(starts: ReadonlyMap<string, number>) {
    this.#starts = starts;
    this.#lastStart = Math.max(0, ...starts.values());
  }

  recordsOf({ position, records }: Pick<StoredFrame, "position" | "records">): readonly FrameRecord[] {
    if (position.seq >= this.#lastStart) return records;
    return records.filter(({ matchSet }) => this.#start(matchSet) <= position.seq);
  }

  #start(matchSet: MatchSet): number {
    let start = this.#startOf.get(matchSet);
    if (start === undefined) {
      start = this.#starts.get(cornerName(matchSet)) ?? 0;
      this.#startOf.set(matchSet, start);
    }
    return start;
  }
}
