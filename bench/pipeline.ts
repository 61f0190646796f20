// The pipeline: events come through the door of the built server, are journaled, answered, and arrive in the log files
// of trails. CPU per event against one zlib pass of level 6 over the same bytes, and against the naive pipeline.
import { program } from "../test/harness/outside-program.ts";
import { median } from "./cpu-time.ts";
import { expectRecords, type ExpectedRecords } from "./expected-records.ts";
import { type LoadGenerator, startLoadGenerator } from "./load/load-generator.ts";
import { startNaivePipeline } from "./naive/start-naive-pipeline.ts";
import { measurePipeline, middleAndTail, type PipelineLoad, type PipelineResult } from "./pipeline-run.ts";
import type { BenchOptions, Report } from "./report.ts";
import { installTrails, type MeasuredServer, serverUnderTest } from "./server-under-test.ts";
import { equalTrails, fiveTrails } from "./trails.ts";
import { zlibMicrosPerEvent } from "./zlib-pass.ts";

interface Case extends PipelineLoad {
  readonly name: string;
  /** Of deliveries. A second is shorter than anybody needs; a run takes some seconds. */
  readonly interval: string;
  readonly pipeline: "cairn" | "naive";
  readonly withHistory?: boolean;
  readonly flags?: readonly string[];
}

interface Measured {
  readonly of: Case;
  readonly result: PipelineResult;
  /** CPU of the zlib pass per event, measured just before and after the run. */
  readonly zlibMicros: number;
}

export async function pipeline(options: BenchOptions): Promise<Report> {
  const cases = casesOf(options.isQuick);
  const count = Math.max(...cases.map((one) => one.count + one.warmUp));
  const generator = startLoadGenerator();
  try {
    const ready = generator.prepare({ count, profile: "mixed" });
    const expected = expectRecords({ count, profile: "mixed" }, { ...fiveTrails, ...equalTrails(1) });
    await ready;
    const measured: Measured[] = [];
    for (const one of cases) measured.push(await measureCase(one, { generator, expected }));
    return reportOf(measured);
  } finally {
    generator.stop();
  }
}

function casesOf(isQuick: boolean): Case[] {
  const size = (count: number, warmUp = 19_200) =>
    isQuick
      ? { count: count / 40, warmUp: 640, quietMs: 600, interval: "200ms" }
      : { count, warmUp, quietMs: 2_200, interval: "1s" };
  const five = { pipeline: "cairn", trails: fiveTrails } as const;
  // A thousand requests before what is measured: what runs once per request or file is compiled late, and until then compiling is a
  // tenth of all. The naive pipeline does everything by event: all of it is compiled long before.
  const batches = { ...five, ...size(256_000, 640_000), perBody: 640, connections: 8 };
  const naive = { ...batches, ...size(64_000, 128_000), pipeline: "naive" } as const;
  const equal = (trails: number): Case => ({
    ...{ ...batches, name: `${trails} trails that log the same`, trails: equalTrails(trails) },
  });
  const main: readonly Case[] = [
    { ...batches, name: "5 trails" },
    { ...naive, name: "5 trails, naive pipeline" },
    equal(50),
    { ...batches, name: "5 trails and event history", withHistory: true },
  ];
  const others: readonly Case[] = [
    { ...five, ...size(96_000), name: "5 trails", perBody: 100, connections: 16 },
    { ...five, ...size(64_000), name: "5 trails", perBody: 10, connections: 32 },
    { ...five, ...size(32_000), name: "5 trails", perBody: 1, connections: 64 },
    { ...five, ...size(32_000), name: "5 trails", perBody: 1, connections: 1_000 },
    {
      ...five,
      ...size(64_000),
      name: "5 trails, 20,000 events/s",
      perBody: 100,
      connections: 16,
      requestsPerSecond: 200,
    },
    equal(1),
    // As long as a second is short: files of quiet Regions are made as often as the interval says.
    { ...equal(50), name: "50 trails, 5 s between deliveries", interval: "5s", quietMs: 6_200 },
    { ...equal(50), name: "50 trails, --shared-log-files on", flags: ["--shared-log-files", "on"] },
  ];
  // Those whose ratios are goals run three times, with the others between.
  return isQuick
    ? [...main, ...others.slice(-2)]
    : [...main, ...others.slice(0, 4), ...main, ...others.slice(4), ...main];
}

