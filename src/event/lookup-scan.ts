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
import type { RecordFields } from "./record.ts";
import { pathsOf, type ResourcePath } from "./resource-paths.ts";
import { byte, isSpace } from "./scan-bytes.ts";

/** The two derived attributes and the key: the others are among the fields of the scanner. */
export type DerivedFields = Pick<LookupFields, "username" | "accessKeyId" | "resources">;

type Names = Pick<LookupFields, "username" | "accessKeyId">;

/** A record among others: one line of a body. */
export interface RecordRange {
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}

const noResources: readonly LookupResource[] = [];
const noNames: Names = {};

/** Records that name everything inside are few: they are parsed. */
export function parsedFieldsOf({ body, start, end }: RecordRange): LookupFields {
  const parsed: unknown = JSON.parse(body.toString("utf8", start, end));
  return lookupFieldsOf(Object(parsed));
}

// Nearly every record begins so, with the version between.
const head = Buffer.from('{"eventVersion":"');
const identityNext = Buffer.from('","userIdentity":{');
const versionLengthMax = 8;

const rememberedCount = 256;
const rememberedBytesMax = 2048;

interface Remembered {
  readonly bytes: Buffer;
  readonly names: Names;
}

export class LookupScan {
  readonly #remembered: (Remembered | undefined)[] = Array.from({ length: rememberedCount });

  /** Takes a record and its fields. */
  derivedFieldsOf(range: RecordRange, fields: RecordFields): DerivedFields {
    const { body } = range;
    const identity = identityOf(range);
    if (!identity) return { resources: resourcesOf(body, range.start, fields) };
    const { start, isSecond } = identity;
    const known = this.#identityAt(body, start, fields);
    // What resources need stands behind it; only a record of another form is walked through from its beginning.
    const from = isSecond ? afterSpace(body, start + known.bytes.length) : range.start;
    const { username, accessKeyId } = known.names;
    const resources = resourcesOf(body, from, fields);
    if (username === undefined) return accessKeyId === undefined ? { resources } : { accessKeyId, resources };
    return accessKeyId === undefined ? { username, resources } : { username, accessKeyId, resources };
  }

