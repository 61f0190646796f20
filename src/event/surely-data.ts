// Tells most data and network events by their last members, without scanning them: event history passes them over. Pure.
import { byte } from "./scan-bytes.ts";

const key = Buffer.from('"eventCategory":"');
const others = ["Data", "NetworkActivity"].map((name) => Buffer.from(`${name}"`));
/** The category stands among the last members of a record, as it is written here and by AWS. */
const lookedAtBytes = 512;

/** How most management events end: no need to look for anything. */
const usualEnd = Buffer.from(':"Management"}');

/** True only for a valid record of these categories. False says nothing. */
export function isSurelyData(record: Buffer): boolean {
  if (usualEnd.every((code, place) => record[record.length - usualEnd.length + place] === code)) return false;
  const at = record.lastIndexOf(key);
  // Behind a backslash the quote is part of a text.
  if (at <= 0 || record.length - at > lookedAtBytes || record[at - 1] === byte.backslash) return false;
  const value = at + key.length;
  const other = others.find((name) => name.every((code, place) => record[value + place] === code));
  return other !== undefined && isTopLevel(record, value + other.length);
}

/** Whether the rest of the record closes one object and no more. */
function isTopLevel(record: Buffer, start: number): boolean {
  let depth = 1;
  for (let at = start; at < record.length; at += 1) {
    const code = record[at];
    if (code === byte.quote) {
      for (at += 1; record[at] !== byte.quote; at += 1) {
        // Texts with escapes are not read here: such a record is scanned.
        if (record[at] === undefined || record[at] === byte.backslash) return false;
      }
    } else if (code === byte.openBrace || code === byte.openBracket) depth += 1;
    else if (code === byte.closeBrace || code === byte.closeBracket) depth -= 1;
    if (depth === 0) return at === record.length - 1;
  }
  return false;
}
