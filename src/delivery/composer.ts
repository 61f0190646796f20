// Fulfils plans whose records lie in the journal: cut by cut, pass by pass, it composes their files and hands each
// to the writer. It never waits for a bucket. Must not: know lanes or outcomes.
import type { Journal } from "../journal/contract.ts";
import type { Clock } from "../model/environment.ts";
import { Bell } from "./bell.ts";
import { type ComposedFile, PassFiles, splitIntoPasses } from "./compose.ts";
import type { Deflater } from "./deflater.ts";
import type { Faults } from "./faults.ts";
import { gatherGroups, type WantsEvidence } from "./gather.ts";
import type { Entry } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";

export interface ComposerParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly limits: DeliveryLimits;
  readonly faults: Faults;
  /** Pause before a plan that could not be composed or put aside is composed again. */
  readonly retryMs: number;
  /** Takes a composed file; throws when it could be kept nowhere. */
  readonly offer: (entry: Entry, file: ComposedFile) => Promise<void>;
  readonly wantsEvidence: WantsEvidence;
  readonly deflater: Deflater;
}

/** Plans of one cut, and when they may be composed: one range of the journal to read. */
interface Batch {
  readonly cut: string;
  readonly entries: Entry[];
  readonly notBeforeMs: number;
}

export class Composer {
  readonly #parts: ComposerParts;
  readonly #batches: Batch[] = [];
  readonly #bell = new Bell();

  constructor(parts: ComposerParts) {
    this.#parts = parts;
  }

  /** Takes plans of any cuts, in age order. */
  add(entries: Iterable<Entry>): void {
    this.#queue(entries, 0);
  }

  /** Takes a plan back after a failure. */
  addLater(entry: Entry): void {
    const { clock, retryMs } = this.#parts;
    // Rounded up to whole pauses, so that the plans of one cut come back together and share one read.
    this.#queue([entry], Math.ceil(clock.monotonicMs() / retryMs + 1) * retryMs);
  }

  /** Composes until `signal` aborts. What is not composed then is composed after the next start. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const batch = this.#takeDue();
      if (batch) await this.#compose(batch.entries, signal);
      else await this.#pause(signal);
    }
  }

  async #compose(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const { limits } = this.#parts;
    const entryOf = new Map(entries.filter((entry) => !entry.isGone).map((entry) => [entry.plan, entry]));
    for (const pass of splitIntoPasses([...entryOf.keys()], limits.passBytesMax)) {
      if (signal.aborted) return;
      await this.#composePass(
        pass.flatMap((plan) => entryOf.get(plan) ?? []),
        signal,
      );
    }
  }

  /** One plan that fails does not keep its neighbours back. */
  async #composePass(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const { journal, limits, faults, wantsEvidence, deflater } = this.#parts;
    const failed = new Set<Entry>();
    let lastError: unknown;
    try {
      const plans = entries.map((entry) => entry.plan);
      const { readBytesMax } = limits;
      const groups = await gatherGroups(journal, plans, { readBytesMax, wantsEvidence, deflater });
      const files = new PassFiles(groups, deflater);
      for (const entry of files.inOrder(entries)) {
        if (signal.aborted) return;
        if (entry.isGone) continue;
        try {
          await this.#parts.offer(entry, await files.compose(entry.plan, wantsEvidence(entry.plan)));
        } catch (error) {
          lastError = error;
          failed.add(entry);
        }
      }
    } catch (error) {
      lastError = error;
      for (const entry of entries) failed.add(entry);
    }
    if (failed.size === 0) return faults.clear("composer");
    faults.raise(
      "composer",
      lastError,
      "Log files could not be composed or put aside; they are tried again.",
    );
    for (const entry of failed) this.addLater(entry);
  }

  #queue(entries: Iterable<Entry>, notBeforeMs: number): void {
    const joinable = new Map<string, Batch>();
    for (const batch of this.#batches) if (batch.notBeforeMs >= notBeforeMs) joinable.set(batch.cut, batch);
    for (const entry of entries) {
      const cut = `${entry.plan.partition}/${entry.plan.cutSeq}`;
      const batch = joinable.get(cut) ?? { cut, entries: [], notBeforeMs };
      if (batch.entries.length === 0) this.#batches.push(batch);
      joinable.set(cut, batch);
      batch.entries.push(entry);
    }
    this.#bell.ring();
  }

  #takeDue(): Batch | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    const at = this.#batches.findIndex(({ notBeforeMs }) => notBeforeMs <= nowMs);
    return at < 0 ? undefined : this.#batches.splice(at, 1)[0];
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const dueMs = this.#batches.reduce((least, { notBeforeMs }) => Math.min(least, notBeforeMs), Infinity);
    if (dueMs === Infinity) await this.#bell.wait(signal);
    else await this.#bell.wait(signal, (inner) => clock.sleep(dueMs - clock.monotonicMs(), inner));
  }
}
