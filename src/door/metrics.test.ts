// Measurements: known names, unknown ones, and the bounds on what clients can make grow.
import { expect, test } from "vitest";
import { createByteBudget } from "./byte-budget.ts";
import { createMetrics } from "./metrics.ts";

async function linesOf(
  use: (metrics: ReturnType<typeof createMetrics>["metrics"]) => void,
): Promise<string[]> {
  const { metrics, text } = createMetrics();
  use(metrics);
  return (await text()).split("\n");
}

test("counters, gauges and histograms of the table", async () => {
  const lines = await linesOf((metrics) => {
    metrics.count("events_accepted_total", { door: "events" }, 3);
    metrics.count("events_accepted_total", { door: "events" });
    metrics.gauge("outbox_bytes", 7);
    metrics.observe("call_seconds", 0.02, { operation: "GetTrail" });
  });
  expect(lines).toContain('cairn_events_accepted_total{door="events"} 4');
  expect(lines).toContain("cairn_outbox_bytes 7");
  expect(lines).toContain('cairn_call_seconds_bucket{le="0.025",operation="GetTrail"} 1');
  expect(lines).toContain("# HELP cairn_outbox_bytes Bytes of log files that wait in the outbox.");
  expect(lines.some((line) => line.startsWith("process_cpu_seconds_total"))).toBe(true);
});

test("a name that the table lacks is kept, wrong labels and values do no harm", async () => {
  const lines = await linesOf((metrics) => {
    metrics.count("something_new_total", { kind: "a" });
    metrics.count("something_new_total", { other: "b" });
    metrics.count("outbox_bytes");
    metrics.count("not a name!");
    metrics.count("journal_frames_total", {}, -5);
    metrics.gauge("outbox_files", Number.NaN);
  });
  expect(lines).toContain('cairn_something_new_total{kind="a"} 1');
  expect(lines).toContain("cairn_journal_frames_total 0");
  expect(lines.join()).not.toContain("not a name");
});

test("values of two labels are kept apart, whatever they hold", async () => {
  const lines = await linesOf((metrics) => {
    for (const [code, target] of [
      ["a 1 b", "c"],
      ["a", "b 1 c"],
      ["a", "b"],
      ["a", ""],
    ] as const) {
      metrics.count("delivery_failures_total", { code, target });
      metrics.count("delivery_failures_total", { target, code, other: "no label of it" });
    }
    metrics.count("delivery_failures_total", { code: "a" });
  });
  const failures = lines.filter((line) => line.startsWith("cairn_delivery_failures_total{"));
  expect(failures).toEqual([
    'cairn_delivery_failures_total{code="a 1 b",target="c"} 2',
    'cairn_delivery_failures_total{code="a",target="b 1 c"} 2',
    'cairn_delivery_failures_total{code="a",target="b"} 2',
    'cairn_delivery_failures_total{code="a",target=""} 3',
  ]);
});

test("names and label values are bounded", async () => {
  const lines = await linesOf((metrics) => {
    for (let index = 0; index < 1500; index++) {
      metrics.count("requests_refused_total", { reason: `reason-${index}` });
      metrics.count(`unlisted_${index}`);
    }
  });
  const failures = lines.filter((line) => line.startsWith("cairn_requests_refused_total{"));
  expect(failures.length).toBe(1001);
  expect(failures).toContain('cairn_requests_refused_total{reason="other"} 500');
  expect(lines.filter((line) => line.startsWith("cairn_unlisted_")).length).toBe(100);
});

test("a budget gives what it has, and takes everything back", () => {
  const seen: number[] = [];
  const budget = createByteBudget(
    () => 10,
    (taken) => seen.push(taken),
  );
  const [first, second] = [budget.open(), budget.open()];
  expect([first.take(6), second.take(5), second.take(4), first.take(1)]).toEqual([true, false, true, false]);
  first.release();
  first.release();
  expect([budget.bytesTaken, first.take(1), second.take(6)]).toEqual([4, false, true]);
  second.release();
  expect([budget.bytesTaken, seen.at(-1)]).toEqual([0, 0]);
});
