// Writes composed log files to their buckets: lanes, tries, outcomes, the way into the outbox and out of it.
// Must not: read the journal, decide what is in a file, or change a key except by plan.ts's `targetOf`.
//
// Each destination at each bucket has its own lane. A lane per bucket alone would let one trail whose prefix or
// key is refused stop every other trail that shares the bucket.
//
// - A file is tried from memory once. When that fails, or when its lane is failing or holds too much, its bytes go
//   into the outbox, which frees the journal.
// - A try from the outbox is announced in the plan first (`unknown`): if the process ends in the middle, the plan
//   does not move, because the object may be there.
// - When the outbox is full, the lane that fills it most gives up its oldest file: one dead bucket pays for itself.
import type { PutOutcome } from "../bucket/contract.ts";
import { Bell } from "./bell.ts";
import type { Faults } from "./faults.ts";
import { Lane, type LaneItem, type LaneLimits } from "./lane.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { type Plan, type Target, targetOf } from "./plan.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import type { StatusBook } from "./status-book.ts";

export interface WriterParts {
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly statuses: StatusBook;
  readonly faults: Faults;
  /** Takes back a plan whose bytes are nowhere but in the journal. */
  readonly recompose: (entry: Entry) => void;
}

export type GiveUpReason = "retention" | "trail-deleted" | "outbox-full" | "damaged";

/** What becomes of an item after a try. */
type Next = "done" | "again" | "recompose" | "elsewhere";
type FailedPut = Exclude<PutOutcome, { readonly kind: "stored" }>;

