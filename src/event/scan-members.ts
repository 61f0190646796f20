// Cuts a JSON object into its top-level members without building them: a log file is found this way. Pure.
import { byte, type Span, skipSpace, stringEnd, valueExtent } from "./scan-bytes.ts";

export interface Member {
  /** With its quotes. */
  readonly key: Span;
  readonly value: Span;
  readonly isRecords: boolean;
}

/** A log file has one member, some tools add a few; an object with more is looked at as a record. */
const membersMax = 1000;

/** The members of the object that fills the span, or undefined when it is cut otherwise than JSON or has too many. */
export function membersOf({ bytes, start, end }: Span): Member[] | undefined {
  const members: Member[] = [];
  let at = skipSpace({ bytes, start: start + 1, end });
  if (bytes[at] === byte.closeBrace) return at + 1 === end ? members : undefined;
  while (at < end && members.length < membersMax) {
    const member = memberAt({ bytes, start: at, end });
    if (!member) return undefined;
    members.push(member);
    at = skipSpace({ bytes, start: member.value.end, end });
    if (bytes[at] === byte.closeBrace) return at + 1 === end ? members : undefined;
    if (bytes[at] !== byte.comma) return undefined;
    at = skipSpace({ bytes, start: at + 1, end });
  }
  return undefined;
}

function memberAt(span: Span): Member | undefined {
  const { bytes, start, end } = span;
  const keyEnd = bytes[start] === byte.quote ? stringEnd(span) : undefined;
  if (keyEnd === undefined) return undefined;
  const colon = skipSpace({ bytes, start: keyEnd, end });
  if (bytes[colon] !== byte.colon) return undefined;
  const valueStart = skipSpace({ bytes, start: colon + 1, end });
  const extent = valueExtent({ bytes, start: valueStart, end });
  if (!extent || extent.end === valueStart) return undefined;
  const key: Span = { bytes, start, end: keyEnd };
  const value: Span = { bytes, start: valueStart, end: extent.end };
  return { key, value, isRecords: isRecordsKey(key) };
}

/** Also finds the key when its letters are written as escapes; seven escaped letters have 44 bytes. */
function isRecordsKey({ bytes, start, end }: Span): boolean {
  if (end - start > 44) return false;
  const text = new TextDecoder().decode(bytes.subarray(start, end));
  if (!text.includes("\\")) return text === '"Records"';
  try {
    return JSON.parse(text) === "Records";
  } catch {
    return false;
  }
}
