// Sends composed files to their targets: lanes, tries, outcomes, the way into the outbox and out of it.
// Must not: read the journal, decide what is in a file, or change a target except by plan.ts's `targetOf`.
//
// Each destination at each bucket, log group or bus has its own lane. A lane per bucket alone would let one trail whose prefix or
// key is refused stop every other trail that shares the bucket.
//
// - A file is tried from memory once. When that fails, or when its lane is failing or holds too much, its bytes go
//   into the outbox, which frees the journal.
// - A try from the outbox is announced in the plan first (`unknown`): if the process ends in the middle, the plan
//   does not move, because the object may be there.
// - When the outbox is full, the lane that fills it most gives up its oldest file: one dead bucket pays for itself.
import { assert } from "../model/assert.ts";
import { inTime } from "../model/in-time.ts";
import { Bell } from "./bell.ts";
import type { ComposedFile } from "./compose.ts";
import { targetFields, tellDelivered, tellFailed } from "./delivery-log.ts";
import type { DeliveredFile, DeliveredListener } from "./delivered-file.ts";
import { comingMs } from "./delivery-report.ts";
import { evidenceOfFile } from "./evidence.ts";
import type { Faults } from "./faults.ts";
import type { GivenUp } from "./given-up.ts";
import { HeldBodies } from "./held-bodies.ts";
import { Lane, type LaneFailure, type LaneItem, type LaneLimits } from "./lane.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import {
  addressOf,
  logGroupTarget,
  type Plan,
  type Target,
  type TargetKind,
  targetOf,
  targetText,
} from "./plan.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import type { SendOutcome, Sink } from "./sink.ts";
import type { StatusBook } from "./status-book.ts";

export interface WriterParts {
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly statuses: StatusBook;
  readonly faults: Faults;
  readonly sinks: Readonly<Record<TargetKind, Sink>>;
  /** Hear of every log file that is in its bucket. */
  readonly listeners: readonly DeliveredListener[];
  readonly givenUp: GivenUp;
  /** Takes back a plan whose bytes are nowhere but in the journal. */
  readonly recompose: (entry: Entry) => void;
}

export type GiveUpReason = "retention" | "trail-deleted" | "target-removed" | "outbox-full" | "damaged";

/** What becomes of an item after a try. */
type Next = "done" | "again" | "recompose" | "elsewhere";
type FailedSend = Exclude<SendOutcome, { readonly kind: "stored" }>;

