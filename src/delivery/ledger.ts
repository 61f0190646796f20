// The ledger of plans: every plan that is not fulfilled yet, in memory and in the state store, the committed cut of
// each partition, and what the journal may forget because of them. Must not: read records or write objects.
//
// - A cut's plans are stored first; the cut document commits them. Plans above the committed cut are left-overs of
//   a crash: they are discarded at the start, before a new cut can take their numbers.
// - A plan's document is removed after its object is stored, never before.
// - The journal keeps everything from the oldest frame that is uncut or that a journal-backed plan covers.
import type { Journal, Position } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import type { StateStore } from "../state/contract.ts";
import { Bell } from "./bell.ts";
import type { Faults } from "./faults.ts";
import type { DeliveryLimits } from "./limits.ts";
import {
  type CutPosition,
  cutKey,
  parseCutPosition,
  parsePlan,
  type Plan,
  planKey,
  planKeyPrefix,
} from "./plan.ts";

const readerName = "delivery";

/** A plan in memory. Everybody holds the same object; `plan` is replaced when the document changes. */
export interface Entry {
  plan: Plan;
  /** Version of the stored document; undefined when a failed write left it in doubt. */
  version: number | undefined;
  /** Fulfilled or given up, from the moment its document is being removed: whoever still holds it forgets it. */
  isGone: boolean;
  /** How many of the writer's listeners heard that it is in its bucket: with all of them only the plan is left. */
  told: number;
}

export interface Cut extends CutPosition {
  readonly partition: string;
  readonly plans: readonly Plan[];
}

export interface LedgerParts {
  readonly state: StateStore;
  readonly journal: Journal;
  readonly limits: DeliveryLimits;
  readonly faults: Faults;
}

type Changes = Partial<
  Pick<Plan, "target" | "evidence" | "backing" | "attempts" | "firstFailedMs" | "outcome" | "code">
>;

