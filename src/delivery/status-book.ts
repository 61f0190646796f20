// What GetTrailStatus tells of deliveries, per destination and Region (formats.md §2.7). Kept in memory; a delivery is
// stored at once, failed attempts now and then: after a crash the last seconds of those may be missing.
// State key: delivery/status/{incarnation}/{region}
import { z } from "zod";
import type { PutOutcome } from "../bucket/contract.ts";
import { unreachable } from "../model/assert.ts";
import type { Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";

/** Times in milliseconds since the epoch; absent until they happened. */
export interface DeliveryStatus {
  readonly latestDeliveryMs?: number;
  /** S3 error code of the last refusal; a success takes it back, a time-out leaves it. */
  readonly latestDeliveryError?: string;
  readonly latestAttemptMs?: number;
  readonly latestSuccessfulAttemptMs?: number;
}

const statusSchema = z.object({
  latestDeliveryMs: z.number().exactOptional(),
  latestDeliveryError: z.string().exactOptional(),
  latestAttemptMs: z.number().exactOptional(),
  latestSuccessfulAttemptMs: z.number().exactOptional(),
});

const keyPrefix = "delivery/status/";

export class StatusBook {
  readonly #state: StateStore;
  readonly #statuses = new Map<string, Map<string, DeliveryStatus>>();
  #dirty = new Set<string>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Loads every stored status. Throws when a document cannot be read. */
  async open(): Promise<void> {
    for (const { key, value } of await this.#state.list(keyPrefix)) {
      const [incarnation = "", region = ""] = key.slice(keyPrefix.length).split("/");
      this.#of(incarnation).set(region, statusSchema.parse(value));
    }
  }

  get incarnations(): Iterable<string> {
    return this.#statuses.keys();
  }

  status(incarnation: string, region: Region): DeliveryStatus {
    return this.#statuses.get(incarnation)?.get(region) ?? {};
  }

  /** Notes one try to write a log file that ended at `nowMs`. */
  note(of: { incarnation: string; region: Region }, outcome: PutOutcome, nowMs: number): void {
    const before = this.status(of.incarnation, of.region);
    this.#of(of.incarnation).set(of.region, after(before, outcome, nowMs));
    this.#dirty.add(`${of.incarnation}/${of.region}`);
  }

  /** Stores what changed since the last call. Throws when the store fails; the rest is stored the next time. */
  async store(): Promise<void> {
    const dirty = [...this.#dirty];
    for (const name of dirty) {
      const [incarnation = "", region = ""] = name.split("/");
      const status = this.#statuses.get(incarnation)?.get(region);
      this.#dirty.delete(name);
      try {
        if (status) await this.#state.put(keyPrefix + name, { ...status }, "any");
      } catch (error) {
        this.#dirty.add(name);
        throw error;
      }
    }
  }

  /** The destination is no more. */
  async forget(incarnation: string): Promise<void> {
    for (const region of this.#statuses.get(incarnation)?.keys() ?? []) {
      this.#dirty.delete(`${incarnation}/${region}`);
      await this.#state.delete(`${keyPrefix}${incarnation}/${region}`, "any");
    }
    this.#statuses.delete(incarnation);
  }

  #of(incarnation: string): Map<string, DeliveryStatus> {
    const regions = this.#statuses.get(incarnation) ?? new Map<string, DeliveryStatus>();
    this.#statuses.set(incarnation, regions);
    return regions;
  }
}

function after(before: DeliveryStatus, outcome: PutOutcome, nowMs: number): DeliveryStatus {
  switch (outcome.kind) {
    case "stored":
      return { latestDeliveryMs: nowMs, latestAttemptMs: nowMs, latestSuccessfulAttemptMs: nowMs };
    case "refused":
      return { ...before, latestDeliveryError: outcome.code, latestAttemptMs: nowMs };
    case "unknown":
      return { ...before, latestAttemptMs: nowMs };
    default:
      return unreachable(outcome);
  }
}
