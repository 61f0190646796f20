// Members of a request or an answer whose body is JSON (or CBOR, decoded), as a record writes them. Pure.
import { isObject, type JsonValue } from "../../model/json.ts";
import { depthMax, type Members, put, type Reading, shownText, timestampText } from "./record-values.ts";
import { isSecretName, hidden, type Secrecy } from "./secrecy.ts";
import {
  type ListShape,
  lowerFirst,
  type MapShape,
  type Member,
  type Shape,
  type Structure,
} from "./service-table.ts";

/** Texts under names that the tables do not know are kept up to this length. */
const unknownCharactersMax = 256;

/** The members of a structure; undefined when `value` is no object. */
export function structureFromJson(shape: Structure, value: unknown, reading: Reading): Members | undefined {
  const members = fromJson(shape, value, { reading, depth: 0 });
  return isObject(members) ? { ...members } : undefined;
}

interface Way {
  readonly reading: Reading;
  readonly depth: number;
}

function fromJson(shape: Shape, value: unknown, way: Way): JsonValue | undefined {
  if (value === null || value === undefined || way.depth > depthMax) return undefined;
  switch (shape.kind) {
    case "structure":
      return isObject(value) ? structure(shape, value, deeper(way)) : undefined;
    case "list":
      return Array.isArray(value) ? list(shape, value, deeper(way)) : undefined;
    case "map":
      return isObject(value) ? map(shape, value, deeper(way)) : undefined;
    case "document":
      return freeJson(value, deeper(way));
    case "blob":
      return undefined;
    case "timestamp":
      return typeof value === "number" || typeof value === "string" ? timestampText(value) : undefined;
    case "string":
    case "integer":
    case "float":
    case "boolean":
    default:
      return plainScalar(value);
  }
}

function deeper(way: Way): Way {
  return { reading: way.reading, depth: way.depth + 1 };
}

function structure(shape: Structure, value: Readonly<Record<string, unknown>>, way: Way): Members {
  const members: Members = {};
  for (const name of Object.keys(value)) {
    const member = shape.byWireName.get(name) ?? shape.byName.get(name);
    if (member) put(members, member.recordName, memberFromJson(member, value[name], way));
    else put(members, lowerFirst(name), unknownMember(name, value[name], way.reading));
  }
  return hideNamedValue(members, way.reading);
}

/** `{key: "DB_PASSWORD", value: …}`: a value whose name stands beside it. Gives the same members. */
export function hideNamedValue(members: Members, reading: Reading): Members {
  const name = members["key"] ?? members["name"] ?? members["Key"] ?? members["Name"];
  if (typeof name !== "string" || !isSecretName(name)) return members;
  for (const place of ["value", "Value"]) {
    const value = members[place];
    if (typeof value !== "string" && typeof value !== "number") continue;
    members[place] = conceal({ kind: "replaced", by: hidden }, value, reading) ?? hidden;
  }
  return members;
}

/** A member's value, or what stands in its place. */
export function memberFromJson(member: Member, value: unknown, way: Way): JsonValue | undefined {
  const { secrecy } = member;
  if (secrecy.kind === "shown") return fromJson(member.shape, value, way);
  if (value === null || value === undefined) return undefined;
  return conceal(secrecy, value, way.reading);
}

/** What stands in place of a secret value, which is remembered so that no error message repeats it. */
export function conceal(secrecy: Secrecy, value: unknown, reading: Reading): JsonValue | undefined {
  reading.note(value);
  return secrecy.kind === "replaced" ? secrecy.by : undefined;
}

function list(shape: ListShape, value: readonly unknown[], way: Way): JsonValue[] {
  const items: JsonValue[] = [];
  for (const item of value) {
    const shown = fromJson(shape.item.shape, item, way);
    if (shown !== undefined) items.push(shown);
  }
  return items;
}

/** The keys of a map are data: they stay as they are. */
function map(shape: MapShape, value: Readonly<Record<string, unknown>>, way: Way): Members {
  const members: Members = {};
  for (const [key, part] of Object.entries(value)) {
    if (isSecretName(key) && typeof part === "string")
      put(members, key, conceal({ kind: "replaced", by: hidden }, part, way.reading));
    else put(members, key, fromJson(shape.value.shape, part, way));
  }
  return members;
}

/** JSON of no known shape: its own names, secrets by their names. */
export function freeJson(value: unknown, way: Way): JsonValue | undefined {
  if (way.depth > depthMax) return undefined;
  if (Array.isArray(value)) {
    return value.map((part) => freeJson(part, deeper(way))).filter((part) => part !== undefined);
  }
  if (!isObject(value)) return plainScalar(value);
  const members: Members = {};
  for (const [key, part] of Object.entries(value)) {
    const isSecret = isSecretName(key) && !isObject(part);
    put(
      members,
      key,
      isSecret ? conceal({ kind: "replaced", by: hidden }, part, way.reading) : freeJson(part, deeper(way)),
    );
  }
  return hideNamedValue(members, way.reading);
}

/** What the tables do not know: shallow, short, and hidden when its name says so. */
export function unknownMember(name: string, value: unknown, reading: Reading): JsonValue | undefined {
  if (typeof value === "boolean" || typeof value === "number") return value;
  if (isSecretName(name)) return conceal({ kind: "replaced", by: hidden }, value, reading);
  if (typeof value === "string" && value.length <= unknownCharactersMax) return shownText(value);
  reading.note(value);
  return undefined;
}

function plainScalar(value: unknown): JsonValue | undefined {
  if (typeof value === "string") return shownText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value.toString();
  return typeof value === "boolean" || value === null ? value : undefined;
}
