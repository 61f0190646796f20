// The scanner against what everybody would write, UTF-8 decoding and JSON.parse per record, over the same bytes; and
// the whole intake of a batch up to the journal.
import type { IntakePorts } from "../src/intake/ports.ts";
import type { Journal } from "../src/journal/contract.ts";
import type { Caller } from "../src/model/call.ts";
import type { Log, Metrics } from "../src/model/environment.ts";
import { builtIntake, builtRegions, builtScanner, builtWorld } from "./built.ts";
import { cpuMicrosecondsOf, median, medianCpu } from "./cpu-time.ts";
import { indexOf, noIndex, placeIn, scopesOf } from "./installed-trails.ts";
import { generatedBodies, type Profile } from "./records/generated-records.ts";
import type { BenchOptions, Report } from "./report.ts";
import { fiveTrails } from "./trails.ts";

const { scanBatch } = await builtScanner();
const { createEventIntake } = await builtIntake();
const { publicRegions } = await builtRegions();
const { realClock, realRandom } = await builtWorld();

const perBody = 640;

export async function scan({ isQuick }: BenchOptions): Promise<Report> {
  const size = { count: isQuick ? 1_280 : 19_200, rounds: isQuick ? 2 : 9 };
  const profiles: readonly Profile[] = ["management", "data", "mixed"];
  const scans = profiles.map((profile) => scanRow(profile, size));
  const intakes = await intakeRows(size);
  const mixed = scans.find(({ records }) => records === "mixed");
  return {
    tables: [
      { title: `Scanning NDJSON of ${String(perBody)} records, CPU`, rows: scans },
      { title: "A whole batch up to the journal, mixed records, CPU", rows: intakes },
    ],
    figures: [
      {
        what: "scan against decoding and JSON.parse per record",
        ...{ value: mixed?.["times faster"] ?? Number.NaN, unit: "x", goal: { least: 6 } },
      },
      {
        what: "scan and admit, without matching",
        ...{ value: intakes[0]?.["µs/event"] ?? Number.NaN, unit: "µs/event", goal: { most: 1.6 } },
      },
    ],
  };
}

interface Size {
  readonly count: number;
  readonly rounds: number;
}

function scanRow(profile: Profile, { count, rounds }: Size) {
  const bodies = generatedBodies(count, perBody, profile);
  const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
  const micros = medianCpu(
    {
      scan: () => scanAll(bodies, count),
      read: () => readAll(bodies, count),
      parse: () => parseAll(bodies, count),
    },
    rounds,
  );
  return {
    records: profile,
    "scan µs/event": micros.scan / count,
    "MB/s": bytes / micros.scan,
    "and 4 fields read µs/event": micros.read / count,
    "JSON.parse µs/event": micros.parse / count,
    "JSON.parse MB/s": bytes / micros.parse,
    "times faster": micros.parse / micros.scan,
  };
}

function scanAll(bodies: readonly Buffer[], count: number): void {
  let seen = 0;
  for (const body of bodies) {
    const found = scanBatch(body);
    if (found.kind === "records") for (const record of found.records) if ("fields" in record) seen += 1;
  }
  if (seen !== count) throw new Error(`The scanner found ${seen} of ${count} records.`);
}

/** Reads what decides on most events: lazy fields are made only when they are asked for. */
function readAll(bodies: readonly Buffer[], count: number): void {
  let seen = 0;
  for (const body of bodies) {
    const found = scanBatch(body);
    if (found.kind !== "records") continue;
    for (const record of found.records) {
      if (!("fields" in record)) continue;
      const { eventSource, eventName, readOnly, resources } = record.fields;
      if (eventSource !== undefined && eventName !== undefined) seen += 1;
      if (readOnly === true && resources.length > 100) seen -= 1;
    }
  }
  if (seen !== count) throw new Error(`The scanner found ${seen} of ${count} records.`);
}

function parseAll(bodies: readonly Buffer[], count: number): void {
  let seen = 0;
  for (const body of bodies) {
    for (let start = 0; start < body.length; ) {
      const feed = body.indexOf(0x0a, start);
      const end = feed < 0 ? body.length : feed;
      const record = JSON.parse(body.toString("utf8", start, end)) as { readonly eventName?: string };
      if (record.eventName !== undefined) seen += 1;
      start = end + 1;
    }
  }
  if (seen !== count) throw new Error(`JSON.parse found ${seen} of ${count} records.`);
}

/** The intake over a journal that takes everything at once and keeps nothing. */
async function intakeRows({ count, rounds }: Size) {
  const bodies = generatedBodies(count, perBody, "mixed");
  const kinds = {
    "scan, admit": noIndex(),
    "scan, admit, match 5 trails": indexOf(scopesOf(Object.values(fiveTrails))),
  };
  const taken = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, index] of Object.entries(kinds)) {
      const events = createEventIntake(portsOver(() => index));
      const micros = await cpuMicrosecondsOf(() => acceptAll(events, bodies));
      if (round > 0) taken.set(name, [...(taken.get(name) ?? []), micros / count]);
    }
  }
  return [...taken].map(([what, micros]) => ({ what, "µs/event": median(micros) }));
}

type Intake = ReturnType<typeof createEventIntake>;

async function acceptAll(events: Intake, bodies: readonly Buffer[]): Promise<void> {
  const { account } = placeIn("us-east-1");
  const caller: Caller = { accountId: account, kind: "root", arn: "bench", principalId: "bench" };
  for (const bytes of bodies) {
    const answer = await events.accept({ bytes, caller, mayPut: () => true });
    if (answer.kind !== "answered" || answer.rejected.length > 0) throw new Error("A record was refused.");
  }
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
const uncounted: Metrics = { count() {}, gauge() {}, observe() {} };

function portsOver(index: IntakePorts["index"]): IntakePorts {
  const journal = {
    append: () => Promise.resolve({ kind: "durable", position: { partition: "0", seq: 1 } } as const),
  } as Partial<Journal> as Journal;
  const known = new Set(publicRegions);
  return {
    ...{ journal, index, isLive: () => true, regions: () => known },
    ...{ clock: realClock, random: realRandom, log: quiet, metrics: uncounted },
  };
}
