// Sends the records of a plan to its CloudWatch Logs stream, within the limits of PutLogEvents (formats.md §5.1).
// Must not: retry a failed batch (the writer tries the plan again), know trails or places.
//
// - The batches of a plan are always the same ones, so a number says how far it got. A later try goes on behind the
//   last confirmed batch. A batch whose answer was lost counts as not sent, and after a crash a plan begins anew: the
//   stream has each record at least once.
// - Every call has its own time, not the plan as a whole: a long plan over a slow line still gets somewhere.
// - A record above 256 KB is left out, never cut. It is counted and told when its plan is through.
import type { LogGroup, LogGroups, ServiceOutcome } from "../aws/contract.ts";
import { assert } from "../model/assert.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import { recordsOf } from "./log-file-reader.ts";
import type { Plan } from "./plan.ts";
import { SendProgress } from "./send-progress.ts";
import { answerWithin } from "./service-call.ts";
import type { SendOutcome, Sink } from "./sink.ts";

export interface LogGroupSinkParts {
  /** Absent when no endpoint is configured: every plan is refused with code `NotConfigured`. */
  readonly logGroups: LogGroups | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long one call to the service may take, milliseconds. */
  readonly callMsMax: number;
}

/** What PutLogEvents takes. It counts 26 bytes for each event beside its message. */
const eventOverheadBytes = 26;
const batchEventsMax = 10_000;
const batchBytesMax = 1_048_576;
/** 256 KB with the overhead, as the service counts: a larger one would be refused with its whole batch. */
const eventBytesMax = 262_144;
assert(eventBytesMax <= batchBytesMax, "one event always fits a batch");

interface Progress {
  /** Group and stream; progress at another one is none. */
  readonly address: string;
  /** Confirmed batches from the beginning. */
  readonly batches: number;
  readonly isThrough: boolean;
}

interface Stream {
  readonly group: LogGroup;
  readonly stream: string;
}

interface Tally {
  skippedRecords: number;
}

export class LogGroupSink implements Sink {
  readonly #parts: LogGroupSinkParts;
  readonly #progress = new SendProgress<Progress>();

  constructor(parts: LogGroupSinkParts) {
    this.#parts = parts;
  }

  async send(plan: Plan, body: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
    const { logGroups } = this.#parts;
    if (!logGroups) {
      return {
        kind: "refused",
        code: "NotConfigured",
        message: "No endpoint of CloudWatch Logs is configured.",
      };
    }
    try {
      return await this.#sendBatches(plan, body, new StreamCalls(this.#parts, logGroups, signal));
    } catch (error) {
      return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
    }
  }

  forget(planId: string): void {
    this.#progress.forget(planId);
  }

  async #sendBatches(plan: Plan, body: Uint8Array, calls: StreamCalls): Promise<SendOutcome> {
    const { metrics } = this.#parts;
    const stream = streamOf(plan);
    const address = `${stream.group.arn} ${stream.stream}`;
    const known = this.#progress.of(plan.id);
    const before = known?.address === address ? known : { address, batches: 0, isThrough: false };
    if (before.isThrough) return { kind: "stored" };
    const tally: Tally = { skippedRecords: 0 };
    let batches = 0;
    for await (const messages of batchesOf(recordsOf(body, plan.jsonBytes), tally)) {
      batches += 1;
      if (batches <= before.batches) continue;
      const outcome = await calls.put(stream, messages);
      if (outcome.kind !== "done") return outcome;
      metrics.count("log_group_records_sent_total", {}, messages.length);
      this.#progress.note(plan.id, { address, batches, isThrough: false });
    }
    this.#progress.note(plan.id, { address, batches, isThrough: true });
    if (tally.skippedRecords > 0) this.#tellSkipped(plan, stream, tally.skippedRecords);
    return { kind: "stored" };
  }

  #tellSkipped(plan: Plan, { group, stream }: Stream, records: number): void {
    const { log, metrics } = this.#parts;
    metrics.count("log_group_records_skipped_total", {}, records);
    log.warn(
      { trail: plan.trail, logGroup: group.arn, stream, plan: plan.id, records },
      "Records above 256 KB were not sent to the log group; log files have them.",
    );
  }
}

function streamOf({ target }: Plan): Stream {
  assert(target.kind === "log-group", "the plan is for a log group");
  const { arn, roleArn, stream } = target;
  return { group: { arn, roleArn }, stream };
}

/** The messages of one PutLogEvents each. The same records give the same batches. */
async function* batchesOf(
  pieces: AsyncIterable<readonly Uint8Array[]>,
  tally: Tally,
): AsyncGenerator<readonly string[], void> {
  const decoder = new TextDecoder();
  let messages: string[] = [];
  let bytes = 0;
  for await (const records of pieces) {
    for (const record of records) {
      const own = record.length + eventOverheadBytes;
      if (own > eventBytesMax) {
        tally.skippedRecords += 1;
        continue;
      }
      if (messages.length === batchEventsMax || bytes + own > batchBytesMax) {
        yield messages;
        messages = [];
        bytes = 0;
      }
      messages.push(decoder.decode(record));
      bytes += own;
    }
  }
  if (messages.length > 0) yield messages;
}

/** The calls of one try. */
class StreamCalls {
  readonly #parts: LogGroupSinkParts;
  readonly #logGroups: LogGroups;
  readonly #signal: AbortSignal;
  #timestampMs = 0;
  #mayCreate = true;

  constructor(parts: LogGroupSinkParts, logGroups: LogGroups, signal: AbortSignal) {
    this.#parts = parts;
    this.#logGroups = logGroups;
    this.#signal = signal;
  }

  /** Puts one batch; a stream that is missing is made once. When the group is missing, making the stream says so. */
  async put(stream: Stream, messages: readonly string[]): Promise<ServiceOutcome> {
    const outcome = await this.#putOnce(stream, messages);
    const isMissing = outcome.kind === "refused" && outcome.code === "ResourceNotFoundException";
    if (!isMissing || !this.#mayCreate) return outcome;
    this.#mayCreate = false;
    const made = await answerWithin(this.#bounds(), (signal) =>
      this.#logGroups.createStream(stream.group, stream.stream, signal),
    );
    return made.kind === "done" ? this.#putOnce(stream, messages) : made;
  }

  async #putOnce({ group, stream }: Stream, messages: readonly string[]): Promise<ServiceOutcome> {
    // The time of delivery, for all events of a batch the same; a clock that is set back does not show in the stream.
    this.#timestampMs = Math.max(this.#timestampMs, Math.floor(this.#parts.clock.nowMs()));
    const timestampMs = this.#timestampMs;
    const events = messages.map((message) => ({ timestampMs, message }));
    const outcome = await answerWithin(this.#bounds(), (signal) =>
      this.#logGroups.putEvents({ group, stream, events }, signal),
    );
    const isThere = outcome.kind === "refused" && outcome.code === "DataAlreadyAcceptedException";
    return isThere ? { kind: "done" } : outcome;
  }

  #bounds() {
    const { clock, callMsMax } = this.#parts;
    return { clock, callMsMax, signal: this.#signal };
  }
}
