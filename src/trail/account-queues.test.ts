// Changes of a trail in order, of an account as a whole alone, with bounded waiting.
import { describe, expect, test } from "vitest";
import { trailArn } from "../model/arn.ts";
import { openAccountQueues } from "./account-queues.ts";
import { mary, ohio, refusalOf, stranger } from "./trail.test-world.ts";

const arn = trailArn({ account: mary, homeRegion: ohio, name: "my-trail" });
const conflict = `ConflictException: The resource ${arn} is being modified by another request. Try again later.`;

/** A clock whose sleeps end when the test says so. */
function openManualClock() {
  const sleepers: (() => void)[] = [];
  return {
    sleepers,
    clock: {
      nowMs: () => 0,
      monotonicMs: () => 0,
      sleep: async (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => {
          signal?.addEventListener("abort", () => resolve());
          sleepers.push(resolve);
        }),
    },
  };
}

function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe("account queues", () => {
  test("run the work of one account in order, one at a time, and accounts beside each other", async () => {
    const { clock } = openManualClock();
    const queues = openAccountQueues({ queuedMax: 10, waitMsMax: 1000 }, clock);
    const log: string[] = [];
    const first = gate();
    const work = (name: string, until?: Promise<void>) => async () => {
      log.push(`${name} begins`);
      await until;
      log.push(`${name} ends`);
      return name;
    };
    const running = [
      queues.run(mary, arn, work("a", first.opened)),
      queues.run(mary, arn, work("b")),
      queues.run(stranger, arn, work("c")),
    ];
    await running[2];
    expect(log).toEqual(["a begins", "c begins", "c ends"]);
    first.open();
    expect(await Promise.all(running)).toEqual(["a", "b", "c"]);
    expect(log.slice(3)).toEqual(["a ends", "b begins", "b ends"]);
  });

  test("work that keeps to its trail runs beside that of other trails, never beside that of the account", async () => {
    const { clock } = openManualClock();
    const queues = openAccountQueues({ queuedMax: 10, waitMsMax: 1000 }, clock);
    const other = trailArn({ account: mary, homeRegion: ohio, name: "other-trail" });
    const [first, second, third] = [gate(), gate(), gate()];
    const log: string[] = [];
    const work = (name: string, until?: Promise<void>) => async () => {
      log.push(name);
      await until;
    };
    const running = [
      queues.runForTrail(mary, arn, work("mine", first.opened)),
      queues.runForTrail(mary, other, work("other", second.opened)),
      queues.runForTrail(mary, arn, work("mine again")),
      queues.run(mary, arn, work("account", third.opened)),
      queues.runForTrail(mary, other, work("other after the account")),
    ];
    const turn = async () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    expect(log).toEqual(["mine", "other"]);
    first.open();
    await turn();
    expect(log.slice(2)).toEqual(["mine again"]);
    second.open();
    await turn();
    expect(log.slice(3)).toEqual(["account"]);
    third.open();
    await Promise.all(running);
    expect(log.slice(4)).toEqual(["other after the account"]);
  });

  test("work that fails does not stop those behind it", async () => {
    const { clock } = openManualClock();
    const queues = openAccountQueues({ queuedMax: 10, waitMsMax: 1000 }, clock);
    const failing = queues.run(mary, arn, async () => {
      throw new Error("no");
    });
    const next = queues.run(mary, arn, async () => "fine");
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("fine");
  });

  test("a full queue is an answer", async () => {
    const { clock } = openManualClock();
    const queues = openAccountQueues({ queuedMax: 2, waitMsMax: 1000 }, clock);
    const first = gate();
    const running = [1, 2].map(async () => queues.run(mary, arn, async () => first.opened));
    expect(await refusalOf(queues.run(mary, arn, async () => {}))).toBe(conflict);
    expect(await refusalOf(queues.run(stranger, arn, async () => {}))).toBe("accepted");
    first.open();
    await Promise.all(running);
    expect(await refusalOf(queues.run(mary, arn, async () => {}))).toBe("accepted");
  });

  test("who waited too long is refused, and never runs; those behind still wait their turn", async () => {
    const { clock, sleepers } = openManualClock();
    const queues = openAccountQueues({ queuedMax: 10, waitMsMax: 1000 }, clock);
    const first = gate();
    const log: string[] = [];
    const slow = queues.run(mary, arn, async () => first.opened);
    const impatient = refusalOf(queues.run(mary, arn, async () => log.push("impatient")));
    const patient = queues.run(mary, arn, async () => log.push("patient"));
    await new Promise((resolve) => setImmediate(resolve));
    sleepers[0]?.();
    expect(await impatient).toBe(conflict);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual([]);
    first.open();
    await Promise.all([slow, patient]);
    expect(log).toEqual(["patient"]);
  });
});
