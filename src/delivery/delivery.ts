// Delivery: from the journal to log files in the bucket, and to whoever else the trail names. This file joins the parts;
// read them in this order:
//   cutter → plan → ledger → composer (compose) → writer (lane, outbox, the three sinks) → digests, notices →
//   status-book, housekeeping
// Must not live in this folder: selectors (decided before the journal), trail operations, how a bucket is reached.
//
// The life of a record: the cutter counts it; a cut stores a plan that covers it; the composer reads it again and
// joins it into the plan's file; the writer puts that file, or keeps it in the outbox until the bucket takes it;
// then the plan is removed. The journal is released up to the oldest frame that still has an unwritten plan.
//
// After a stop on any line: plans above the committed cut are discarded and cut anew from the journal; committed
// plans are fulfilled again to the same key with the same records. So every record is in exactly one stored file
// per destination, unless it was given up, which is counted, logged as an error and shown.
//
// Where this goes beyond the first design, and why:
// - Lanes are per bucket and destination (writer.ts says why).
// - A plan that waits untried in the outbox may follow UpdateTrail as a refused one does: nothing of it is at the
//   old place. Otherwise each file of a long outage would first have to be refused once.
// - A plan that was journal-backed when the process ended counts as `unknown`: it may have been written.
// - The full outbox takes from the lane that fills it, not from the lane that needs room.
import { assert } from "../model/assert.ts";
import { inTime } from "../model/in-time.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import type { Region } from "../model/regions.ts";
import { eventBusDestination } from "../selector/match-set.ts";
import { bucketSink } from "./bucket-sink.ts";
import { Composer } from "./composer.ts";
import { createDeflater, type Deflater } from "./deflater.ts";
import { Cutter } from "./cutter.ts";
import { bucketText, type ChannelReport, digestReport, noticeReport, planReport } from "./delivery-report.ts";
import type { DigestPorts } from "./digest-ports.ts";
import { Digests } from "./digests.ts";
import { EventBusSink } from "./event-bus-sink.ts";
import { Faults } from "./faults.ts";
import { Housekeeping } from "./housekeeping.ts";
import { GivenUp } from "./given-up.ts";
import { Ledger } from "./ledger.ts";
import { defaultLimits, type DeliveryLimits } from "./limits.ts";
import { LiveGathering } from "./live-gathering.ts";
import { Outbox } from "./outbox.ts";
import { LogGroupSink } from "./log-group-sink.ts";
import { Notifier } from "./notices.ts";
import type { Plan, TargetKind } from "./plan.ts";
import type { DeliveryOptions, DeliveryPorts } from "./ports.ts";
import type { Sink } from "./sink.ts";
import { type DeliveryStatus, StatusBook } from "./status-book.ts";
import { Writer } from "./writer.ts";

/** Log files that are planned and not yet in their bucket. */
interface DeliveryWaiting {
  /** Records only in the journal; those composed and held in memory are among them. */
  readonly journalFiles: number;
  readonly memoryFiles: number;
  readonly memoryBytes: number;
  readonly outboxFiles: number;
  readonly outboxBytes: number;
  /** Destinations whose last try failed. */
  readonly lanesFailing: number;
}

export interface Delivery {
  /** Loads what the last process left, and begins. Throws when journal, state and outbox do not fit together. */
  start(): Promise<void>;
  /** Ends within a few seconds without cutting early: what is under way finishes or is left for the next start. */
  stop(): Promise<void>;
  /** What GetTrailStatus tells of one destination in one Region. */
  status(incarnation: string, region: Region): DeliveryStatus;
  /** What `cairn status` tells of one destination, a trail or the event bus. */
  report(incarnation: string): readonly ChannelReport[];
  /** Cuts and writes what was decided for this destination; resolves when done or after `msMax`, never rejects. */
  flush(incarnation: string, msMax: number): Promise<void>;
  /** Cuts everything that is durable now, without waiting for the interval. Throws when journal or state fail. */
  cutNow(): Promise<void>;
  health(): { readonly ok: boolean; readonly detail?: string };
  waiting(): DeliveryWaiting;
}

/** Makes delivery; nothing happens before `start`. `limits` are bounds, not settings: only tests give others. */
export function createDelivery(
  ports: DeliveryPorts,
  options: DeliveryOptions,
  limits: DeliveryLimits = defaultLimits,
): Delivery {
  assert(options.deliveryIntervalMs > 0, "the delivery interval is longer than nothing");
  assert(options.outboxBytesMax >= options.logFileBytesMax, "one log file always fits the outbox");
  return new RunningDelivery({ ports, options, limits });
}

interface Parts {
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
}

