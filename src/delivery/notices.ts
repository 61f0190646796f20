// Tells SNS topics of delivered log files (formats.md §4), retried like every destination. Read notice-book.ts (what is
// stored), notice-lane.ts (what goes when) and notice-message.ts (what is said) beside it. Must not: put files, know
// digests (they are not announced), or hold a delivery up: a notice is stored, and sent afterwards.
//
// - A notice is stored before the plan of its file goes and removed after its topic confirmed it. A process that ends
//   between a publish and that removal, and an answer that is lost, bring the same file again: at least once.
// - A lane per trail: a topic that fails or hangs delays only the trail that names it. Many that hang share few probes,
//   in turn; those that answer do not wait for them.
// - A notice goes to the topic that its trail has when it is sent: UpdateTrail repairs a dead topic for all that
//   waits. A trail without a topic has nothing to announce any more: what waited is dropped, which is no loss.
// - What is older than the retention, or beyond the bound on notices, is given up: counted, logged, shown.
import { assert } from "../model/assert.ts";
import type { DeliveredFile, DeliveredListener } from "./delivered-file.ts";
import { comingMs, type FailureReport, failureReport } from "./delivery-report.ts";
import type { Faults } from "./faults.ts";
import type { DeliveryLimits } from "./limits.ts";
import { type Notice, NoticeBook } from "./notice-book.ts";
import { type LaneNotice, NoticeLane } from "./notice-lane.ts";
import { NoticePublisher, type PublishLimits } from "./notice-publisher.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import type { StatusBook } from "./status-book.ts";

export interface NoticeLimits extends PublishLimits {
  /** Notices that may wait, over all trails: every one costs about half a kilobyte of memory. */
  readonly noticesMax: number;
}

export const defaultNoticeLimits: NoticeLimits = {
  noticesMax: 500_000,
  publishesPerLaneMax: 4,
  publishesMax: 256,
  probesMax: 32,
};

type SharedLimits = Pick<
  DeliveryLimits,
  "writesAtOnceMax" | "retryFirstMs" | "retryMsMax" | "sweepMs" | "stopMsMax"
>;

export interface NotifierParts {
  readonly ports: Pick<
    DeliveryPorts,
    "state" | "places" | "services" | "clock" | "random" | "log" | "metrics"
  >;
  readonly options: Pick<DeliveryOptions, "deliveryIntervalMs" | "retentionMs" | "putTimeoutMs">;
  readonly limits: SharedLimits;
  readonly noticeLimits?: NoticeLimits;
  readonly statuses: Pick<StatusBook, "note" | "store">;
  /** Trouble with the state store is raised as `state`; housekeeping takes it back. */
  readonly faults: Pick<Faults, "raise">;
}

type NoticeLossReason = "retention" | "trail-deleted" | "notices-full";

/** What `cairn status` shows of one trail's topic; times in milliseconds since the epoch. */
export interface NotificationReport {
  readonly waiting: { readonly files: number; readonly oldestMs?: number };
  /** Present while the last attempt failed. `nextTryMs` is absent while one is under way. */
  readonly failing?: FailureReport;
  /** Since this process began. */
  readonly givenUp: { readonly files: number; readonly latestMs?: number };
  readonly note?: string;
}

