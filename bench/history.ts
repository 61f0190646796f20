// Event history: what it costs to build per management event, its size on disk, and LookupEvents over all of it, page by page.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { History } from "../src/history/history.ts";
import { lookupFieldsOf } from "../src/event/lookup-fields.ts";
import { parseAccountId } from "../src/model/arn.ts";
import type { Call } from "../src/model/call.ts";
import type { Clock, Log, Metrics } from "../src/model/environment.ts";
import type { Handler, Input } from "../src/model/operations.ts";
import { parseRegion } from "../src/model/regions.ts";
import { builtDisk, builtHistory, builtLookup, builtState, builtTokens, builtWorld } from "./built.ts";
import { cpuMicroseconds, cpuMicrosecondsOf, quantile } from "./cpu-time.ts";
import { FedJournal } from "./fed-journal.ts";
import { seededDraw } from "./records/draw.ts";
import { makeMachineGive } from "./given-memory.ts";
import type { BenchOptions, Report } from "./report.ts";

const { nodeDisk } = await builtDisk();
const { createHistory } = await builtHistory();
const { lookupEvents } = await builtLookup();
const { openPageTokens } = await builtTokens();
const { openMemoryState } = await builtState();
const { realClock, realRandom } = await builtWorld();

const days = 86_400_000;
const perFrame = 100;
/** At most: each event is written, and once more when its segment is merged. */
const writtenBytesPerEvent = 600;
const endMs = Date.UTC(2026, 9, 1);
const startMs = endMs - 90 * days;

export async function history({ isQuick }: BenchOptions): Promise<Report> {
  const events = isQuick ? 50_000 : Number(process.env["HISTORY_EVENTS"] ?? 5_000_000);
  const folder = mkdtempSync(join(tmpdir(), "cairn-history-"));
  const rareEvery = Math.ceil(events / 20);
  const matchSet = { account, region, folder: "CloudTrail", destinations: [] } as const;
  const journal = new FedJournal({ events, perFrame, startMs, endMs, rareEvery, matchSet });
  try {
    makeMachineGive(events * writtenBytesPerEvent, folder);
    const built = await buildAll(journal, folder, events);
    const rows = await measureLookups({ journal, folder, events, rareEvery, rounds: isQuick ? 20 : 400 });
    return reportOf(events, built, rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function idOf(text: string, parse: typeof parseAccountId) {
  const id = parse(text);
  if (!id) throw new Error(`${text} is no account.`);
  return id;
}

const account = idOf("123456789012", parseAccountId);
const region = parseRegion("us-east-1") ?? fail();

function fail(): never {
  throw new Error("There is no such Region.");
}

/** Real time passes, but the wall clock stands at the end of the events. */
const clock: Clock = { ...realClock, nowMs: () => endMs, monotonicMs: () => performance.now() };
const quiet: Log = { debug() {}, info() {}, warn() {}, error: (fields, text) => console.error(text, fields) };

class Merges implements Metrics {
  count(): void {}
  gauge(): void {}
  observe(): void {}
}

function open(journal: FedJournal, folder: string): History {
  const state = openMemoryState({ clock });
  const ports = {
    journal,
    state,
    disk: nodeDisk(),
    clock,
    random: realRandom,
    log: quiet,
    metrics: new Merges(),
  };
  return createHistory(ports, { directory: join(folder, "history"), retentionMs: 91 * days });
}

interface Built {
  readonly microsPerEvent: number;
  /** One pass of level 6 over the same records. */
  readonly zlibMicrosPerEvent: number;
  readonly bytesPerEvent: number;
  readonly segments: number;
  readonly longestStallMs: number;
  readonly seconds: number;
  readonly rssBytes: number;
}

/** In stages, each beside what feeding alone and a zlib pass cost at that moment: machines are fast and slow by turns. */
const stages = 10;

async function buildAll(journal: FedJournal, folder: string, events: number): Promise<Built> {
  const text = Buffer.from(
    Array.from({ length: 2_000 }, (_, at) => `${JSON.stringify(journal.recordAt(at))}\n`).join(""),
  );
  const zlibMicros: number[] = [];
  const one = open(journal, folder);
  await one.start();
  const stall = watchStalls();
  let micros = 0;
  let seconds = 0;
  for (let stage = 0; stage < stages; stage += 1) {
    const [from, to] = [stage, stage + 1].map((at) => Math.ceil((journal.frames * at) / stages)) as [
      number,
      number,
    ];
    zlibMicros.push(cpuMicroseconds(() => gzipSync(text, { level: 6 })) / 2_000);
    micros -= cpuMicroseconds(() => visit(journal, from, to));
    stall.pause();
    const startedMs = performance.now();
    micros += await cpuMicrosecondsOf(async () => {
      journal.feed(to);
      while (one.usage().events < Math.min(events, to * perFrame)) await delay(20);
      if (to === journal.frames) await mergesAreOver(one);
    });
    seconds += (performance.now() - startedMs) / 1000;
  }
  const usage = one.usage();
  const rssBytes = process.memoryUsage().rss;
  await one.stop();
  return {
    microsPerEvent: micros / events,
    zlibMicrosPerEvent: zlibMicros.reduce((sum, own) => sum + own, 0) / stages,
    bytesPerEvent: usage.bytes / Math.max(1, usage.events),
    segments: usage.segments,
    longestStallMs: stall.end(),
    ...{ seconds, rssBytes },
  };
}

function visit(journal: FedJournal, from: number, to: number): void {
  const position = (frame: number) => ({ partition: "0", seq: frame + 1 });
  journal.visitRecent(position(from), position(to), () => true);
}

/** They go on for a while. */
async function mergesAreOver(one: History): Promise<void> {
  let segments = 0;
  for (let same = 0; same < 20; same = one.usage().segments === segments ? same + 1 : 0) {
    segments = one.usage().segments;
    await delay(100);
  }
}

/** The longest time in which nobody else had a turn, feeding included. */
function watchStalls(): { pause: () => void; end: () => number } {
  let lastMs = performance.now();
  let longestMs = 0;
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs - 1);
    lastMs = performance.now();
  }, 1);
  return {
    /** What lasted until now does not count. */
    pause: () => void (lastMs = performance.now()),
    end() {
      clearInterval(timer);
      return longestMs;
    },
  };
}

