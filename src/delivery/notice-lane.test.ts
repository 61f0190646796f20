// Which notices a lane sends when, and what a message says: order, pauses, probes, and how many go together.
import { describe, expect, test } from "vitest";
import { region } from "../../test/sim/delivery-world.ts";
import { type LaneNotice, NoticeLane } from "./notice-lane.ts";
import { keysPerMessageMax, messageBytesMax, noticeMessage } from "./notice-message.ts";

const why = { code: "AuthorizationError", message: "no" };

function lane(): NoticeLane {
  return new NoticeLane({ incarnation: "i", topicArn: "t" }, { firstMs: 1_000, msMax: 8_000 });
}

function item(order: number, more: { bucket?: string; key?: string; attempts?: number } = {}): LaneNotice {
  const { bucket = "b", key = `k${order}`, attempts = 0 } = more;
  const notice = {
    ...{ planId: `0-1-${order}`, incarnation: "i", trail: "t", region: region("us-east-1"), topicArn: "t" },
    ...{ bucket, key, createdMs: order, attempts },
  };
  return { notice, order, retryAtMs: 0, isAlone: false };
}

const orders = (batch: readonly LaneNotice[]): number[] => batch.map((one) => one.order);

function fail(on: NoticeLane, batch: readonly LaneNotice[], nowMs: number): void {
  on.failed(batch, why, { monotonicMs: nowMs, wallMs: nowMs, fraction: 0 });
  on.ended(batch);
  for (const one of batch) {
    one.notice = { ...one.notice, attempts: one.notice.attempts + 1 };
    on.add(one);
  }
}

function take(on: NoticeLane, batch: readonly LaneNotice[]): void {
  on.succeeded();
  on.ended(batch);
}

/** A lane that failed with its first notice and was healed by its second, at 1,000 ms. */
function recovered(items: readonly LaneNotice[]): NoticeLane {
  const one = lane();
  for (const each of [item(1), item(2)]) one.add(each);
  fail(one, one.next(0, 4), 0);
  for (const each of items) one.add(each);
  take(one, one.next(1_000, 4));
  const [rest] = [one.next(1_000, 4)];
  expect(rest?.[0]?.order).toBe(1);
  return one;
}

test("a message is the text of formats.md §4.1", () => {
  const key =
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/10/111122223333_CloudTrail_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz";
  expect(noticeMessage("example-audit-logs", [key])).toBe(
    `{"s3Bucket":"example-audit-logs","s3ObjectKey":["${key}"]}`,
  );
});

describe("a healthy lane", () => {
  test("sends one file per message, oldest first, one message until the topic has answered", () => {
    const one = lane();
    for (const order of [2, 1, 3]) one.add(item(order));
    const first = one.next(0, 2);
    expect([orders(first), orders(one.next(0, 2))]).toEqual([[1], []]);
    take(one, first);
    expect([orders(one.next(0, 2)), orders(one.next(0, 2)), orders(one.next(0, 2))]).toEqual([[2], [3], []]);
    expect([one.queued, one.size]).toEqual([0, 2]);
  });
});

