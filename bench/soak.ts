// CPU per event over a long steady load: what leaks, grows or fragments shows as a last minute dearer than the first.
import { median } from "./cpu-time.ts";
import type { BenchOptions, Report } from "./report.ts";
import { memoryOf, metric } from "./server-under-test.ts";
import { type SteadyLoad, withSteadyLoad } from "./steady-load.ts";
import { seconds } from "./wait-until.ts";
import { zlibMicrosPerEvent } from "./zlib-pass.ts";

const eventsPerSecond = 15_000;
const slices = 10;

export function soak({ isQuick, minutes }: BenchOptions): Promise<Report> {
  const sliceSeconds = isQuick ? 1 : (minutes * 60) / slices;
  // The first seconds compile the code and fill the caches.
  const warmUpSeconds = isQuick ? 2 : 30;
  return withSteadyLoad(async (load) => {
    const sent = load.run(eventsPerSecond, warmUpSeconds + slices * sliceSeconds + 5);
    await seconds(warmUpSeconds);
    const rows = await sliceRows(load, { sliceSeconds, passes: isQuick ? 1 : 10 });
    const { requests, statuses, firstFailure } = await sent;
    if (statuses["200"] !== requests) throw new Error(`Refused: ${firstFailure ?? JSON.stringify(statuses)}`);
    const growth = (what: "CPU µs/event" | "zlib passes/event") =>
      (rows.at(-1)?.[what] ?? Number.NaN) / (rows.at(0)?.[what] ?? Number.NaN);
    return {
      tables: [{ title: `${String(eventsPerSecond)} events/s, slices of ${String(sliceSeconds)} s`, rows }],
      figures: [
        { what: "CPU per event, last slice against first", value: growth("CPU µs/event"), unit: "x" },
        {
          what: "the same, each against the zlib passes beside it",
          ...{ value: growth("zlib passes/event"), unit: "x", goal: { most: 1.05 } },
        },
      ],
    };
  });
}

interface Slice {
  readonly sliceSeconds: number;
  /** Of zlib, spread over it. */
  readonly passes: number;
}

async function sliceRows({ server }: SteadyLoad, how: Slice) {
  const rows = [];
  let before = await totals(server);
  for (let slice = 1; slice <= slices; slice += 1) {
    const zlibMicros = await zlibBeside(how);
    const now = await totals(server);
    const cpuMicros = ((now.cpuSeconds - before.cpuSeconds) / (now.accepted - before.accepted)) * 1e6;
    rows.push({
      slice,
      events: now.accepted - before.accepted,
      "CPU µs/event": cpuMicros,
      "zlib µs/event": zlibMicros,
      "zlib passes/event": cpuMicros / zlibMicros,
      "records delivered": now.delivered - before.delivered,
      "RSS MB": (memoryOf(server.pid)?.bytes ?? Number.NaN) / 2 ** 20,
    });
    before = now;
  }
  return rows;
}

/** Takes the seconds, and some passes in them: the machine may be faster in one slice than in another. */
async function zlibBeside({ sliceSeconds, passes }: Slice): Promise<number> {
  const startMs = performance.now();
  const micros: number[] = [];
  for (let pass = 1; pass <= passes; pass += 1) {
    const dueMs = startMs + (pass / passes) * sliceSeconds * 1000;
    await seconds(Math.max(0, dueMs - performance.now()) / 1000);
    micros.push(zlibMicrosPerEvent());
  }
  return median(micros);
}

async function totals(server: SteadyLoad["server"]) {
  return {
    cpuSeconds: await server.cpuSeconds(),
    accepted: await metric(server.url, "cairn_events_accepted_total"),
    delivered: await server.deliveredRecords(),
  };
}
