// When digests may be tried: bounds over all, pauses of a failing lane, one probe at a time.
import { expect, test } from "vitest";
import { DigestLanes } from "./digest-lanes.ts";

const bounds = { putsMax: 3, putsPerLaneMax: 2, probesMax: 1, retryFirstMs: 1_000, retryMsMax: 4_000 };
const a = { lane: "bucket/a", settings: "1" };
const b = { lane: "bucket/b", settings: "1" };
const c = { lane: "bucket/c", settings: "1" };
const at = (nowMs: number): { nowMs: number; fraction: number } => ({ nowMs, fraction: 0 });

test("a lane takes its share, and all lanes together theirs", () => {
  const lanes = new DigestLanes(bounds);
  const end = lanes.begin(a);
  lanes.begin(a);
  expect(lanes.mayTry(a, 0)).toBe(false);
  expect(lanes.mayTry(b, 0)).toBe(true);
  lanes.begin(b);
  expect(lanes.isFull).toBe(true);
  expect(lanes.mayTry(c, 0)).toBe(false);
  end("written", at(0));
  expect(lanes.mayTry(a, 0)).toBe(true);
});

test("a lane that fails pauses, longer each time, and probes once", () => {
  const lanes = new DigestLanes(bounds);
  const pauses = [0, 0, 0, 0].map((_zero, failures) => {
    const startMs = failures * 10_000;
    lanes.begin(a)("failed", at(startMs));
    const waits = [1_000, 2_000, 4_000, 8_000].find((ms) => lanes.mayTry(a, startMs + ms));
    expect(lanes.mayTry(a, startMs + (waits ?? 0) - 1)).toBe(false);
    return waits;
  });
  expect(pauses).toEqual([1_000, 2_000, 4_000, 4_000]);
  const end = lanes.begin(a);
  expect(lanes.mayTry(a, 99_999)).toBe(false);
  end("written", at(99_999));
  expect(lanes.isFailing(a.lane)).toBe(false);
  expect(lanes.mayTry(a, 99_999)).toBe(true);
});

test("tries that were under way when a lane began to fail say nothing new", () => {
  const lanes = new DigestLanes(bounds);
  const [first, second] = [lanes.begin(a), lanes.begin(a)];
  first("failed", at(0));
  second("failed", at(500));
  expect(lanes.mayTry(a, 1_000)).toBe(true);
});

test("only so many lanes probe at once", () => {
  const lanes = new DigestLanes(bounds);
  for (const lane of [a, b]) lanes.begin(lane)("failed", at(0));
  const end = lanes.begin(a);
  expect(lanes.mayTry(b, 1_000)).toBe(false);
  expect(lanes.mayTry(c, 1_000)).toBe(true);
  end("untried", at(1_000));
  expect(lanes.mayTry(b, 1_000)).toBe(true);
});

test("changed settings let a failing lane probe at once", () => {
  const lanes = new DigestLanes(bounds);
  lanes.begin(a)("failed", at(0));
  expect(lanes.mayTry(a, 1)).toBe(false);
  expect(lanes.mayTry({ ...a, settings: "2" }, 1)).toBe(true);
  lanes.forget("a");
  expect(lanes.mayTry(a, 1)).toBe(true);
});