  #identityAt(body: Buffer, start: number, fields: RecordFields): Remembered {
    const slot = sampleOf(body, start) % rememberedCount;
    const known = this.#remembered[slot];
    // The same text at the same place is the same object, to its last brace.
    if (known && isAt(body, known.bytes, start)) return known;
    const bytes = body.subarray(start, valueEnd(body, start));
    const names = body[start] === byte.openBrace ? readNames(body, start, fields) : noNames;
    if (bytes.length > rememberedBytesMax) return { bytes, names };
    const remembered = { bytes: Buffer.from(bytes), names };
    if (body[start] === byte.openBrace) this.#remembered[slot] = remembered;
    return remembered;
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

/** Where the value of `userIdentity` begins, and whether it is the second member. */
function identityOf({
  body,
  start,
}: RecordRange): { readonly start: number; readonly isSecond: boolean } | undefined {
  if (beginsAt(body, head, start)) {
    const version = start + head.length;
    for (let quote = version; quote < version + versionLengthMax; quote += 1) {
      if (body[quote] !== byte.quote) continue;
      if (beginsAt(body, identityNext, quote)) {
        return { start: quote + identityNext.length - 1, isSecond: true };
      }
      break;
    }
  }
  let found: number | undefined;
  visitMembers(body, start + 1, (key, value) => {
    if (isKey(body, key, "userIdentity")) found = value;
    return found === undefined;
  });
  return found === undefined ? undefined : { start: found, isSecond: false };
}

/** Short texts: a call out of JavaScript would cost more. */
function beginsAt(body: Buffer, text: Buffer, at: number): boolean {
  for (let place = 0; place < text.length; place += 1) {
    if (body[at + place] !== text[place]) return false;
  }
  return true;
}

function readNames(body: Buffer, start: number, fields: RecordFields): Names {
  const found = new Map<string, string | undefined>();
  visitMembers(body, start + 1, (key, value) => {
    for (const name of identityNames) if (isKey(body, key, name)) found.set(name, textOf(body, value));
    return true;
  });
  const named = {
    type: found.get("type"),
    userName: found.get("userName"),
    principalId: found.get("principalId"),
  };
  const username = usernameOf(named) ?? usernameOf({ ...named, arn: fields.userIdentityArn });
  const accessKeyId = found.get("accessKeyId");
  return {
    ...(username !== undefined && { username }),
    ...(accessKeyId !== undefined && accessKeyId !== "" && { accessKeyId }),
  };
}

const identityNames = ["type", "userName", "principalId", "accessKeyId"] as const;

/** `from`: the beginning of the record, or behind one of its members. */
function resourcesOf(body: Buffer, from: number, fields: RecordFields): readonly LookupResource[] {
  const { eventSource = "", eventName = "", readOnly } = fields;
  const paths = pathsOf(eventSource, eventName, readOnly === true);
  if (paths) {
    const named = namedResources(body, from, paths);
    if (named.length > 0) return named;
  }
  return fields.resources.length === 0 ? noResources : listedResourcesOf(fields.resources);
}

function namedResources(
  body: Buffer,
  from: number,
  paths: readonly ResourcePath[],
): readonly LookupResource[] {
  let request = none;
  let response = none;
  visitMembers(body, from + 1, (key, value) => {
    if (isKey(body, key, "requestParameters")) request = value;
    else if (isKey(body, key, "responseElements")) response = value;
    return request === none || response === none;
  });
  const found: Value[] = [];
  if (body[request] === byte.openBrace) findValues(body, request, { paths, isResponse: false, found });
  if (body[response] === byte.openBrace) findValues(body, response, { paths, isResponse: true, found });
  if (found.length === 0) return noResources;
  // In the order of the paths.
  const resources = new FoundResources();
  for (const [at, path] of paths.entries()) {
    const value = found.findLast((one) => one.path === at);
    if (value) resources.addAt(path, value.value, 1);
  }
  return resources.all;
}

const none = -1;

/** What stands where the first step of a path leads. */
interface Value {
  readonly path: number;
  readonly value: unknown;
}

interface Search {
  readonly paths: readonly ResourcePath[];
  readonly isResponse: boolean;
  readonly found: Value[];
}

/** Most paths have one step, to a text: nothing else is built. */
function findValues(body: Buffer, start: number, { paths, isResponse, found }: Search): void {
  visitMembers(body, start + 1, (key, value) => {
    let built: unknown;
    for (let at = 0; at < paths.length; at += 1) {
      const path = paths[at];
      const step = path?.steps[0];
      if (!step || path.isResponse !== isResponse || !isKey(body, key, step.name)) continue;
      built ??= textOf(body, value) ?? builtOf(body, value) ?? null;
      found.push({ path: at, value: built });
    }
    return true;
  });
}

/**
 * Visits the members of an object from `start` on, which is behind its brace or behind the comma after a member: where each
 * key begins, behind its quote, and where its value does. Until `visit` says no.
 */
function visitMembers(body: Buffer, start: number, visit: (key: number, value: number) => boolean): void {
  for (let at = afterSpace(body, start); body[at] === byte.quote; ) {
    const key = at + 1;
    const value = afterSpace(body, afterSpace(body, textEnd(body, at)) + 1);
    if (!visit(key, value)) return;
    at = afterSpace(body, valueEnd(body, value));
    if (body[at] !== byte.comma) return;
    at = afterSpace(body, at + 1);
  }
}

/** Whether the key that begins at `at` has this name; keys with escapes are none that are looked for. */
function isKey(body: Buffer, at: number, name: string): boolean {
  if (body[at + name.length] !== byte.quote) return false;
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
