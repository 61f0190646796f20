// Fulfils plans whose records lie in the journal: cut by cut, pass by pass, it composes their files and hands each
// to the writer. It never waits for a bucket. Must not: know lanes or outcomes.
import type { Journal } from "../journal/contract.ts";
import type { Clock } from "../model/environment.ts";
import { Bell } from "./bell.ts";
import { type ComposedFile, PassFiles, splitIntoPasses } from "./compose.ts";
import type { Deflater } from "./deflater.ts";
import type { Faults } from "./faults.ts";
import { type Gathered, gatherGroups, type WantsEvidence } from "./gather.ts";
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
  /** The records, when they were gathered already. */
  readonly gathered?: Gathered;
}

export class Composer {
  readonly #parts: ComposerParts;
  readonly #batches: Batch[] = [];
  readonly #bell = new Bell();
  /** Of the batches that are not done. */
  readonly #gathered = new Set<Gathered>();

  constructor(parts: ComposerParts) {
    this.#parts = parts;
  }

  /** Takes plans of any cuts, in age order. */
  add(entries: Iterable<Entry>): void {
    this.#queue(entries, 0);
  }

  /** Takes the plans of one cut whose records are gathered. */
  addGathered(entries: readonly Entry[], gathered: Gathered): void {
    const [first] = entries;
    if (!first) return;
    this.#gathered.add(gathered);
    this.#batches.push({ cut: cutOf(first), entries: [...entries], notBeforeMs: 0, gathered });
    this.#bell.ring();
  }

  /** Whether more records may be gathered: what waits here is held in memory. */
  get takesGathered(): boolean {
    let heldBytes = 0;
    for (const gathered of this.#gathered) heldBytes += gathered.heldBytes();
    return heldBytes < this.#parts.limits.liveWaitingBytesMax;
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
      if (batch?.gathered) await this.#composeGathered(batch.entries, batch.gathered, signal);
      else if (batch) await this.#compose(batch.entries, signal);
      else await this.#pause(signal);
    }
  }

  async #compose(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const { limits } = this.#parts;
    const entryOf = new Map(entries.filter((entry) => !entry.isGone).map((entry) => [entry.plan, entry]));
    for (const pass of splitIntoPasses([...entryOf.keys()], limits.passBytesMax)) {
      if (signal.aborted) return;
      const ofPass = pass.flatMap((plan) => entryOf.get(plan) ?? []);
      await this.#composePass(ofPass, () => this.#readFiles(ofPass), signal);
    }
  }

  async #composeGathered(entries: readonly Entry[], gathered: Gathered, signal: AbortSignal): Promise<void> {
    const { deflater, wantsEvidence } = this.#parts;
    const files = new PassFiles(gathered.groups, deflater);
    // A trail that validates since the cut was begun: its text was not kept.
    const isWhole = ({ plan }: Entry) => !wantsEvidence(plan) || files.hasText(plan);
    const whole = entries.filter(isWhole);
    this.#queue(
      entries.filter((entry) => !isWhole(entry)),
      0,
    );
    try {
      await this.#composePass(whole, () => Promise.resolve(files), signal);
    } finally {
      this.#gathered.delete(gathered);
    }
  }

  async #readFiles(entries: readonly Entry[]): Promise<PassFiles> {
    const { journal, limits, wantsEvidence, deflater } = this.#parts;
    const plans = entries.map((entry) => entry.plan);
    const { readBytesMax } = limits;
    return new PassFiles(
      await gatherGroups(journal, plans, { readBytesMax, wantsEvidence, deflater }),
      deflater,
    );
  }

  /** One plan that fails does not keep its neighbours back. */
  async #composePass(
    entries: readonly Entry[],
    read: () => Promise<PassFiles>,
    signal: AbortSignal,
  ): Promise<void> {
    const { faults, wantsEvidence } = this.#parts;
    const failed = new Set<Entry>();
    let lastError: unknown;
    try {
      const files = await read();
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
    for (const batch of this.#batches) {
      if (!batch.gathered && batch.notBeforeMs >= notBeforeMs) joinable.set(batch.cut, batch);
    }
    for (const entry of entries) {
      const cut = cutOf(entry);
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

function cutOf({ plan }: Entry): string {
  return `${plan.partition}/${plan.cutSeq}`;
}
