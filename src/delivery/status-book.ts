// What GetTrailStatus tells of deliveries, per destination, Region and channel (formats.md §2.7). Kept in memory; a
// success is stored at once, failed attempts now and then: after a crash the last seconds of those may be missing.
// State key: delivery/status/{incarnation}/{region}
import { z } from "zod";
import { unreachable } from "../model/assert.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";
import type { SendOutcome } from "./sink.ts";

/** What is told apart: log files, digests, SNS, CloudWatch Logs, EventBridge (which GetTrailStatus does not show). */
export type Channel = "bucket" | "digest" | "notification" | "log-group" | "event-bus";

const channelSchema = z.object({
  latestMs: z.number().exactOptional(),
  latestError: z.string().exactOptional(),
  latestAttemptMs: z.number().exactOptional(),
  latestSuccessfulAttemptMs: z.number().exactOptional(),
});

/**
 * Times in milliseconds since the epoch; absent until they happened. `latestError` is the error code of the last
 * refusal (for a log group its text): a success takes it back, a time-out leaves it.
 */
export type ChannelStatus = Readonly<z.infer<typeof channelSchema>>;

export interface DeliveryStatus {
  readonly bucket: ChannelStatus;
  readonly digest: ChannelStatus;
  readonly notification: ChannelStatus;
  readonly logGroup: ChannelStatus;
}

const channels = ["bucket", "digest", "notification", "log-group", "event-bus"] as const;
const statusSchema = z.preprocess(fromFirstForm, z.partialRecord(z.enum(channels), channelSchema));
type Status = Readonly<Partial<Record<Channel, ChannelStatus>>>;

const keyPrefix = "delivery/status/";

export class StatusBook {
  readonly #state: StateStore;
  readonly #statuses = new Map<string, Map<Region, Status>>();
  /** Regions of destinations whose document is behind: by document key. */
  readonly #dirty = new Map<string, { readonly incarnation: string; readonly region: Region }>();
  /** Documents that are being stored. */
  readonly #puts = new Set<Promise<void>>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Loads every stored status. Throws when a document cannot be read. */
  async open(): Promise<void> {
    for (const { key, value } of await this.#state.list(keyPrefix)) {
      const [incarnation = "", name = ""] = key.slice(keyPrefix.length).split("/");
      const region = parseRegion(name);
      if (!region) throw new Error(`The stored status ${key} names no Region.`);
      this.#of(incarnation).set(region, statusSchema.parse(value));
    }
  }

  get incarnations(): Iterable<string> {
    return this.#statuses.keys();
  }

  status(incarnation: string, region: Region): DeliveryStatus {
    const status = this.#statuses.get(incarnation)?.get(region) ?? {};
    return {
      bucket: status.bucket ?? {},
      digest: status.digest ?? {},
      notification: status.notification ?? {},
      logGroup: status["log-group"] ?? {},
    };
  }

  /** The latest success of a channel in any Region. */
  latestMs(incarnation: string, channel: Channel): number | undefined {
    let latestMs: number | undefined;
    for (const status of this.#statuses.get(incarnation)?.values() ?? []) {
      const ms = status[channel]?.latestMs;
      if (ms !== undefined && ms > (latestMs ?? 0)) latestMs = ms;
    }
    return latestMs;
  }

  /** What a channel says in each Region in which something happened. */
  regions(incarnation: string, channel: Channel): readonly (readonly [Region, ChannelStatus])[] {
    const regions: [Region, ChannelStatus][] = [];
    for (const [region, status] of this.#statuses.get(incarnation) ?? []) {
      const own = status[channel];
      if (own) regions.push([region, own]);
    }
    return regions.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Notes one try that ended at `nowMs`. */
  note(
    channel: Channel,
    of: { readonly incarnation: string; readonly region: Region },
    ended: { readonly outcome: SendOutcome; readonly nowMs: number },
  ): void {
    const regions = this.#of(of.incarnation);
    const before = regions.get(of.region) ?? {};
    regions.set(of.region, { ...before, [channel]: after(channel, before[channel] ?? {}, ended) });
    const { incarnation, region } = of;
    this.#dirty.set(statusKey(of), { incarnation, region });
  }

  /**
   * Resolves when everything noted before is stored, each document once however many wait for it. Throws when the store
   * fails; what is not stored then is stored the next time.
   */
  async store(): Promise<void> {
    for (const key of this.#dirty.keys()) {
      const put = this.#put(key).finally(() => this.#puts.delete(put));
      this.#puts.add(put);
    }
    await Promise.all(this.#puts);
  }

  /** The destination is no more. */
  async forget(incarnation: string): Promise<void> {
    for (const region of this.#statuses.get(incarnation)?.keys() ?? []) {
      const key = statusKey({ incarnation, region });
      this.#dirty.delete(key);
      await this.#state.delete(key, "any");
    }
    this.#statuses.delete(incarnation);
  }

  async #put(key: string): Promise<void> {
    const of = this.#dirty.get(key);
    this.#dirty.delete(key);
    const status = of && this.#statuses.get(of.incarnation)?.get(of.region);
    if (!status) return;
    try {
      await this.#state.put(key, { ...status }, "any");
    } catch (error) {
      this.#dirty.set(key, of);
      throw error;
    }
  }

  #of(incarnation: string): Map<Region, Status> {
    const regions = this.#statuses.get(incarnation) ?? new Map<Region, Status>();
    this.#statuses.set(incarnation, regions);
    return regions;
  }
}

function statusKey(of: { readonly incarnation: string; readonly region: Region }): string {
  return `${keyPrefix}${of.incarnation}/${of.region}`;
}

function after(
  channel: Channel,
  before: ChannelStatus,
  { outcome, nowMs }: { readonly outcome: SendOutcome; readonly nowMs: number },
): ChannelStatus {
  switch (outcome.kind) {
    case "stored":
      return { latestMs: nowMs, latestAttemptMs: nowMs, latestSuccessfulAttemptMs: nowMs };
    case "refused": {
      const isText = channel === "log-group" && outcome.message !== "";
      return { ...before, latestError: isText ? outcome.message : outcome.code, latestAttemptMs: nowMs };
    }
    case "unknown":
      return { ...before, latestAttemptMs: nowMs };
    default:
      return unreachable(outcome);
  }
}

/** Before there were channels a document held those of the bucket. */
function fromFirstForm(document: unknown): unknown {
  if (typeof document !== "object" || document === null) return document;
  if (!("latestAttemptMs" in document)) return document;
  const { latestDeliveryMs, latestDeliveryError, ...rest } = document as Readonly<Record<string, unknown>>;
  return {
    bucket: {
      ...rest,
      ...(latestDeliveryMs !== undefined && { latestMs: latestDeliveryMs }),
      ...(latestDeliveryError !== undefined && { latestError: latestDeliveryError }),
    },
  };
}
