// The one generator of event records for all benches: seeded, shaped by the statistics of real trails. Two runs make
// the same bytes. `npm run bench -- records` prints how near it comes.
import { dataRecord } from "./data-record.ts";
import { seededDraw } from "./draw.ts";
import { drawScene, managementRecord } from "./management-record.ts";

/** `management` and `data` are the two kinds of real trails; `mixed` has bursts of each, half and half. */
export type Profile = "management" | "data" | "mixed";

export type GeneratedRecord = Readonly<Record<string, unknown>>;

const startMs = Date.UTC(2026, 6, 14, 9, 18, 41);
const perSecond = 40;
/** Records in one burst of the mix: a script or a person at work. */
const burst = 25;

/** `count` records, one by one: 300,000 of them would fill the memory as objects. */
export function* generatedRecords(
  count: number,
  profile: Profile = "mixed",
): Generator<GeneratedRecord, void> {
  const draw = seededDraw(7_021_994);
  let isData = false;
  let scene = drawScene(draw);
  const moment = { draw, time: timeOf(0), lastKey: "AWSLogs/first.json.gz" };
  for (let made = 0; made < count; made += 1) {
    if (made % burst === 0) {
      isData = profile === "data" || (profile === "mixed" && draw.chance(0.5));
      scene = drawScene(draw);
    }
    if (made % perSecond === 0) moment.time = timeOf(made);
    yield isData ? dataRecord(moment) : managementRecord(draw, scene, moment.time);
  }
}

/** An ISO 8601 second with Z. */
function timeOf(index: number): string {
  return `${new Date(startMs + Math.floor(index / perSecond) * 1000).toISOString().slice(0, 19)}Z`;
}

/** `count` records as NDJSON bodies of `perBody` records each; the last may hold fewer. */
export function generatedBodies(count: number, perBody: number, profile: Profile = "mixed"): Buffer[] {
  const bodies: Buffer[] = [];
  let lines: string[] = [];
  for (const record of generatedRecords(count, profile)) {
    lines.push(JSON.stringify(record));
    if (lines.length === perBody) {
      bodies.push(Buffer.from(lines.join("\n")));
      lines = [];
    }
  }
  if (lines.length > 0) bodies.push(Buffer.from(lines.join("\n")));
  return bodies;
}
