// Cuts the journal into log files: one reader for all destinations. It counts what each slot holds and, when the
// delivery interval is over, draws one plan per slot and commits them as one cut. What it counts is gathered on the way
// (live-gathering.ts). Must not: compose or write files.
//
// A cut is a range of frames for all slots at once; but when a slot is full before the interval is over, only its corner
// (account, Region and folder) is cut, and the next cut of that corner begins there: one busy Region does not make small
// files of all others (docs/adr/0012). Everything random or timed in a plan is drawn here, once: a cut
// whose commit failed is committed again as it was drawn, before anything else is cut. While it is committed, counting goes on:
// who waited for the disk each time would fall behind a busy journal and read from the disk what was in memory.
import type { Position, StoredFrame } from "../journal/contract.ts";
import { assert } from "../model/assert.ts";
import { eventBusDestination } from "../selector/match-set.ts";
import { Bell } from "./bell.ts";
import { CornerStarts } from "./corner-starts.ts";
import type { Faults } from "./faults.ts";
import type { Gathered } from "./gather.ts";
import type { Cut, Entry, Ledger } from "./ledger.ts";
import type { DeliveryLimits } from "./limits.ts";
import type { LiveGathering } from "./live-gathering.ts";
import { objectKey, timeLabelMs, uniqueLength } from "./object-key.ts";
import { logGroupTarget, type Plan, type Target } from "./plan.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import { cornerName, type Full, type Slot, SlotCounter } from "./slots.ts";

export interface CutterParts {
  readonly partition: string;
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  readonly ledger: Ledger;
  readonly faults: Faults;
  /** Begins to gather the records of the next cut. */
  readonly gather: () => LiveGathering;
  /** False when what is gathered and not yet composed is enough for now. */
  readonly takesGathered: () => boolean;
  /** Takes the plans of a committed cut, and its records when they were gathered. */
  readonly planned: (entries: readonly Entry[], gathered: Gathered | undefined) => void;
}

/** What is drawn of a plan beside its range. */
type Aim = Pick<
  Plan,
  "account" | "region" | "folder" | "labelMs" | "unique" | "trail" | "target" | "kmsKeyArn"
>;

interface Drawn {
  readonly cut: Cut;
  /** Its records, when they were gathered. */
  readonly gathered: Gathered | undefined;
}

export class Cutter {
  readonly #parts: CutterParts;
  readonly #bell = new Bell();
  #counter: SlotCounter;
  /** Holds what the counter counted. */
  #gathering: LiveGathering | undefined;
  /** The next frame to count. */
  #seq: number;
  /** Corners that are cut further than the others: their first frame that is not. */
  #ahead: ReadonlyMap<string, number>;
  /** The same as the last process left it: it may lie before what is counted. */
  readonly #aheadAtStart: CornerStarts;
  /** Drawn, and not yet known to be committed. */
  #drawn: Drawn | undefined;
  /** Under way for what is drawn. */
  #committing: Promise<void> | undefined;
  /** Monotonic time of the last cut, or of the start. */
  #lastCutMs: number;
  /** One step at a time: the loop, `cutNow` and `cutFor` take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: CutterParts) {
    this.#parts = parts;
    const { to, ahead = {} } = parts.ledger.cutOf(parts.partition);
    this.#counter = this.#newCounter();
    this.#gathering = this.#newGathering();
    this.#seq = to;
    this.#ahead = new Map(Object.entries(ahead));
    this.#aheadAtStart = new CornerStarts(this.#ahead);
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
      const outcome = this.#countRecent(end);
      if (outcome !== "counted") await this.#makeRoom(outcome);
      else if (this.#seq === from) await this.#countFromDisk(end);
    }
  }

  /** Counts frames that are still in memory, up to the first that needs room. */
  #countRecent(end: number): Full | "counted" {
    const { partition, ports } = this.#parts;
    let outcome: Full | "counted" = "counted";
    ports.journal.visitRecent(this.#position(), { partition, seq: end }, (frame) => {
      outcome = this.#count(frame);
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
      for (let full = this.#count(frame); full !== "counted"; full = this.#count(frame)) {
        await this.#makeRoom(full);
      }
    }
    assert(next.seq > this.#seq || frames.length > 0, "the journal holds the frames before its end");
    this.#seq = next.seq;
  }