interface PartitionState {
  cut: CutPosition & { readonly version: number | undefined };
  /** Cuts with journal-backed plans: their first frame and how many such plans are left. A later cut may begin before. */
  readonly open: Map<number, { from: number; left: number }>;
  released: number;
  isReleasing: boolean;
}

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #partitions = new Map<string, PartitionState>();
  readonly #entries = new Set<Entry>();
  readonly #ids = new Set<string>();
  readonly #ofIncarnation = new Map<string, Set<Entry>>();
  readonly #drains = new Bell();
  #journalBacked = 0;
  #outboxFiles = 0;
  #outboxBytes = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /**
   * Loads every partition, discards uncommitted plans and registers the journal reader.
   * Throws when a document cannot be read, or when journal and state do not belong together.
   */
  async open(): Promise<void> {
    for (const partition of this.#parts.journal.partitions) await this.#openPartition(partition);
  }

  cutOf(partition: string): CutPosition {
    return this.#partition(partition).cut;
  }

  /** Unfulfilled plans, oldest first within a partition. */
  get entries(): Iterable<Entry> {
    return this.#entries;
  }

  get incarnations(): Iterable<string> {
    return this.#ofIncarnation.keys();
  }

  entriesOf(incarnation: string): Iterable<Entry> {
    return this.#ofIncarnation.get(incarnation) ?? [];
  }

  hasPlans(incarnation: string): boolean {
    return this.#ofIncarnation.has(incarnation);
  }

  get counts(): {
    readonly journalFiles: number;
    readonly outboxFiles: number;
    readonly outboxBytes: number;
  } {
    return {
      journalFiles: this.#journalBacked,
      outboxFiles: this.#outboxFiles,
      outboxBytes: this.#outboxBytes,
    };
  }

  /**
   * Stores a cut's plans, then the cut. Throws when the store fails: call it again with the same cut, whatever
   * of it was written. Returns the new entries.
   */
  async commit(cut: Cut): Promise<readonly Entry[]> {
    const { partition, seq, to, ahead } = cut;
    const own = this.#partition(partition);
    assert(seq === own.cut.seq + 1, "cuts are committed one after the other");
    const entries: Entry[] = [];
    for (let at = 0; at < cut.plans.length; at += this.#parts.limits.writesAtOnceMax) {
      const some = cut.plans.slice(at, at + this.#parts.limits.writesAtOnceMax);
      entries.push(...(await Promise.all(some.map((plan) => this.#storePlan(plan)))));
    }
    const position: CutPosition = { seq, to, ...(ahead && { ahead }) };
    own.cut = { ...position, version: await this.#storeCut(partition, position, own.cut.version) };
    for (const entry of entries) this.#add(entry);
    await this.#release(partition);
    return entries;
  }

  /** Changes a plan's document, then the plan. Throws when the store fails; the plan in memory is then as before. */
  async update(entry: Entry, changes: Changes): Promise<void> {
    const { state } = this.#parts;
    assert(!entry.isGone, "a plan that goes away is not changed");
    const plan: Plan = { ...entry.plan, ...changes };
    const key = planKey(plan);
    // In doubt after a failed write: the document may even be gone, when it was the removal that failed.
    const expected = entry.version ?? (await state.get(key))?.version ?? "absent";
    entry.version = undefined;
    const outcome = await state.put(key, plan, expected);
    assert(outcome.kind === "stored", `only one process changes plan ${plan.id}`);
    entry.version = outcome.version;
    const before = entry.plan.backing;
    this.#countBacking(entry.plan, -1);
    entry.plan = plan;
    this.#countBacking(plan, 1);
    if (before.kind === "journal" && plan.backing.kind === "outbox") await this.#leaveJournal(plan);
  }

  /** Notes what this process knows without storing it; a restart falls back to `unknown`. */
  remember(
    entry: Entry,
    changes: Pick<Changes, "evidence" | "attempts" | "firstFailedMs" | "outcome" | "code">,
  ): void {
    entry.plan = { ...entry.plan, ...changes };
  }

  /** The plan is fulfilled or given up. Throws when the store fails; the plan then stays. */
  async remove(entry: Entry): Promise<void> {
    if (entry.isGone) return;
    const { plan } = entry;
    // Before the first wait: nobody may begin with the plan while its document is removed.
    entry.isGone = true;
    try {
      await this.#parts.state.delete(planKey(plan), "any");
    } catch (error) {
      entry.isGone = false;
      throw error;
    }
    this.#entries.delete(entry);
    this.#ids.delete(plan.id);
    this.#countBacking(plan, -1);
    const siblings = this.#ofIncarnation.get(plan.incarnation);
    siblings?.delete(entry);
    if (siblings?.size === 0) {
      this.#ofIncarnation.delete(plan.incarnation);
      this.#drains.ring();
    }
    if (plan.backing.kind === "journal") await this.#leaveJournal(plan);
  }

  /** Where the journal ends now: partition → the next frame. */
  journalEnds(): ReadonlyMap<string, number> {
    const { journal } = this.#parts;
    return new Map(journal.partitions.map((partition) => [partition, journal.end(partition).seq]));
  }

  /** Whether everything before `ends` is cut, and no log file of the destination with frames before them is left. */
  isDrained(incarnation: string, ends: ReadonlyMap<string, number>): boolean {
    for (const [partition, seq] of ends) if (this.cutOf(partition).to < seq) return false;
    for (const { plan } of this.entriesOf(incarnation)) {
      if (plan.target.kind === "bucket" && plan.from < (ends.get(plan.partition) ?? 0)) return false;
    }
    return true;
  }

  isPlanned(planId: string): boolean {
    return this.#ids.has(planId);
  }

  /** Resolves when the destination has no plan left, or when `signal` aborts. */
  async drained(incarnation: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#ofIncarnation.has(incarnation)) await this.#drains.wait(signal);
  }

  async #openPartition(partition: string): Promise<void> {
    const { state, journal } = this.#parts;
    assert(
      /^[A-Za-z0-9_.]{1,64}$/.test(partition),
      "a partition's name can stand in a file name and a state key",
    );
    const stored = await state.get(cutKey(partition));
    const start = journal.start(partition).seq;
    const cut = stored ? parseCutPosition(stored.value) : { seq: 0, to: start };
    assertSameHistory({ partition, cut, start, end: journal.end(partition).seq });
    this.#partitions.set(partition, {
      cut: { ...cut, version: stored?.version },
      open: new Map(),
      released: 0,
      isReleasing: false,
    });
    // Byte order of the keys is age order.
    for (const { key, value, version } of await state.list(planKeyPrefix(partition))) {
      const plan = parsePlan(value);
      if (plan.cutSeq > cut.seq) await state.delete(key, "any");
      else this.#add({ plan: afterRestart(plan), version, isGone: false, told: 0 });
    }
    const position = this.#needed(partition);
    journal.registerReader(readerName, position);
    await this.#release(partition);
  }

  async #storePlan(plan: Plan): Promise<Entry> {
    const outcome = await this.#parts.state.put(planKey(plan), plan, "any");
    assert(outcome.kind === "stored", "a put without condition is stored");
    return { plan, version: outcome.version, isGone: false, told: 0 };
  }

  async #storeCut(partition: string, cut: CutPosition, before: number | undefined): Promise<number> {
    const { state } = this.#parts;
    const outcome = await state.put(cutKey(partition), cut, before ?? "absent");
    if (outcome.kind === "stored") return outcome.version;
    // An earlier try may have been stored although it failed.
    const stored = await state.get(cutKey(partition));
    const current = stored && parseCutPosition(stored.value);
    assert(current?.seq === cut.seq && current.to === cut.to, `only one process cuts partition ${partition}`);
    return stored?.version ?? 0;
  }

  #add(entry: Entry): void {
    const { plan } = entry;
    this.#entries.add(entry);
    this.#ids.add(plan.id);
    this.#countBacking(plan, 1);
    const siblings = this.#ofIncarnation.get(plan.incarnation) ?? new Set();
    this.#ofIncarnation.set(plan.incarnation, siblings.add(entry));
    if (plan.backing.kind !== "journal") return;
    const { open } = this.#partition(plan.partition);
    const cut = open.get(plan.cutSeq);
    if (cut) {
      cut.left += 1;
      cut.from = Math.min(cut.from, plan.from);
    } else open.set(plan.cutSeq, { from: plan.from, left: 1 });
  }

  #countBacking(plan: Plan, by: 1 | -1): void {
    if (plan.backing.kind === "journal") {
      this.#journalBacked += by;
      return;
    }
    this.#outboxFiles += by;
    this.#outboxBytes += by * plan.backing.sizeBytes;
  }

  async #leaveJournal(plan: Plan): Promise<void> {
    const { open } = this.#partition(plan.partition);
    const cut = open.get(plan.cutSeq);
    assert(cut, "a journal-backed plan keeps its cut open");
    cut.left -= 1;
    if (cut.left > 0) return;
    open.delete(plan.cutSeq);
    await this.#release(plan.partition);
  }

  #needed(partition: string): Position {
    const { cut, open } = this.#partition(partition);
    let seq = cut.to;
    for (const { from } of open.values()) seq = Math.min(seq, from);
    return { partition, seq };
  }

  /** One release at a time. A failed one only delays trimming: the next one says the same and more. */
  async #release(partition: string): Promise<void> {
    const own = this.#partition(partition);
    if (own.isReleasing) return;
    own.isReleasing = true;
    try {
      for (let at = this.#needed(partition); at.seq > own.released; at = this.#needed(partition)) {
        await this.#parts.journal.release(readerName, at);
        own.released = at.seq;
      }
      this.#parts.faults.clear("journal");
    } catch (error) {
      this.#parts.faults.raise("journal", error, "The journal could not be released; it is tried again.");
    } finally {
      own.isReleasing = false;
    }
  }

  #partition(partition: string): PartitionState {
    const own = this.#partitions.get(partition);
    assert(own, `partition ${partition} is open`);
    return own;
  }
}

/** A plan that lay in the journal may have been written just before the process ended: nobody knows. */
function afterRestart(plan: Plan): Plan {
  return plan.backing.kind === "journal" ? { ...plan, outcome: "unknown" } : plan;
}

function assertSameHistory(found: { partition: string; cut: CutPosition; start: number; end: number }): void {
  const { partition, cut, start, end } = found;
  const last = Math.max(cut.to, ...Object.values(cut.ahead ?? {}));
  if (cut.to >= start && last <= end) return;
  throw new Error(
    `Delivery has cut partition ${partition} up to frame ${last}, but its journal holds frames ${start} to ${end}: journal and state do not belong together.`,
  );
}
