// Scans a posted body into records: byte ranges with the fields Cairn reads, or why a record is refused. Pure.
//
// A body is NDJSON, a JSON array, a CloudTrail log file {"Records":[…]}, or one single record. A record's bytes are
// never built anew: ranges point into the body. Callers know only `scanBatch` and `compactRecord`.
//
// The records are read by the scanner (scanner.ts), as strictly as JSON.parse. What it cannot affirm goes to the plain
// one: a record that is odd in itself alone (scan-record.ts), a body whose form is broken as a whole (scan-plain.ts). So
// all that is said of bad bodies, and the rules and limits, stand there.
import { unreachable } from "../model/assert.ts";
import { byte, isSpace, type Span, skipSpace } from "./scan-bytes.ts";
import { type BodyForm, bodyOf, formOf, scanFormPlainly } from "./scan-plain.ts";
import { scanLines, scanList, scanOne, type SpanRecords } from "./scan-span.ts";
import { type BatchScan, hasLineBreak, type ScannedRecord } from "./scanned-record.ts";

export type { BatchScan, ScannedRecord } from "./scanned-record.ts";

/** Takes the inflated body. An empty one holds no records. A UTF-8 byte order mark at its start is skipped. */
export function scanBatch(bytes: Uint8Array): BatchScan {
  const body = bodyOf(bytes);
  if (body.start === body.end) return { kind: "records", records: [] };
  const records = commonRecords(body);
  if (records) return { kind: "records", records };
  const form = formOf(body);
  const own = recordsOf(form);
  return own ? { kind: "records", records: own } : scanFormPlainly(form);
}

/** The forms that come as a rule, told by how they begin, so that the body is walked through once. */
function commonRecords(body: Span): readonly ScannedRecord[] | undefined {
  if (body.bytes[body.start] !== byte.openBrace) return undefined;
  const list = listOfLogFile(body);
  if (list) return closedBy(body, scanList(list));
  const lines = scanLines(body, "affirmed");
  if (lines) return lines.records;
  const one = scanOne(body);
  return one && [one];
}

/** All other bodies, once the plain scanner has told their form; undefined when it has to read them too. */
function recordsOf(form: BodyForm): readonly ScannedRecord[] | undefined {
  switch (form.kind) {
    case "array": {
      const list = scanList(form.span);
      return list?.end === form.span.end ? list.records : undefined;
    }
    case "lines":
      return scanLines(form.span, "any")?.records;
    case "unknown": {
      const lines = scanLines(form.span, "any");
      return lines?.records.some((record) => "fields" in record) ? lines.records : undefined;
    }
    case "single":
    case "malformed":
      return undefined;
    default:
      return unreachable(form);
  }
}

const logFileKey = new TextEncoder().encode('"Records"');

/** Where the list begins, when `Records` is the first member and a list. */
function listOfLogFile({ bytes, start, end }: Span): Span | undefined {
  const key = skipSpace({ bytes, start: start + 1, end });
  if (!logFileKey.every((code, place) => bytes[key + place] === code)) return undefined;
  const colon = skipSpace({ bytes, start: key + logFileKey.length, end });
  const list = skipSpace({ bytes, start: colon + 1, end });
  if (bytes[colon] !== byte.colon || bytes[list] !== byte.openBracket) return undefined;
  return { bytes, start: list, end };
}

/** The list's records if nothing but the log file's brace stands behind it. */
function closedBy({ bytes, end }: Span, list: SpanRecords | undefined): readonly ScannedRecord[] | undefined {
  if (!list) return undefined;
  const brace = skipSpace({ bytes, start: list.end, end });
  return bytes[brace] === byte.closeBrace && brace + 1 === end ? list.records : undefined;
}

/**
 * A log file has one line: takes a valid record and, when it spans several lines, drops the white space between its
 * tokens. A record on one line comes back as the same bytes.
 */
export function compactRecord(bytes: Uint8Array): Uint8Array {
  return hasLineBreak({ bytes, start: 0, end: bytes.length }) ? withoutSpace(bytes) : bytes;
}

/** The bytes of valid JSON without the white space between its tokens. */
export function withoutSpace(bytes: Uint8Array): Uint8Array {
  const compact = new Uint8Array(bytes.length);
  let length = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] ?? 0;
    if (!inString && isSpace(code)) continue;
    compact[length] = code;
    length += 1;
    if (code === byte.quote) inString = !inString;
    if (code === byte.backslash && inString) {
      at += 1;
      compact[length] = bytes[at] ?? 0;
      length += 1;
    }
  }
  return compact.subarray(0, length);
}
