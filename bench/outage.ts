// A store that is down for minutes while events keep coming: how much memory the server takes, and whether everything
// is delivered afterwards, once.
import type { BenchOptions, Report } from "./report.ts";
import { memoryOf, metric } from "./server-under-test.ts";
import { type SteadyLoad, withSteadyLoad } from "./steady-load.ts";
import { seconds, waitUntil } from "./wait-until.ts";

const eventsPerSecond = 5_000;

export function outage({ isQuick, minutes }: BenchOptions): Promise<Report> {
  const downSeconds = isQuick ? 5 : minutes * 60;
  const upSeconds = isQuick ? 3 : 30;
  return withSteadyLoad(async (load) => {
    const { server, store } = load;
    const loaded = load.run(eventsPerSecond, upSeconds + downSeconds + upSeconds);
    await seconds(upSeconds);
    const before = await lookAt(load, "before");
    store.goDown();
    await seconds(downSeconds);
    const during = await lookAt(load, "at its end");
    await store.comeBack();
    const backAt = performance.now();
    const { accepted, requests, statuses, firstFailure } = await loaded;
    const isComplete = () => load.counts(accepted).every(({ stored, expected }) => stored >= expected);
    await waitUntil("everything is delivered", isComplete, 900);
    const afterSeconds = (performance.now() - backAt) / 1000;
    const after = await lookAt(load, "when all is delivered");
    const counts = load.counts(accepted);
    const wrong = counts.filter(({ stored, expected }) => stored !== expected);
    if (wrong.length > 0 || statuses["200"] !== requests) {
      throw new Error(`Lost, repeated or refused: ${JSON.stringify({ wrong, statuses, firstFailure })}`);
    }
    const peak = (memoryOf(server.pid)?.bytesMax ?? Number.NaN) / 2 ** 20;
    return {
      tables: [
        {
          title: `The store is down for ${String(downSeconds)} s, ${String(eventsPerSecond)} events/s`,
          rows: [before, during, after],
        },
        { title: "Records in the store's buckets", rows: counts },
      ],
      figures: [
        { what: "peak memory (RSS)", value: peak, unit: "MB", goal: { most: 512 } },
        { what: "events accepted, all delivered once", value: accepted, unit: "events" },
        { what: "delivered after the store was back", value: afterSeconds, unit: "s" },
        { what: "objects put again after an answer was lost", value: store.repeatedPuts(), unit: "objects" },
      ],
    };
  });
}

async function lookAt({ server }: SteadyLoad, when: string) {
  return {
    "the outage": when,
    "RSS MB": (memoryOf(server.pid)?.bytes ?? Number.NaN) / 2 ** 20,
    "journal MB": (await metric(server.url, "cairn_journal_bytes")) / 1e6,
    "outbox MB": (await metric(server.url, "cairn_outbox_bytes")) / 1e6,
    "outbox files": await metric(server.url, "cairn_outbox_files"),
  };
}
