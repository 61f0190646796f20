// Cuts the journal into log files: one reader for all destinations. It counts what each slot holds and, when the
// delivery interval is over or a slot is full, draws one plan per slot and commits them as one cut. What it counts is
// gathered on the way (live-gathering.ts). Must not: compose or write files.
//
// A cut is a range of frames for all slots at once. Everything random or timed in a plan is drawn here, once: a cut
// whose commit failed is committed again as it was drawn, before anything else is cut. While it is committed, counting goes on:
// who waited for the disk each time would fall behind a busy journal and read from the disk what was in memory.
import type { Position, StoredFrame } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import { eventBusDestination } from "../selector/match-set.ts";
import { Bell } from "./bell.ts";
import type { Faults } from "./faults.ts";
import type { GroupsOfSlot } from "./gather.ts";
import type { Cut, Entry, Ledger } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { LiveGathering } from "./live-gathering.ts";
import { objectKey, timeLabelMs, uniqueLength } from "./object-key.ts";
import { logGroupTarget, type Plan, type Target } from "./plan.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import { type Slot, SlotCounter } from "./slots.ts";

export interface CutterParts {
  readonly partition: string;
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  readonly ledger: Ledger;
  readonly faults: Faults;
  /** Begins to gather the records of the next cut; undefined when enough is gathered for now. */
  readonly gather: () => LiveGathering | undefined;
  /** Takes the plans of a committed cut, and its records when they were gathered. */
  readonly planned: (entries: readonly Entry[], groups: GroupsOfSlot | undefined) => void;
}

/** What is drawn of a plan beside its range. */
type Aim = Pick<
  Plan,
  "account" | "region" | "folder" | "labelMs" | "unique" | "trail" | "target" | "kmsKeyArn"
>;