export class Writer {
  readonly #parts: WriterParts;
  readonly #firstRetryMs: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #placed = new Map<Entry, { readonly lane: Lane; readonly item: LaneItem }>();
  /** Entries whose outbox file is being written. */
  readonly #moving = new Set<Entry>();
  readonly #spilling = new Set<Lane>();
  readonly #work = new Set<Promise<void>>();
  readonly #bell = new Bell();
  readonly #stopped = new AbortController();
  /** Ends the waiting of one put each. */
  readonly #openPuts = new Set<AbortController>();
  #isClosed = false;
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
    const { clock } = this.#parts.ports;
    const ended = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#work),
      clock.sleep(this.#parts.limits.stopMsMax, ended.signal),
    ]);
    ended.abort();
    this.#isClosed = true;
    for (const put of this.#openPuts) put.abort();
  }

  /** Takes a freshly composed file. Resolves when it is queued or safe in the outbox; throws when neither worked. */
  async offer(entry: Entry, bytes: Uint8Array): Promise<void> {
    if (entry.isGone) return;
    const lane = this.#laneOf(entry.plan);
    if (!lane.isFailing && this.#hasRoom(lane, bytes.length)) {
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
    if (entry.isGone || !lane.isEmpty || !this.#hasRoom(lane, bytes.length)) throw error;
    this.#parts.faults.raise("outbox", error, "A log file could not be put aside; it waits in memory.");
    this.#place(lane, { entry, bytes, retryAtMs: 0 });
  }

  /** Takes a plan whose file lies in the outbox. */
  adopt(entry: Entry): void {
    if (entry.isGone) return;
    this.#place(this.#laneOf(entry.plan), { entry, retryAtMs: 0 });
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

  get counts(): {
    readonly memoryFiles: number;
    readonly memoryBytes: number;
    readonly lanesFailing: number;
  } {
    let memoryFiles = 0;
    for (const { item } of this.#placed.values()) if (item.bytes) memoryFiles += 1;
    const lanesFailing = [...this.#lanes.values()].filter((lane) => lane.isFailing).length;
    return { memoryFiles, memoryBytes: this.#heldBytes(), lanesFailing };
  }

  /** Starts what may start now; returns the milliseconds until time alone lets more start, if ever. */
  #startTries(): number | undefined {
    const { ports, limits } = this.#parts;
    let probes = [...this.#lanes.values()].filter((lane) => lane.isProbing).length;
    let readBytes = [...this.#lanes.values()].reduce((sum, lane) => sum + lane.readBytes, 0);
    let waitMs: number | undefined;
    for (const lane of this.#lanes.values()) {
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
    const { ledger, outbox, ports, statuses } = this.#parts;
    const { entry } = item;
    const target = targetOf(entry.plan, ports.places.place(entry.plan.incarnation));
    if (target.bucket !== lane.bucket) return "elsewhere";
    const before = await this.#announce(entry, target);
    const { plan } = entry;
    const body =
      item.bytes ?? (plan.backing.kind === "outbox" ? await outbox.read(plan.id, plan.backing) : "damaged");
    if (body === "damaged") {
      await this.#abandon(entry, "damaged");
      return "done";
    }
    const startedMs = ports.clock.monotonicMs();
    const outcome = await this.#put(plan, body);
    if (this.#isClosed) return "again";
    const elapsedMs = ports.clock.monotonicMs() - startedMs;
    ports.metrics.observe("delivery_put_seconds", elapsedMs / 1000);
    statuses.note(plan, outcome, ports.clock.nowMs());
    if (outcome.kind !== "stored") return this.#failed(lane, item, { outcome, before });
    lane.succeeded();
    // Before the plan goes: what GetTrailStatus once told is still told after a crash.
    await statuses.store();
    await ledger.remove(entry);
    this.#tellDelivered(plan, { bytes: body.length, elapsedMs });
    await this.#dropFile(entry);
    return "done";
  }

  /** Writes down where the try goes and that it may succeed. Returns what was known of that place before. */
  async #announce(entry: Entry, target: Target): Promise<Plan["outcome"]> {
    const { plan } = entry;
    const { bucket, key } = target;
    if (bucket !== plan.bucket || key !== plan.key) {
      this.#parts.ports.log.info(
        { trail: plan.trail, from: `${plan.bucket}/${plan.key}`, to: `${bucket}/${key}` },
        "An undelivered log file follows its trail to another place.",
      );
      await this.#parts.ledger.update(entry, { bucket, key, outcome: "unknown" });
      return "none";
    }
    // A restart takes a plan in the journal for unknown; what a document in doubt says, nobody knows.
    const isAnnounced =
      entry.version !== undefined && (plan.outcome === "unknown" || plan.backing.kind === "journal");
    if (!isAnnounced) await this.#parts.ledger.update(entry, { outcome: "unknown" });
    return plan.outcome;
  }

  async #put(plan: Plan, body: Uint8Array): Promise<PutOutcome> {
    const { ports, options } = this.#parts;
    const place = ports.places.place(plan.incarnation);
    // A key belongs to its bucket: an old bucket keeps the key of its time.
    const kmsKeyArn = place?.bucket === plan.bucket ? place.kmsKeyArn : plan.kmsKeyArn;
    const abandoned = new AbortController();
    const timeIsUp = new AbortController();
    const timedOut = ports.clock.sleep(options.putTimeoutMs, timeIsUp.signal).then((): PutOutcome => {
      abandoned.abort();
      return { kind: "unknown", message: `No answer within ${options.putTimeoutMs} ms.` };
    });
    this.#openPuts.add(timeIsUp);
    const answered = ports.bucket
      .put({
        bucket: plan.bucket,
        key: plan.key,
        body,
        metadata: {
          contentType: "application/json",
          contentEncoding: "gzip",
          encryption:
            kmsKeyArn === undefined ? { algorithm: "AES256" } : { algorithm: "aws:kms", keyArn: kmsKeyArn },
        },
        acl: "bucket-owner-full-control",
        signal: abandoned.signal,
      })
      .catch((error: unknown): PutOutcome => ({ kind: "unknown", message: String(error) }));
    const outcome = await Promise.race([answered, timedOut]);
    this.#openPuts.delete(timeIsUp);
    timeIsUp.abort();
    return outcome;
  }

  async #failed(
    lane: Lane,
    item: LaneItem,
    tried: { outcome: FailedPut; before: Plan["outcome"] },
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
    this.#tellFailed(entry.plan, outcome, changes.attempts);
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
    const { ports, ledger } = this.#parts;
    const { trail, bucket, key, recordCount, attempts, code } = entry.plan;
    ports.log.error(
      { trail, bucket, objectKey: key, eventCount: recordCount, attempts, code, reason },
      "A log file was given up; its events will not be delivered.",
    );
    await ledger.remove(entry);
    ports.metrics.count("delivery_given_up_total", { reason });
    ports.metrics.count("delivery_given_up_records_total", { reason }, recordCount);
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
    for (const item of lane.takeLeaving(({ entry }) => targetOf(entry.plan, place).bucket !== lane.bucket)) {
      this.#place(this.#laneOf(item.entry.plan), { ...item, retryAtMs: 0 });
    }
  }

  #place(lane: Lane, item: LaneItem): void {
    lane.add(item);
    this.#placed.set(item.entry, { lane, item });
    this.#bell.ring();
  }

  #laneOf(plan: Plan): Lane {
    const { bucket } = targetOf(plan, this.#parts.ports.places.place(plan.incarnation));
    const { incarnation } = plan;
    const name = `${bucket}/${incarnation}`;
    const lane = this.#lanes.get(name);
    if (lane) return lane;
    const made = new Lane(
      { bucket, incarnation, settings: this.#settingsOf(incarnation) },
      { firstMs: this.#firstRetryMs, msMax: this.#parts.limits.retryMsMax },
    );
    this.#lanes.set(name, made);
    return made;
  }

  /** What a change of UpdateTrail may have repaired. */
  #settingsOf(incarnation: string): string {
    const place = this.#parts.ports.places.place(incarnation);
    return JSON.stringify([place?.bucket, place?.keyPrefix, place?.organizationId, place?.kmsKeyArn]);
  }

  #hasRoom(lane: Lane, bytes: number): boolean {
    const { laneBytesMax, heldBytesMax } = this.#parts.limits;
    const held = this.#heldBytes();
    if (held > 0 && held + bytes > heldBytesMax) return false;
    return lane.heldBytes === 0 || lane.heldBytes + bytes <= laneBytesMax;
  }

  #heldBytes(): number {
    let held = 0;
    for (const lane of this.#lanes.values()) held += lane.heldBytes;
    return held;
  }

  #tellDelivered(plan: Plan, file: { bytes: number; elapsedMs: number }): void {
    const { log, metrics, clock } = this.#parts.ports;
    const { trail, bucket, key, recordCount, attempts, createdMs } = plan;
    metrics.count("log_files_delivered_total");
    metrics.count("log_file_records_total", {}, recordCount);
    metrics.count("log_file_bytes_total", {}, file.bytes);
    metrics.observe("delivery_delay_seconds", Math.max(0, clock.nowMs() - createdMs) / 1000);
    log.info(
      { trail, bucket, objectKey: key, eventCount: recordCount, attempts: attempts + 1, ...file },
      "Log file delivered.",
    );
  }

  #tellFailed(plan: Plan, outcome: FailedPut, attempts: number): void {
    const { log, metrics } = this.#parts.ports;
    const { trail, bucket, key } = plan;
    const code = outcome.kind === "refused" ? outcome.code : "no-answer";
    metrics.count("delivery_failures_total", { code });
    log.warn(
      { trail, bucket, objectKey: key, attempts, code, error: outcome.message },
      "A log file could not be delivered; it is tried again.",
    );
  }
}
