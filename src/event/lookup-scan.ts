// Reads what a record is looked up by from its bytes, without building the record (lookup-fields.ts says what that is;
// a test holds the two equal). Pure, but for a memory of identities: those who call, call often. For records that were
// accepted: valid JSON, on one line.
import {
  FoundResources,
  listedResourcesOf,
  type LookupFields,
  type LookupResource,
  lookupFieldsOf,
  usernameOf,
} from "./lookup-fields.ts";
import { categoryOf, isPlaced, type PlacedFields, type RecordFields } from "./record.ts";
import { type CallPaths, type FirstStep, type FirstSteps, pathsOf } from "./resource-paths.ts";
import { byte, isSpace } from "./scan-bytes.ts";

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
    const { username, accessKeyId } = this.namesOf(range.body, fields);
    return { username, accessKeyId, resources: resourcesIn(range.body, fields) };
  }

  /** Everything that the record is looked up by. */
  lookupFieldsOf(range: RecordRange, fields: RecordFields): LookupFields {
    if (!isPlaced(fields) || categoryOf(fields) === "Insight") return parsedFieldsOf(range);
    const { eventID: eventId, eventName, eventSource, readOnly } = fields;
    const { username, accessKeyId } = this.namesOf(range.body, fields);
    const resources = resourcesIn(range.body, fields);
    const isRead = readOnly === undefined ? undefined : readOnly ? "true" : "false";
    return { eventId, eventName, eventSource, readOnly: isRead, username, accessKeyId, resources };
  }

  namesOf(body: Buffer, fields: PlacedFields): LookupNames {
    const start = fields.userIdentityAt;
    if (start === 0) return noNames;
    const slot = sampleOf(body, start) % this.#remembered.length;
    const known = this.#remembered[slot];
    // The same text at the same place is the same object, to its last brace.
    if (known && isAt(body, known.bytes, start)) return known.names;
    const bytes = body.subarray(start, valueEnd(body, start));
    const names = readNames(body, start, fields);
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

function readNames(body: Buffer, start: number, fields: RecordFields): LookupNames {
  const found = new Map<string, string | undefined>();
  visitMembers(body, start + 1, ({ key, keyEnd, value }) => {
    for (const name of identityNames) {
      if (keyEnd - key === name.length && isKey(body, key, name)) found.set(name, textOf(body, value));
    }
  });
  const named = {
    type: found.get("type"),
    userName: found.get("userName"),
    principalId: found.get("principalId"),
  };
  const username = usernameOf(named) ?? usernameOf({ ...named, arn: fields.userIdentityArn });
  const accessKeyId = found.get("accessKeyId");
  return { username, accessKeyId: accessKeyId === "" ? undefined : accessKeyId };
}

const identityNames = ["type", "userName", "principalId", "accessKeyId"] as const;

/** The resources of a record's call. */
export function resourcesIn(body: Buffer, fields: PlacedFields): readonly LookupResource[] {
  const { eventSource = "", eventName = "", readOnly } = fields;
  const paths = pathsOf(eventSource, eventName, readOnly === true);
  if (paths) {
    const named = namedResources(body, fields, paths);
    if (named.length > 0) return named;
  }
  const { resources } = fields;
  return resources.length === 0 ? noResources : listedResourcesOf(resources);
}

function namedResources(
  body: Buffer,
  { requestParametersAt: request, responseElementsAt: response }: PlacedFields,
  paths: CallPaths,
): readonly LookupResource[] {
  /** By path: what stands where its first step leads. */
  const found = new Map<number, unknown>();
  if (request > 0) findValues(body, request, { steps: paths.request, found });
  if (response > 0) findValues(body, response, { steps: paths.response, found });
  if (found.size === 0) return noResources;
  const resources = new FoundResources();
  const inOrder = found.size === 1 ? found.keys() : [...found.keys()].toSorted((a, b) => a - b);
  for (const at of inOrder) {
    const path = paths.all[at];
    if (path) resources.addAt(path, found.get(at), 1);
  }
  return resources.all;
}

interface Search {
  readonly steps: FirstSteps;
  readonly found: Map<number, unknown>;
}

/** Most paths have one step, to a text: nothing else is built. */
function findValues(body: Buffer, start: number, { steps, found }: Search): void {
  if (steps.length === 0) return;
  visitMembers(body, start + 1, ({ key, keyEnd, value }) => {
    for (const { name, paths } of steps[keyEnd - key] ?? noSteps) {
      if (!isKey(body, key, name)) continue;
      const built = textOf(body, value) ?? builtOf(body, value) ?? null;
      for (const path of paths) found.set(path, built);
    }
  });
}

const noSteps: readonly FirstStep[] = [];

/** Where a member of an object lies: its key, without the quotes, and the beginning of its value. */
interface MemberPlace {
  key: number;
  keyEnd: number;
  value: number;
}

/** Visits the members of an object from `start` on, which is behind its brace. The place is good for the visit only. */
function visitMembers(body: Buffer, start: number, visit: (place: MemberPlace) => void): void {
  const place = { key: 0, keyEnd: 0, value: 0 };
  for (let at = afterSpace(body, start); body[at] === byte.quote; ) {
    const end = textEnd(body, at);
    place.key = at + 1;
    place.keyEnd = end - 1;
    place.value = afterSpace(body, afterSpace(body, end) + 1);
    visit(place);
    at = afterSpace(body, valueEnd(body, place.value));
    if (body[at] !== byte.comma) return;
    at = afterSpace(body, at + 1);
  }
}

/** Whether the key that begins at `at`, of the length of this name, is it; keys with escapes are none that are looked for. */
function isKey(body: Buffer, at: number, name: string): boolean {
  for (let place = 0; place < name.length; place += 1) {
    if (body[at + place] !== name.charCodeAt(place)) return false;
  }
  return true;
}

function afterSpace(body: Buffer, start: number): number {
  let at = start;
  while (isSpace(body[at])) at += 1;
  return at;
}

/** Behind the value at `start`. */
function valueEnd(body: Buffer, start: number): number {
  const first = body[start];
  if (first === byte.quote) return textEnd(body, start);
  if (first !== byte.openBrace && first !== byte.openBracket) return wordEnd(body, start);
  let open = 0;
  for (let at = start; at < body.length; at += 1) {
    const code = body[at];
    if (code === byte.quote) at = textEnd(body, at) - 1;
    else if (code === byte.openBrace || code === byte.openBracket) open += 1;
    else if (code === byte.closeBrace || code === byte.closeBracket) {
      open -= 1;
      if (open === 0) return at + 1;
    }
  }
  return body.length;
}

/** Behind the text that begins with the quote at `start`. */
function textEnd(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at += 1) {
    const code = body[at];
    if (code === byte.quote) return at + 1;
    if (code === byte.backslash) at += 1;
  }
  return body.length;
}

/** Behind a number or a word. */
function wordEnd(body: Buffer, start: number): number {
  let at = start;
  for (; at < body.length; at += 1) {
    const code = body[at];
    if (code === byte.comma || code === byte.closeBrace || code === byte.closeBracket || isSpace(code)) break;
  }
  return at;
}

/** Undefined when the value at `start` is no text. */
function textOf(body: Buffer, start: number): string | undefined {
  if (body[start] !== byte.quote) return undefined;
  const end = textEnd(body, start);
  const text = body.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

/** An object or a list; everything else names nothing. */
function builtOf(body: Buffer, start: number): unknown {
  if (body[start] !== byte.openBrace && body[start] !== byte.openBracket) return undefined;
  return JSON.parse(body.toString("utf8", start, valueEnd(body, start)));
}
