// One lane: the notices of one trail that wait for its topic, and which of them may go next. Pure scheduling: time and
// jitter are given. Must not: do I/O, know places or documents. The same rules as lane.ts, where files are scheduled:
//
// - A failure makes the lane failing: one pause, then one probe of one notice, doubling up to the cap. A success heals it.
//   A probe is one that was never tried if there is one: a notice that is refused for its own sake stops no other.
// - A healthy lane sends the oldest first, one log file per message as the real service does. What waited behind a failure
//   goes out with several per message: a month of one topic's silence must not take hours to tell.
// - A message of several that failed is not tried again in that form.
// - Until its first success a lane sends one message at a time: it may hang.
import { assert } from "../model/assert.ts";
import type { LaneFailure, LanePause } from "./lane.ts";
import { backoffMs } from "./limits.ts";
import type { Notice, NoticeEntry } from "./notice-book.ts";
import { emptyMessageBytes, keyBytes, keysPerMessageMax, messageBytesMax } from "./notice-message.ts";
import { SortedQueue } from "./sorted-queue.ts";

export interface LaneNotice extends NoticeEntry {
  /** Grows with every notice of this process: age order. */
  readonly order: number;
  /** Monotonic time of its next try; 0 when it was never tried. */
  retryAtMs: number;
  /** It failed together with others. */
  isAlone: boolean;
}

export class NoticeLane {
  readonly incarnation: string;
  readonly #pause: LanePause;
  /** Never tried by this process, oldest first. */
  readonly #fresh = new SortedQueue<LaneNotice>((a, b) => a.order - b.order);
  /** Failed before, by time of the next try. */
  readonly #tried = new SortedQueue<LaneNotice>((a, b) => a.retryAtMs - b.retryAtMs);
  #inFlight = 0;
  #inFlightNotices = 0;
  #probe: readonly LaneNotice[] | undefined;
  #failures = 0;
  #retryAtMs = 0;
  #failure: LaneFailure | undefined;
  #isProven = false;
  #lastOrder = 0;
  /** Notices up to this one waited behind a failure. */
  #backlogTo = 0;
  /** The topic that its trail had when it was last looked at; a lane without one stands still. */
  topicArn: string | undefined;
  /** When it last began something, in the turns of its keeper: who waited longest comes first. */
  turn = 0;

  constructor(of: { incarnation: string; topicArn: string | undefined }, pause: LanePause) {
    this.incarnation = of.incarnation;
    this.topicArn = of.topicArn;
    this.#pause = pause;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  get isProbing(): boolean {
    return this.#probe !== undefined;
  }

  /** Present while it is failing. */
  get failure(): LaneFailure | undefined {
    return this.#failure;
  }

  /** Messages under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Monotonic time before which a failing lane does not probe. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Notices that wait, those under way included. */
  get size(): number {
    return this.queued + this.#inFlightNotices;
  }

  get queued(): number {
    return this.#fresh.length + this.#tried.length;
  }