interface Parts {
  readonly generator: LoadGenerator;
  readonly expected: ExpectedRecords;
}

async function measureCase(one: Case, parts: Parts): Promise<Measured> {
  const server = one.pipeline === "naive" ? await startNaivePipeline(one.trails) : await startWith(one);
  try {
    const before = zlibMicrosPerEvent();
    const result = await measurePipeline({ ...parts, server }, one);
    return { of: one, result, zlibMicros: (before + zlibMicrosPerEvent()) / 2 };
  } finally {
    await server.dispose();
  }
}

/** The road of an event to log files alone, unless the case is about history. */
async function startWith({
  trails,
  interval,
  withHistory = false,
  flags = [],
}: Case): Promise<MeasuredServer> {
  const history = withHistory ? [] : ["--history-retention", "off"];
  const server = await serverUnderTest([
    "--auth",
    "off",
    "--delivery-interval",
    interval,
    ...history,
    ...flags,
  ]);
  await installTrails(server, trails);
  return server;
}

function reportOf(measured: readonly Measured[]): Report {
  const ofCairn = (trails: number, perBody = 640) =>
    measured.filter(
      ({ of }) =>
        isCairn(of) &&
        of.withHistory !== true &&
        of.flags === undefined &&
        of.interval !== "5s" &&
        Object.keys(of.trails).length === trails &&
        of.perBody === perBody,
    );
  const recalled = measured.filter(({ of }) => of.withHistory === true);
  const naive = measured.filter(({ of }) => !isCairn(of));
  const speed = (all: readonly Measured[]) =>
    median(all.map(({ result, zlibMicros }) => zlibMicros / result.cpuMicrosPerEvent));
  const cpu = (all: readonly Measured[]) => median(all.map(({ result }) => result.cpuMicrosPerEvent));
  const perSecond = median(ofCairn(5).map(({ result }) => result.eventsPerSecond));
  return {
    tables: [{ title: "From the door to the log files", rows: measured.map(rowOf) }],
    figures: [
      { what: "5 trails, batches of 640: acknowledged", value: perSecond, unit: "events/s" },
      { what: "5 trails, batches of 640: CPU", value: cpu(ofCairn(5)), unit: "µs/event" },
      {
        what: "speed per CPU against one zlib-6 pass, 5 trails, batches of 640",
        ...{ value: speed(ofCairn(5)), unit: "x", goal: { least: 0.7 } },
      },
      {
        what: "the same with 50 trails that log the same events",
        ...{ value: speed(ofCairn(50)), unit: "x", goal: { least: 0.6 } },
      },
      {
        what: "5 trails and event history (LookupEvents)",
        ...{ value: speed(recalled), unit: "x", goal: { least: 0.6 } },
      },
      {
        what: "CPU of the naive pipeline against Cairn's, 5 trails, batches of 640",
        ...{ value: cpu(naive) / cpu(ofCairn(5)), unit: "x", goal: { least: 4 } },
      },
    ],
    notes: [fluentBit()],
  };
}

function fluentBit(): string {
  const isThere = program("fluent-bit", "fluent-bit", ["--version"]).present();
  return isThere ? "Fluent Bit: skipped: no scenario drives it yet" : "Fluent Bit: skipped: needs fluent-bit";
}

function isCairn({ pipeline }: Case): boolean {
  return pipeline === "cairn";
}

function rowOf({ of, result, zlibMicros }: Measured) {
  const [ackP50, ackP99] = middleAndTail(result.load.latenciesMs);
  const [filedP50, filedP99] = middleAndTail(result.deliveredSeconds);
  return {
    what: of.name,
    ...{ "events/batch": of.perBody, connections: of.connections },
    "events/s": Math.round(result.eventsPerSecond),
    "CPU µs/event": result.cpuMicrosPerEvent,
    "main thread %": Math.round(result.mainShare * 100),
    "zlib µs/event": zlibMicros,
    "x zlib": zlibMicros / result.cpuMicrosPerEvent,
    "answer p50 ms": ackP50,
    "p99 ms": ackP99,
    "in file p50 s": filedP50,
    "p99 s": filedP99,
    "logged/event": result.deliveriesPerEvent,
    "load µs/event": (result.load.cpuSeconds / of.count) * 1e6,
  };
}
