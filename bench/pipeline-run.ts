// One measured run of a pipeline, from the door to the log files: warmed up, loaded, drained, and its deliveries counted.
import { quantile } from "./cpu-time.ts";
import { countRecords, deliveredFiles, readDelivered } from "./delivered-files.ts";
import type { ExpectedRecords, Span } from "./expected-records.ts";
import type { LoadGenerator } from "./load/load-generator.ts";
import type { LoadResult } from "./load/load-plan.ts";
import { type MeasuredServer, threadTimes } from "./server-under-test.ts";
import type { BenchTrails } from "./trails.ts";
import { waitUntil } from "./wait-until.ts";

export interface PipelineLoad {
  readonly trails: BenchTrails;
  readonly perBody: number;
  readonly connections: number;
  /** Records of the run; the warm-up takes `warmUp` records before them. */
  readonly count: number;
  readonly warmUp: number;
  readonly requestsPerSecond?: number;
  /** How long nothing may be delivered after the warm-up before the run begins; longer than a delivery interval. */
  readonly quietMs: number;
}

export interface PipelineParts {
  readonly server: MeasuredServer;
  readonly generator: LoadGenerator;
  readonly expected: ExpectedRecords;
  /** Called just before what is measured. */
  readonly whenWarm?: () => void;
}

export interface PipelineResult {
  readonly eventsPerSecond: number;
  readonly cpuMicrosPerEvent: number;
  /** Share of the server's CPU that its main thread used; NaN where that is not known. */
  readonly mainShare: number;
  readonly load: LoadResult;
  /** From the answer to the finished log file, seconds, of every event of one trail. */
  readonly deliveredSeconds: Float64Array;
  readonly deliveriesPerEvent: number;
}

/** Throws when an event was refused, lost or delivered twice. */
export async function measurePipeline(parts: PipelineParts, load: PipelineLoad): Promise<PipelineResult> {
  const { server } = parts;
  const warm: Span = { first: 0, count: load.warmUp };
  await send(parts, load, warm);
  await untilQuiet(server, {
    atLeast: total(parts.expected.countsOf(load.trails, warm)),
    quietMs: load.quietMs,
  });
  parts.whenWarm?.();
  const before = await snapshot(server, load.trails);
  const span: Span = { first: load.warmUp, count: load.count };
  const expected = parts.expected.countsOf(load.trails, span);
  const sent = await send(parts, load, span);
  const isDelivered = async () => (await server.deliveredRecords()) >= before.delivered + total(expected);
  await waitUntil("every event is delivered", isDelivered);
  const cpuSeconds = (await server.cpuSeconds()) - before.cpuSeconds;
  const threads = threadTimes(server.pid);
  const files = newFiles(server, load.trails, before.files);
  checkCounts(files, expected);
  return {
    eventsPerSecond: load.count / sent.seconds,
    cpuMicrosPerEvent: (cpuSeconds / load.count) * 1e6,
    mainShare: mainShare(before.threads, threads),
    load: sent,
    deliveredSeconds: delaysOf(files, parts.expected, { span, sent, perBody: load.perBody }),
    deliveriesPerEvent: total(expected) / load.count,
  };
}

async function send(
  { server, generator }: PipelineParts,
  load: PipelineLoad,
  span: Span,
): Promise<LoadResult> {
  const { perBody, connections, requestsPerSecond } = load;
  const sent = await generator.run({
    ...{ url: server.url, connections, load: { kind: "events", ...span, perBody } },
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
  });
  if (sent.accepted !== span.count) {
    throw new Error(
      `Of ${span.count} events ${sent.accepted} were accepted: ${sent.firstFailure ?? "no refusal"}`,
    );
  }
  return sent;
}

/** Until the deliveries of the warm-up, and of the calls that made the trails, are over. */
async function untilQuiet(
  server: MeasuredServer,
  { atLeast, quietMs }: { readonly atLeast: number; readonly quietMs: number },
): Promise<void> {
  let last = -1;
  let quietSince = performance.now();
  const isQuiet = async () => {
    const now = await server.deliveredRecords();
    if (now !== last) quietSince = performance.now();
    last = now;
    return now >= atLeast && performance.now() - quietSince > quietMs;
  };
  await waitUntil("the warm-up is delivered", isQuiet);
}

async function snapshot(server: MeasuredServer, trails: BenchTrails) {
  const files = new Set(Object.keys(trails).flatMap((trail) => deliveredFiles(server.folderOf(trail))));
  const delivered = await server.deliveredRecords();
  return { files, delivered, threads: threadTimes(server.pid), cpuSeconds: await server.cpuSeconds() };
}

type FilesByTrail = Readonly<Record<string, readonly string[]>>;

function newFiles(server: MeasuredServer, trails: BenchTrails, known: ReadonlySet<string>): FilesByTrail {
  return Object.fromEntries(
    Object.keys(trails).map((trail) => [
      trail,
      deliveredFiles(server.folderOf(trail)).filter((file) => !known.has(file)),
    ]),
  );
}

/** Every trail of five, every tenth of fifty: the others' sum is in the server's own count. */
function checkCounts(files: FilesByTrail, expected: Readonly<Record<string, number>>): void {
  const names = Object.keys(files);
  const step = Math.max(1, Math.floor(names.length / 5));
  for (const [at, name] of names.entries()) {
    if (at % step !== 0) continue;
    const count = (files[name] ?? []).reduce((sum, file) => sum + countRecords(file), 0);
    if (count !== expected[name]) {
      throw new Error(
        `The trail ${name} has ${count} records in its log files, not ${String(expected[name])}.`,
      );
    }
  }
}

interface Sent {
  readonly span: Span;
  readonly sent: LoadResult;
  readonly perBody: number;
}

/** Of the trail with the most records: how long after its answer each event's log file was written. */
function delaysOf(
  files: FilesByTrail,
  expected: ExpectedRecords,
  { span, sent, perBody }: Sent,
): Float64Array {
  const delays: number[] = [];
  for (const file of Object.values(files).at(-1) ?? []) {
    const { writtenMs, eventIds } = readDelivered(file);
    for (const id of eventIds) {
      const index = expected.indexOf(id);
      if (index === undefined) continue;
      const answeredMs = sent.answeredMs[Math.floor((index - span.first) / perBody)] ?? Number.NaN;
      delays.push((writtenMs - answeredMs) / 1000);
    }
  }
  return Float64Array.from(delays);
}

function mainShare(before: ReturnType<typeof threadTimes>, after: ReturnType<typeof threadTimes>): number {
  if (!before || !after) return Number.NaN;
  const main = after.mainSeconds - before.mainSeconds;
  return main / (main + after.otherSeconds - before.otherSeconds);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** p50 and p99. */
export function middleAndTail(values: ArrayLike<number>): readonly [number, number] {
  return [quantile(values, 0.5), quantile(values, 0.99)];
}
