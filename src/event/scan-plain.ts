// The plain scanner: says by JSON.parse, record by record, what a body holds. Pure.
//
// scan.ts is fast and says the same; what it cannot affirm by itself it asks here, so that every word about a bad body
// comes from this file and scan-record.ts. The fuzz holds the two together.
//
// - A bad NDJSON line is refused alone. So is an array element that is JSON but no record, or that is too large or too
//   deep to look at. An array with an element that is no JSON at all is refused whole: who wrote it cannot be trusted
//   to have put the commas right.
// - Limits: 1 MB and 100 levels per record, 200,000 records per body (CloudTrail's own files hold 50 MB, and the
//   smallest real record has more than 250 bytes).
import { unreachable } from "../model/assert.ts";
import { byte, type Span, skipSpace, trimEnd, valueExtent } from "./scan-bytes.ts";
import { type Member, membersOf } from "./scan-members.ts";
import { isModestJson, readRecord, type RecordReading } from "./scan-record.ts";
import {
  type BatchScan,
  batchRecordsMax,
  hasLineBreak,
  plainRecord,
  type ScannedRecord,
} from "./scanned-record.ts";

/** What a body is, before its records are looked at. */
export type BodyForm =
  /** A list that fills the span. */
  | { readonly kind: "array"; readonly span: Span }
  | { readonly kind: "lines"; readonly span: Span }
  /** One object fills the span. */
  | { readonly kind: "single"; readonly span: Span }
  /** Neither an array nor an object comes first: lines, if at least one of them is a record. */
  | { readonly kind: "unknown"; readonly span: Span }
  | { readonly kind: "malformed"; readonly message: string };

/** Takes the inflated body. An empty one holds no records. */
export function scanPlainly(bytes: Uint8Array): BatchScan {
  const body = bodyOf(bytes);
  if (body.start === body.end) return { kind: "records", records: [] };
  return scanFormPlainly(formOf(body));
}

export function scanFormPlainly(form: BodyForm): BatchScan {
  switch (form.kind) {
    case "array":
      return scanArray(form.span);
    case "lines":
      return scanLines(form.span);
    case "single":
      return scanSingle(form.span);
    case "unknown":
      return scanUnknown(form.span);
    case "malformed":
      return form;
    default:
      return unreachable(form);
  }
}

/** The body without the white space around it; a UTF-8 byte order mark at its start is skipped. */
export function bodyOf(bytes: Uint8Array): Span {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = skipSpace({ bytes, start: hasMark ? 3 : 0, end: bytes.length });
  return { bytes, start, end: trimEnd({ bytes, start, end: bytes.length }) };
}

/** Takes a body that is not empty. */
export function formOf(body: Span): BodyForm {
  const first = body.bytes[body.start];
  if (first === byte.openBracket) return { kind: "array", span: body };
  return first === byte.openBrace ? formOfObjects(body) : { kind: "unknown", span: body };
}

/** The body begins with an object: a log file, one record over any number of lines, or the first of many lines. */
function formOfObjects(body: Span): BodyForm {
  const extent = valueExtent(body);
  if (extent?.end === body.end) {
    const members = membersOf(body);
    const records = members?.findLast(({ isRecords }) => isRecords);
    if (members && records && body.bytes[records.value.start] === byte.openBracket) {
      return formOfLogFile(members, records);
    }
    return { kind: "single", span: body };
  }
  if (extent === undefined && looksLikeLogFile(body)) return malformed(`The "Records" object is not closed.`);
  return { kind: "lines", span: body };
}

function formOfLogFile(members: readonly Member[], records: Member): BodyForm {
  for (const member of members) {
    if (!isModestJson(member.key) || (member !== records && !isModestJson(member.value))) {
      return malformed(`A member beside "Records" is not valid JSON, too large or nested too deeply.`);
    }
  }
  return { kind: "array", span: records.value };
}

function looksLikeLogFile({ bytes, start, end }: Span): boolean {
  const head = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 200)));
  return /^\{\s*"Records"\s*:\s*\[/.test(head);
}

/** One object fills the body. If it is no record, its lines may still be records of which one is broken. */
function scanSingle(body: Span): BatchScan {
  const single = plainRecord(body, { index: 0, reading: readRecord(body) });
  if ("fields" in single || !hasLineBreak(body)) return { kind: "records", records: [single] };
  const lines = scanLines(body);
  const isUseful = lines.kind === "records" && lines.records.some((record) => "fields" in record);
  return isUseful ? lines : { kind: "records", records: [single] };
}

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
      records.push(plainRecord(line, { index: records.length, reading: readLine(line) }));
    }
    lineStart = lineEnd + 1;
  }
  return { kind: "records", records };
}

/** A line without the white space around it. One whose end cannot be found is no JSON; it is not parsed, for its depth is unknown. */
export function readLine(line: Span): RecordReading {
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
    records.push(plainRecord(element, { index: records.length, reading }));
    at = skipSpace({ bytes, start: extent.end, end: arrayEnd });
    if (bytes[at] === byte.closeBracket && at + 1 === arrayEnd) return { kind: "records", records };
    if (at >= arrayEnd) return malformed("The array is not closed.");
    if (bytes[at] !== byte.comma)
      return malformed(`The array is broken after its element ${records.length - 1}.`);
    at = skipSpace({ bytes, start: at + 1, end: arrayEnd });
  }
  return malformed("The array is not closed.");
}

function malformed(message: string): { readonly kind: "malformed"; readonly message: string } {
  return { kind: "malformed", message };
}

function tooMany(): BatchScan {
  return malformed(`The body has more than ${batchRecordsMax} records. Send it in several parts.`);
}
