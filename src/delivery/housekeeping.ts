// Looks after what nobody else comes back to: files past their retention, left-overs of deleted trails, places
// that may be forgotten, status documents and expired private keys. Must not: cut, compose or write files.
import type { Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import type { Digests } from "./digests.ts";
import type { GivenUp } from "./given-up.ts";
import type { Notifier } from "./notices.ts";
import type { StatusBook } from "./status-book.ts";
import type { Writer } from "./writer.ts";

export interface HousekeepingParts {
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  readonly ledger: Ledger;
  readonly statuses: StatusBook;
  readonly writer: Writer;
  readonly digests: Digests;
  readonly notifier: Notifier;
  readonly givenUp: GivenUp;
  readonly faults: Faults;
}

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  /**
   * When this process first saw that a destination is deleted, in monotonic time: a clock that is set, or a day
   * without power, takes nothing from the time for its last files.
   */
  readonly #seenMs = new Map<string, number>();
  /** Deleted destinations for which nothing more can be appended: where the journal ended then. */
  readonly #ends = new Map<string, ReadonlyMap<string, number>>();

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { ports, limits, options, faults } = this.#parts;
    while (!signal.aborted) {
      await ports.clock.sleep(Math.min(limits.sweepMs, options.deliveryIntervalMs), signal);
      try {
        if (!signal.aborted) await this.#sweep(signal);
        faults.clear("state");
      } catch (error) {
        faults.raise("state", error, "Delivery could not tidy up; it is tried again.");
      }
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    this.#parts.writer.sweep();
    await this.#parts.statuses.store();
    await this.#parts.ports.signer.forgetExpired();
    await this.#giveUpExpired(signal);
    for (const incarnation of this.#destinations()) {
      if (signal.aborted) return;
      await this.#endDeleted(incarnation);
    }
  }

  async #giveUpExpired(signal: AbortSignal): Promise<void> {
    const { ports, options, ledger, writer } = this.#parts;
    const oldestMs = ports.clock.nowMs() - options.retentionMs;
    for (const entry of ledger.entries) {
      // Entries come in age order.
      if (entry.plan.createdMs >= oldestMs || signal.aborted) return;
      await writer.giveUp(entry, "retention");
    }
  }

  /** A deleted trail: gives up what is left after its time, and lets its place be forgotten when nothing is left. */
  async #endDeleted(incarnation: string): Promise<void> {
    const { ports, options, limits, ledger, writer, digests, notifier } = this.#parts;
    if (ports.places.place(incarnation)?.deletedMs === undefined) return;
    const nowMs = ports.clock.monotonicMs();
    const seenMs = this.#seenMs.get(incarnation) ?? nowMs;
    this.#seenMs.set(incarnation, seenMs);
    if (nowMs > seenMs + options.deletedGraceMs) {
      for (const entry of ledger.entriesOf(incarnation)) await writer.giveUp(entry, "trail-deleted");
      await notifier.giveUp(incarnation);
    }
    // A record may have been decided just before the trail was deleted, and be appended a moment later.
    if (nowMs < seenMs + limits.appendMsMax) return;
    const ends = this.#ends.get(incarnation) ?? ledger.journalEnds();
    this.#ends.set(incarnation, ends);
    const isCut = [...ends].every(([partition, seq]) => ledger.cutOf(partition).to >= seq);
    if (!isCut || ledger.hasPlans(incarnation)) return;
    // The last digest comes after the last log file.
    if (notifier.hasNotices(incarnation) || !digests.isIdle(incarnation)) return;
    await this.#forget(incarnation);
  }

  async #forget(incarnation: string): Promise<void> {
    const { ports, statuses, digests, notifier, givenUp } = this.#parts;
    await digests.forget(incarnation);
    notifier.forget(incarnation);
    givenUp.forget(incarnation);
    await statuses.forget(incarnation);
    await ports.places.forget(incarnation);
    this.#ends.delete(incarnation);
    this.#seenMs.delete(incarnation);
  }

  #destinations(): ReadonlySet<string> {
    const { ports, ledger, statuses } = this.#parts;
    return new Set([...ledger.incarnations, ...statuses.incarnations, ...ports.places.deleted()]);
  }
}
