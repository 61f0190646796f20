// Reads the log files of a bucket directory as a SIEM would: every *.json.gz under AWSLogs/, one gzip member each.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";

export interface LogFile {
  /** Key below the bucket. */
  readonly key: string;
  readonly text: string;
  readonly records: readonly Record<string, unknown>[];
}

/** Every log file of a bucket in a server's data directory, in key order; [] while the bucket has none. */
export function logFiles(dataDir: string, bucket: string): LogFile[] {
  return logFilesBelow(join(dataDir, "buckets", bucket));
}

/** Every log file in a folder that is a bucket; digest files are none. */
export function logFilesBelow(root: string): LogFile[] {
  return gzipFilesBelow(root).filter(({ key }) => !key.includes("/CloudTrail-Digest/"));
}

/** Every `*.json.gz` in a folder that is a bucket; the records of a digest file are []. */
export function gzipFilesBelow(root: string): LogFile[] {
  let entries: { parentPath: string; name: string }[];
  try {
    entries = readdirSync(root, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.name.endsWith(".json.gz"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const text = gunzipSync(readFileSync(path)).toString("utf8");
      const { Records = [] } = JSON.parse(text) as { Records?: Record<string, unknown>[] };
      return { key: relative(root, path), text, records: Records };
    });
}

/** eventIDs of all records of a bucket, repetitions included. */
export function deliveredIds(dataDir: string, bucket: string): string[] {
  return logFiles(dataDir, bucket).flatMap((file) => file.records.map((record) => String(record["eventID"])));
}

/** Waits until `condition` holds, or throws after `msMax` with what it looked like. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  msMax = 20_000,
): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > msMax) throw new Error(`Waited ${msMax} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
