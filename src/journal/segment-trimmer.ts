// Removes whole segments that every registered reader has released. Must not: touch the current segment.
//
// Segments go oldest first, and the folder is synced after each: a crash never leaves a gap in the chain.
import type { Disk } from "../disk/contract.ts";
import type { Log } from "../model/environment.ts";
import type { SegmentList } from "./segment-list.ts";

export interface TrimmerParts {
  readonly disk: Disk;
  readonly directory: string;
  readonly log: Log;
  readonly segments: SegmentList;
}

export class SegmentTrimmer {
  readonly #parts: TrimmerParts;
  readonly #needed = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: TrimmerParts) {
    this.#parts = parts;
  }

  /** The reader needs everything from `seq` on. */
  register(reader: string, seq: number): void {
    this.#needed.set(reader, seq);
  }

  /** The reader needs nothing before `seq`. Throws when it was never registered. A lower seq than before changes nothing. */
  release(reader: string, seq: number): void {
    const before = this.#needed.get(reader);
    if (before === undefined) throw new Error(`The journal has no reader named ${reader}.`);
    this.#needed.set(reader, Math.max(before, seq));
  }

  /** Removes what may go. A failing disk is logged; the next trim tries again. */
  trim(): Promise<void> {
    this.#running = this.#running.then(() => this.#trimAll());
    return this.#running;
  }

  async #trimAll(): Promise<void> {
    const { segments, log } = this.#parts;
    // Without a reader nobody has said what is not needed.
    const floor = Math.min(...this.#needed.values());
    if (!Number.isFinite(floor)) return;
    while (segments.count > 1 && segments.oldest.endSeq <= floor) {
      const { path } = segments.oldest;
      try {
        await this.#removeOldest();
      } catch (error) {
        log.warn(
          { path, error: String(error) },
          "A journal segment could not be removed; it is tried again later.",
        );
        return;
      }
      log.debug({ path }, "A journal segment that every reader has released was removed.");
    }
  }

  async #removeOldest(): Promise<void> {
    const { disk, directory, segments } = this.#parts;
    segments.closeOldest();
    await disk.remove(segments.oldest.path);
    await disk.syncDirectory(directory);
    segments.dropOldest();
  }
}
