// Scans a posted body into records: byte ranges with the fields Cairn reads, or why a record is refused. Pure.
//
// A body is NDJSON, a JSON array, a CloudTrail log file {"Records":[…]}, or one single record. A record's bytes are
// never built anew: ranges point into the body. This module is the seam for speed; callers know only `scanBatch` and
// `compactRecord`.
//
// - A bad NDJSON line is refused alone. So is an array element that is JSON but no record, or that is too large or too
//   deep to look at. An array with an element that is no JSON at all is refused whole: who wrote it cannot be trusted
//   to have put the commas right.
// - Limits: 1 MB and 100 levels per record, 200,000 records per body (CloudTrail's own files hold 50 MB, and the
//   smallest real record has more than 250 bytes).
import type { RecordFields } from "./record.ts";
import { byte, isSpace, type Span, skipSpace, trimEnd, valueExtent } from "./scan-bytes.ts";
import { type Member, membersOf } from "./scan-members.ts";
import { isModestJson, readRecord, type RecordReading } from "./scan-record.ts";

/** `start` and `end` (exclusive) are byte offsets in the body; `index` counts records from 0. */
export type ScannedRecord = {
  readonly index: number;
  readonly start: number;
  readonly end: number;
} & ({ readonly fields: RecordFields } | { readonly problem: string });

export type BatchScan =
  | { readonly kind: "records"; readonly records: readonly ScannedRecord[] }
  /** The body as a whole is none of the forms. */
  | { readonly kind: "malformed"; readonly message: string };

const batchRecordsMax = 200_000;

/** Takes the inflated body. An empty one holds no records. A UTF-8 byte order mark at its start is skipped. */
export function scanBatch(bytes: Uint8Array): BatchScan {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = skipSpace({ bytes, start: hasMark ? 3 : 0, end: bytes.length });
  const body: Span = { bytes, start, end: trimEnd({ bytes, start, end: bytes.length }) };
  if (body.start === body.end) return { kind: "records", records: [] };
  if (bytes[start] === byte.openBracket) return scanArray(body);
  return bytes[start] === byte.openBrace ? scanObjects(body) : scanUnknown(body);
}

/** The body begins with an object: a log file, one record over any number of lines, or the first of many lines. */
function scanObjects(body: Span): BatchScan {
  const extent = valueExtent(body);
  if (extent?.end === body.end) {
    const members = membersOf(body);
    const records = members?.findLast(({ isRecords }) => isRecords);
    if (members && records && body.bytes[records.value.start] === byte.openBracket) {
      return scanLogFile(members, records);
    }
    return scanSingle(body);
  }
  if (extent === undefined && looksLikeLogFile(body)) return malformed(`The "Records" object is not closed.`);
  return scanLines(body);
}

function scanLogFile(members: readonly Member[], records: Member): BatchScan {
  for (const member of members) {
    if (!isModestJson(member.key) || (member !== records && !isModestJson(member.value))) {
      return malformed(`A member beside "Records" is not valid JSON, too large or nested too deeply.`);
    }
  }
  return scanArray(records.value);
}

function looksLikeLogFile({ bytes, start, end }: Span): boolean {
  const head = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 200)));
  return /^\{\s*"Records"\s*:\s*\[/.test(head);
}

/** One object fills the body. If it is no record, its lines may still be records of which one is broken. */
function scanSingle(body: Span): BatchScan {
  const single = scanned(body, { index: 0, reading: readRecord(body) });
  if ("fields" in single || !hasLineBreak(body)) return { kind: "records", records: [single] };
  const lines = scanLines(body);
  const isUseful = lines.kind === "records" && lines.records.some((record) => "fields" in record);
  return isUseful ? lines : { kind: "records", records: [single] };
}

/** Neither an array nor an object comes first: lines, if at least one of them is a record. */
function scanUnknown(body: Span): BatchScan {
  const lines = scanLines(body);
  if (lines.kind === "records" && lines.records.some((record) => "fields" in record)) return lines;
  return malformed(
    `The body is neither records line by line, nor a JSON array of records, nor {"Records":[…]}.`,
  );
}

function scanLines(body: Span): BatchScan {
  const { bytes } = body;
  const records: ScannedRecord[] = [];
  let lineStart = body.start;
  while (lineStart < body.end) {
    const feed = bytes.indexOf(byte.lineFeed, lineStart);
    const lineEnd = feed === -1 || feed > body.end ? body.end : feed;
    const start = skipSpace({ bytes, start: lineStart, end: lineEnd });
    const line: Span = { bytes, start, end: trimEnd({ bytes, start, end: lineEnd }) };
    if (line.start < line.end) {
      if (records.length === batchRecordsMax) return tooMany();
      records.push(scanned(line, { index: records.length, reading: readLine(line) }));
    }
    lineStart = lineEnd + 1;
  }
  return { kind: "records", records };
}

/** A line whose end cannot be found is no JSON; it is not parsed, for its depth is unknown. */
function readLine(line: Span): RecordReading {
  if (valueExtent(line) !== undefined) return readRecord(line);
  return { kind: "not-json", problem: "The record is not valid JSON: it ends too early." };
}

/** The array must fill the span. */
function scanArray({ bytes, start: arrayStart, end: arrayEnd }: Span): BatchScan {
  const records: ScannedRecord[] = [];
  let at = skipSpace({ bytes, start: arrayStart + 1, end: arrayEnd });
  if (bytes[at] === byte.closeBracket && at + 1 === arrayEnd) return { kind: "records", records };
  while (at < arrayEnd) {
    const extent = valueExtent({ bytes, start: at, end: arrayEnd });
    if (!extent || extent.end === at)
      return malformed(`The array is broken at its element ${records.length}.`);
    if (records.length === batchRecordsMax) return tooMany();
    const element: Span = { bytes, start: at, end: extent.end };
    const reading = readRecord(element);
    if (reading.kind === "not-json") {
      return malformed(
        `The array's element ${records.length} is not valid JSON: the array cannot be trusted.`,
      );
    }
    records.push(scanned(element, { index: records.length, reading }));
    at = skipSpace({ bytes, start: extent.end, end: arrayEnd });
    if (bytes[at] === byte.closeBracket && at + 1 === arrayEnd) return { kind: "records", records };
    if (at >= arrayEnd) return malformed("The array is not closed.");
    if (bytes[at] !== byte.comma)
      return malformed(`The array is broken after its element ${records.length - 1}.`);
    at = skipSpace({ bytes, start: at + 1, end: arrayEnd });
  }
  return malformed("The array is not closed.");
}

function scanned(
  { start, end }: Span,
  result: { readonly index: number; readonly reading: RecordReading },
): ScannedRecord {
  const { index, reading } = result;
  return reading.kind === "fields"
    ? { index, start, end, fields: reading.fields }
    : { index, start, end, problem: reading.problem };
}

function malformed(message: string): BatchScan {
  return { kind: "malformed", message };
}

function tooMany(): BatchScan {
  return malformed(`The body has more than ${batchRecordsMax} records. Send it in several parts.`);
}

/** Inside JSON a raw line break can stand only between tokens. */
function hasLineBreak({ bytes, start, end }: Span): boolean {
  const own = bytes.subarray(start, end);
  return own.includes(byte.lineFeed) || own.includes(byte.carriageReturn);
}

/**
 * A log file has one line: takes a valid record and, when it spans several lines, drops the white space between its
 * tokens. A record on one line comes back as the same bytes.
 */
export function compactRecord(bytes: Uint8Array): Uint8Array {
  if (!hasLineBreak({ bytes, start: 0, end: bytes.length })) return bytes;
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