  /** Or counts nothing and says what must be cut before this frame. */
  #count(frame: StoredFrame): Full | "counted" {
    if (this.#ahead.size > 0 && this.#isBehind()) return "everything";
    const records = this.#aheadAtStart.recordsOf(frame);
    const outcome = this.#counter.add({ header: frame.header, records });
    if (outcome !== "added") return outcome;
    this.#gathering?.take(records);
    this.#seq = frame.position.seq + 1;
    return "counted";
  }

  /** Whether enough waits that is not cut ahead: in memory, which must not be given up for that, or in the journal. */
  #isBehind(): boolean {
    const { limits, ports } = this.#parts;
    const bytesMax = Math.min(limits.cutBytesMax, ports.journal.usage().bytesMax / 4);
    return this.#gathering?.isFull === true || this.#counter.bytes > bytesMax;
  }

  async #makeRoom(full: Full): Promise<void> {
    if (full === "everything") return this.#cut();
    await this.#commit();
    // Without its records at hand, a file of its own would have all of the range read for it.
    if (this.#gathering?.isWhole && this.#parts.takesGathered()) this.#cutCorners(full, this.#gathering);
    else await this.#cut();
  }

  /** Draws the files of some corners. For all others the cut goes on. */
  #cutCorners(corners: ReadonlySet<string>, gathering: LiveGathering): void {
    const { partition, ledger } = this.#parts;
    const { seq, to } = ledger.cutOf(partition);
    const plans = this.#drawPlans(this.#counter.slotsOf(corners), seq + 1);
    this.#counter.forget(corners);
    this.#ahead = new Map([...this.#ahead, ...[...corners].map((corner) => [corner, this.#seq] as const)]);
    const cut = { partition, seq: seq + 1, to, ahead: Object.fromEntries(this.#ahead), plans };
    this.#begin({ cut, gathered: gathering.give(corners) });
  }

  /** Draws a cut of everything, when the one before is committed. */
  async #cut(): Promise<void> {
    const { partition, ports, ledger } = this.#parts;
    await this.#commit();
    this.#lastCutMs = ports.clock.monotonicMs();
    if (this.#counter.frames === 0) return;
    const seq = ledger.cutOf(partition).seq + 1;
    const cut = { partition, seq, to: this.#seq, plans: this.#drawPlans(this.#counter.slots, seq) };
    const gathered = this.#gathering?.end();
    this.#counter = this.#newCounter();
    this.#gathering = this.#newGathering();
    this.#ahead = new Map();
    this.#begin({ cut, gathered });
  }

  /** Begins to commit what is drawn. When it fails, the next step tries again. */
  #begin(drawn: Drawn): void {
    this.#drawn = drawn;
    void this.#commit().catch((error: unknown) => this.#tell(error));
  }

  /** Resolves when nothing is drawn that is not committed. Throws when the store fails: what is drawn stays drawn. */
  async #commit(): Promise<void> {
    if (!this.#drawn) return;
    this.#committing ??= this.#commitDrawn(this.#drawn).finally(() => (this.#committing = undefined));
    await this.#committing;
  }

  async #commitDrawn({ cut, gathered }: Drawn): Promise<void> {
    const { ledger, ports } = this.#parts;
    const entries = await ledger.commit(cut);
    this.#drawn = undefined;
    if (entries.length > 0) {
      ports.metrics.count("delivery_cuts_total");
      ports.log.debug({ cut: cut.seq, to: cut.to, files: entries.length }, "Log files cut.");
    }
    this.#parts.planned(entries, gathered);
  }

  #drawPlans(slots: Iterable<Slot>, cutSeq: number): readonly Plan[] {
    const { partition, ports, ledger } = this.#parts;
    const nowMs = ports.clock.nowMs();
    const { to: start } = ledger.cutOf(partition);
    const plans: Plan[] = [];
    for (const slot of slots) {
      const from = this.#ahead.get(cornerName(slot.matchSet)) ?? start;
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
    const { options, limits } = this.#parts;
    return new SlotCounter({ jsonBytesMax: options.logFileBytesMax, slotsMax: limits.slotsPerCutMax });
  }

  #newGathering(): LiveGathering | undefined {
    return this.#parts.takesGathered() ? this.#parts.gather() : undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
