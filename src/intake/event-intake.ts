// Posted events on their way in: scan → admit (decide) → journal → answer. The answer is given only after the
// journal is durable; a bad record never takes its neighbours with it. Must not: know HTTP.
import { scanBatch } from "../event/scan.ts";
import type { AppendOutcome } from "../journal/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import { admitRecord, type Refusal } from "./admit-record.ts";
import { cutIntoFrames, type IndexedRecord } from "./frames.ts";
import type { IntakePorts } from "./ports.ts";

export interface EventBatch {
  /** NDJSON, a JSON array, or {"Records":[…]}; already inflated. */
  readonly bytes: Uint8Array;
  readonly caller: Caller;
  /** Whether the caller may put records of this account (`cairn:PutEvents`). */
  readonly mayPut: (account: AccountId) => boolean;
}

export interface Rejection extends Refusal {
  readonly index: number;
}

export type IntakeAnswer =
  | { readonly kind: "answered"; readonly accepted: number; readonly rejected: readonly Rejection[] }
  /** The body is none of the three forms. */
  | { readonly kind: "malformed"; readonly message: string }
  /** The journal takes nothing more just now. */
  | { readonly kind: "busy"; readonly message: string; readonly retryAfterSeconds: number };

export interface EventIntake {
  accept(batch: EventBatch): Promise<IntakeAnswer>;
}

// Frames of one batch that wait for the journal at the same time; more would only queue there.
const framesInFlightMax = 8;

export function createEventIntake(ports: IntakePorts): EventIntake {
  return {
    async accept(batch) {
      const scan = scanBatch(batch.bytes);
      if (scan.kind === "malformed") return { kind: "malformed", message: scan.message };
      const { admitted, rejected, version } = admitAll(batch, scan.records, ports);
      const outcome = await journalAll(admitted, { principal: batch.caller.arn, version }, ports);
      const answer = { accepted: outcome.accepted, rejected: [...rejected, ...outcome.rejected] };
      countBatch(answer, ports);
      if (answer.accepted === 0 && outcome.busy !== undefined) {
        return { kind: "busy", message: outcome.busy, retryAfterSeconds: 5 };
      }
      return { kind: "answered", ...answer, rejected: answer.rejected.sort((a, b) => a.index - b.index) };
    },
  };
}

type Scanned = Extract<ReturnType<typeof scanBatch>, { kind: "records" }>["records"];

function admitAll(batch: EventBatch, records: Scanned, ports: IntakePorts) {
  const admission = {
    index: ports.index(),
    regions: ports.regions(),
    callerAccount: batch.caller.accountId,
    mayPut: remembered(batch.mayPut),
    newEventId: () => ports.random.uuid(),
  };
  const admitted: IndexedRecord[] = [];
  const rejected: Rejection[] = [];
  for (const scanned of records) {
    const result = admitRecord(batch.bytes, scanned, admission);
    if ("code" in result) rejected.push({ index: scanned.index, ...result });
    else admitted.push({ index: scanned.index, record: result });
  }
  return { version: admission.index.version, admitted, rejected };
}

/** Asks once per account and batch: policies are slow, accounts few. */
function remembered(mayPut: (account: AccountId) => boolean): (account: AccountId) => boolean {
  const answers = new Map<AccountId, boolean>();
  return (account) => {
    const known = answers.get(account);
    if (known !== undefined) return known;
    const answer = mayPut(account);
    if (answers.size < 10_000) answers.set(account, answer);
    return answer;
  };
}

interface Decision {
  readonly principal: string;
  /** Version of the index that decided. */
  readonly version: number;
}

interface JournalResult {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  /** Why frames were not taken, when any was not. */
  readonly busy?: string;
}

async function journalAll(
  admitted: readonly IndexedRecord[],
  decision: Decision,
  ports: IntakePorts,
): Promise<JournalResult> {
  const frames = cutIntoFrames(admitted);
  const rejected: Rejection[] = [];
  let accepted = 0;
  let busy: string | undefined;
  for (let first = 0; first < frames.length; first += framesInFlightMax) {
    const window = frames.slice(first, first + framesInFlightMax);
    const outcomes = await Promise.all(window.map((frame) => appendFrame(frame, decision, ports)));
    for (const [place, outcome] of outcomes.entries()) {
      const frame = window[place] ?? [];
      if (outcome.kind === "durable") {
        accepted += frame.length;
        continue;
      }
      busy = refusalText(outcome);
      const message = busy;
      rejected.push(...frame.map(({ index }) => ({ index, code: "Throttling" as const, message })));
    }
  }
  return { accepted, rejected, ...(busy !== undefined && { busy }) };
}

function appendFrame(
  frame: readonly IndexedRecord[],
  decision: Decision,
  ports: IntakePorts,
): Promise<AppendOutcome> {
  return ports.journal.append({
    id: ports.random.uuid(),
    header: {
      door: "events",
      principal: decision.principal,
      arrivedMs: ports.clock.nowMs(),
      configurationVersion: decision.version,
    },
    records: frame.map(({ record }) => record),
  });
}

function refusalText(outcome: Exclude<AppendOutcome, { kind: "durable" }>): string {
  if (outcome.kind === "unknown") {
    return "The journal could not confirm that the events are on disk; they may be stored. Send them again if a repetition is acceptable.";
  }
  if (outcome.reason === "full") return "The journal is full: deliveries are behind. Try again later.";
  return outcome.message ?? "The server is shutting down. Try again later.";
}

function countBatch(
  answer: { readonly accepted: number; readonly rejected: readonly Rejection[] },
  ports: IntakePorts,
): void {
  if (answer.accepted > 0) ports.metrics.count("events_accepted_total", { door: "events" }, answer.accepted);
  const byCode = new Map<string, number>();
  for (const { code } of answer.rejected) byCode.set(code, (byCode.get(code) ?? 0) + 1);
  for (const [code, count] of byCode) ports.metrics.count("events_rejected_total", { code }, count);
}
