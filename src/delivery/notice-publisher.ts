// Sends notices: which lanes may start a message, one message from start to end, what its outcome means. Must not: store
// new notices or give any up (notices.ts).
import type { Topics } from "../aws/contract.ts";
import { inTime } from "../model/in-time.ts";
import { Bell } from "./bell.ts";
import type { Faults } from "./faults.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { NoticeBook } from "./notice-book.ts";
import type { LaneNotice, NoticeLane } from "./notice-lane.ts";
import { noticeMessage } from "./notice-message.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import { answerWithin } from "./service-call.ts";
import type { SendOutcome } from "./sink.ts";
import type { StatusBook } from "./status-book.ts";

export interface PublishLimits {
  /** Messages under way at once for one trail whose topic answers. */
  readonly publishesPerLaneMax: number;
  /** The same over all trails, probes apart. */
  readonly publishesMax: number;
  /** Failing lanes that probe at once. */
  readonly probesMax: number;
}

export interface PublisherParts {
  readonly ports: Pick<DeliveryPorts, "places" | "services" | "clock" | "random" | "log" | "metrics">;
  readonly options: Pick<DeliveryOptions, "putTimeoutMs">;
  readonly limits: Pick<DeliveryLimits, "retryFirstMs" | "stopMsMax">;
  readonly noticeLimits: PublishLimits;
  readonly statuses: Pick<StatusBook, "note" | "store">;
  readonly faults: Pick<Faults, "raise">;
  readonly book: NoticeBook<LaneNotice>;
  /** By incarnation. */
  readonly lanes: ReadonlyMap<string, NoticeLane>;
  /** The number of waiting notices changed. */
  readonly measure: () => void;
}

/** One message under way. */
interface Attempt {
  readonly lane: NoticeLane;
  /** Where it goes: the lane may have followed its trail to another topic meanwhile. */
  readonly topicArn: string;
  readonly batch: readonly LaneNotice[];
}

