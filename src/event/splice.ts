// Adds the four members that Cairn may fill in when a record lacks them; every other byte stays as it came. Pure.
import { categoryOf, type RecordFields } from "./record.ts";
import { byte, trimEnd } from "./scan-bytes.ts";

export interface Fill {
  /** Draws a new UUID; asked only when the record has none. */
  readonly eventID: () => string;
  /** The caller's account. */
  readonly recipientAccountId: string;
}

export interface SplicedRecord {
  readonly bytes: Uint8Array;
  readonly fields: RecordFields;
}

/**
 * Takes a valid record without white space around it and its fields. Returns both with `eventID`, `eventType`,
 * `recipientAccountId` and `eventCategory` present; the same objects when nothing was absent.
 */
export function spliceMissing(bytes: Uint8Array, fields: RecordFields, fill: Fill): SplicedRecord {
  const category = categoryOf(fields);
  const added: Partial<Record<SplicedName, string>> = {};
  if (fields.eventID === undefined) added.eventID = fill.eventID();
  if (fields.eventType === undefined) added.eventType = eventTypeOf(category);
  if (fields.recipientAccountId === undefined) added.recipientAccountId = fill.recipientAccountId;
  if (fields.eventCategory === undefined) added.eventCategory = category;
  if (Object.keys(added).length === 0) return { bytes, fields };
  return { bytes: insertMembers(bytes, added), fields: { ...fields, ...added } };
}

type SplicedName = "eventID" | "eventType" | "recipientAccountId" | "eventCategory";

/** The type a record of that category has when it does not say (formats.md §1.8). */
function eventTypeOf(category: string): string {
  switch (category) {
    case "NetworkActivity":
      return "AwsVpceEvent";
    case "Insight":
      return "AwsCloudTrailInsight";
    case "Aggregated":
      return "AwsAggregatedEvent";
    case "ActivityAuditLog":
      return "ActivityLog";
    default:
      return "AwsApiCall";
  }
}

/** Puts the members before the last brace, with a comma unless the object is empty. */
function insertMembers(bytes: Uint8Array, members: Readonly<Record<string, string>>): Uint8Array {
  const brace = bytes.length - 1;
  const isEmpty = bytes[trimEnd({ bytes, start: 0, end: brace }) - 1] === byte.openBrace;
  const text = JSON.stringify(members).slice(1, -1);
  const inserted = Buffer.from(isEmpty ? text : `,${text}`);
  const spliced = Buffer.allocUnsafe(bytes.length + inserted.length);
  // With its brace, which what is inserted then covers.
  spliced.set(bytes);
  spliced.set(inserted, brace);
  spliced[spliced.length - 1] = byte.closeBrace;
  return spliced;
}