describe("a failing lane", () => {
  test("pauses, probes with one notice that was not tried, and doubles the pause up to its cap", () => {
    const one = lane();
    for (const order of [1, 2, 3]) one.add(item(order));
    fail(one, one.next(0, 4), 0);
    expect([orders(one.next(999, 4)), one.dueMs()]).toEqual([[], 1_000]);
    const probe = one.next(1_000, 4);
    expect([orders(probe), orders(one.next(1_000, 4)), one.isProbing]).toEqual([[2], [], true]);
    fail(one, probe, 1_000);
    const dues = [one.dueMs()];
    for (let nowMs = one.dueMs() ?? 0, n = 0; n < 3; n += 1, nowMs = one.dueMs() ?? 0) {
      fail(one, one.next(nowMs, 4), nowMs);
      dues.push(one.dueMs());
    }
    expect(dues).toEqual([3_000, 7_000, 15_000, 23_000]);
    expect(one.failure).toEqual({ sinceMs: 0, attempts: 5, ...why });
  });

  test("counts one failure when several messages were under way", () => {
    const one = lane();
    for (const order of [1, 2, 3]) one.add(item(order));
    take(one, one.next(0, 2));
    const both = [one.next(0, 2), one.next(0, 2)];
    for (const batch of both) fail(one, batch, 0);
    expect([one.dueMs(), one.failure?.attempts]).toEqual([1_000, 1]);
  });

  test("of the last process begins with a probe, at once", () => {
    const one = lane();
    one.adopt(item(1, { attempts: 3 }));
    one.adopt(item(2));
    expect([one.isFailing, one.failure?.attempts, one.dueMs()]).toEqual([true, 3, 0]);
    expect([orders(one.next(5, 4)), orders(one.next(5, 4))]).toEqual([[1], []]);
  });

  test("probes at once, oldest first, when its trail has another topic; without a topic it stands still", () => {
    const one = lane();
    for (const order of [1, 2]) one.add(item(order));
    fail(one, one.next(0, 4), 0);
    one.follow(undefined);
    expect(one.dueMs()).toBeUndefined();
    one.follow("other");
    expect(orders(one.next(0, 4))).toEqual([1]);
  });
});

describe("what waited behind a failure", () => {
  test("goes out together, what came afterwards alone", () => {
    const one = recovered([item(3), item(4), item(5)]);
    one.add(item(6));
    const rest = [one.next(1_000, 9), one.next(1_000, 9), one.next(1_000, 9)];
    // 1 was taken by `recovered`, with 3, 4 and 5.
    expect(rest.map(orders)).toEqual([[6], [], []]);
    expect(one.size).toBe(5);
  });

  test("never goes out in messages of two buckets, of too many keys, or of too many bytes", () => {
    const many = Array.from({ length: 250 }, (_, n) => item(n + 3));
    const others = [item(300, { bucket: "c" }), item(301, { bucket: "c" })];
    const long = Array.from({ length: 4 }, (_, n) =>
      item(400 + n, { bucket: "d", key: "é".repeat(40 * 1024) }),
    );
    const one = recovered([...many, ...others, ...long]);
    const sizes: number[] = [];
    const batches: (readonly LaneNotice[])[] = [];
    for (let batch = one.next(1_000, 99); batch.length > 0; batch = one.next(1_000, 99)) {
      sizes.push(batch.length);
      batches.push(batch);
    }
    // `recovered` took the first hundred.
    expect(sizes).toEqual([keysPerMessageMax, 51, 2, 2, 2]);
    for (const batch of batches) {
      const text = noticeMessage(
        batch[0]?.notice.bucket ?? "",
        batch.map(({ notice }) => notice.key),
      );
      expect(new Set(batch.map(({ notice }) => notice.bucket)).size).toBe(1);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(messageBytesMax);
    }
  });

  test("is not sent together again when together it failed", () => {
    const one = recovered([]);
    const [three, four] = [item(3), item(4)];
    fail(one, [], 1_000);
    for (const each of [three, four, item(5)]) one.add(each);
    const probe = one.next(2_000, 4);
    take(one, probe);
    const together = one.next(2_000, 4);
    expect([orders(probe), orders(together)]).toEqual([[3], [4, 5]]);
    fail(one, together, 2_000);
    const again = one.next(3_000, 4);
    take(one, again);
    expect([orders(again), orders(one.next(3_000, 4))]).toEqual([[4], [5]]);
  });
});

describe("what is taken out", () => {
  test("is what is older than a time, tried or not", () => {
    const one = lane();
    for (const order of [1, 2, 3, 4]) one.add(item(order));
    fail(one, one.next(0, 4), 0);
    expect(orders(one.takeOlder(1))).toEqual([]);
    expect(orders(one.takeOlder(3))).toEqual([1, 2]);
    expect([one.queued, one.oldest()?.order]).toEqual([2, 3]);
    expect([one.takeOldest()?.order, orders(one.takeOlder()), one.takeOldest()]).toEqual([3, [4], undefined]);
  });
});
