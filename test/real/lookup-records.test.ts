// What real records are looked up by, when the shared collection of them is there: read from their bytes it is the same as
// from the parsed record, and the derivations find names where people look for them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { lookupFieldsOf } from "../../src/event/lookup-fields.ts";
import { LookupScan } from "../../src/event/lookup-scan.ts";
import { scanBatch } from "../../src/event/scan.ts";
import { SurelyData } from "../../src/event/surely-data.ts";

const folder = fileURLToPath(new URL("../../../shared/data/events/", import.meta.url));
const isThere = existsSync(folder);
if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");

test.skipIf(!isThere)("every record is found by what it says", () => {
  const scan = new LookupScan();
  const surelyData = new SurelyData();
  const seen = { records: 0, usernames: 0, accessKeyIds: 0, resources: 0, data: 0 };
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".gz")) continue;
    const bytes = gunzipSync(readFileSync(`${folder}${name}`));
    const scanned = scanBatch(bytes);
    if (scanned.kind === "malformed") throw new Error(`${name}: ${scanned.message}`);
    for (const found of scanned.records) {
      if (!("inPlace" in found)) continue;
      const { start, end, inPlace } = found;
      const parsed = JSON.parse(bytes.toString("utf8", start, end)) as Record<string, unknown>;
      if (parsed["insightDetails"] !== undefined) continue;
      const fields = lookupFieldsOf(parsed);
      const { username, accessKeyId, resources } = fields;
      expect(scan.lookupFieldsOf({ body: bytes, start, end }, inPlace)).toEqual(fields);
      expect([fields.eventName, fields.eventSource]).toEqual([parsed["eventName"], parsed["eventSource"]]);
      const isData = surelyData.is(bytes.subarray(start, end));
      if (isData) expect(parsed["eventCategory"]).not.toBe("Management");
      seen.records += 1;
      seen.usernames += username === undefined ? 0 : 1;
      seen.accessKeyIds += accessKeyId === undefined ? 0 : 1;
      seen.resources += resources.length === 0 ? 0 : 1;
      seen.data += isData ? 1 : 0;
    }
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(100);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
});
