// When a lane tries which file: order, pauses, probes and bounds.
import { describe, expect, test } from "vitest";
import { HeldBodies } from "./held-bodies.ts";
import { Lane, type LaneItem } from "./lane.ts";
import type { Entry } from "./ledger.ts";
import { backoffMs } from "./limits.ts";
import { parsePlan, type Plan } from "./plan.ts";

const limits = { putsMax: 2, bytesMax: 1_000, readBytesMax: Infinity };
const lane = (): Lane =>
  new Lane(
    { address: "b", incarnation: "i", settings: "", bodies: new HeldBodies() },
    { firstMs: 1_000, msMax: 8_000 },
  );

function item(n: number, more: { held?: number; outbox?: number; createdMs?: number } = {}): LaneItem {
  const plan: Plan = parsePlan({
    ...{
      id: `0-1-${n}`,
      partition: "0",
      cutSeq: 1,
      n,
      incarnation: "i",
      trail: "t",
      account: "123456789012",
    },
    ...{
      region: "us-east-1",
      folder: "CloudTrail",
      from: 1,
      to: 2,
      jsonBytes: 1,
      recordCount: 1,
      cornerBytes: 1,
    },
    target: { kind: "bucket", bucket: "b", key: `k${n}` },
    ...{ labelMs: 0, unique: "u", createdMs: more.createdMs ?? n, attempts: 0 },
    outcome: "none",
    backing:
      more.outbox === undefined
        ? { kind: "journal" }
        : { kind: "outbox", sizeBytes: more.outbox, sha256: "" },
  });
  const entry: Entry = { plan, version: 1, isGone: false, told: 0 };
  return { entry, retryAtMs: 0, ...(more.held === undefined ? {} : { bytes: new Uint8Array(more.held) }) };
}

const numberOf = (of: LaneItem | undefined): number | undefined => of?.entry.plan.n;

function fail(on: Lane, of: LaneItem, nowMs: number): void {
  on.failed(of, { nowMs, attempts: 1, fraction: 0 });
  on.ended(of);
  on.add(of);
}

describe("a healthy lane", () => {
  test("gives the oldest first, and no more than its bound at once", () => {
    const one = lane();
    for (const n of [3, 1, 2]) one.add(item(n));
    const first = one.next(0, limits);
    expect([numberOf(first), numberOf(one.next(0, limits)), numberOf(one.next(0, limits))]).toEqual([
      1,
      2,
      undefined,
    ]);
    if (first) one.ended(first);
    expect(numberOf(one.next(0, limits))).toBe(3);
  });

  test("keeps the bytes of its puts within the bound, but one file always goes", () => {
    const one = lane();
    for (const n of [1, 2]) one.add(item(n, { outbox: 2_000 }));
    expect(numberOf(one.next(0, limits))).toBe(1);
    expect(one.next(0, limits)).toBeUndefined();
    expect(one.waitMs(0)).toBeUndefined();
  });

  test("weighs what it holds until it has left", () => {
    const one = lane();
    const held = item(1, { held: 10 });
    one.add(held);
    one.add(item(2, { outbox: 20 }));
    expect(one.next(0, limits)).toBe(held);
    expect([one.heldBytes, one.outboxBytes]).toEqual([10, 20]);
    delete held.bytes;
    one.ended(held);
    expect([one.heldBytes, one.outboxBytes]).toEqual([0, 20]);
  });
});

describe("a failing lane", () => {
  test("pauses, probes with one file, doubles the pause, and is healed by a success", () => {
    const one = lane();
    for (const n of [1, 2, 3, 4]) one.add(item(n));
    const first = one.next(0, limits);
    if (!first) throw new Error("a file is given");
    fail(one, first, 0);
    expect(one.isFailing).toBe(true);
    expect([one.next(999, limits), one.waitMs(400)]).toEqual([undefined, 600]);
    const probe = one.next(1_000, limits);
    // Another file than the one that failed: that one may be refused for a reason of its own.
    expect(numberOf(probe)).toBe(2);
    expect(one.next(1_000, limits)).toBeUndefined();
    if (probe) fail(one, probe, 1_000);
    expect(one.waitMs(1_000)).toBe(2_000);
    const second = one.next(3_000, limits);
    one.succeeded();
    if (second) one.ended(second);
    expect([numberOf(second), numberOf(one.next(3_000, limits))]).toEqual([3, 4]);
    expect(one.isFailing).toBe(false);
    expect(numberOf(one.next(3_000, limits))).toBe(1);
  });

  test("counts one failure when several puts were under way", () => {
    const one = lane();
    for (const n of [1, 2]) one.add(item(n));
    const both = [one.next(0, limits), one.next(0, limits)];
    for (const each of both) if (each) fail(one, each, 0);
    expect(one.waitMs(0)).toBe(1_000);
  });

  test("probes at once when its settings changed", () => {
    const one = lane();
    one.add(item(1));
    const first = one.next(0, limits);
    if (first) fail(one, first, 0);
    one.probeNow();
    expect(numberOf(one.next(0, limits))).toBe(1);
  });

  test("tells what it holds in memory and what is oldest in the outbox", () => {
    const one = lane();
    one.add(item(1, { held: 5 }));
    one.add(item(2, { outbox: 7 }));
    expect(numberOf(one.oldestInOutbox())).toBe(2);
    expect(numberOf(one.takeHeld())).toBe(1);
    expect(one.takeHeld()).toBeUndefined();
    expect(numberOf(one.takeLeaving(() => true)[0])).toBe(2);
    expect(one.isEmpty).toBe(true);
    expect(one.outboxBytes).toBe(0);
  });
});

test.each([
  [1, 0, 5_000],
  [2, 0, 10_000],
  [1, 1, 2_500],
  [20, 0, 300_000],
  [5_000, 0, 300_000],
])("after %i failures with jitter %d the pause is %d ms", (failures, fraction, ms) => {
  expect(backoffMs(failures, { firstMs: 5_000, msMax: 300_000, fraction })).toBe(ms);
});
