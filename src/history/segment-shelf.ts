// The sealed segments: which there are, oldest first, and which go. What is found damaged is set aside under another name,
// never searched and never the end of the process. Must not: know the journal.
import { join } from "node:path";
import { temporarySuffix } from "../disk/write-atomically.ts";
import { chooseMerge } from "./merge-choice.ts";
import type { HistoryLimits } from "./limits.ts";
import { createCaches, type SegmentCaches } from "./paged-file.ts";
import type { HistoryOptions, HistoryPorts } from "./ports.ts";
import { SealedSegment } from "./sealed-segment.ts";
import { parseSegmentName, SegmentDamage } from "./segment-format.ts";
import { mergeSegments } from "./segment-merge.ts";

export interface ShelfParts {
  readonly ports: Pick<HistoryPorts, "disk" | "clock" | "log" | "metrics">;
  readonly options: HistoryOptions;
  readonly limits: HistoryLimits;
}

const damagedSuffix = ".damaged";

export class SegmentShelf {
  readonly #parts: ShelfParts;
  readonly #caches: SegmentCaches;
  #segments: readonly SealedSegment[] = [];
  #damagedCount = 0;

  constructor(parts: ShelfParts) {
    this.#parts = parts;
    this.#caches = createCaches(parts.limits.pageCacheBytes);
  }

  /** Oldest first. */
  get segments(): readonly SealedSegment[] {
    return this.#segments;
  }

  /** Files that were set aside since the start. */
  get damagedCount(): number {
    return this.#damagedCount;
  }

  /** Throws when the folder cannot be read. */
  async open(): Promise<void> {
    const { disk } = this.#parts.ports;
    const { directory } = this.#parts.options;
    await disk.makeDirectory(directory);
    const names = await disk.list(directory);
    for (const name of names.filter((one) => one.endsWith(temporarySuffix))) {
      await disk.remove(join(directory, name));
    }
    const found = names
      .flatMap((name) => {
        const range = parseSegmentName(name);
        return range ? [{ name, ...range }] : [];
      })
      .toSorted((a, b) => a.firstOrdinal - b.firstOrdinal || b.endOrdinal - a.endOrdinal);
    let end = -1;
    for (const { name, endOrdinal } of found) {
      // Its events are in the segment before it: a crash came between a merge and the removal of its inputs.
      if (endOrdinal <= end) await disk.remove(join(directory, name));
      else if (await this.#openOne(name)) end = endOrdinal;
    }
  }

  /** Takes a new file, which is the newest. */
  async add(name: string): Promise<void> {
    await this.#openOne(name);
  }

  async #openOne(name: string): Promise<boolean> {
    const { ports, options } = this.#parts;
    try {
      const segment = await SealedSegment.open(ports.disk, join(options.directory, name), this.#caches);
      this.#segments = [...this.#segments, segment];
      return true;
    } catch (error) {
      if (!(error instanceof SegmentDamage)) throw error;
      await this.#setAside(error);
      return false;
    }
  }

  /** A segment that was found damaged while it was read is not searched any more. */
  async damaged(damage: SegmentDamage): Promise<void> {
    const segment = this.#segments.find(({ path }) => path === damage.path);
    if (!segment) return;
    this.#segments = this.#segments.filter((one) => one !== segment);
    await segment.retire();
    await this.#setAside(damage);
  }

  async #setAside(damage: SegmentDamage): Promise<void> {
    const { disk, log, metrics } = this.#parts.ports;
    this.#damagedCount += 1;
    metrics.count("history_damaged_segments_total");
    log.error(
      { path: damage.path, error: damage.message, keptAs: damage.path + damagedSuffix },
      "A file of the event history is damaged: its events cannot be looked up any more.",
    );
    try {
      await disk.rename(damage.path, damage.path + damagedSuffix);
      await disk.syncDirectory(this.#parts.options.directory);
    } catch (error) {
      log.warn({ path: damage.path, error: String(error) }, "The damaged file could not be renamed.");
    }
  }

  /** Removes the segments whose events are all over. */
  async dropExpired(): Promise<void> {
    const { ports, options } = this.#parts;
    const limitMs = ports.clock.nowMs() - options.retentionMs;
    const expired = this.#segments.filter(({ about }) => lastMs(about) < limitMs);
    if (expired.length === 0) return;
    this.#segments = this.#segments.filter((segment) => !expired.includes(segment));
    await this.#remove(expired);
    ports.log.info(
      { segments: expired.length },
      "Events older than the retention of the history were removed.",
    );
  }

  /** Merges neighbours while there are enough of like size. */
  async merge(signal: AbortSignal): Promise<void> {
    const { ports, options, limits } = this.#parts;
    for (;;) {
      const abouts = this.#segments.map(({ about }) => about);
      const range = chooseMerge(abouts, limits, options.retentionMs);
      if (!range || signal.aborted) return;
      const inputs = this.#segments.slice(range.from, range.to);
      try {
        await this.#mergeOnce(inputs);
      } catch (error) {
        if (!(error instanceof SegmentDamage)) throw error;
        await this.damaged(error);
      }
      ports.metrics.count("history_merges_total");
    }
  }

  async #mergeOnce(inputs: readonly SealedSegment[]): Promise<void> {
    const { ports, options } = this.#parts;
    for (const input of inputs) input.enter();
    let name: string;
    try {
      name = await mergeSegments(inputs, { disk: ports.disk, directory: options.directory });
    } finally {
      for (const input of inputs) await input.leave();
    }
    const merged = await SealedSegment.open(ports.disk, join(options.directory, name), this.#caches);
    // In one step: a search sees the inputs or the result.
    const at = this.#segments.findIndex((segment) => segment === inputs[0]);
    const areAllThere = inputs.every((input, index) => this.#segments[at + index] === input);
    if (at === -1 || !areAllThere) {
      // Meanwhile a search found one of them damaged.
      await this.#remove([merged]);
      return;
    }
    this.#segments = this.#segments.toSpliced(at, inputs.length, merged);
    await this.#remove(inputs);
  }

  async #remove(segments: readonly SealedSegment[]): Promise<void> {
    const { ports, options } = this.#parts;
    for (const segment of segments) {
      await segment.retire();
      await ports.disk.remove(segment.path);
    }
    await ports.disk.syncDirectory(options.directory);
  }

  async close(): Promise<void> {
    const segments = this.#segments;
    this.#segments = [];
    for (const segment of segments) await segment.retire();
  }
}

/** When the last of its events is over; one with a time far ahead counts from its arrival. */
function lastMs({ maxSeconds, lastArrivedMs }: SealedSegment["about"]): number {
  return Math.min(Math.max(maxSeconds * 1000, lastArrivedMs), lastArrivedMs + dayMs);
}

const dayMs = 86_400_000;