interface Lookups {
  readonly journal: FedJournal;
  readonly folder: string;
  readonly events: number;
  readonly rareEvery: number;
  readonly rounds: number;
}

type Input1 = Input<"LookupEvents">;
type Attribute = NonNullable<Input1["LookupAttributes"]>[number];

async function measureLookups({ journal, folder, events, rareEvery, rounds }: Lookups) {
  const one = open(journal, folder);
  await one.start();
  const tokens = await openPageTokens(openMemoryState({ clock }), realRandom);
  const handler = lookupEvents({ history: one, tokens, clock, lookupsPerSecond: () => 0 });
  // What is not sealed is taken again first.
  while (one.usage().events < events) await delay(20);
  const draw = seededDraw(42);
  const any = () => lookupFieldsOf(journal.recordAt(draw.below(events)));
  const with1 = (AttributeKey: Attribute["AttributeKey"], AttributeValue: string | undefined): Input1 => ({
    LookupAttributes: [{ AttributeKey, AttributeValue: AttributeValue ?? "none" }],
  });
  const window = (ms: number): Input1 => {
    const from = startMs + draw.below(90 * 24 * 3600) * 1000;
    return { StartTime: new Date(from), EndTime: new Date(from + ms) };
  };
  const withResource = () => {
    for (;;) {
      const [resource] = any().resources;
      if (resource) return resource;
    }
  };
  const kinds: Readonly<Record<string, () => Input1>> = {
    "no attribute, 90 days": () => ({}),
    "no attribute, any hour": () => window(3_600_000),
    "ReadOnly=false, 90 days": () => with1("ReadOnly", "false"),
    "ReadOnly=true, any day": () => ({ ...with1("ReadOnly", "true"), ...window(days) }),
    "EventName of any event": () => with1("EventName", any().eventName),
    "EventName of any event, any day": () => ({ ...with1("EventName", any().eventName), ...window(days) }),
    "EventName, 20 in 90 days": () => with1("EventName", "CreateRareThing"),
    "EventSource of any event": () => with1("EventSource", any().eventSource),
    "Username of any event": () => with1("Username", any().username),
    "Username, 1 in 90 days": () => with1("Username", `rare-${(1 + draw.below(20)) * rareEvery - 1}`),
    "Username of nobody": () => with1("Username", `nobody-${draw.below(1e6)}`),
    "AccessKeyId of any event": () => with1("AccessKeyId", any().accessKeyId),
    "ResourceName of any event": () => with1("ResourceName", withResource().name),
    "ResourceType of any event, any day": () => ({
      ...with1("ResourceType", withResource().type),
      ...window(days),
    }),
    "EventId of any event": () => with1("EventId", any().eventId),
    "EventId of none": () => with1("EventId", realRandom.uuid()),
  };
  const rows = [];
  for (const [what, input] of Object.entries(kinds))
    rows.push(await measureKind(what, input, { handler, rounds }));
  rows.push(await measurePages(handler, rounds));
  await one.stop();
  return rows;
}

