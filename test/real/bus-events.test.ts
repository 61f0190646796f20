// Every record of the shared collection of real ones as an event of the bus, when the collection is there: its bytes, its
// time, and a row of the table of formats.md §5.2 for each.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { busEntry } from "../../src/event/bus-event.ts";
import { missingMember } from "../../src/event/required.ts";
import { compactRecord, scanBatch } from "../../src/event/scan.ts";

const folder = fileURLToPath(new URL("../../../shared/data/events/", import.meta.url));
const isThere = existsSync(folder);
if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");

function* records(): Generator<Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((one) => one.endsWith(".gz"))) {
    const bytes = new Uint8Array(gunzipSync(readFileSync(`${folder}${name}`)));
    const scan = scanBatch(bytes);
    if (scan.kind === "malformed") throw new Error(`${name}: ${scan.message}`);
    for (const record of scan.records) {
      if ("problem" in record || missingMember(record.fields) !== undefined) continue;
      yield compactRecord(bytes.subarray(record.start, record.end));
    }
  }
}

describe.skipIf(!isThere)("real records on the bus", () => {
  test("are whole, of their time, and all of them have a row", () => {
    let seen = 0;
    const kinds = new Set<string>();
    for (const bytes of records()) {
      seen += 1;
      const text = new TextDecoder().decode(bytes);
      const reading = busEntry(bytes);
      if (reading.kind === "none") {
        throw new Error(`No event of the bus (${reading.reason}): ${text}`);
      }
      const { detail, timeMs, source, detailType } = reading.entry;
      kinds.add(detailType);
      const { eventTime, eventContext } = JSON.parse(text) as Record<string, unknown>;
      if (eventContext === undefined && detail !== text) throw new Error(`Not the record's bytes: ${text}`);
      if (new Date(timeMs).toISOString().replace(".000Z", "Z") !== eventTime) {
        throw new Error(`Not its time: ${text}`);
      }
      if (!/^aws\.[a-z0-9.-]+$/.test(source)) throw new Error(`An odd source: ${source}`);
    }
    expect(seen).toBeGreaterThan(1000);
    expect(kinds.size).toBe(5);
  });
});
