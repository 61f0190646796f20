// Tells most data and network events by their last members, without scanning them: event history passes them over. Pure,
// but for a memory of where the category stood in the records before.
import { byte } from "./scan-bytes.ts";

const key = Buffer.from('"eventCategory":"');
const others = ["Data", "NetworkActivity"].map((name) => Buffer.from(`${name}"`));
/** The category stands among the last members of a record, as it is written here and by AWS. */
const lookedAtBytes = 512;
const rememberedCount = 16;

export class SurelyData {
  /** How far from their ends the category stood in records before, the latest first: what follows it is often alike. */
  readonly #distances: number[] = [];

  /** True only for a valid record of these categories. False says nothing. */
  is(record: Buffer): boolean {
    const at = this.#knownPlace(record) ?? this.#searchedPlace(record);
    if (at === undefined) return false;
    const value = at + key.length;
    for (const other of others) {
      // Behind a backslash the quote is part of a text.
      if (isAt(record, other, value)) {
        return record[at - 1] !== byte.backslash && isTopLevel(record, value + other.length);
      }
    }
    return false;
  }

  #knownPlace(record: Buffer): number | undefined {
    const distances = this.#distances;
    for (let known = 0; known < distances.length; known += 1) {
      const distance = distances[known] ?? 0;
      if (!isAt(record, key, record.length - distance)) continue;
      // One place to the front each time.
      distances[known] = distances[Math.max(0, known - 1)] ?? distance;
      distances[Math.max(0, known - 1)] = distance;
      return record.length - distance;
    }
    return undefined;
  }

  #searchedPlace(record: Buffer): number | undefined {
    const at = record.indexOf(key, Math.max(0, record.length - lookedAtBytes));
    if (at <= 0) return undefined;
    if (this.#distances.length === rememberedCount) this.#distances.pop();
    this.#distances.push(record.length - at);
    return at;
  }
}

function isAt(record: Buffer, text: Buffer, at: number): boolean {
  for (let place = 0; place < text.length; place += 1) {
    if (record[at + place] !== text[place]) return false;
  }
  return true;
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
