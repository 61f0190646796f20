// One lane: the undelivered files of one destination at one bucket, log group or bus, and when the next of them may be tried.
// Pure scheduling: the time and the jitter are given. Must not: do I/O, know places or plans' documents.
//
// - Files never tried come first, oldest first; a file that failed waits for its own time and comes after them, so
//   that one file the bucket always refuses does not stand before all others.
// - A failure makes the lane failing: one pause, then one probe, doubling up to the cap. Any success heals it.
import { assert } from "../model/assert.ts";
import type { HeldBodies } from "./held-bodies.ts";
import type { Entry } from "./ledger.ts";
import { backoffMs } from "./limits.ts";
import { compareAge } from "./plan.ts";
import { placeIn } from "./sorted-queue.ts";

export interface LaneItem {
  readonly entry: Entry;
  /** Composed bytes held in memory; absent when they are in the outbox. */
  bytes?: Uint8Array;
  /** Monotonic time of its next try; 0 when it was never tried. */
  retryAtMs: number;
}

/** Puts under way at once, and the bytes they may hold together. */
export interface LaneLimits {
  readonly putsMax: number;
  readonly bytesMax: number;
  /** What may be read from the outbox for one more put; a probe is not bound by it. */
  readonly readBytesMax: number;
}

/** Why a lane fails. */
export interface LaneFailure {
  /** When its first try in a row failed, by the wall clock. */
  readonly sinceMs: number;
  /** Absent when there was no usable answer. */
  readonly code?: string;
  readonly message: string;
  /** Failed tries in a row. */
  readonly attempts: number;
}

export interface LanePause {
  readonly firstMs: number;
  readonly msMax: number;
}

interface Weight {
  readonly held: number;
  readonly outbox: number;
  readonly body: Uint8Array | undefined;
}

export class Lane {
  /** Of the bucket, log group or bus (plan.ts `addressOf`). */
  readonly address: string;
  readonly incarnation: string;
  readonly #pause: LanePause;
  /** Those of all lanes. */
  readonly #bodies: HeldBodies;
  /** Never tried by this process, by age. */
  #fresh: LaneItem[] = [];
  /** Failed before, by time of the next try. */
  #tried: LaneItem[] = [];
  #inFlight = 0;
  #inFlightBytes = 0;
  #readBytes = 0;
  #failures = 0;
  #retryAtMs = 0;
  #failure: LaneFailure | undefined;
  #probedAtMs = 0;
  #probe: LaneItem | undefined;
  /** What an item weighed when it was added: it is taken off again when the item leaves, not before. */
  readonly #weights = new Map<LaneItem, Weight>();
  #heldBytes = 0;
  #outboxBytes = 0;
  /** The destination's settings when they were last looked at, in one text. */
  settings: string;

