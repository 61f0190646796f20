// Reads one record: the members that Cairn itself needs, or why the bytes are no record. Pure.
// Must not: decide which members a record has to have (required.ts), or change its bytes.
import type { RecordFields, RecordResource } from "./record.ts";
import { type Span, valueExtent } from "./scan-bytes.ts";

const recordBytesMax = 1024 * 1024;
/** Open brackets at the deepest place of a record, its own braces included. */
const recordDepthMax = 100;

export type RecordReading =
  | { readonly kind: "fields"; readonly fields: RecordFields }
  /** The bytes are JSON (or too large or too deep to look), but no record. */
  | { readonly kind: "problem"; readonly problem: string }
  | { readonly kind: "not-json"; readonly problem: string };

/** Takes the span of one value without the white space around it. */
export function readRecord(span: Span): RecordReading {
  if (span.end - span.start > recordBytesMax) {
    return problem(`The record is larger than ${recordBytesMax} bytes.`);
  }
  const extent = valueExtent(span);
  if (extent && extent.depth > recordDepthMax) {
    return problem(`The record is nested deeper than ${recordDepthMax} levels.`);
  }
  const parsed = parseJson(span);
  if (parsed.kind !== "value") return parsed;
  if (!isObject(parsed.value)) return problem("The record is not a JSON object.");
  if (hasLoneSurrogate(parsed.text)) {
    return problem("The record has an unpaired surrogate escape, which no UTF-8 text can hold.");
  }
  return readFields(parsed.value);
}

function problem(text: string): RecordReading {
  return { kind: "problem", problem: text };
}

type Parsed =
  | { readonly kind: "value"; readonly value: unknown; readonly text: string }
  | Extract<RecordReading, { kind: "problem" | "not-json" }>;

// A byte order mark is no white space inside a body: it is kept, so that JSON.parse refuses it.
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

function parseJson({ bytes, start, end }: Span): Parsed {
  const own = bytes.subarray(start, end);
  const text = decode(own);
  try {
    const value: unknown = JSON.parse(text ?? lenientDecoder.decode(own));
    if (text === undefined) return { kind: "problem", problem: "The record is not valid UTF-8." };
    return { kind: "value", value, text };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: "not-json", problem: `The record is not valid JSON: ${detail}` };
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the span is one JSON value of a size and depth that is safe to build. */
export function isModestJson(span: Span): boolean {
  const extent = valueExtent(span);
  if (extent?.end !== span.end || extent.depth > recordDepthMax) return false;
  if (span.end - span.start > recordBytesMax) return false;
  return parseJson(span).kind === "value";
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Takes valid JSON text. Raw text cannot hold surrogates (it was UTF-8), only `\uD83D` escapes can. */
function hasLoneSurrogate(text: string): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return false;
  // Escapes are consumed one after the other, so that the `\\` in `\\uD83D` does not begin an escape in its middle.
  const escapes = text.matchAll(
    /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u([\da-fA-F]{4})|\\[^u]/g,
  );
  for (const [, unit] of escapes) {
    if (unit !== undefined && /^[dD][89a-fA-F]/.test(unit)) return true;
  }
  return false;
}

type Draft = { -readonly [Name in keyof RecordFields]: RecordFields[Name] };

/** These must not be null: a null one would be spliced in a second time, or be missing where it is required. */
const firmTexts = [
  ...(["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion"] as const),
  ...(["eventID", "eventType", "eventCategory", "recipientAccountId"] as const),
];
/** Some services write null where others leave the member out (formats.md §1.2); both mean that there is none. */
const looseTexts = ["errorCode", "vpcEndpointId", "sessionCredentialFromConsole"] as const;
const booleans = ["readOnly", "managementEvent"] as const;

class WrongType extends Error {}

function readFields(record: JsonObject): RecordReading {
  try {
    return { kind: "fields", fields: fieldsOf(record) };
  } catch (error) {
    if (error instanceof WrongType) return problem(error.message);
    throw error;
  }
}

function fieldsOf(record: JsonObject): RecordFields {
  const fields: Draft = {
    hasUserIdentity: Object.hasOwn(record, "userIdentity"),
    resources: resourcesOf(record["resources"]),
  };
  for (const name of firmTexts) {
    const value = record[name];
    if (value === null) throw new WrongType(`The member ${name} is null; it must be a string.`);
    if (value !== undefined) fields[name] = textOf(value, name);
  }
  for (const name of looseTexts) {
    const value = record[name] ?? undefined;
    if (value !== undefined) fields[name] = textOf(value, name);
  }
  for (const name of booleans) {
    const value = record[name] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== "boolean") throw new WrongType(`The member ${name} must be a boolean.`);
    fields[name] = value;
  }
  const identityArn = memberOf(record["userIdentity"], "userIdentity", "arn");
  if (identityArn !== undefined) fields.userIdentityArn = textOf(identityArn, "userIdentity.arn");
  const insightType = memberOf(record["insightDetails"], "insightDetails", "insightType");
  if (insightType !== undefined) fields.insightType = textOf(insightType, "insightDetails.insightType");
  return fields;
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new WrongType(`The member ${name} must be a string.`);
  return value;
}

/** A member of an object that may itself be absent or null. */
function memberOf(owner: unknown, ownerName: string, name: string): unknown {
  if (owner === undefined || owner === null) return undefined;
  if (!isObject(owner)) throw new WrongType(`The member ${ownerName} must be an object.`);
  return owner[name] ?? undefined;
}

function resourcesOf(value: unknown): RecordResource[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new WrongType("The member resources must be an array.");
  return value.map(resourceOf);
}

function resourceOf(value: unknown): RecordResource {
  if (!isObject(value)) throw new WrongType("An entry of resources is not an object.");
  const type = value["type"] ?? undefined;
  const arn = value["ARN"] ?? value["ARNPrefix"] ?? undefined;
  return {
    ...(type !== undefined && { type: textOf(type, "resources.type") }),
    ...(arn !== undefined && { arn: textOf(arn, "resources.ARN") }),
  };
}
