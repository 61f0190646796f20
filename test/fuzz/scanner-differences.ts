// Compares the scanner with the plain one, and both with JSON.parse: what is a record, where it lies, what its fields are.
import { isPlaced, type RecordFields } from "../../src/event/record.ts";
import { missingMember } from "../../src/event/required.ts";
import { scanBatch, type ScannedRecord, withoutSpace } from "../../src/event/scan.ts";
import { valueExtent } from "../../src/event/scan-bytes.ts";
import { scanPlainly } from "../../src/event/scan-plain.ts";

export interface Seen {
  records: number;
  problems: number;
  malformed: number;
  /** Records that scan-record.ts did not have to read. */
  affirmed: number;
  complete: number;
}

export const nothingSeen = (): Seen => ({ records: 0, problems: 0, malformed: 0, affirmed: 0, complete: 0 });

/** What differs in the answers about a body, in words; undefined when nothing does. Adds to `seen`. */
export function differenceOf(bytes: Uint8Array, seen: Seen): string | undefined {
  const scan = scanBatch(bytes);
  const plain = scanPlainly(bytes);
  if (scan.kind === "malformed" || plain.kind === "malformed") {
    seen.malformed += 1;
    return isSame(scan, plain) ? undefined : `${JSON.stringify(scan)} instead of ${JSON.stringify(plain)}`;
  }
  if (scan.records.length !== plain.records.length) {
    return `${scan.records.length} records instead of ${plain.records.length}`;
  }
  for (const [at, record] of scan.records.entries()) {
    const expected = plain.records[at];
    const own = bytes.subarray(record.start, record.end);
    const difference = expected && (recordDifference(record, expected, own) ?? parseDifference(record, own));
    if (difference !== undefined) return `record ${at}: ${difference}`;
    count(record, seen);
  }
  return undefined;
}

function count(record: ScannedRecord, seen: Seen): void {
  seen.records += 1;
  if ("problem" in record) seen.problems += 1;
  else if (record.constructor !== Object) seen.affirmed += 1;
  if ("fields" in record && record.isComplete) seen.complete += 1;
}

function recordDifference(one: ScannedRecord, other: ScannedRecord, own: Uint8Array): string | undefined {
  if (one.index !== other.index || one.start !== other.start || one.end !== other.end) {
    return `lies at ${one.start}-${one.end} instead of ${other.start}-${other.end}`;
  }
  if ("problem" in one || "problem" in other) {
    const [left, right] = [one, other].map((record) => ("problem" in record ? record.problem : "accepted"));
    return left === right ? undefined : `${left} instead of ${right}`;
  }
  const expected = allFields(other.fields);
  for (const fields of [one.fields, one.inPlace]) {
    if (!isSame(allFields(fields), expected)) {
      return `${JSON.stringify(allFields(fields))} instead of ${JSON.stringify(expected)}`;
    }
  }
  return promiseDifference(one, other.fields, own);
}

/** What a record says beside its fields may be said too seldom, never wrongly. */
function promiseDifference(
  one: Extract<ScannedRecord, { fields: unknown }>,
  fields: RecordFields,
  own: Uint8Array,
): string | undefined {
  const spliceable = [fields.eventID, fields.eventType, fields.eventCategory, fields.recipientAccountId];
  const isValid = missingMember(fields) === undefined;
  const isComplete = isValid && !spliceable.includes(undefined);
  if (one.isValid && !isValid) return "is not valid";
  if (one.isComplete && !isComplete) return "is not complete";
  const isCall = ["Management", "Data", "NetworkActivity"].includes(fields.eventCategory ?? "Data");
  if (one.constructor !== Object && isCall && isValid && !one.isValid) return "is valid";
  if (one.constructor !== Object && isCall && isComplete && !one.isComplete) return "is complete";
  const hasLineBreak = own.includes(0x0a) || own.includes(0x0d);
  return hasLineBreak && !one.mayHaveLineBreak ? "has a line break" : undefined;
}

const names = [
  ...["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "eventID", "eventType"],
  ...["eventCategory", "recipientAccountId", "errorCode", "vpcEndpointId", "sessionCredentialFromConsole"],
  ...["readOnly", "managementEvent", "userIdentityArn", "insightType", "hasUserIdentity"],
] as readonly (keyof RecordFields)[];

/** Every field, absent ones too. */
function allFields(fields: RecordFields): readonly unknown[] {
  return [...names.map((name) => fields[name]), fields.resources.map(({ type, arn }) => [type, arn])];
}

function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => isSame(value, other[at]));
  }
  return one === other || (one instanceof Object && JSON.stringify(one) === JSON.stringify(other));
}

