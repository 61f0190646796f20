// CPU per event over a long steady load: what leaks, grows or fragments shows as a last minute dearer than the first.
import type { BenchOptions, Report } from "./report.ts";
import { memoryOf, metric } from "./server-under-test.ts";
import { type SteadyLoad, withSteadyLoad } from "./steady-load.ts";
import { seconds } from "./wait-until.ts";

const eventsPerSecond = 15_000;
const slices = 10;

export function soak({ isQuick, minutes }: BenchOptions): Promise<Report> {
  const sliceSeconds = isQuick ? 1 : (minutes * 60) / slices;
  // The first seconds compile the code and fill the caches.
  const warmUpSeconds = isQuick ? 2 : 30;
  return withSteadyLoad(async (load) => {
    const sent = load.run(eventsPerSecond, warmUpSeconds + slices * sliceSeconds + 1);
    await seconds(warmUpSeconds);
    const rows = await sliceRows(load, sliceSeconds);
    const { requests, statuses, firstFailure } = await sent;
    if (statuses["200"] !== requests) throw new Error(`Refused: ${firstFailure ?? JSON.stringify(statuses)}`);
    const [first, last] = [rows.at(0)?.["CPU µs/event"], rows.at(-1)?.["CPU µs/event"]];
    const growth = (last ?? Number.NaN) / (first ?? Number.NaN);
    return {
      tables: [{ title: `${String(eventsPerSecond)} events/s, slices of ${String(sliceSeconds)} s`, rows }],
      figures: [
        { what: "CPU per event, last slice against first", value: growth, unit: "x", goal: { most: 1.05 } },
      ],
    };
  });
}

async function sliceRows({ server }: SteadyLoad, sliceSeconds: number) {
  const rows = [];
  let before = await totals(server);
  for (let slice = 1; slice <= slices; slice += 1) {
    await seconds(sliceSeconds);
    const now = await totals(server);
    rows.push({
      slice,
      events: now.accepted - before.accepted,
      "CPU µs/event": ((now.cpuSeconds - before.cpuSeconds) / (now.accepted - before.accepted)) * 1e6,
      "records delivered": now.delivered - before.delivered,
      "RSS MB": (memoryOf(server.pid)?.bytes ?? Number.NaN) / 2 ** 20,
    });
    before = now;
  }
  return rows;
}

async function totals(server: SteadyLoad["server"]) {
  return {
    cpuSeconds: await server.cpuSeconds(),
    accepted: await metric(server.url, "cairn_events_accepted_total"),
    delivered: await server.deliveredRecords(),
  };
}