export class Notifier implements DeliveredListener {
  readonly #parts: NotifierParts;
  readonly #limits: NoticeLimits;
  readonly #book: NoticeBook<LaneNotice>;
  /** By incarnation; those with nothing waiting are dropped at the next sweep. */
  readonly #lanes = new Map<string, NoticeLane>();
  /** By incarnation, until it is forgotten. */
  readonly #givenUp = new Map<string, { readonly files: number; readonly latestMs: number }>();
  /** Incarnations that have a topic and no service to reach it, until they are forgotten. */
  readonly #warned = new Set<string>();
  readonly #publisher: NoticePublisher;
  #lastOrder = 0;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#limits = parts.noticeLimits ?? defaultNoticeLimits;
    this.#book = new NoticeBook(parts.ports.state, parts.limits);
    this.#publisher = new NoticePublisher({
      ...parts,
      ...{ noticeLimits: this.#limits, book: this.#book, lanes: this.#lanes },
      measure: () => this.#measure(),
    });
  }

  /** Loads what the last process left. Throws when a document cannot be read. Comes before everything else. */
  async open(): Promise<void> {
    const { log, services } = this.#parts.ports;
    await this.#book.open((notice) => {
      const item = this.#item(notice);
      this.#laneOf(notice.incarnation).adopt(item);
      return item;
    });
    this.#measure();
    const notifications = this.#book.size;
    if (notifications === 0) return;
    if (services.topics) log.info({ notifications }, "Notifications of the last process are sent now.");
    else log.warn({ notifications }, "No SNS endpoint is configured: the waiting notifications stay.");
  }

  isNoted(planId: string): boolean {
    return this.#book.has(planId);
  }

  /** Stores that the file must be announced, if its trail has a topic. Throws when the state store fails. */
  async delivered(file: DeliveredFile): Promise<void> {
    const { places, services, clock } = this.#parts.ports;
    const topicArn = places.place(file.incarnation)?.topicArn;
    if (topicArn === undefined || this.#book.has(file.planId)) return;
    if (!services.topics) {
      this.#warnOnce(file, topicArn);
      return;
    }
    const { planId, incarnation, trail, region, bucket, key } = file;
    const createdMs = clock.nowMs();
    const item = this.#item({
      ...{ planId, incarnation, trail, region, topicArn, bucket, key, createdMs },
      attempts: 0,
    });
    if (this.#book.size >= this.#limits.noticesMax) await this.#makeRoom();
    await this.#book.add(item);
    this.#laneOf(incarnation).add(item);
    this.#measure();
    this.#publisher.ring();
  }

  /** Sends what waits, until `signal` aborts or `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#publisher.run(signal), this.#sweeping(signal)]);
  }

  /** Begins nothing more; what is under way gets `stopMsMax` to finish, the rest is left for the next start. */
  async stop(): Promise<void> {
    await this.#publisher.stop();
  }

  /** Whether notices of this trail wait or are under way: its place is still needed. */
  hasNotices(incarnation: string): boolean {
    return (this.#lanes.get(incarnation)?.size ?? 0) > 0;
  }

  /** The time of a deleted trail is over. What is under way just now is left; call it again. Throws when the store fails. */
  async giveUp(incarnation: string): Promise<void> {
    const lane = this.#lanes.get(incarnation);
    if (lane) await this.#abandon(lane, lane.takeOlder(), "trail-deleted");
  }

  /** The destination is no more. Call it when `hasNotices` is false. */
  forget(incarnation: string): void {
    assert(!this.hasNotices(incarnation), "a trail is forgotten when nothing of it waits");
    this.#lanes.delete(incarnation);
    this.#givenUp.delete(incarnation);
    this.#warned.delete(incarnation);
  }

  get counts(): { readonly waiting: number; readonly lanesFailing: number } {
    const lanesFailing = [...this.#lanes.values()].filter((lane) => lane.isFailing).length;
    return { waiting: this.#book.size, lanesFailing };
  }

  report(incarnation: string): NotificationReport {
    const { clock, places, services } = this.#parts.ports;
    const lane = this.#lanes.get(incarnation);
    const oldestMs = lane?.oldest()?.notice.createdMs;
    const failure = lane?.failure;
    const isUnreachable = !services.topics && places.place(incarnation)?.topicArn !== undefined;
    return {
      waiting: { files: lane?.size ?? 0, ...(oldestMs === undefined ? {} : { oldestMs }) },
      ...(lane &&
        failure && {
          failing: failureReport({
            ...failure,
            ...(!lane.isProbing && { nextTryMs: comingMs(lane.retryAtMs, clock) }),
          }),
        }),
      givenUp: this.#givenUp.get(incarnation) ?? { files: 0 },
      ...(isUnreachable ? { note: "No SNS endpoint is configured: nothing is sent to the topic." } : {}),
    };
  }

  async #sweeping(signal: AbortSignal): Promise<void> {
    const { ports, options, limits, faults } = this.#parts;
    while (!signal.aborted) {
      await ports.clock.sleep(Math.min(limits.sweepMs, options.deliveryIntervalMs), signal);
      if (signal.aborted) return;
      try {
        for (const lane of this.#lanes.values()) await this.#sweep(lane);
      } catch (error) {
        faults.raise("state", error, "Notifications could not be tidied up; it is tried again.");
      }
      // A trail may have another topic.
      this.#publisher.ring();
    }
  }

  async #sweep(lane: NoticeLane): Promise<void> {
    const { ports, options } = this.#parts;
    const place = ports.places.place(lane.incarnation);
    if (!place) await this.#abandon(lane, lane.takeOlder(), "trail-deleted");
    else if (place.topicArn === undefined) await this.#drop(lane, lane.takeOlder());
    const oldestMs = ports.clock.nowMs() - options.retentionMs;
    await this.#abandon(lane, lane.takeOlder(oldestMs), "retention");
    if (lane.size === 0) this.#lanes.delete(lane.incarnation);
  }

  async #drop(lane: NoticeLane, items: readonly LaneNotice[]): Promise<void> {
    const [first] = items;
    if (!first) return;
    await this.#remove(lane, items);
    this.#parts.ports.log.info(
      { trail: first.notice.trail, notifications: items.length },
      "The trail has no topic any more; its waiting notifications were dropped.",
    );
  }

  /** Takes the place of one notice from who has most. Nothing queued: those under way pass the bound for a moment. */
  async #makeRoom(): Promise<void> {
    let fullest: NoticeLane | undefined;
    for (const lane of this.#lanes.values()) if (lane.queued > (fullest?.queued ?? 0)) fullest = lane;
    const victim = fullest?.takeOldest();
    if (fullest && victim) await this.#abandon(fullest, [victim], "notices-full");
  }

  /** Gives up notices that were taken out of their lane. Throws when the store fails; they are back in it then. */
  async #abandon(lane: NoticeLane, items: readonly LaneNotice[], reason: NoticeLossReason): Promise<void> {
    const { clock, log, metrics } = this.#parts.ports;
    const [first] = items;
    if (!first) return;
    await this.#remove(lane, items);
    const { trail, bucket, key, attempts, code } = first.notice;
    log.error(
      {
        ...{ trail, topicArn: lane.topicArn ?? first.notice.topicArn, bucket, objectKey: key },
        ...{ notifications: items.length, attempts, code, reason },
      },
      "Notifications were given up; the topic will not hear of these log files.",
    );
    metrics.count("notifications_given_up_total", { reason }, items.length);
    const files = (this.#givenUp.get(lane.incarnation)?.files ?? 0) + items.length;
    this.#givenUp.set(lane.incarnation, { files, latestMs: clock.nowMs() });
  }

  async #remove({ incarnation }: NoticeLane, items: readonly LaneNotice[]): Promise<void> {
    try {
      await this.#book.remove(items);
    } catch (error) {
      // The lane itself may have been dropped as empty meanwhile.
      for (const item of items) if (this.#book.has(item.notice.planId)) this.#laneOf(incarnation).add(item);
      throw error;
    } finally {
      this.#measure();
    }
  }

  #item(notice: Notice): LaneNotice {
    return { notice, order: ++this.#lastOrder, retryAtMs: 0, isAlone: false };
  }

  #laneOf(incarnation: string): NoticeLane {
    const lane = this.#lanes.get(incarnation);
    if (lane) return lane;
    const { ports, options, limits } = this.#parts;
    const made = new NoticeLane(
      { incarnation, topicArn: ports.places.place(incarnation)?.topicArn },
      { firstMs: Math.min(limits.retryFirstMs, options.deliveryIntervalMs), msMax: limits.retryMsMax },
    );
    this.#lanes.set(incarnation, made);
    return made;
  }

  #warnOnce({ incarnation, trail }: DeliveredFile, topicArn: string): void {
    if (this.#warned.has(incarnation)) return;
    this.#warned.add(incarnation);
    this.#parts.ports.log.warn(
      { trail, topicArn },
      "The trail names an SNS topic, but no SNS endpoint is configured: its log files are not announced.",
    );
  }

  #measure(): void {
    this.#parts.ports.metrics.gauge("notifications_waiting", this.#book.size);
  }
}