export class Cutter {
  readonly #parts: CutterParts;
  readonly #bell = new Bell();
  #counter: SlotCounter;
  /** Holds what the counter counted. */
  #gathering: LiveGathering | undefined;
  /** The next frame to count. */
  #seq: number;
  /** Drawn, and not yet known to be committed. */
  #drawn: { readonly cut: Cut; readonly groups: GroupsOfSlot | undefined } | undefined;
  /** Under way for what is drawn. */
  #committing: Promise<void> | undefined;
  /** Monotonic time of the last cut, or of the start. */
  #lastCutMs: number;
  /** One step at a time: the loop, `cutNow` and `cutFor` take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: CutterParts) {
    this.#parts = parts;
    this.#counter = this.#newCounter();
    this.#gathering = parts.gather();
    this.#seq = parts.ledger.cutOf(parts.partition).to;
    this.#lastCutMs = parts.ports.clock.monotonicMs();
  }

  /** Counts and cuts until `signal` aborts; what is not cut then waits for the next start. */
  async run(signal: AbortSignal): Promise<void> {
    const { ports, limits, options, faults } = this.#parts;
    while (!signal.aborted) {
      try {
        await this.#inTurn(() => this.#step());
        if (!this.#drawn) faults.clear("cutter");
        await this.#pause(signal);
      } catch (error) {
        this.#tell(error);
        await ports.clock.sleep(Math.min(limits.retryFirstMs, options.deliveryIntervalMs), signal);
      }
    }
    await this.#committing?.catch(() => undefined);
  }

  /** Cuts everything that is durable now. Throws when journal or state fail. */
  async cutNow(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#scan();
      await this.#cut();
      await this.#commit();
    });
  }

  /** The same, but only when this destination has records that are not cut. */
  async cutFor(incarnation: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#scan();
      if (this.#counter.has(incarnation)) await this.#cut();
      await this.#commit();
    });
  }

  async #step(): Promise<void> {
    if (this.#isCrowded()) return;
    await this.#scan();
    if (this.#dueMs() > 0) return;
    await this.#cut();
    await this.#commit();
  }

  #tell(error: unknown): void {
    this.#parts.faults.raise("cutter", error, "Log files could not be cut; it is tried again.");
  }

  /** Counts every durable frame, and cuts whenever a slot is full. */
  async #scan(): Promise<void> {
    const { partition, ports } = this.#parts;
    if (!this.#committing) await this.#commit();
    const { seq: end } = ports.journal.end(partition);
    while (this.#seq < end) {
      const from = this.#seq;
      if (this.#countRecent(end) === "full") await this.#cut();
      else if (this.#seq === from) await this.#countFromDisk(end);
    }
  }

  /** Counts frames that are still in memory, up to the first that begins another cut. */
  #countRecent(end: number): "full" | "counted" {
    const { partition, ports } = this.#parts;
    let outcome: "full" | "counted" = "counted";
    ports.journal.visitRecent(this.#position(), { partition, seq: end }, (frame) => {
      if (this.#count(frame) === "full") outcome = "full";
      return outcome === "counted";
    });
    return outcome;
  }

  async #countFromDisk(end: number): Promise<void> {
    const { partition, ports, limits } = this.#parts;
    const { frames, next } = await ports.journal.read(this.#position(), {
      bytesMax: limits.readBytesMax,
      until: { partition, seq: end },
    });
    for (const frame of frames) {
      while (this.#count(frame) === "full") await this.#cut();
    }
    assert(next.seq > this.#seq || frames.length > 0, "the journal holds the frames before its end");
    this.#seq = next.seq;
  }

  /** `full`: nothing was counted, the cut must be made before this frame. The first frame of a cut always fits. */
  #count(frame: StoredFrame): "full" | "counted" {
    if (this.#counter.add(frame) === "full") return "full";
    this.#gathering?.take(frame.records);
    this.#seq = frame.position.seq + 1;
    return "counted";
  }

  /** Draws a cut, when the one before is committed, and begins to commit it. */
  async #cut(): Promise<void> {
    const { partition, ports, ledger } = this.#parts;
    await this.#commit();
    this.#lastCutMs = ports.clock.monotonicMs();
    if (this.#counter.frames === 0) return;
    const seq = ledger.cutOf(partition).seq + 1;
    const cut = { partition, seq, to: this.#seq, plans: this.#drawPlans(seq) };
    this.#drawn = { cut, groups: this.#gathering?.end() };
    this.#counter = this.#newCounter();
    this.#gathering = this.#parts.gather();
    // When it fails, the next step tries again.
    void this.#commit().catch((error: unknown) => this.#tell(error));
  }

  /** Resolves when nothing is drawn that is not committed. Throws when the store fails: what is drawn stays drawn. */
  async #commit(): Promise<void> {
    if (!this.#drawn) return;
    this.#committing ??= this.#commitDrawn(this.#drawn).finally(() => (this.#committing = undefined));
    await this.#committing;
  }

  async #commitDrawn({ cut, groups }: { cut: Cut; groups: GroupsOfSlot | undefined }): Promise<void> {
    const { ledger, ports } = this.#parts;
    const entries = await ledger.commit(cut);
    this.#drawn = undefined;
    if (entries.length > 0) {
      ports.metrics.count("delivery_cuts_total");
      ports.log.debug({ cut: cut.seq, to: cut.to, files: entries.length }, "Log files cut.");
    }
    this.#parts.planned(entries, groups);
  }

  #drawPlans(cutSeq: number): readonly Plan[] {
    const { partition, ports, ledger } = this.#parts;
    const nowMs = ports.clock.nowMs();
    const from = ledger.cutOf(partition).to;
    const plans: Plan[] = [];
    for (const slot of this.#counter.slots) {
      for (const aim of this.#aimsOf(slot, nowMs)) {
        plans.push(this.#drawPlan(slot, { aim, cutSeq, n: plans.length, from, to: this.#seq, nowMs }));
      }
    }
    return plans;
  }

  /** Where the records of a slot go. Nowhere when the destination is gone for good: they are given up here. */
  #aimsOf(slot: Slot, nowMs: number): readonly Aim[] {
    const { ports } = this.#parts;
    const { incarnation, matchSet } = slot;
    const labelMs = timeLabelMs(nowMs);
    const name = { ...matchSet, labelMs, unique: ports.random.alphanumeric(uniqueLength) };
    if (incarnation === eventBusDestination.incarnation) {
      return [{ ...name, trail: "event-bus", target: { kind: "event-bus" } }];
    }
    const place = ports.places.place(incarnation);
    if (!place) {
      this.#giveUp(slot);
      return [];
    }
    const trail = place.trailArn;
    const target: Target = { kind: "bucket", bucket: place.bucket, key: objectKey(name, place) };
    const aim = {
      ...{ ...name, trail, target },
      ...(place.kmsKeyArn === undefined ? {} : { kmsKeyArn: place.kmsKeyArn }),
    };
    const logGroup = ports.services.logGroups && logGroupTarget(name, place);
    return logGroup ? [aim, { ...name, trail, target: logGroup }] : [aim];
  }

  #drawPlan(
    slot: Slot,
    at: { aim: Aim; cutSeq: number; n: number; from: number; to: number; nowMs: number },
  ): Plan {
    const { partition } = this.#parts;
    const { incarnation, jsonBytes, recordCount, corner } = slot;
    const { aim, cutSeq, n, from, to, nowMs } = at;
    return {
      ...aim,
      ...{ id: `${partition}-${cutSeq}-${n}`, partition, cutSeq, n, from, to },
      ...{ incarnation, jsonBytes, recordCount, cornerBytes: corner.bytes, createdMs: nowMs },
      backing: { kind: "journal" },
      attempts: 0,
      outcome: "none",
    };
  }

  #giveUp({ incarnation, matchSet, recordCount }: Slot): void {
    const { log, metrics } = this.#parts.ports;
    const labels = { reason: "trail-deleted", target: "bucket" };
    log.error(
      { incarnation, ...matchSet, eventCount: recordCount },
      "Events were given up: their trail is deleted and where its files went is forgotten.",
    );
    metrics.count("delivery_given_up_total", labels);
    metrics.count("delivery_given_up_records_total", labels, recordCount);
  }

  /** Until the interval is over; but at least a moment, so that a busy journal is not read frame by frame. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { ports, limits, options } = this.#parts;
    const { clock, journal } = ports;
    const dueMs = this.#dueMs();
    await this.#bell.wait(signal, (inner) =>
      Promise.race([journal.waitBeyond(this.#position(), inner), clock.sleep(dueMs, inner)]),
    );
    const restMs = Math.min(limits.scanPauseMs, options.deliveryIntervalMs / 4);
    await clock.sleep(this.#isCrowded() ? restMs : Math.min(restMs, this.#dueMs()), signal);
  }

  /**
   * Milliseconds until the next cut. One interval after the last cut or the start, and never later than one
   * interval after the oldest uncut frame arrived: a restart does not begin the interval anew.
   */
  #dueMs(): number {
    const { clock } = this.#parts.ports;
    const { deliveryIntervalMs } = this.#parts.options;
    const { oldestArrivedMs } = this.#counter;
    const byCutMs = this.#lastCutMs + deliveryIntervalMs - clock.monotonicMs();
    const byArrivalMs =
      oldestArrivedMs === undefined ? Infinity : oldestArrivedMs + deliveryIntervalMs - clock.nowMs();
    return Math.max(0, Math.min(byCutMs, byArrivalMs));
  }

  /** Too many plans wait to be composed: the records wait in the journal, whose limit holds for all. */
  #isCrowded(): boolean {
    return this.#parts.ledger.counts.journalFiles >= this.#parts.limits.plansWaitingMax;
  }

  #position(): Position {
    return { partition: this.#parts.partition, seq: this.#seq };
  }

  #newCounter(): SlotCounter {
    return new SlotCounter({
      jsonBytesMax: this.#parts.options.logFileBytesMax,
      slotsMax: this.#parts.limits.slotsPerCutMax,
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
