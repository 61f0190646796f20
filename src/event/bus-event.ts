// A record as the event that EventBridge carries (formats.md §5.2). Pure: bytes in, one entry of PutEvents out.
// `account`, `region`, `id` and `version` of the envelope are made by the bus itself. Must not: know plans or batches,
// or whether a trail wants the record (the selector index decided that at the door).
import { readOne } from "./event-time.ts";
import { categoryOf, type RecordFields } from "./record.ts";
import { byte, type Span } from "./scan-bytes.ts";
import { type Member, membersOf } from "./scan-members.ts";

/** One entry; the same shape as in aws/contract.ts, which this folder must not know. */
export interface BusEntry {
  readonly source: string;
  readonly detailType: string;
  /** The record's own bytes as text, without `eventContext`. */
  readonly detail: string;
  /** eventTime, milliseconds since the epoch. */
  readonly timeMs: number;
  /** Always empty. */
  readonly resources: readonly string[];
}

/** `too-large`: above 256 KB. `event-type`: no row of the table. `unreadable`: not a record that can be told apart. */
export type NoBusEntryReason = "too-large" | "event-type" | "unreadable";

export type BusEntryReading =
  | { readonly kind: "entry"; readonly entry: BusEntry; readonly bytes: number }
  | { readonly kind: "none"; readonly reason: NoBusEntryReason };

/** Of one entry and of all entries of one PutEvents together, measured by `entryBytes`. */
export const busEntryBytesMax = 262_144;
/** What PutEvents charges for a given Time. */
const timeBytes = 14;

/** Takes the bytes of one record as the log file has it. `bytes` is what PutEvents counts for the entry. */
export function busEntry(record: Uint8Array): BusEntryReading {
  const span: Span = { bytes: record, start: 0, end: record.length };
  const reading = readOne(record);
  if (reading.kind !== "fields") {
    return none(record.length > busEntryBytesMax ? "too-large" : "unreadable");
  }
  const kind = kindOf(reading.fields);
  if (!kind) return none("event-type");
  const timeMs = epochMs(reading.fields.eventTime ?? "");
  const detail = withoutEventContext(span);
  if (timeMs === undefined || !detail) return none("unreadable");
  const { source, detailType } = kind;
  const bytes = timeBytes + utf8Length(source) + utf8Length(detailType) + detail.length;
  if (bytes > busEntryBytesMax) return none("too-large");
  return {
    kind: "entry",
    bytes,
    entry: { source, detailType, detail: new TextDecoder().decode(detail), timeMs, resources: [] },
  };
}

function none(reason: NoBusEntryReason): BusEntryReading {
  return { kind: "none", reason };
}

interface Kind {
  readonly source: string;
  readonly detailType: string;
}

/** The table of formats.md §5.2. Material prints AwsVpceEvent and AwsVpceEvents (formats.md §1.8). */
function kindOf(fields: RecordFields): Kind | undefined {
  const source = `aws.${serviceOf(fields.eventSource ?? "")}`;
  // Records from before the member existed (eventVersion 1.02) are calls.
  const type = fields.eventType ?? "AwsApiCall";
  const category = categoryOf(fields);
  if (category === "Insight" || type === "AwsCloudTrailInsight") {
    return { source: "aws.cloudtrail", detailType: "AWS Insight via CloudTrail" };
  }
  if (category === "NetworkActivity" || type === "AwsVpceEvent" || type === "AwsVpceEvents") {
    return { source, detailType: "AWS Network Activity Event via CloudTrail" };
  }
  switch (type) {
    case "AwsApiCall":
      return { source, detailType: "AWS API Call via CloudTrail" };
    case "AwsConsoleSignIn":
      return { source: "aws.signin", detailType: "AWS Console Sign In via CloudTrail" };
    case "AwsConsoleAction":
      return { source, detailType: "AWS Console Action via CloudTrail" };
    case "AwsServiceEvent":
      return { source, detailType: "AWS Service Event via CloudTrail" };
    default:
      return undefined;
  }
}

/** The service's short name (formats.md §1.9); a source of another house keeps its whole name. */
function serviceOf(eventSource: string): string {
  return eventSource.replace(/\.amazonaws\.com(\.cn)?$/, "");
}

const timeForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)Z$/;

/** Takes `YYYY-MM-DDTHH:MM:SSZ`; a leap second counts as the second before it. */
function epochMs(text: string): number | undefined {
  const [, minute, second] = timeForm.exec(text) ?? [];
  if (minute === undefined || second === undefined) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const time = Date.parse(`${minute}:${second === "60" ? "59" : second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** The bus never carries the member; its bytes are cut out, the others stay. Undefined: too many members to look at. */
function withoutEventContext(record: Span): Uint8Array | undefined {
  const text = Buffer.from(record.bytes.buffer, record.bytes.byteOffset, record.bytes.byteLength);
  // A key may also be written with escapes; where there are none, this search is enough.
  if (!text.includes("eventContext") && !text.includes("\\u")) return text;
  const members = membersOf(record);
  if (!members) return undefined;
  const kept = members.filter((member) => !isEventContext(member));
  if (kept.length === members.length) return text;
  const parts = kept.flatMap(({ key, value }, index) => [
    ...(index === 0 ? [] : [Buffer.of(byte.comma)]),
    text.subarray(key.start, value.end),
  ]);
  return Buffer.concat([Buffer.of(byte.openBrace), ...parts, Buffer.of(byte.closeBrace)]);
}

function isEventContext({ key }: Member): boolean {
  const text = new TextDecoder().decode(key.bytes.subarray(key.start, key.end));
  return JSON.parse(text) === "eventContext";
}

function utf8Length(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