  add(item: LaneNotice): void {
    this.#lastOrder = Math.max(this.#lastOrder, item.order);
    (item.retryAtMs === 0 ? this.#fresh : this.#tried).add(item);
  }

  /** Adds what the last process left: one that failed there makes its lane failing, so that it begins with a probe. */
  adopt(item: LaneNotice): void {
    this.add(item);
    if (item.notice.attempts === 0 || this.isFailing) return;
    this.#failures = 1;
    this.#failure = leftOver(item.notice);
  }

  /** The notices of the next message, under way until `ended`; none when nothing may go now. */
  next(nowMs: number, publishesMax: number): readonly LaneNotice[] {
    const batch = this.isFailing ? this.#nextProbe(nowMs) : this.#nextRegular(nowMs, publishesMax);
    if (batch.length === 0) return batch;
    this.#inFlight += 1;
    this.#inFlightNotices += batch.length;
    return batch;
  }

  /** Monotonic time at which time alone lets `next` give something; undefined when time alone does not. */
  dueMs(): number | undefined {
    if (this.queued === 0 || this.topicArn === undefined) return undefined;
    if (this.isFailing) return this.#retryAtMs;
    return this.#fresh.length > 0 ? 0 : this.#tried.first?.retryAtMs;
  }

  /** The message is no longer under way; add its notices again when they still have to go out. */
  ended(batch: readonly LaneNotice[]): void {
    assert(this.#inFlight > 0, "what ended was under way");
    this.#inFlight -= 1;
    this.#inFlightNotices -= batch.length;
    if (this.#probe === batch) this.#probe = undefined;
  }

  succeeded(): void {
    // All that waited while it failed.
    if (this.isFailing) this.#backlogTo = this.#lastOrder;
    this.#failures = 0;
    this.#failure = undefined;
    this.#isProven = true;
  }

  /** Notes a failed try: sets when these notices and this lane may try again. Call it before `ended`. */
  failed(
    batch: readonly LaneNotice[],
    why: { readonly code?: string; readonly message: string },
    now: { readonly monotonicMs: number; readonly wallMs: number; readonly fraction: number },
  ): void {
    const { monotonicMs, wallMs, fraction } = now;
    const pause = { ...this.#pause, fraction };
    for (const item of batch) {
      item.retryAtMs = monotonicMs + backoffMs(item.notice.attempts + 1, pause);
      if (batch.length > 1) item.isAlone = true;
    }
    // What was under way when the lane began to fail says nothing new.
    if (this.isFailing && this.#probe !== batch) return;
    this.#failures += 1;
    this.#retryAtMs = monotonicMs + backoffMs(this.#failures, pause);
    const { sinceMs = wallMs, attempts = 0 } = this.#failure ?? {};
    this.#failure = { sinceMs, attempts: attempts + 1, ...why };
  }

  /** The trail has another topic now: what was learnt of the old one is void. */
  follow(topicArn: string | undefined): void {
    this.topicArn = topicArn;
    for (const item of this.#tried.take(() => true)) {
      item.retryAtMs = 0;
      this.#fresh.add(item);
    }
    this.#retryAtMs = 0;
    this.#isProven = false;
  }

  /** Takes out everything that is queued and older than this; all of it without a time. */
  takeOlder(createdBeforeMs = Infinity): readonly LaneNotice[] {
    const isOld = ({ notice }: LaneNotice): boolean => notice.createdMs < createdBeforeMs;
    const { first } = this.#fresh;
    // Fresh ones come in age order: most of the time they need not be looked through.
    const fresh = first && isOld(first) ? this.#fresh.take(isOld) : [];
    return [...this.#tried.take(isOld), ...fresh];
  }

  /** The oldest queued notice. */
  oldest(): LaneNotice | undefined {
    let oldest = this.#fresh.first;
    for (const item of this.#tried) if (!oldest || item.order < oldest.order) oldest = item;
    return oldest;
  }

  /** Takes the oldest queued notice out. */
  takeOldest(): LaneNotice | undefined {
    const item = this.oldest();
    if (item === this.#fresh.first) this.#fresh.takeFirst();
    else this.#tried.take((other) => other === item);
    return item;
  }

  #nextProbe(nowMs: number): readonly LaneNotice[] {
    if (this.#inFlight > 0 || nowMs < this.#retryAtMs) return [];
    const item = this.#fresh.takeFirst() ?? this.#tried.takeFirst();
    if (!item) return [];
    this.#probe = [item];
    return this.#probe;
  }

  #nextRegular(nowMs: number, publishesMax: number): readonly LaneNotice[] {
    if (this.#inFlight >= (this.#isProven ? publishesMax : 1)) return [];
    const first = this.#takeDue(nowMs, () => true);
    if (!first) return [];
    const batch = [first];
    if (!this.#isBacklog(first)) return batch;
    const { bucket } = first.notice;
    let bytes = emptyMessageBytes(bucket) + keyBytes(first.notice.key);
    while (batch.length < keysPerMessageMax) {
      const room = messageBytesMax - bytes;
      const item = this.#takeDue(
        nowMs,
        (item) => this.#isBacklog(item) && item.notice.bucket === bucket && keyBytes(item.notice.key) <= room,
      );
      if (!item) return batch;
      batch.push(item);
      bytes += keyBytes(item.notice.key);
    }
    return batch;
  }

  #isBacklog(item: LaneNotice): boolean {
    return item.order <= this.#backlogTo && !item.isAlone;
  }

  /** Takes the older of the first fresh and the first due one, if it fits. */
  #takeDue(nowMs: number, fits: (item: LaneNotice) => boolean): LaneNotice | undefined {
    const { first: fresh } = this.#fresh;
    const { first: tried } = this.#tried;
    const due = tried && tried.retryAtMs <= nowMs ? tried : undefined;
    const isTried = due !== undefined && (fresh === undefined || due.order < fresh.order);
    const item = isTried ? due : fresh;
    if (!item || !fits(item)) return undefined;
    return isTried ? this.#tried.takeFirst() : this.#fresh.takeFirst();
  }
}

/** What the last process knew of a failure. */
function leftOver(notice: Notice): LaneFailure {
  const { firstFailedMs, createdMs, code, attempts } = notice;
  return {
    sinceMs: firstFailedMs ?? createdMs,
    ...(code === undefined ? {} : { code }),
    ...{ message: "It failed before this process began.", attempts },
  };
}