class RunningDelivery implements Delivery {
  readonly #parts: Parts;
  readonly #faults: Faults;
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #statuses: StatusBook;
  readonly #givenUp = new GivenUp();
  readonly #digests: Digests;
  readonly #notifier: Notifier;
  readonly #writer: Writer;
  readonly #deflater: Deflater;
  readonly #composer: Composer;
  readonly #stopping = new AbortController();
  #cutters: readonly Cutter[] = [];
  #loops: readonly Promise<void>[] = [];

  constructor(parts: Parts) {
    const { ports, options, limits } = parts;
    const faults = new Faults(ports.log);
    this.#parts = parts;
    this.#faults = faults;
    this.#ledger = new Ledger({ state: ports.state, journal: ports.journal, limits, faults });
    this.#outbox = new Outbox(ports.disk, options.outboxDirectory);
    this.#statuses = new StatusBook(ports.state);
    this.#digests = new Digests(this.#digestPorts(), options);
    this.#notifier = new Notifier({ ...parts, statuses: this.#statuses, faults });
    this.#deflater = createDeflater({
      level: options.compressionLevel,
      onFailure: (error) =>
        ports.log.warn({ error: String(error) }, "A deflating thread failed; zlib did its work."),
    });
    this.#writer = new Writer({
      ...parts,
      ...{ faults, sinks: sinksOf(parts), givenUp: this.#givenUp },
      listeners: [this.#digests, this.#notifier],
      ledger: this.#ledger,
      outbox: this.#outbox,
      statuses: this.#statuses,
      recompose: (entry) => this.#composer.addLater(entry),
    });
    this.#composer = new Composer({
      ...{ journal: ports.journal, clock: ports.clock, limits, faults },
      retryMs: Math.min(limits.retryFirstMs, options.deliveryIntervalMs),
      offer: (entry, file) => this.#writer.offer(entry, file),
      deflater: this.#deflater,
      wantsEvidence: (plan) => wantsEvidence(plan, ports.places.place(plan.incarnation)),
    });
  }

  async start(): Promise<void> {
    assert(this.#loops.length === 0, "delivery is started once");
    await this.#ledger.open();
    await this.#statuses.open();
    await this.#digests.open();
    await this.#notifier.open();
    await this.#settleNoted();
    await this.#takeUp();
    const housekeeping = new Housekeeping({
      ...this.#parts,
      ...{ ledger: this.#ledger, statuses: this.#statuses, writer: this.#writer, faults: this.#faults },
      ...{ digests: this.#digests, notifier: this.#notifier, givenUp: this.#givenUp },
    });
    this.#cutters = this.#parts.ports.journal.partitions.map((partition) => this.#cutter(partition));
    const { signal } = this.#stopping;
    this.#loops = [
      ...this.#cutters.map((cutter) => cutter.run(signal)),
      this.#composer.run(signal),
      this.#writer.run(),
      this.#digests.run(signal),
      this.#notifier.run(signal),
      housekeeping.run(signal),
    ];
  }

  async stop(): Promise<void> {
    const { clock, log } = this.#parts.ports;
    this.#stopping.abort();
    await Promise.all([
      this.#writer.stop(),
      this.#digests.stop(),
      this.#notifier.stop(),
      inTime(Promise.all(this.#loops), this.#parts.limits.stopMsMax, clock),
    ]);
    await this.#deflater.close();
    try {
      await this.#statuses.store();
    } catch (error) {
      log.warn({ error: String(error) }, "The last delivery times could not be stored.");
    }
  }

  report(incarnation: string): readonly ChannelReport[] {
    const { ports } = this.#parts;
    const parts = {
      ledger: this.#ledger,
      writer: this.#writer,
      statuses: this.#statuses,
      givenUp: this.#givenUp,
    };
    if (incarnation === eventBusDestination.incarnation) {
      return [planReport(parts, incarnation, { kind: "event-bus", target: "event bus" })];
    }
    const place = ports.places.place(incarnation);
    if (!place) return [];
    const { topicArn, logGroupArn } = place;
    const reports = [planReport(parts, incarnation, { kind: "bucket", target: bucketText(place) })];
    const chains = this.#digests.report().filter((chain) => chain.incarnation === incarnation);
    if (chains.length > 0 || place.validation) {
      reports.push(digestReport(chains, { ...parts, incarnation, target: bucketText(place) }));
    }
    if (topicArn !== undefined) {
      const report = this.#notifier.report(incarnation);
      reports.push(noticeReport(report, { ...parts, incarnation, target: topicArn }));
    }
    if (logGroupArn !== undefined) {
      const note = ports.services.logGroups
        ? {}
        : { note: "No CloudWatch Logs endpoint is configured: nothing is sent to the log group." };
      reports.push(planReport(parts, incarnation, { kind: "log-group", target: logGroupArn, ...note }));
    }
    return reports;
  }

  status(incarnation: string, region: Region): DeliveryStatus {
    return this.#statuses.status(incarnation, region);
  }

  async flush(incarnation: string, msMax: number): Promise<void> {
    const over = new AbortController();
    const timeIsUp = this.#parts.ports.clock.sleep(msMax, over.signal);
    await Promise.race([this.#deliverAll(incarnation, over.signal), timeIsUp]);
    over.abort();
  }

  async cutNow(): Promise<void> {
    for (const cutter of this.#cutters) await cutter.cutNow();
  }

  health(): { readonly ok: boolean; readonly detail?: string } {
    const fault = this.#faults.text();
    if (fault !== undefined) return { ok: false, detail: fault };
    const { lanesFailing, outboxFiles } = this.waiting();
    const notices = this.#notifier.counts;
    const failing = lanesFailing + notices.lanesFailing;
    if (failing === 0 && outboxFiles === 0) return { ok: true };
    return {
      ok: true,
      detail: `${failing} destinations fail, ${outboxFiles} log files wait in the outbox, ${notices.waiting} to be announced.`,
    };
  }

  waiting(): DeliveryWaiting {
    return { ...this.#ledger.counts, ...this.#writer.counts };
  }

  #digestPorts(): DigestPorts {
    const { ports } = this.#parts;
    return {
      ...ports,
      ledger: this.#ledger,
      statuses: {
        note: (of, ended) => this.#statuses.note("digest", of, ended),
        store: () => this.#statuses.store(),
      },
    };
  }

  /** Log files that were noted as delivered when the last process ended: nothing but their plan is left. */
  async #settleNoted(): Promise<void> {
    for (const entry of [...this.#ledger.entries]) await this.#writer.settleNoted(entry);
  }

  /** Plans of the last process: composed ones go to their lanes, the others are composed again. */
  async #takeUp(): Promise<void> {
    const entries = [...this.#ledger.entries];
    const inOutbox = entries.filter(({ plan }) => plan.backing.kind === "outbox");
    const known = new Set(inOutbox.map(({ plan }) => plan.id));
    const removed = await this.#outbox.open((id) => known.has(id));
    for (const entry of inOutbox) this.#writer.adopt(entry);
    this.#composer.add(entries.filter(({ plan }) => plan.backing.kind === "journal"));
    if (entries.length > 0 || removed > 0) {
      this.#parts.ports.log.info(
        { files: entries.length, inOutbox: inOutbox.length, removed },
        "Delivery goes on where the last process ended.",
      );
    }
  }

  #cutter(partition: string): Cutter {
    return new Cutter({
      ...this.#parts,
      ...{ partition, ledger: this.#ledger, faults: this.#faults },
      gather: () => this.#newGathering(),
      takesGathered: () => this.#composer.takesGathered,
      planned: (entries, gathered) => {
        if (gathered) this.#composer.addGathered(entries, gathered);
        else this.#composer.add(entries);
      },
    });
  }

  #newGathering(): LiveGathering {
    const { places } = this.#parts.ports;
    const isEvident = (incarnation: string) => validates(places.place(incarnation));
    return new LiveGathering({ deflater: this.#deflater, isEvident }, this.#parts.limits.liveBytesMax);
  }

  async #deliverAll(incarnation: string, signal: AbortSignal): Promise<void> {
    try {
      for (const cutter of this.#cutters) await cutter.cutFor(incarnation);
      await this.#ledger.drained(incarnation, signal);
    } catch (error) {
      this.#faults.raise(
        "cutter",
        error,
        "A deleted trail's log files could not be cut at once; they follow.",
      );
    }
  }
}

function sinksOf({ ports, options }: Parts): Readonly<Record<TargetKind, Sink>> {
  const { clock, log, metrics, bucket, places, services } = ports;
  const { putTimeoutMs, logFileBytesMax } = options;
  const common = { clock, log, metrics, logFileBytesMax, callMsMax: putTimeoutMs };
  return {
    bucket: bucketSink({ bucket, clock, places, timeoutMs: putTimeoutMs }),
    "log-group": new LogGroupSink({ ...common, logGroups: services.logGroups }),
    "event-bus": new EventBusSink({ ...common, buses: services.buses }),
  };
}

/** A file composed now of a trail that validates will most likely be named by a digest; hashing it now is cheapest. */
function wantsEvidence({ target }: Plan, place: DeliveryPlace | undefined): boolean {
  return target.kind === "bucket" && validates(place);
}

function validates(place: DeliveryPlace | undefined): boolean {
  const { validation } = place ?? {};
  return validation !== undefined && validation.untilMs === undefined;
}