type Parsed = Readonly<Record<string, unknown>>;

/** The same said a second time with nothing but JSON.parse. */
function parseDifference(record: ScannedRecord, own: Uint8Array): string | undefined {
  const value = parsed(own);
  if ("problem" in record) {
    // What stands under a repeated key is in the text and not in the value.
    const isOfText = /surrogate|nested deeper/.test(record.problem);
    return value && isRecord(value) && !isOfText ? `${record.problem}, but JSON.parse takes it` : undefined;
  }
  if (!value) return "JSON.parse does not take it";
  if (!isRecord(value)) return "a member has a wrong type";
  const identity = value["userIdentity"] as Parsed | null | undefined;
  const details = value["insightDetails"] as Parsed | null | undefined;
  const resources = (value["resources"] ?? []) as readonly Parsed[];
  const expected = [
    ...names.slice(0, -3).map((name) => value[name] ?? undefined),
    ...[identity?.["arn"] ?? undefined, details?.["insightType"] ?? undefined],
    Object.hasOwn(value, "userIdentity"),
    resources.map((one) => [one["type"] ?? undefined, one["ARN"] ?? one["ARNPrefix"] ?? undefined]),
  ];
  return isSame(allFields(record.fields), expected)
    ? placeDifference(record, value, own)
    : `${JSON.stringify(allFields(record.fields))}, but JSON.parse gives ${JSON.stringify(expected)}`;
}

/** Where members lie: what stands there is what JSON.parse gives, and nowhere is said of no object, time or id. */
function placeDifference(
  { start, inPlace }: Extract<ScannedRecord, { fields: unknown }>,
  value: Parsed,
  own: Uint8Array,
): string | undefined {
  if (!isPlaced(inPlace)) return undefined;
  const objects = [
    ["userIdentity", inPlace.userIdentityAt],
    ["requestParameters", inPlace.requestParametersAt],
    ["responseElements", inPlace.responseElementsAt],
  ] as const;
  const isObject = (member: unknown) => member instanceof Object && !Array.isArray(member);
  for (const [name, at] of objects) {
    const extent = at === 0 ? undefined : valueExtent({ bytes: own, start: at - start, end: own.length });
    const text = extent && new TextDecoder().decode(own.subarray(at - start, extent.end));
    const found: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isSame(found, isObject(value[name]) ? value[name] : undefined)) return `${name} lies elsewhere`;
  }
  const texts = [
    ["eventTime", inPlace.eventTimeAt, 20],
    ["eventID", inPlace.eventIdAt, 36],
  ] as const;
  for (const [name, at, length] of texts) {
    const text = new TextDecoder().decode(own.subarray(at - start, at - start + length));
    if (at !== 0 && text !== value[name]) return `${name} lies elsewhere`;
  }
  if (inPlace.hasSpace !== withoutSpace(own).length < own.length) return "has white space, or not";
  return undefined;
}

/** The object that the bytes hold, if it is well-formed and within the limits. */
function parsed(own: Uint8Array): Parsed | undefined {
  if (own.length > 1024 * 1024) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(own);
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && isWellFormed(value, 1) ? (value as Parsed) : undefined;
  } catch {
    return undefined;
  }
}

function isWellFormed(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (depth > 100) return false;
  return Object.entries(value).every(
    ([key, member]) => key.isWellFormed() && isWellFormed(member, depth + 1),
  );
}

/** Whether the members that Cairn reads have the types they must have. */
function isRecord(value: Parsed): boolean {
  const isText = (member: unknown) => typeof member === "string";
  const orNothing = (test: (member: unknown) => boolean) => (member: unknown) =>
    member === undefined || member === null || test(member);
  const isObject = (member: unknown): member is Parsed =>
    typeof member === "object" && member !== null && !Array.isArray(member);
  const firm = names.slice(0, 9).every((name) => !Object.hasOwn(value, name) || isText(value[name]));
  const loose = names.slice(9, 12).every((name) => orNothing(isText)(value[name]));
  const truths = names
    .slice(12, 14)
    .every((name) => orNothing((own) => typeof own === "boolean")(value[name]));
  const holds = (owner: string, name: string) =>
    orNothing((own) => isObject(own) && orNothing(isText)(own[name]))(value[owner]);
  const isResource = (own: unknown) =>
    isObject(own) && orNothing(isText)(own["type"]) && orNothing(isText)(own["ARN"] ?? own["ARNPrefix"]);
  const resources = orNothing((own) => Array.isArray(own) && own.every(isResource))(value["resources"]);
  return (
    firm &&
    loose &&
    truths &&
    resources &&
    holds("userIdentity", "arn") &&
    holds("insightDetails", "insightType")
  );
}