export class Writer {
  readonly #parts: WriterParts;
  readonly #firstRetryMs: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #bodies = new HeldBodies();
  readonly #placed = new Map<Entry, { readonly lane: Lane; readonly item: LaneItem }>();
  /** Entries whose outbox file is being written. */
  readonly #moving = new Set<Entry>();
  readonly #spilling = new Set<Lane>();
  readonly #work = new Set<Promise<void>>();
  readonly #bell = new Bell();
  readonly #stopped = new AbortController();
  /** Ends the waiting for all puts. */
  readonly #closing = new AbortController();
  #outboxTurn: Promise<unknown> = Promise.resolve();

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#firstRetryMs = Math.min(parts.limits.retryFirstMs, parts.options.deliveryIntervalMs);
  }

  /** Starts tries as lanes allow, until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const waitMs = this.#startTries();
      const { clock } = this.#parts.ports;
      await this.#bell.wait(
        this.#stopped.signal,
        waitMs === undefined ? undefined : (signal) => clock.sleep(waitMs, signal),
      );
    }
  }

  /** Starts nothing more; what is under way gets `stopMsMax` to finish, the rest is left for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await inTime(Promise.allSettled(this.#work), this.#parts.limits.stopMsMax, this.#parts.ports.clock);
    this.#closing.abort();
  }

  /** Takes a freshly composed file. Resolves when it is queued or safe in the outbox; throws when neither worked. */
  async offer(entry: Entry, { bytes, evidence }: ComposedFile): Promise<void> {
    if (entry.isGone) return;
    if (evidence) this.#parts.ledger.remember(entry, { evidence });
    const lane = this.#laneOf(entry.plan);
    if (!lane.isFailing && this.#hasRoom(lane, bytes)) {
      this.#place(lane, { entry, bytes, retryAtMs: 0 });
      return;
    }
    try {
      await this.#toOutbox(entry, bytes, {});
    } catch (error) {
      this.#offerAsProbe(entry, bytes, error);
      return;
    }
    this.adopt(entry);
  }

  /** Nothing can be put aside: a failing lane without a file would never find out that its bucket is well again. */
  #offerAsProbe(entry: Entry, bytes: Uint8Array, error: unknown): void {
    const lane = this.#laneOf(entry.plan);
    if (entry.isGone || !lane.isEmpty || !this.#hasRoom(lane, bytes)) throw error;
    this.#parts.faults.raise("outbox", error, "A log file could not be put aside; it waits in memory.");
    this.#place(lane, { entry, bytes, retryAtMs: 0 });
  }

  /** Takes a plan whose file lies in the outbox. */
  adopt(entry: Entry): void {
    if (entry.isGone) return;
    this.#place(this.#laneOf(entry.plan), { entry, retryAtMs: 0 });
  }

  /**
   * Settles a plan of the last process whose log file was noted as delivered: it is in its bucket. Those who hear of
   * files in turn may not all have heard. False when nobody noted it. Throws when the state store fails.
   */
  async settleNoted(entry: Entry): Promise<boolean> {
    const { listeners } = this.#parts;
    const last = listeners.findLastIndex((listener) => listener.isNoted(entry.plan.id));
    if (last < 0) return false;
    entry.told = last + 1;
    await this.#settle(entry);
    const { trail, target } = entry.plan;
    this.#parts.ports.log.info(
      { trail, ...targetFields(target) },
      "A log file was noted as delivered before the process ended; only its plan was left.",
    );
    return true;
  }

  /** Gives a plan up for good. False when it is being written just now. Throws when the state store fails. */
  async giveUp(entry: Entry, reason: GiveUpReason): Promise<boolean> {
    if (entry.isGone || this.#moving.has(entry)) return false;
    const placed = this.#placed.get(entry);
    if (placed && !placed.lane.remove(placed.item)) return false;
    try {
      await this.#abandon(entry, reason);
    } catch (error) {
      placed?.lane.add(placed.item);
      throw error;
    }
    this.#placed.delete(entry);
    return true;
  }

  /** Follows changed destinations and drops idle lanes. Called now and then. */
  sweep(): void {
    for (const [name, lane] of this.#lanes) {
      if (
        lane.isEmpty &&
        !this.#spilling.has(lane) &&
        !(lane.isFailing && this.#parts.ledger.hasPlans(lane.incarnation))
      ) {
        this.#lanes.delete(name);
        continue;
      }
      const settings = this.#settingsOf(lane.incarnation);
      if (settings === lane.settings) continue;
      lane.settings = settings;
      if (lane.isFailing) this.#followSettings(lane);
    }
    // What could not be put aside was delivered meanwhile: nothing is written to the outbox that could tell.
    if (![...this.#lanes.values()].some((lane) => lane.isFailing)) this.#parts.faults.clear("outbox");
    this.#bell.ring();
  }

  /** Why the destination's deliveries of one kind fail, and when the next try is due; undefined while they do not. */
  failure(
    incarnation: string,
    kind: TargetKind,
  ): (LaneFailure & { readonly nextTryMs?: number }) | undefined {
    const { clock } = this.#parts.ports;
    for (const [name, lane] of this.#lanes) {
      const { failure, retryAtMs } = lane;
      if (!failure || lane.incarnation !== incarnation || !name.startsWith(`${kind}/`)) continue;
      if (retryAtMs === undefined) return failure;
      return { ...failure, nextTryMs: comingMs(retryAtMs, clock) };
    }
    return undefined;
  }

  get counts(): {
    readonly memoryFiles: number;
    readonly memoryBytes: number;
    readonly lanesFailing: number;
  } {
    let memoryFiles = 0;
    for (const { item } of this.#placed.values()) if (item.bytes) memoryFiles += 1;
    const lanesFailing = [...this.#lanes.values()].filter((lane) => lane.isFailing).length;
    return { memoryFiles, memoryBytes: this.#bodies.bytes, lanesFailing };
  }

  /** Starts what may start now; returns the milliseconds until time alone lets more start, if ever. */
  #startTries(): number | undefined {
    const { ports, limits } = this.#parts;
    let probes = [...this.#lanes.values()].filter((lane) => lane.isProbing).length;
    let readBytes = [...this.#lanes.values()].reduce((sum, lane) => sum + lane.readBytes, 0);
    let waitMs: number | undefined;
    for (const lane of this.#lanesInTurn()) {
      const nowMs = ports.clock.monotonicMs();
      const wasProbing = lane.isProbing;
      if (lane.isFailing && !wasProbing && probes >= limits.probesMax) continue;
      const readByOthers = readBytes - lane.readBytes;
      const next = () => lane.next(nowMs, this.#laneLimits(readByOthers + lane.readBytes));
      for (let item = next(); item; item = next()) this.#track(this.#attempt(lane, item));
      readBytes = readByOthers + lane.readBytes;
      if (lane.isProbing && !wasProbing) probes += 1;
      const laneWaitMs = lane.waitMs(nowMs);
      if (laneWaitMs !== undefined) waitMs = Math.min(waitMs ?? laneWaitMs, laneWaitMs);
    }
    return waitMs;
  }

  /** Failing lanes come last, in turn: many that hang must not keep one from ever probing. */
  #lanesInTurn(): readonly Lane[] {
    const lanes = [...this.#lanes.values()];
    const failing = lanes.filter((lane) => lane.isFailing).sort((a, b) => a.probedAtMs - b.probedAtMs);
    return failing.length === 0 ? lanes : [...lanes.filter((lane) => !lane.isFailing), ...failing];
  }

  /** After an outage many lanes read their files from the outbox again; together they are bound, but for one file. */
  #laneLimits(readBytes: number): LaneLimits {
    const { putsPerLaneMax, laneBytesMax, heldBytesMax } = this.#parts.limits;
    const readBytesMax = readBytes === 0 ? Infinity : heldBytesMax - readBytes;
    return { putsMax: putsPerLaneMax, bytesMax: laneBytesMax, readBytesMax };
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** One try from start to end. Never rejects. */
  async #attempt(lane: Lane, item: LaneItem): Promise<void> {
    const { entry } = item;
    let next: Next;
    try {
      next = await this.#try(lane, item);
    } catch (error) {
      if (this.#isClosed) return;
      next = this.#interrupted(lane, item, error);
    }
    if (this.#isClosed) return;
    lane.ended(item);
    this.#placed.delete(entry);
    if (next === "again") this.#place(lane, item);
    if (next === "elsewhere") this.#place(this.#laneOf(entry.plan), { ...item, retryAtMs: 0 });
    if (next === "recompose") this.#parts.recompose(entry);
    if (lane.isFailing) this.#track(this.#spill(lane));
    this.#bell.ring();
  }

  async #try(lane: Lane, item: LaneItem): Promise<Next> {
    const { outbox, ports, statuses } = this.#parts;
    const { entry } = item;
    const place = ports.places.place(entry.plan.incarnation);
    const target = targetOf(entry.plan, place);
    if (addressOf(target) !== lane.address) return "elsewhere";
    if (target.kind === "log-group" && place && !logGroupTarget(entry.plan, place)) {
      await this.#abandon(entry, "target-removed");
      return "done";
    }
    const before = await this.#announce(entry, target);
    const { plan } = entry;
    const body =
      item.bytes ?? (plan.backing.kind === "outbox" ? await outbox.read(plan.id, plan.backing) : "damaged");
    if (body === "damaged") {
      await this.#abandon(entry, "damaged");
      return "done";
    }
    const startedMs = ports.clock.monotonicMs();
    const outcome = await this.#parts.sinks[plan.target.kind].send(plan, body, this.#closing.signal);
    if (this.#isClosed) return "again";
    const elapsedMs = ports.clock.monotonicMs() - startedMs;
    ports.metrics.observe("delivery_put_seconds", elapsedMs / 1000);
    statuses.note(plan.target.kind, plan, { outcome, nowMs: ports.clock.nowMs() });
    if (outcome.kind !== "stored") return this.#failed(lane, item, { outcome, before });
    lane.succeeded();
    await this.#settle(entry, body);
    tellDelivered(ports, plan, { bytes: body.length, elapsedMs });
    await this.#dropFile(entry);
    return "done";
  }

  /** The file is at its target: everybody who must know is told, then the plan goes. Throws when the store fails. */
  async #settle(entry: Entry, body?: Uint8Array): Promise<void> {
    const { ledger, statuses, sinks } = this.#parts;
    const { plan } = entry;
    // Before the plan goes: what digests and notifications must know, and what GetTrailStatus once told.
    await this.#tellListeners(entry, body);
    await statuses.store();
    await ledger.remove(entry);
    sinks[plan.target.kind].forget?.(plan.id);
  }

  /** Writes down where the try goes and that it may succeed. Returns what was known of that place before. */
  async #announce(entry: Entry, target: Target): Promise<Plan["outcome"]> {
    const { plan } = entry;
    if (targetText(target) !== targetText(plan.target)) {
      this.#parts.ports.log.info(
        { trail: plan.trail, from: targetText(plan.target), to: targetText(target) },
        "An undelivered log file follows its trail to another place.",
      );
      await this.#parts.ledger.update(entry, { target, outcome: "unknown" });
      return "none";
    }
    // A restart takes a plan in the journal for unknown; what a document in doubt says, nobody knows.
    const isAnnounced =
      entry.version !== undefined && (plan.outcome === "unknown" || plan.backing.kind === "journal");
    if (!isAnnounced) await this.#parts.ledger.update(entry, { outcome: "unknown" });
    return plan.outcome;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #tellListeners(entry: Entry, body: Uint8Array | undefined): Promise<void> {
    const { ports, options, listeners } = this.#parts;
    const { plan } = entry;
    if (plan.target.kind !== "bucket") return;
    const { id: planId, incarnation, trail, account, region, folder } = plan;
    const { bucket, key } = plan.target;
    const file: DeliveredFile = {
      ...{ planId, incarnation, trail, account, region, folder, bucket, key },
      deliveredMs: ports.clock.nowMs(),
      // Composed before validation was switched on: only its bytes tell.
      async evidence() {
        if (plan.evidence) return plan.evidence;
        assert(body, "who needs the content hears of the file before it goes");
        return evidenceOfFile(body, options.logFileBytesMax);
      },
    };
    // A try that ended in the middle of this is made again: nobody is told twice.
    for (const listener of listeners.slice(entry.told)) {
      await listener.delivered(file);
      entry.told += 1;
    }
  }

  async #failed(
    lane: Lane,
    item: LaneItem,
    tried: { outcome: FailedSend; before: Plan["outcome"] },
  ): Promise<Next> {
    const { ports, ledger, faults } = this.#parts;
    const { entry } = item;
    const { outcome, before } = tried;
    const changes = {
      attempts: entry.plan.attempts + 1,
      firstFailedMs: entry.plan.firstFailedMs ?? ports.clock.nowMs(),
      outcome: outcome.kind === "refused" && before !== "unknown" ? "refused" : "unknown",
      ...(outcome.kind === "refused" ? { code: outcome.code } : {}),
    } as const;
    this.#holdBack(lane, item, changes.attempts);
    const { kind: _kind, ...said } = outcome;
    lane.noteFailure({ ...said, nowMs: ports.clock.nowMs() });
    tellFailed(ports, entry.plan, { outcome, attempts: changes.attempts });
    try {
      if (item.bytes) await this.#toOutbox(entry, item.bytes, changes);
      else await ledger.update(entry, changes);
      delete item.bytes;
      return "again";
    } catch (error) {
      ledger.remember(entry, changes);
      faults.raise("outbox", error, "An undelivered log file could not be put aside; it is tried again.");
      return entry.plan.backing.kind === "outbox" ? "again" : "recompose";
    }
  }

  /** Something of our own failed, state or disk: nobody knows whether the object was written. */
  #interrupted(lane: Lane, item: LaneItem, error: unknown): Next {
    const { ledger, faults } = this.#parts;
    const { entry } = item;
    faults.raise("state", error, "The delivery of a log file was interrupted; it is tried again.");
    // A try from the outbox was announced before it began; one from memory was not.
    const outcome = entry.plan.backing.kind === "journal" ? "unknown" : entry.plan.outcome;
    ledger.remember(entry, { attempts: entry.plan.attempts + 1, outcome });
    this.#holdBack(lane, item, entry.plan.attempts);
    const { clock } = this.#parts.ports;
    lane.noteFailure({ nowMs: clock.nowMs(), message: "Cairn's own state or disk failed." });
    delete item.bytes;
    return entry.plan.backing.kind === "outbox" ? "again" : "recompose";
  }

  #holdBack(lane: Lane, item: LaneItem, attempts: number): void {
    const { clock, random } = this.#parts.ports;
    lane.failed(item, { nowMs: clock.monotonicMs(), attempts, fraction: random.fraction() });
  }

  /** A failing lane keeps nothing in memory: what it holds goes to the outbox. Never rejects. */
  async #spill(lane: Lane): Promise<void> {
    if (this.#spilling.has(lane)) return;
    this.#spilling.add(lane);
    while (lane.isFailing && !this.#stopped.signal.aborted) {
      const item = lane.takeHeld();
      if (!item?.bytes) break;
      try {
        await this.#toOutbox(item.entry, item.bytes, {});
        delete item.bytes;
        lane.add(item);
      } catch (error) {
        this.#parts.faults.raise(
          "outbox",
          error,
          "A log file could not be put aside; it is composed again later.",
        );
        this.#placed.delete(item.entry);
        this.#parts.recompose(item.entry);
      }
    }
    this.#spilling.delete(lane);
    this.#bell.ring();
  }

  /** One outbox file at a time, so that its bounds hold. Throws when the disk or the state store fails. */
  async #toOutbox(
    entry: Entry,
    bytes: Uint8Array,
    changes: Partial<Pick<Plan, "attempts" | "firstFailedMs" | "outcome" | "code">>,
  ): Promise<void> {
    const { outbox, ledger, faults } = this.#parts;
    this.#moving.add(entry);
    const turn = this.#outboxTurn.then(async () => {
      await this.#makeRoom(bytes.length);
      const file = await outbox.write(entry.plan.id, bytes);
      await ledger.update(entry, { ...changes, backing: { kind: "outbox", ...file } });
      faults.clear("outbox");
    });
    this.#outboxTurn = turn.catch(() => undefined);
    try {
      await turn;
    } finally {
      this.#moving.delete(entry);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { ledger, limits, options } = this.#parts;
    for (;;) {
      const { outboxBytes, outboxFiles } = ledger.counts;
      if (outboxBytes + bytes <= options.outboxBytesMax && outboxFiles < limits.outboxFilesMax) return;
      const victim = this.#oldestOfFullestLane();
      const isFreed = victim !== undefined && (await this.giveUp(victim, "outbox-full"));
      if (!isFreed) throw new Error("The outbox is full and all its files are being written just now.");
    }
  }

  #oldestOfFullestLane(): Entry | undefined {
    const lanes = [...this.#lanes.values()].sort((a, b) => b.outboxBytes - a.outboxBytes);
    for (const lane of lanes) {
      const item = lane.oldestInOutbox();
      if (item) return item.entry;
    }
    return undefined;
  }

  async #abandon(entry: Entry, reason: GiveUpReason): Promise<void> {
    const { ports, ledger, sinks, givenUp } = this.#parts;
    const { id, incarnation, trail, target, recordCount, attempts, code } = entry.plan;
    ports.log.error(
      { trail, ...targetFields(target), eventCount: recordCount, attempts, code, reason },
      "A log file was given up; its events will not be delivered.",
    );
    await ledger.remove(entry);
    sinks[target.kind].forget?.(id);
    givenUp.note(incarnation, target.kind, { records: recordCount, nowMs: ports.clock.nowMs() });
    const labels = { reason, target: target.kind };
    ports.metrics.count("delivery_given_up_total", labels);
    ports.metrics.count("delivery_given_up_records_total", labels, recordCount);
    await this.#dropFile(entry);
  }

  /** A file that stays behind is removed at the next start. */
  async #dropFile(entry: Entry): Promise<void> {
    const { id, backing } = entry.plan;
    if (backing.kind !== "outbox") return;
    try {
      await this.#parts.outbox.remove(id);
    } catch (error) {
      this.#parts.ports.log.warn(
        { file: id, error: String(error) },
        "A used outbox file could not be removed.",
      );
    }
  }

  #followSettings(lane: Lane): void {
    const { places } = this.#parts.ports;
    const place = places.place(lane.incarnation);
    lane.probeNow();
    for (const item of lane.takeLeaving(
      ({ entry }) => addressOf(targetOf(entry.plan, place)) !== lane.address,
    )) {
      this.#place(this.#laneOf(item.entry.plan), { ...item, retryAtMs: 0 });
    }
  }

  #place(lane: Lane, item: LaneItem): void {
    lane.add(item);
    this.#placed.set(item.entry, { lane, item });
    this.#bell.ring();
  }

  #laneOf(plan: Plan): Lane {
    const target = targetOf(plan, this.#parts.ports.places.place(plan.incarnation));
    const address = addressOf(target);
    const { incarnation } = plan;
    const name = `${target.kind}/${address}/${incarnation}`;
    const lane = this.#lanes.get(name);
    if (lane) return lane;
    const made = new Lane(
      { address, incarnation, settings: this.#settingsOf(incarnation), bodies: this.#bodies },
      { firstMs: this.#firstRetryMs, msMax: this.#parts.limits.retryMsMax },
    );
    this.#lanes.set(name, made);
    return made;
  }

  /** What a change of UpdateTrail may have repaired. */
  #settingsOf(incarnation: string): string {
    const place = this.#parts.ports.places.place(incarnation);
    const { bucket, keyPrefix, organizationId, kmsKeyArn, logGroupArn, roleArn } = place ?? {};
    return JSON.stringify([bucket, keyPrefix, organizationId, kmsKeyArn, logGroupArn, roleArn]);
  }

  #hasRoom(lane: Lane, body: Uint8Array): boolean {
    const { laneBytesMax, heldBytesMax } = this.#parts.limits;
    const held = this.#bodies.bytes;
    if (held > 0 && !this.#bodies.has(body) && held + body.length > heldBytesMax) return false;
    return lane.heldBytes === 0 || lane.heldBytes + body.length <= laneBytesMax;
  }
}
