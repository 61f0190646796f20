// From the bytes of a call to its typed input: JSON, JSON types, then the modelled constraints, in this order
// (api.md §1.3, §1.5). Pure. Must not: know HTTP, trails or selectors.
import { unreachable } from "./assert.ts";
import { checkConstraints } from "./constraints.ts";
import { type ApiError, apiError } from "./errors.ts";
import { operationShapes, shapes } from "./generated/shapes.ts";
import { isObject } from "./json.ts";
import type { Input, OperationName } from "./operations.ts";
import type { Shape } from "./shape.ts";

/** Objects and lists inside each other, at most. No shape nests deeper than eight. */
const nestingMax = 100;

/**
 * Reads the body of a call. The result has modelled members only; timestamps are Dates, blobs Uint8Arrays,
 * integers truncated; a `null` member is absent.
 * Throws SerializationException for what cannot be read, else the error of the first broken constraint.
 * Left to the handlers: missing trail names, and everything about event selectors beyond their JSON types
 * (constraints-by-member.ts says which).
 */
export function decodeInput<Name extends OperationName>(operation: Name, body: Uint8Array): Input<Name> {
  const input = readerOf(operationShapes[operation].input)(parseBody(body));
  checkConstraints(operation, input);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the readers follow the shapes from which the vendor's SDK types were generated; decode.test.ts compares both
  return input as Input<Name>;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The body as an object or list; anything else is unusable, and is answered without a text (api.md §1.5). */
function parseBody(body: Uint8Array): object {
  let value: unknown;
  try {
    const text = utf8.decode(body);
    if (nestsTooDeep(text)) throw apiError("SerializationException.unusable");
    value = JSON.parse(text);
  } catch {
    throw apiError("SerializationException.unusable");
  }
  if (typeof value !== "object" || value === null) throw apiError("SerializationException.unusable");
  return value;
}

/** Whether brackets outside strings are open more than `nestingMax` deep. */
function nestsTooDeep(text: string): boolean {
  // Nearly every body ends here: so many brackets would not fit.
  if (text.length <= 2 * nestingMax) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > nestingMax) return true;
    } else if (character === "}" || character === "]") depth -= 1;
  }
  return false;
}

/** Turns one JSON value (never null) into the value of a shape, or throws SerializationException. */
type Reader = (value: unknown) => unknown;

const readers = new Map<string, Reader>();

function readerOf(shapeName: string): Reader {
  const known = readers.get(shapeName);
  if (known) return known;
  const shape = shapes[shapeName];
  if (!shape) throw new Error(`The model has no shape ${shapeName}.`);
  const reader = makeReader(shape);
  readers.set(shapeName, reader);
  return reader;
}

function makeReader(shape: Shape): Reader {
  switch (shape.type) {
    case "structure":
      return structureReader(shape.members);
    case "list":
      return listReader(readerOf(shape.member));
    case "map":
      return mapReader(readerOf(shape.value));
    case "string":
      return (value) => (typeof value === "string" ? value : refuse(value, "a String"));
    case "boolean":
      return readBoolean;
    case "integer":
      return readInteger;
    case "number":
      return (value) => (typeof value === "number" ? value : refuse(value, "a Double"));
    case "timestamp":
      return readTimestamp;
    case "blob":
      return readBlob;
    default:
      return unreachable(shape);
  }
}

function structureReader(members: Readonly<Record<string, string>>): Reader {
  const memberReaders = new Map(Object.entries(members).map(([name, shape]) => [name, readerOf(shape)]));
  return (value) => {
    if (!isObject(value)) throw typeError(Array.isArray(value) ? listStart : "Expected null");
    const result: Record<string, unknown> = {};
    // In the order of the body, so that its first type error is the one that is told.
    for (const [name, member] of Object.entries(value)) {
      const read = memberReaders.get(name);
      if (read && member !== null) result[name] = read(member);
    }
    return result;
  };
}

/** A null entry is kept: that a member of a list must not be null is a constraint, not a type error. */
function listReader(read: Reader): Reader {
  return (value) => {
    if (!Array.isArray(value)) throw typeError(isObject(value) ? structureStart : "Expected list or null");
    return value.map((entry: unknown) => (entry === null ? null : read(entry)));
  };
}

function mapReader(read: Reader): Reader {
  return (value) => {
    if (!isObject(value)) throw typeError(Array.isArray(value) ? listStart : "Expected map or null");
    const entries = Object.entries(value).filter(([, entry]) => entry !== null);
    // fromEntries defines own members: a key such as __proto__ stays a key.
    return Object.fromEntries(entries.map(([key, entry]) => [key, read(entry)]));
  };
}

/** Beyond what a double holds exactly an integer is cut to that bound, so that it stays a JSON number. */
function readInteger(value: unknown): number {
  if (typeof value !== "number") return refuse(value, "an Integer");
  const bounded = Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  return Math.trunc(bounded) + 0;
}

function readBoolean(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  // The article differs by token on the real service.
  return refuse(value, typeof value === "string" ? "an Boolean" : "a Boolean");
}

/** Seconds since the epoch, whole or with a fraction (api.md §1.3). */
function readTimestamp(value: unknown): Date {
  if (typeof value !== "number") return refuse(value, "milliseconds since epoch");
  // oxlint-disable-next-line no-restricted-globals -- converts the client's number, does not look at the clock
  const date = new Date(Math.round(value * 1000));
  if (Number.isNaN(date.getTime())) return refuse(value, "milliseconds since epoch");
  return date;
}

function readBlob(value: unknown): Uint8Array {
  if (typeof value !== "string") return refuse(value, "a Blob");
  try {
    return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  } catch {
    return refuse(value, "a Blob");
  }
}

const listStart = "Start of list found where not expected";
const structureStart = "Start of structure or map found where not expected.";

/** Throws the error for a JSON value where a scalar of another type is expected. */
function refuse(value: unknown, target: string): never {
  if (Array.isArray(value)) throw typeError(listStart);
  if (isObject(value)) throw typeError(structureStart);
  throw typeError(`${tokenOf(value)} can not be converted to ${target}`);
}

function tokenOf(value: unknown): string {
  if (value === true) return "TRUE_VALUE";
  if (value === false) return "FALSE_VALUE";
  return typeof value === "number" ? "NUMBER_VALUE" : "STRING_VALUE";
}

function typeError(text: string): ApiError {
  return apiError("SerializationException.value", { text });
}
