// Sends the records of a plan to the event bus, within the limits of PutEvents (formats.md §5.2).
// Must not: retry a failed batch (the writer tries the plan again), decide which records the bus may have (the selector
// index did, at the door).
//
// - The batches of a plan are always the same ones: a number says how far it got, and a set which entries of the next
//   batch are settled. Entries that the bus did not take are sent again alone. A batch whose answer was lost counts as
//   not sent, and after a crash a plan begins anew: the bus gets each record at least once.
// - What is wrong with a record itself (`contentFaults`) will never be right: such entries are left out and counted. Any
//   other code, throttling or a right that is missing, refuses the plan; the writer keeps it.
// - Amazon's own EventBridge takes no source that begins with `aws.` from anyone: it refuses every entry with
//   NotAuthorizedForSourceException. These events are for buses that are not Amazon's.
import type { BusEvent, EventBuses } from "../aws/contract.ts";
import {
  type BusEntryReading,
  busEntry,
  busEntryBytesMax,
  type NoBusEntryReason,
} from "../event/bus-event.ts";
import { assert } from "../model/assert.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import { recordsOf } from "./log-file-reader.ts";
import type { Plan } from "./plan.ts";
import { SendProgress } from "./send-progress.ts";
import { answerWithin } from "./service-call.ts";
import type { SendOutcome, Sink } from "./sink.ts";

export interface EventBusSinkParts {
  /** Absent when no endpoint is configured: every plan is refused with code `NotConfigured`. */
  readonly buses: EventBuses | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long one call to the service may take, milliseconds. */
  readonly callMsMax: number;
}

const batchEntriesMax = 10;
const batchBytesMax = busEntryBytesMax;

/** Codes of single entries that no later try can mend. */
const contentFaults: ReadonlySet<string> = new Set([
  "InvalidArgument",
  "MalformedDetail",
  "RedactionFailure",
]);

/** InvalidArgument may also speak of the bus's name: that is no fault of the record, and an operator can mend it. */
function isContentFault({ code, message }: { readonly code: string; readonly message: string }): boolean {
  return contentFaults.has(code) && !message.includes("EventBusName");
}

type SkipReason = NoBusEntryReason | "refused";
type Skipped = Map<SkipReason, number>;

interface Progress {
  /** Batches of which every entry is settled. */
  batches: number;
  /** Places in the next batch whose entries were taken or left out. */
  settled: Set<number>;
  /** Entries left out because of what the bus said of them. */
  refused: number;
  isThrough: boolean;
}

interface Sending {
  readonly buses: EventBuses;
  readonly signal: AbortSignal;
}

type EntryAnswer = Extract<
  Awaited<ReturnType<EventBuses["putEvents"]>>,
  { readonly kind: "done" }
>["entries"][number];

export class EventBusSink implements Sink {
  readonly #parts: EventBusSinkParts;
  readonly #progress = new SendProgress<Progress>();

  constructor(parts: EventBusSinkParts) {
    this.#parts = parts;
  }

  async send(plan: Plan, body: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
    assert(plan.target.kind === "event-bus", "the plan is for the event bus");
    const { buses } = this.#parts;
    if (!buses) {
      return { kind: "refused", code: "NotConfigured", message: "No endpoint of EventBridge is configured." };
    }
    try {
      return await this.#sendBatches(plan, body, { buses, signal });
    } catch (error) {
      return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
    }
  }

  forget(planId: string): void {
    this.#progress.forget(planId);
  }

  async #sendBatches(plan: Plan, body: Uint8Array, by: Sending): Promise<SendOutcome> {
    const known = this.#progress.of(plan.id);
    const progress = known ?? { batches: 0, settled: new Set(), refused: 0, isThrough: false };
    if (progress.isThrough) return { kind: "stored" };
    const skipped: Skipped = new Map();
    let batches = 0;
    for await (const batch of batchesOf(recordsOf(body, plan.jsonBytes), skipped)) {
      batches += 1;
      if (batches <= progress.batches) continue;
      const outcome = await this.#sendBatch(plan, batch, { ...by, progress });
      this.#progress.note(plan.id, progress);
      if (outcome.kind !== "stored") return outcome;
      progress.batches = batches;
      progress.settled = new Set();
    }
    progress.isThrough = true;
    this.#progress.note(plan.id, progress);
    if (progress.refused > 0) skipped.set("refused", progress.refused);
    if (skipped.size > 0) this.#tellSkipped(plan, skipped);
    return { kind: "stored" };
  }

  /** `stored` when every entry of the batch is settled. */
  async #sendBatch(
    plan: Plan,
    batch: readonly BusEvent[],
    by: Sending & { readonly progress: Progress },
  ): Promise<SendOutcome> {
    const { clock, callMsMax } = this.#parts;
    const { buses, signal, progress } = by;
    const places = [...batch.keys()].filter((place) => !progress.settled.has(place));
    const events = places.flatMap((place) => batch[place] ?? []);
    const answer = await answerWithin({ clock, callMsMax, signal }, (abandoned) =>
      buses.putEvents(plan.region, events, abandoned),
    );
    if (answer.kind !== "done") return answer;
    if (answer.entries.length !== places.length) {
      const told = `${answer.entries.length} of ${places.length}`;
      return { kind: "unknown", message: `The bus answered for ${told} entries.` };
    }
    let outcome: SendOutcome = { kind: "stored" };
    for (const [at, place] of places.entries()) {
      const entry = answer.entries[at];
      const failure = entry && this.#settle(place, entry, progress);
      if (failure && outcome.kind === "stored") outcome = failure;
    }
    return outcome;
  }

  /** Notes what became of one entry; returns why it must be sent again, if it must. */
  #settle(place: number, entry: EntryAnswer, progress: Progress): SendOutcome | undefined {
    if (entry.isTaken) {
      this.#parts.metrics.count("event_bus_records_sent_total");
      progress.settled.add(place);
      return undefined;
    }
    const { code, message } = entry;
    if (!isContentFault(entry)) return { kind: "refused", code, message };
    progress.settled.add(place);
    progress.refused += 1;
    return undefined;
  }

  #tellSkipped(plan: Plan, skipped: Skipped): void {
    const { log, metrics } = this.#parts;
    for (const [reason, records] of skipped) {
      metrics.count("event_bus_records_skipped_total", { reason }, records);
    }
    log.warn(
      { account: plan.account, region: plan.region, plan: plan.id, records: Object.fromEntries(skipped) },
      "Records that the event bus does not carry were not sent to it.",
    );
  }
}

/** The entries of one PutEvents each. The same records give the same batches. */
async function* batchesOf(
  pieces: AsyncIterable<readonly Uint8Array[]>,
  skipped: Skipped,
): AsyncGenerator<readonly BusEvent[], void> {
  let batch: BusEvent[] = [];
  let bytes = 0;
  for await (const records of pieces) {
    for (const record of records) {
      const reading: BusEntryReading = busEntry(record);
      if (reading.kind === "none") {
        skipped.set(reading.reason, (skipped.get(reading.reason) ?? 0) + 1);
        continue;
      }
      if (batch.length === batchEntriesMax || bytes + reading.bytes > batchBytesMax) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(reading.entry);
      bytes += reading.bytes;
    }
  }
  if (batch.length > 0) yield batch;
}
