// Single values as a record writes them: texts without what is secret in them, times, numbers. And the secrets that
// were met on the way, so that an error message that repeats one can be cleaned of it. Pure.
import type { JsonValue } from "../../model/json.ts";
import { hidden } from "./secrecy.ts";
import type { Scalar } from "./service-table.ts";

/** Deeper values are left out. */
export const depthMax = 64;

/** What was met while one call was read. */
export class Reading {
  /** Secret texts of the request, a few: an error message may repeat them. */
  readonly secrets: string[] = [];

  /** Remembers the texts in a value that is hidden. */
  note(value: unknown, depth = 0): void {
    if (this.secrets.length >= secretsMax || depth > 4) return;
    if (typeof value === "string") {
      if (value.length >= 4 && value.length <= secretCharactersMax) this.secrets.push(value);
    } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
      for (const part of Object.values(value)) this.note(part, depth + 1);
    }
  }
}
const secretsMax = 64;
const secretCharactersMax = 4096;

/** An object under construction. */
export type Members = Record<string, JsonValue>;

/** Sets a member whose name came from outside. */
export function put(members: Members, name: string, value: JsonValue | undefined): void {
  if (value === undefined || name === "__proto__") return;
  members[name] = value;
}

/** Longer texts make the parameters too large for a record: they are left out as a whole (formats.md §1.6). */
const cleanedCharactersMax = 128 * 1024;
/** Bounded repetitions: a text from outside must not make these slow. */
const signatures =
  /([?&;](?:amp;)?(?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|sig|token)=)[^&\s"'<>]*/gi;
const passwords = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"'<>]{0,64}:)[^\s/@"'<>]{1,128}@/gi;

/** A text without the signatures, tokens and passwords that URLs carry. */
export function shownText(text: string): string {
  if (text.length > cleanedCharactersMax || (!text.includes("://") && !text.includes("X-Amz-"))) return text;
  return text.replace(signatures, `$1${hidden}`).replace(passwords, `$1${hidden}@`);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Jan 10, 2026, 9:18:41 AM`: how records print times that a service has as times (formats.md §1.5). */
export function longDate(ms: number): string | undefined {
  const text = isoDate(ms);
  const match = text && /^(\d+)-(\d\d)-(\d\d)T(\d\d)(:\d\d:\d\d)/.exec(text);
  if (!match) return undefined;
  const [, year = "", month = "", day = "", hour = "", rest = ""] = match;
  const hours = Number(hour);
  return `${months[Number(month) - 1] ?? ""} ${Number(day)}, ${year}, ${hours % 12 || 12}${rest} ${hours < 12 ? "AM" : "PM"}`;
}

function isoDate(ms: number): string | undefined {
  // What four digits can say of years; it also leaves out what is no number.
  if (!(ms >= -62_135_596_800_000 && ms <= 253_402_300_799_999)) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(ms).toISOString();
}

/** The time that a service wrote: seconds since the epoch, ISO 8601, or an HTTP date. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value * 1000;
  if (typeof value !== "string" || value.length > 64) return undefined;
  if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A scalar that came as text (XML, a query, a header), by its type. */
export function scalarFromText(kind: Scalar, text: string): JsonValue {
  switch (kind) {
    case "integer":
    case "float":
      return numberFrom(text);
    case "boolean":
      return text === "true" ? true : text === "false" ? false : shownText(text);
    case "timestamp":
      return timestampText(text);
    case "string":
    case "document":
    case "blob":
    default:
      return shownText(text);
  }
}

/** The long form of a time; what cannot be read stays as it came. */
export function timestampText(value: string | number): JsonValue {
  const ms = timeOf(value);
  return (
    (ms === undefined ? undefined : longDate(ms)) ?? (typeof value === "string" ? shownText(value) : value)
  );
}

/** A number that JSON keeps as it is; another text stays a text. */
function numberFrom(text: string): JsonValue {
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER
    ? number
    : shownText(text);
}
