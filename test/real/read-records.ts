// The real records that lie beside a checkout on the machines that have them. A suite without them says so and is skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

export type Json = Readonly<Record<string, unknown>>;

const folder = fileURLToPath(new URL("../../../shared/data/events/", import.meta.url));

/** Prints why the suite is skipped when it is. */
export function hasRealRecords(): boolean {
  const isThere = existsSync(folder);
  if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");
  return isThere;
}

/** All records of the log files and line files below these folders. */
export function readRecords(...parts: readonly ("real" | "docs-examples")[]): Json[] {
  return parts.flatMap((part) =>
    readdirSync(folder + part, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".gz"))
      .flatMap((name) => recordsOf(name, gunzipSync(readFileSync(`${folder}${part}/${name}`)).toString())),
  );
}

function recordsOf(name: string, text: string): Json[] {
  if (!name.endsWith(".ndjson.gz")) return (JSON.parse(text) as { Records: Json[] }).Records;
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Json);
}
