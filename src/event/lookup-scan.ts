// Reads what a record is looked up by from its bytes, without building the record (lookup-fields.ts says what that is;
// a test holds the two equal). Pure, but for a memory of identities: those who call, call often. For records that were
// accepted: valid JSON, on one line.
import {
  FoundResources,
  listedIn,
  type LookupFields,
  type LookupResource,
  lookupFieldsOf,
  namedResourcesOf,
  usernameOf,
} from "./lookup-fields.ts";
import { categoryOf, isPlaced, type PlacedFields, type RecordFields } from "./record.ts";
import { afterComma, afterSpace, isKey, textEnd, textOf, valueEnd, valueStart } from "./json-walk.ts";
import { type CallPlaces, namesIn } from "./named-resources.ts";
import { type CallPaths, pathsOf } from "./resource-paths.ts";
import { byte } from "./scan-bytes.ts";

/** Whom a record is looked up by: of equal identities it is mostly the same object. */
export type LookupNames = Pick<LookupFields, "username" | "accessKeyId">;

/** The two derived attributes and the key: the others are among the fields of the scanner. */
export type DerivedFields = LookupNames & Pick<LookupFields, "resources">;

/** A record among others: one line of a body. */
export interface RecordRange {
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Where a record says of which resources its call was; 0 for what is not there. */
export type ResourcePlaces = CallPlaces & Pick<PlacedFields, "resourcesAt">;

const noResources: readonly LookupResource[] = [];
const noNames: LookupNames = {};

/** Records that name everything inside are few, and so are those whose places are not known: they are parsed. */
export function parsedFieldsOf({ body, start, end }: RecordRange): LookupFields {
  const parsed: unknown = JSON.parse(body.toString("utf8", start, end));
  return lookupFieldsOf(Object(parsed));
}

const fewCallers = 256;
const rememberedBytesMax = 2048;

interface Remembered {
  readonly bytes: Buffer;
  readonly names: LookupNames;
}

export class LookupScan {
  readonly #remembered: (Remembered | undefined)[];

  /** `places`: many more than callers that call often, for two that share a place push each other out. */
  constructor(places: number = fewCallers) {
    this.#remembered = Array.from({ length: places });
  }

  /** Takes a record and its fields. */
  derivedFieldsOf(range: RecordRange, fields: RecordFields): DerivedFields {
    if (!isPlaced(fields)) return parsedFieldsOf(range);
    const { username, accessKeyId } = this.namesOf(range.body, fields.userIdentityAt);
    return { username, accessKeyId, resources: resourcesIn(range.body, fields) };
  }

  /** Everything that the record is looked up by. */
  lookupFieldsOf(range: RecordRange, fields: RecordFields): LookupFields {
    if (!isPlaced(fields) || categoryOf(fields) === "Insight") return parsedFieldsOf(range);
    const { eventID: eventId, eventName, eventSource, readOnly } = fields;
    const isRead = readOnly === undefined ? undefined : readOnly ? "true" : "false";
    return { eventId, eventName, eventSource, readOnly: isRead, ...this.derivedFieldsOf(range, fields) };
  }

  /** Of the userIdentity whose brace is at `start`; 0 for none. */
  namesOf(body: Buffer, start: number): LookupNames {
    if (start === 0) return noNames;
    const slot = sampleOf(body, start) % this.#remembered.length;
    const known = this.#remembered[slot];
    // The same text at the same place is the same object, to its last brace.
    if (known && isAt(body, known.bytes, start)) return known.names;
    const bytes = body.subarray(start, valueEnd(body, start));
    const names = readNames(body, start);
    if (bytes.length <= rememberedBytesMax) this.#remembered[slot] = { bytes: Buffer.from(bytes), names };
    return names;
  }
}

/** Of a few bytes that tell identities apart. */
function sampleOf(body: Buffer, start: number): number {
  let sample = 0;
  for (let at = start + 24; at < start + 56; at += 3) sample = (Math.imul(sample, 31) + (body[at] ?? 0)) | 0;
  return sample >>> 0;
}

function isAt(body: Buffer, text: Buffer, at: number): boolean {
  const end = at + text.length;
  return end <= body.length && body.compare(text, 0, text.length, at, end) === 0;
}

function readNames(body: Buffer, start: number): LookupNames {
  const found = new Map<string, string | undefined>();
  for (let at = afterSpace(body, start + 1); body[at] === byte.quote; ) {
    const keyEnd = textEnd(body, at);
    const value = valueStart(body, keyEnd);
    for (const name of identityNames) {
      if (keyEnd - at - 2 === name.length && isKey(body, at, name)) found.set(name, textOf(body, value));
    }
    at = afterComma(body, valueEnd(body, value));
  }
  const username = usernameOf({
    type: found.get("type"),
    userName: found.get("userName"),
    principalId: found.get("principalId"),
    arn: found.get("arn"),
  });
  const accessKeyId = found.get("accessKeyId");
  return { username, accessKeyId: accessKeyId === "" ? undefined : accessKeyId };
}

const identityNames = ["type", "userName", "principalId", "arn", "accessKeyId"] as const;

/** The resources of a record's call. */
function resourcesIn(body: Buffer, fields: PlacedFields): readonly LookupResource[] {
  const { eventSource = "", eventName = "", readOnly } = fields;
  return resourcesAlong(pathsOf(eventSource, eventName, readOnly === true), body, fields);
}

/** The same for who knows the call's paths. */
export function resourcesAlong(
  paths: CallPaths | undefined,
  body: Buffer,
  places: ResourcePlaces,
): readonly LookupResource[] {
  if (paths) {
    const named = namedResources(body, places, paths);
    if (named.length > 0) return named;
  }
  const { resourcesAt } = places;
  if (resourcesAt === 0) return noResources;
  return listedIn(JSON.parse(body.toString("utf8", resourcesAt, valueEnd(body, resourcesAt))));
}

function namedResources(body: Buffer, places: CallPlaces, paths: CallPaths): readonly LookupResource[] {
  const names = namesIn(body, places, paths);
  if (!names) return namedResourcesOf(parsedCall(body, places), paths);
  if (names.length === 0) return noResources;
  const resources = new FoundResources();
  for (let path = 0; path < names.length; path += 1) {
    for (const name of names[path] ?? []) resources.add(paths.all[path]?.type, name);
  }
  return resources.all;
}

function parsedCall(body: Buffer, { requestParametersAt, responseElementsAt }: CallPlaces) {
  const parsed = (start: number): unknown =>
    start === 0 ? null : JSON.parse(body.toString("utf8", start, valueEnd(body, start)));
  return { requestParameters: parsed(requestParametersAt), responseElements: parsed(responseElementsAt) };
}
