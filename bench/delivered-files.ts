// Reads delivered log files from a folder, fast: a bench counts some gigabytes of them.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Paths of the log files in a folder, digests left out; none while there is no such folder. */
export function deliveredFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json.gz") && !name.includes("CloudTrail-Digest"))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** How many records a log file holds, Cairn's own calls (which come from loopback) left out. */
export function countRecords(file: string): number {
  const text = gunzipSync(readFileSync(file));
  return occurrences(text, '"eventID":"') - occurrences(text, '"sourceIPAddress":"127.0.0.1"');
}

export interface DeliveredFile {
  readonly writtenMs: number;
  readonly eventIds: readonly string[];
}

export function readDelivered(file: string): DeliveredFile {
  const text = gunzipSync(readFileSync(file)).toString("latin1");
  const eventIds = Array.from(text.matchAll(/"eventID":"([0-9a-f-]{36})"/g), ([, id = ""]) => id);
  return { writtenMs: statSync(file).mtimeMs, eventIds };
}

export function occurrences(text: Buffer, what: string): number {
  const wanted = Buffer.from(what);
  let count = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) count += 1;
  return count;
}
