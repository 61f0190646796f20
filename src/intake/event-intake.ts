// Posted events on their way in: scan → admit (decide) → journal → answer. The answer is given only after the
// journal is durable; a bad record never takes its neighbours with it. Must not: know HTTP.
import { noteWords, writeNote } from "../event/record-notes.ts";
import { scanBatch, type ScannedRecord } from "../event/scan.ts";
import type { ReadableRecord } from "../event/scanned-record.ts";
import type { AppendOutcome, FrameRecord } from "../journal/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";
import { admitRecord } from "./admit-record.ts";
import { cutIntoFrames, type FrameContent } from "./frames.ts";
import { KnownPlaces, Places, type Refusal } from "./places.ts";
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

/** `takesNotes`: whether somebody reads what is noted of records, as event history does. */
export function createEventIntake(
  ports: IntakePorts,
  { takesNotes }: { readonly takesNotes: boolean } = { takesNotes: true },
): EventIntake {
  const known = new KnownPlaces();
  return {
    async accept(batch) {
      const scan = scanBatch(batch.bytes);
      if (scan.kind === "malformed") return { kind: "malformed", message: scan.message };
      const index = ports.index();
      const { admitted, rejected } = admitAll(
        { batch, records: scan.records, index, known, takesNotes },
        ports,
      );
      const decision = { principal: batch.caller.arn, version: index.version };
      const outcome = await journalAll(admitted, decision, ports);
      const answer = { accepted: outcome.accepted, rejected: [...rejected, ...outcome.rejected] };
      countBatch(answer, ports);
      if (answer.accepted === 0 && outcome.busy !== undefined) {
        return { kind: "busy", message: outcome.busy, retryAfterSeconds: 5 };
      }
      return { kind: "answered", ...answer, rejected: answer.rejected.sort((a, b) => a.index - b.index) };
    },
  };
}

interface ScannedBatch {
  readonly batch: EventBatch;
  readonly records: readonly ScannedRecord[];
  readonly index: SelectorIndex;
  readonly known: KnownPlaces;
  readonly takesNotes: boolean;
}

/** What goes to the journal, and beside it each record's place in the batch. */
interface Admitted extends FrameContent {
  readonly indexes: readonly number[];
}

function admitAll(scanned: ScannedBatch, ports: IntakePorts): { admitted: Admitted; rejected: Rejection[] } {
  const { batch, index, known } = scanned;
  const admission = {
    index,
    places: new Places({ regions: ports.regions(), mayPut: batch.mayPut }, known),
    callerAccount: batch.caller.accountId,
    newEventId: () => ports.random.uuid(),
  };
  const records: FrameRecord[] = [];
  const indexes: number[] = [];
  const rejected: Rejection[] = [];
  const notes = scanned.takesNotes ? new Int32Array(scanned.records.length * noteWords) : undefined;
  for (const record of scanned.records) {
    const result = admitRecord(batch.bytes, record, admission);
    if ("code" in result) {
      rejected.push({ index: record.index, ...result });
    } else {
      if (notes && isAsScanned(record, result)) {
        writeNote(notes, records.length * noteWords, { fields: record.inPlace, start: record.start });
      }
      records.push(result);
      indexes.push(record.index);
    }
  }
  return { admitted: { records, indexes, notes }, rejected };
}

/** Whether what was seen holds of the bytes that are journaled: nothing was spliced in, no line break taken out. */
function isAsScanned(
  scanned: ScannedRecord,
  { bytes }: FrameRecord,
): scanned is ScannedRecord & ReadableRecord {
  return "isComplete" in scanned && scanned.isComplete && bytes.length === scanned.end - scanned.start;
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
  { indexes, ...content }: Admitted,
  decision: Decision,
  ports: IntakePorts,
): Promise<JournalResult> {
  const frames = cutIntoFrames(content);
  const rejected: Rejection[] = [];
  let accepted = 0;
  /** Records of the frames before the one looked at. */
  let before = 0;
  let busy: string | undefined;
  for (let first = 0; first < frames.length; first += framesInFlightMax) {
    const window = frames.slice(first, first + framesInFlightMax);
    const outcomes = await Promise.all(window.map((frame) => appendFrame(frame, decision, ports)));
    for (const [place, outcome] of outcomes.entries()) {
      const count = window[place]?.records.length ?? 0;
      if (outcome.kind === "durable") {
        accepted += count;
      } else {
        const message = refusalText(outcome);
        busy = message;
        for (const index of indexes.slice(before, before + count)) {
          rejected.push({ index, code: "Throttling", message });
        }
      }
      before += count;
    }
  }
  return { accepted, rejected, ...(busy !== undefined && { busy }) };
}

function appendFrame(content: FrameContent, decision: Decision, ports: IntakePorts): Promise<AppendOutcome> {
  return ports.journal.append({
    id: ports.random.uuid(),
    header: {
      door: "events",
      principal: decision.principal,
      arrivedMs: ports.clock.nowMs(),
      configurationVersion: decision.version,
    },
    ...content,
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