  constructor(
    of: { address: string; incarnation: string; settings: string; bodies: HeldBodies },
    pause: LanePause,
  ) {
    this.address = of.address;
    this.incarnation = of.incarnation;
    this.settings = of.settings;
    this.#bodies = of.bodies;
    this.#pause = pause;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Monotonic time of the last probe: who waits longest probes next. */
  get probedAtMs(): number {
    return this.#probedAtMs;
  }

  /** Present while the last try failed. */
  get failure(): LaneFailure | undefined {
    return this.#failure;
  }

  /** Monotonic time of the next probe; undefined while one is under way. */
  get retryAtMs(): number | undefined {
    return this.#probe ? undefined : this.#retryAtMs;
  }

  get isProbing(): boolean {
    return this.#probe !== undefined;
  }

  /** Composed bytes in memory, those of puts under way included: a hanging put holds its memory. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes from the outbox that puts under way hold, but for a probe's. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get outboxBytes(): number {
    return this.#outboxBytes;
  }

  get isEmpty(): boolean {
    return this.#fresh.length === 0 && this.#tried.length === 0 && this.#inFlight === 0;
  }

  add(item: LaneItem): void {
    this.#weigh(item);
    if (item.retryAtMs === 0) insert(this.#fresh, item, (a, b) => compareAge(a.entry.plan, b.entry.plan));
    else insert(this.#tried, item, (a, b) => a.retryAtMs - b.retryAtMs);
  }

  /** Takes a queued item out; false when it is in flight. */
  remove(item: LaneItem): boolean {
    for (const queue of [this.#fresh, this.#tried]) {
      const at = queue.indexOf(item);
      if (at < 0) continue;
      queue.splice(at, 1);
      this.#unweigh(item);
      return true;
    }
    return false;
  }

  /** Takes out the oldest queued item that holds its bytes in memory. */
  takeHeld(): LaneItem | undefined {
    const item = this.#fresh.find(({ bytes }) => bytes !== undefined);
    if (item) this.remove(item);
    return item;
  }

  /** Takes out all queued items of which `leaves` is true. */
  takeLeaving(leaves: (item: LaneItem) => boolean): readonly LaneItem[] {
    const taken = [...this.#fresh, ...this.#tried].filter(leaves);
    const gone = new Set(taken);
    this.#fresh = this.#fresh.filter((item) => !gone.has(item));
    this.#tried = this.#tried.filter((item) => !gone.has(item));
    for (const item of taken) this.#unweigh(item);
    return taken;
  }

  /** The oldest queued item whose bytes lie in the outbox. */
  oldestInOutbox(): LaneItem | undefined {
    let oldest = this.#fresh.find((item) => !item.bytes);
    for (const item of this.#tried) {
      if (!item.bytes && (!oldest || compareAge(item.entry.plan, oldest.entry.plan) < 0)) oldest = item;
    }
    return oldest;
  }

  /** The next item to try now; it is in flight until `ended`. */
  next(nowMs: number, limits: LaneLimits): LaneItem | undefined {
    const item = this.isFailing ? this.#nextProbe(nowMs) : this.#nextRegular(nowMs, limits);
    if (!item) return undefined;
    this.#inFlight += 1;
    this.#inFlightBytes += this.#bytesOf(item);
    if (item !== this.#probe) this.#readBytes += this.#bytesToRead(item);
    return item;
  }

  /** Milliseconds until time alone lets `next`, which just gave nothing, give something; else undefined. */
  waitMs(nowMs: number): number | undefined {
    const [tried] = this.#tried;
    const isWaiting = this.#fresh.length > 0 || tried !== undefined;
    const dueMs = this.isFailing ? this.#retryAtMs : tried?.retryAtMs;
    return isWaiting && dueMs !== undefined && dueMs > nowMs ? dueMs - nowMs : undefined;
  }

  /** The item is no longer in flight; add it again when it is still to be delivered. */
  ended(item: LaneItem): void {
    this.#inFlight -= 1;
    this.#inFlightBytes -= this.#bytesOf(item);
    if (this.#probe === item) this.#probe = undefined;
    else this.#readBytes -= this.#bytesToRead(item);
    this.#unweigh(item);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failure = undefined;
  }

  /** Keeps what a failed try said, for those who ask. */
  noteFailure(said: { readonly nowMs: number; readonly code?: string; readonly message: string }): void {
    const { nowMs, ...why } = said;
    const { sinceMs = nowMs, attempts = 0 } = this.#failure ?? {};
    this.#failure = { ...why, sinceMs, attempts: attempts + 1 };
  }

  /** Notes a failed try: sets when this item and this lane may try again. Call it before `ended`. */
  failed(item: LaneItem, now: { nowMs: number; attempts: number; fraction: number }): void {
    const { nowMs, attempts, fraction } = now;
    item.retryAtMs = nowMs + backoffMs(attempts, { ...this.#pause, fraction });
    // Puts that were under way when the lane began to fail say nothing new.
    if (this.isFailing && this.#probe !== item) return;
    this.#failures += 1;
    this.#retryAtMs = nowMs + backoffMs(this.#failures, { ...this.#pause, fraction });
  }

  /** The destination's settings changed: a failing lane probes at once. */
  probeNow(): void {
    this.#retryAtMs = 0;
  }

  #nextProbe(nowMs: number): LaneItem | undefined {
    if (this.#inFlight > 0 || nowMs < this.#retryAtMs) return undefined;
    this.#probe = this.#fresh.shift() ?? this.#tried.shift();
    this.#probedAtMs = nowMs;
    return this.#probe;
  }

  #nextRegular(nowMs: number, limits: LaneLimits): LaneItem | undefined {
    const { putsMax, bytesMax, readBytesMax } = limits;
    if (this.#inFlight >= putsMax) return undefined;
    const [fresh] = this.#fresh;
    const [tried] = this.#tried;
    const isDue = tried !== undefined && tried.retryAtMs <= nowMs;
    const item = fresh ?? (isDue ? tried : undefined);
    if (!item || this.#bytesToRead(item) > readBytesMax) return undefined;
    // One file may always be under way, however large.
    if (this.#inFlight > 0 && this.#inFlightBytes + this.#bytesOf(item) > bytesMax) return undefined;
    return fresh ? this.#fresh.shift() : this.#tried.shift();
  }

  /** What a put of this item holds in memory. */
  #bytesOf(item: LaneItem): number {
    const weight = this.#weights.get(item);
    return weight ? Math.max(weight.held, weight.outbox) : 0;
  }

  #bytesToRead(item: LaneItem): number {
    return this.#weights.get(item)?.outbox ?? 0;
  }

  #weigh(item: LaneItem): void {
    const { backing } = item.entry.plan;
    const held = item.bytes?.length ?? 0;
    const outbox = backing.kind === "outbox" ? backing.sizeBytes : 0;
    this.#weights.set(item, { held, outbox, body: item.bytes });
    if (item.bytes) this.#bodies.hold(item.bytes);
    this.#heldBytes += held;
    this.#outboxBytes += outbox;
  }

  #unweigh(item: LaneItem): void {
    const weight = this.#weights.get(item);
    assert(weight, "an item that leaves a lane was in it");
    this.#weights.delete(item);
    if (weight.body) this.#bodies.release(weight.body);
    this.#heldBytes -= weight.held;
    this.#outboxBytes -= weight.outbox;
  }
}

/** Keeps `queue` sorted; equal items keep their order. */
function insert(queue: LaneItem[], item: LaneItem, compare: (a: LaneItem, b: LaneItem) => number): void {
  queue.splice(placeIn(queue, item, { compare }), 0, item);
}