export class NoticePublisher {
  readonly #parts: PublisherParts;
  readonly #work = new Set<Promise<void>>();
  readonly #bell = new Bell();
  readonly #stopped = new AbortController();
  /** Ends the waiting of one message each. */
  readonly #open = new Set<AbortController>();
  #isClosed = false;
  #turn = 0;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Starts messages as lanes allow, until `signal` aborts or `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, services } = this.#parts.ports;
    const end = AbortSignal.any([signal, this.#stopped.signal]);
    while (!end.aborted) {
      const waitMs = services.topics && this.#startPublishes(services.topics);
      await this.#bell.wait(end, waitMs === undefined ? undefined : (signal) => clock.sleep(waitMs, signal));
    }
  }

  /** Begins nothing more; what is under way gets `stopMsMax` to finish, the rest is left for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await inTime(Promise.allSettled(this.#work), this.#parts.limits.stopMsMax, this.#parts.ports.clock);
    this.#isClosed = true;
    for (const message of this.#open) message.abort();
  }

  /** There is something new to send, or another place to send it. */
  ring(): void {
    this.#bell.ring();
  }

  /** Starts what may start now; returns the milliseconds until time alone lets more start, if ever. */
  #startPublishes(topics: Topics): number | undefined {
    const { clock, places } = this.#parts.ports;
    const { probesMax, publishesMax, publishesPerLaneMax } = this.#parts.noticeLimits;
    const lanes = [...this.#parts.lanes.values()].sort((a, b) => a.turn - b.turn);
    const nowMs = clock.monotonicMs();
    let probes = lanes.filter((lane) => lane.isProbing).length;
    let publishes = lanes.reduce((sum, lane) => sum + (lane.isProbing ? 0 : lane.inFlight), 0);
    let waitMs: number | undefined;
    for (const lane of lanes) {
      const topicArn = places.place(lane.incarnation)?.topicArn;
      if (topicArn !== lane.topicArn) lane.follow(topicArn);
      if (topicArn === undefined) continue;
      const hasRoom = (): boolean => (lane.isFailing ? probes < probesMax : publishes < publishesMax);
      while (hasRoom()) {
        const batch = lane.next(nowMs, publishesPerLaneMax);
        if (batch.length === 0) break;
        if (lane.isProbing) probes += 1;
        else publishes += 1;
        lane.turn = ++this.#turn;
        this.#track(this.#attempt(topics, { lane, topicArn, batch }));
      }
      const dueMs = lane.dueMs();
      // What is due and did not start waits for something to end, which rings.
      if (dueMs !== undefined && dueMs > nowMs) waitMs = Math.min(waitMs ?? Infinity, dueMs - nowMs);
    }
    return waitMs;
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** One message from start to end. Never rejects. */
  async #attempt(topics: Topics, tried: Attempt): Promise<void> {
    const { lane, topicArn, batch } = tried;
    const outcome = await this.#publish(topics, tried);
    if (this.#isClosed) return;
    this.#noteStatus(tried, outcome);
    const isOfThisTopic = lane.topicArn === topicArn;
    if (outcome.kind === "stored") {
      if (isOfThisTopic) this.#heal(lane);
      await this.#settle(batch);
      if (this.#isClosed) return;
      lane.ended(batch);
      this.#parts.measure();
    } else {
      await this.#failed(tried, outcome);
      if (this.#isClosed) return;
      lane.ended(batch);
      for (const item of batch) lane.add(item);
    }
    this.#bell.ring();
  }

  async #publish(topics: Topics, { topicArn, batch }: Attempt): Promise<SendOutcome> {
    const { ports, options } = this.#parts;
    const bucket = batch[0]?.notice.bucket ?? "";
    const message = noticeMessage(
      bucket,
      batch.map(({ notice }) => notice.key),
    );
    const closing = new AbortController();
    this.#open.add(closing);
    const bounds = { clock: ports.clock, callMsMax: options.putTimeoutMs, signal: closing.signal };
    const outcome = await answerWithin(bounds, (signal) => topics.publish(topicArn, message, signal));
    this.#open.delete(closing);
    return outcome.kind === "done" ? { kind: "stored" } : outcome;
  }

  #noteStatus({ batch }: Attempt, outcome: SendOutcome): void {
    const { ports, statuses } = this.#parts;
    const nowMs = ports.clock.nowMs();
    const incarnation = batch[0]?.notice.incarnation ?? "";
    for (const region of new Set(batch.map(({ notice }) => notice.region))) {
      statuses.note("notification", { incarnation, region }, { outcome, nowMs });
    }
  }

  #heal(lane: NoticeLane): void {
    const { incarnation, topicArn, isFailing } = lane;
    lane.succeeded();
    if (!isFailing) return;
    const fields = { incarnation, topicArn, waiting: lane.queued };
    this.#parts.ports.log.info(fields, "The topic takes notifications again.");
  }

  /** The topic has them. Ends when that is stored, or at the stop: then the next process sends them once more. */
  async #settle(batch: readonly LaneNotice[]): Promise<void> {
    const { ports, limits, statuses, faults } = this.#parts;
    ports.metrics.count("notifications_sent_total", {}, batch.length);
    for (;;) {
      try {
        // Before the notice goes: what GetTrailStatus once told is still told after a crash.
        await statuses.store();
        await this.#parts.book.remove(batch);
        return;
      } catch (error) {
        faults.raise("state", error, "A sent notification could not be crossed off; it is tried again.");
      }
      if (this.#stopped.signal.aborted) return;
      await ports.clock.sleep(limits.retryFirstMs, this.#stopped.signal);
    }
  }

  async #failed(
    { lane, topicArn, batch }: Attempt,
    outcome: Exclude<SendOutcome, { kind: "stored" }>,
  ): Promise<void> {
    const { ports, faults } = this.#parts;
    const { clock, random, log, metrics } = ports;
    const { message } = outcome;
    const code = outcome.kind === "refused" ? { code: outcome.code } : {};
    // A failure of the topic of yesterday says nothing of the one of today.
    if (lane.topicArn === topicArn) {
      const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs(), fraction: random.fraction() };
      lane.failed(batch, { ...code, message }, now);
    }
    const changesOf = ({ notice }: LaneNotice) => ({
      ...{ attempts: notice.attempts + 1, firstFailedMs: notice.firstFailedMs ?? clock.nowMs() },
      ...code,
    });
    const [first, ...others] = batch;
    for (const item of others) item.notice = { ...item.notice, ...changesOf(item) };
    const label = code.code ?? "no-answer";
    metrics.count("notification_failures_total", { code: label });
    const fields = { trail: first?.notice.trail, topicArn, objectKey: first?.notice.key };
    const more = { notifications: batch.length, attempts: (first?.notice.attempts ?? 0) + 1, code: label };
    log.warn({ ...fields, ...more, error: message }, "A notification could not be sent; it is tried again.");
    try {
      // One tells the next process what it must know: that this topic fails.
      if (first) await this.#parts.book.change(first, changesOf(first));
    } catch (error) {
      faults.raise(
        "state",
        error,
        "A failed notification could not be noted; it is tried again all the same.",
      );
    }
  }
}