interface Run {
  readonly handler: Handler<"LookupEvents">;
  readonly rounds: number;
}

/** Those before what is measured: of the first ones much would be the compiling of the code, which `first ms` shows. */
const warmUp = 40;

async function measureKind(what: string, input: () => Input1, { handler, rounds }: Run) {
  const { taken: before } = await lookUpAll(Array.from({ length: warmUp }, input), handler);
  const inputs = Array.from({ length: rounds }, input);
  let answers: Awaited<ReturnType<typeof lookUpAll>> = { taken: [], found: 0 };
  const cpuMicros = await cpuMicrosecondsOf(async () => {
    answers = await lookUpAll(inputs, handler);
  });
  return {
    ...rowOf(what, answers.taken, { found: answers.found, cpuMicros }),
    "first ms": before[0] ?? Number.NaN,
  };
}

async function lookUpAll(inputs: readonly Input1[], handler: Handler<"LookupEvents">) {
  const taken: number[] = [];
  let found = 0;
  for (const input of inputs) {
    // Requests come in turns of their own, and between those V8 collects when it can.
    await turn();
    const startedMs = performance.now();
    const { Events = [] } = await handler(input, call);
    taken.push(performance.now() - startedMs);
    found += Events.length;
  }
  return { taken, found };
}

/** Page after page of everything. */
async function measurePages(handler: Handler<"LookupEvents">, rounds: number) {
  const taken: number[] = [];
  let found = 0;
  let token: string | undefined;
  const cpuMicros = await cpuMicrosecondsOf(async () => {
    for (let page = 0; page < rounds; page += 1) {
      await turn();
      const startedMs = performance.now();
      const answer = await handler({ ...(token !== undefined && { NextToken: token }) }, call);
      taken.push(performance.now() - startedMs);
      token = answer.NextToken;
      found += answer.Events?.length ?? 0;
    }
  });
  return rowOf("page after page", taken, { found, cpuMicros });
}

function rowOf(
  what: string,
  taken: readonly number[],
  { found, cpuMicros }: { readonly found: number; readonly cpuMicros: number },
) {
  return {
    what,
    "events/answer": found / taken.length,
    "CPU ms": cpuMicros / taken.length / 1000,
    "first ms": taken[0] ?? Number.NaN,
    "p50 ms": quantile(taken, 0.5),
    "p99 ms": quantile(taken, 0.99),
    "worst ms": Math.max(...taken),
  };
}

const call: Call = {
  caller: { accountId: account, kind: "user", arn: "arn:aws:iam::123456789012:user/b", principalId: "AIDA" },
  region,
  requestId: "r",
  sourceIp: "127.0.0.1",
  userAgent: "bench",
};

function reportOf(events: number, built: Built, rows: readonly ReturnType<typeof rowOf>[]): Report {
  const { microsPerEvent, zlibMicrosPerEvent, bytesPerEvent, segments, longestStallMs, seconds, rssBytes } =
    built;
  return {
    tables: [
      {
        title: "Building",
        rows: [
          {
            events,
            "CPU µs/event": microsPerEvent,
            "zlib pass µs/event": zlibMicrosPerEvent,
            "events/s": events / seconds,
            "bytes/event": bytesPerEvent,
            segments,
            "longest stall ms": longestStallMs,
            "RSS MB": rssBytes / 1e6,
          },
        ],
      },
      { title: "LookupEvents, 50 events per page at most", rows },
    ],
    figures: [
      { what: "CPU per management event to build", value: microsPerEvent, unit: "µs", goal: { most: 5 } },
      {
        what: "the same against one zlib-6 pass over the records",
        ...{ value: microsPerEvent / zlibMicrosPerEvent, unit: "x" },
      },
      { what: "on disk per management event", value: bytesPerEvent, unit: "bytes" },
      {
        what: "LookupEvents, p99 of the slowest kind",
        ...{ value: Math.max(...rows.map((row) => row["p99 ms"])), unit: "ms", goal: { most: 10 } },
      },
    ],
  };
}
