// Telling topics of log files: what is stored when, who waits for whom, what is given up. Crashes: test/sim/notices-crash.test.ts.
import { afterEach, expect, test } from "vitest";
import { settled } from "../../test/sim/delivery-world.ts";
import type { StateStore } from "../state/contract.ts";
import {
  type NoticeOwn,
  type NoticeProcess,
  NoticeWorld,
  noticeOptions,
  topic,
} from "./notices.test-world.ts";

const hour = 3_600_000;
const sameRegion = "us-east-1";
const running: NoticeProcess[] = [];

async function begin(world: NoticeWorld, own: NoticeOwn = {}) {
  const process = await world.start(own);
  running.push(process);
  return process;
}

afterEach(async () => {
  for (const process of running.splice(0)) void process.stop();
  await settled();
});

test("a file is announced by a message of its own, after its notice is stored and before that goes", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  const writes: string[] = [];
  const process = await begin(world, { state: recording(world.state, writes) });
  const [first, second] = [world.file("a"), world.file("a")];
  await process.notifier.delivered(first);
  expect(process.notifier.isNoted(first.planId)).toBe(true);
  await process.notifier.delivered(second);
  await settled();
  expect(world.topics.taken.map(({ topicArn, message }) => [topicArn, message])).toEqual([
    [topic("a"), `{"s3Bucket":"b","s3ObjectKey":["${first.key}"]}`],
    [topic("a"), `{"s3Bucket":"b","s3ObjectKey":["${second.key}"]}`],
  ]);
  expect(writes.slice(0, 1)).toEqual([`put delivery/notice/a/${first.planId}`]);
  const told = writes.indexOf(`put delivery/status/a/${sameRegion}`);
  expect(told).toBeGreaterThan(0);
  expect(writes.indexOf(`delete delivery/notice/a/${first.planId}`)).toBeGreaterThan(told);
  expect(await world.stored()).toEqual([]);
  expect(process.notifier.isNoted(first.planId)).toBe(false);
  expect(process.notifier.counts).toEqual({ waiting: 0, lanesFailing: 0 });
  expect(world.metrics.totals.get("notifications_sent_total")).toBe(2);
  const nowMs = world.clock.nowMs();
  expect(process.statuses.status("a", first.region).notification).toEqual({
    ...{ latestMs: nowMs, latestAttemptMs: nowMs, latestSuccessfulAttemptMs: nowMs },
  });
});

test("a trail without a topic, or no SNS at all, stores nothing; the latter is said once per trail", async () => {
  const world = new NoticeWorld();
  world.silentTrail("silent");
  for (const name of ["a", "b"]) world.trail(name);
  const without = await begin(world, { services: { close: () => undefined } });
  for (const name of ["a", "a", "b", "silent"]) await without.notifier.delivered(world.file(name));
  await world.clock.advance(hour);
  expect([await world.stored(), world.topics.tries]).toEqual([[], []]);
  expect(world.log.of("warn").map(({ fields }) => fields["topicArn"])).toEqual([topic("a"), topic("b")]);
  expect([without.notifier.report("a").note, without.notifier.report("silent").note]).toEqual([
    "No SNS endpoint is configured: nothing is sent to the topic.",
    undefined,
  ]);
});

test("a file that is delivered once more while its notice waits is one notice", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => ({ refuse: "AuthorizationError" });
  const { notifier } = await begin(world);
  const file = world.file("a");
  for (let times = 0; times < 3; times += 1) await notifier.delivered(file);
  expect(await world.stored()).toEqual([file.planId]);
  world.topics.answer = () => "take";
  await world.clock.advance(hour);
  expect(world.topics.keysOf(topic("a"))).toEqual([file.key]);
});

test("a dead topic delays only itself, says why, and hears of everything once it is well, several at a time", async () => {
  const world = new NoticeWorld();
  for (const name of ["dead", "well"]) world.trail(name);
  world.topics.answer = ({ topicArn }) =>
    topicArn === topic("dead") ? { refuse: "AuthorizationError" } : "take";
  const { notifier, statuses } = await begin(world);
  const startMs = world.clock.nowMs();
  const keys: string[] = [];
  for (let n = 0; n < 30; n += 1) {
    const file = world.file("dead");
    keys.push(file.key);
    await notifier.delivered(file);
    const other = world.file("well");
    await notifier.delivered(other);
    await settled();
    expect(world.topics.keysOf(topic("well")).at(-1)).toBe(other.key);
    await world.clock.advance(60_000);
  }
  // 5 s, doubled up to 5 minutes: half an hour has room for 10 to 25 probes, jitter included; one notice each.
  const tries = world.topics.tries.filter(({ topicArn }) => topicArn === topic("dead"));
  expect(tries.length).toBeGreaterThan(8);
  expect(tries.length).toBeLessThan(26);
  expect(new Set(tries.map((one) => one.keys.length))).toEqual(new Set([1]));
  const region = world.file("dead").region;
  expect(statuses.status("dead", region).notification.latestError).toBe("AuthorizationError");
  expect(notifier.report("dead")).toMatchObject({
    waiting: { files: 30, oldestMs: startMs },
    failing: { sinceMs: startMs, code: "AuthorizationError", attempts: tries.length },
    givenUp: { files: 0 },
  });
  expect(notifier.report("dead").failing?.nextTryMs).toBeGreaterThan(world.clock.nowMs());
  expect(notifier.report("well").failing).toBeUndefined();
  expect(world.metrics.totals.get("notification_failures_total AuthorizationError")).toBe(tries.length);

  world.topics.answer = () => "take";
  await world.clock.advance(300_000);
  expect(world.topics.keysOf(topic("dead")).sort()).toEqual(keys.sort());
  const messages = world.topics.taken.filter(({ topicArn }) => topicArn === topic("dead"));
  expect(messages.length).toBeLessThan(4);
  expect(statuses.status("dead", region).notification.latestError).toBeUndefined();
  const fresh = world.file("dead");
  await notifier.delivered(fresh);
  await settled();
  expect(world.topics.taken.at(-1)?.keys).toEqual([fresh.key]);
  expect(await world.stored()).toEqual([]);
});

test("topics that hang share the probes in turn and starve nobody", async () => {
  const hanging = Array.from({ length: 40 }, (_, n) => `hang-${n}`);
  const world = new NoticeWorld({ probesMax: 3 });
  for (const name of [...hanging, "well"]) world.trail(name);
  world.topics.answer = ({ topicArn }) => (topicArn === topic("well") ? "take" : "hang");
  const { notifier } = await begin(world);
  for (const name of hanging) for (let n = 0; n < 3; n += 1) await notifier.delivered(world.file(name));
  await settled();
  // Who has not answered yet has one message under way.
  expect(world.topics.open).toBe(hanging.length);
  await world.clock.advance(noticeOptions.putTimeoutMs + 10_000);
  expect(world.topics.open).toBeLessThanOrEqual(3);
  const triedBefore = world.topics.tries.length;
  for (let n = 0; n < 60; n += 1) {
    const file = world.file("well");
    await notifier.delivered(file);
    await settled();
    expect(world.topics.keysOf(topic("well")).at(-1)).toBe(file.key);
    expect(world.topics.open).toBeLessThanOrEqual(3);
    await world.clock.advance(30_000);
  }
  const probed = world.topics.tries.slice(triedBefore).map(({ topicArn }) => topicArn);
  for (const name of hanging) expect(probed).toContain(topic(name));
  // The last of them is well again: it does not wait for the others.
  world.topics.answer = ({ topicArn }) => (topicArn === topic("hang-39") ? "take" : "hang");
  await world.clock.advance(hour);
  expect(world.topics.keysOf(topic("hang-39"))).toHaveLength(3);
  expect(notifier.counts).toEqual({ waiting: 117, lanesFailing: 39 });
});

test("all topics together have no more messages under way than the bound", async () => {
  const world = new NoticeWorld({ publishesMax: 5 });
  const names = Array.from({ length: 12 }, (_, n) => `t-${n}`);
  for (const name of names) world.trail(name);
  const { notifier } = await begin(world);
  for (const name of names) for (let n = 0; n < 4; n += 1) await notifier.delivered(world.file(name));
  await settled();
  expect(world.topics.openMost).toBeLessThanOrEqual(5);
  expect(world.topics.taken).toHaveLength(48);
});

test("an answer that is lost brings the file again", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  const { notifier, statuses } = await begin(world);
  const answers = ["lose", "take"] as const;
  world.topics.answer = () => answers[world.topics.tries.length - 1] ?? "take";
  const file = world.file("a");
  await notifier.delivered(file);
  await settled();
  const { notification } = statuses.status("a", file.region);
  expect([notification.latestError, notification.latestMs, notification.latestAttemptMs]).toEqual([
    undefined,
    undefined,
    world.clock.nowMs(),
  ]);
  await world.clock.advance(5_000);
  expect(world.topics.keysOf(topic("a"))).toEqual([file.key, file.key]);
  expect(await world.stored()).toEqual([]);
});

test("what is older than the retention is given up: counted, logged, shown; what is younger stays", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => ({ refuse: "NotFound" });
  const { notifier } = await begin(world, { options: { retentionMs: hour } });
  for (let n = 0; n < 2; n += 1) await notifier.delivered(world.file("a"));
  await world.clock.advance(hour - 60_000);
  const young = world.file("a");
  await notifier.delivered(young);
  expect(notifier.report("a").waiting.files).toBe(3);
  await world.clock.advance(120_000);
  expect(await world.stored()).toEqual([young.planId]);
  expect(notifier.report("a")).toMatchObject({ waiting: { files: 1 }, givenUp: { files: 2 } });
  expect(world.metrics.totals.get("notifications_given_up_total retention")).toBe(2);
  const told = world.log.of("error").filter(({ fields }) => fields["reason"] === "retention");
  expect(told.reduce((sum, { fields }) => sum + Number(fields["notifications"]), 0)).toBe(2);
});

test("beyond the bound the oldest of who has most is given up", async () => {
  const world = new NoticeWorld({ noticesMax: 4 });
  for (const name of ["small", "big"]) world.trail(name);
  world.topics.answer = () => ({ refuse: "NotFound" });
  const { notifier } = await begin(world);
  const [small, ...big] = ["small", "big", "big", "big", "big", "big"].map((name) => world.file(name));
  if (!small) throw new Error("a file was made");
  for (const file of [small, ...big]) {
    await notifier.delivered(file);
    await settled();
  }
  expect((await world.stored()).sort()).toEqual([small, ...big.slice(2)].map((file) => file.planId).sort());
  expect(notifier.counts.waiting).toBe(4);
  expect(notifier.report("big").givenUp.files).toBe(2);
  expect(world.metrics.totals.get("notifications_given_up_total notices-full")).toBe(2);
});

test("what waits follows its trail to another topic", async () => {
  const world = new NoticeWorld();
  world.trail("a", topic("old"));
  world.topics.answer = ({ topicArn }) => (topicArn === topic("old") ? { refuse: "NotFound" } : "take");
  const { notifier } = await begin(world);
  const files = [world.file("a"), world.file("a")];
  for (const file of files) await notifier.delivered(file);
  await world.clock.advance(hour);
  world.trail("a", topic("new"));
  await world.clock.advance(5_000);
  expect(world.topics.keysOf(topic("new")).sort()).toEqual(files.map((file) => file.key).sort());
  expect(world.topics.keysOf(topic("old"))).toEqual([]);
});

test("a topic that fails after its trail left it is no failure of the new one", async () => {
  const world = new NoticeWorld();
  world.trail("a", topic("old"));
  world.topics.answer = ({ topicArn }) => (topicArn === topic("old") ? "hang" : "take");
  const { notifier } = await begin(world);
  const file = world.file("a");
  await notifier.delivered(file);
  await world.clock.advance(10_000);
  world.trail("a", topic("new"));
  await world.clock.advance(noticeOptions.putTimeoutMs);
  expect(world.topics.keysOf(topic("new"))).toEqual([file.key]);
  expect(notifier.counts).toEqual({ waiting: 0, lanesFailing: 0 });
});

test("a trail that has no topic any more drops what waited, and nobody calls that a loss", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => ({ refuse: "NotFound" });
  const { notifier } = await begin(world);
  await notifier.delivered(world.file("a"));
  await settled();
  world.silentTrail("a");
  await world.clock.advance(60_000);
  expect([await world.stored(), notifier.counts]).toEqual([[], { waiting: 0, lanesFailing: 0 }]);
  expect(world.log.of("error")).toEqual([]);
  expect(world.log.of("info").map(({ message }) => message)).toContain(
    "The trail has no topic any more; its waiting notifications were dropped.",
  );
  expect(notifier.report("a").givenUp.files).toBe(0);
});

test("a deleted trail is still announced until its time is over; then the rest is given up and it is forgotten", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  const { notifier } = await begin(world);
  world.places.set("a", { bucket: "b", topicArn: topic("a"), deletedMs: world.clock.nowMs() });
  const late = world.file("a");
  await notifier.delivered(late);
  await settled();
  expect(world.topics.keysOf(topic("a"))).toEqual([late.key]);

  world.topics.answer = () => "hang";
  for (let n = 0; n < 3; n += 1) await notifier.delivered(world.file("a"));
  await settled();
  await notifier.giveUp("a");
  expect(notifier.hasNotices("a")).toBe(true);
  await world.clock.advance(noticeOptions.putTimeoutMs);
  await notifier.giveUp("a");
  expect([notifier.hasNotices("a"), await world.stored()]).toEqual([false, []]);
  expect(world.metrics.totals.get("notifications_given_up_total trail-deleted")).toBe(3);
  notifier.forget("a");
  expect(notifier.report("a")).toEqual({ waiting: { files: 0 }, givenUp: { files: 0 } });
});

test("notices of a trail that nobody knows any more are given up", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => ({ refuse: "NotFound" });
  const { notifier } = await begin(world);
  await notifier.delivered(world.file("a"));
  await world.places.forget("a");
  await world.clock.advance(60_000);
  expect([
    await world.stored(),
    world.metrics.totals.get("notifications_given_up_total trail-deleted"),
  ]).toEqual([[], 1]);
});

test("a sent notice that cannot be crossed off is not sent again, but by the next process", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  let isBroken = true;
  const state: StateStore = {
    ...world.state,
    delete: async (key, expected) => {
      if (isBroken) throw new Error("No space.");
      return world.state.delete(key, expected);
    },
  };
  const first = await begin(world, { state });
  const file = world.file("a");
  await first.notifier.delivered(file);
  await world.clock.advance(hour);
  expect(world.topics.keysOf(topic("a"))).toEqual([file.key]);
  expect(world.log.of("error").length).toBeGreaterThan(0);
  const stopping = first.stop();
  await world.clock.advance(10_000);
  await stopping;

  isBroken = false;
  const second = await begin(world, { state });
  expect(second.notifier.isNoted(file.planId)).toBe(true);
  await world.clock.advance(hour);
  expect(world.topics.keysOf(topic("a"))).toEqual([file.key, file.key]);
  expect(await world.stored()).toEqual([]);
});

test("a notice that cannot be stored is told to the writer, and not sent", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  const put = () => Promise.reject(new Error("No space."));
  const { notifier } = await begin(world, { state: { ...world.state, put } });
  await expect(notifier.delivered(world.file("a"))).rejects.toThrow("No space.");
  await world.clock.advance(hour);
  expect([world.topics.tries, notifier.counts.waiting]).toEqual([[], 0]);
});

test("what could not be given up waits on", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => ({ refuse: "NotFound" });
  const removal = () => Promise.reject(new Error("No space."));
  const { notifier } = await begin(world, { state: { ...world.state, delete: removal } });
  const file = world.file("a");
  await notifier.delivered(file);
  await settled();
  await expect(notifier.giveUp("a")).rejects.toThrow("No space.");
  expect([notifier.hasNotices("a"), notifier.report("a").givenUp.files]).toEqual([true, 0]);
});

test("a stop waits a while for what hangs and leaves it to the next process", async () => {
  const world = new NoticeWorld();
  world.trail("a");
  world.topics.answer = () => "hang";
  const first = await begin(world);
  const file = world.file("a");
  await first.notifier.delivered(file);
  await settled();
  const stopping = first.stop();
  await world.clock.advance(3_000);
  await stopping;
  expect(await world.stored()).toEqual([file.planId]);
  world.topics.answer = () => "take";
  await begin(world);
  await settled();
  expect(world.topics.keysOf(topic("a"))).toEqual([file.key]);
});

/** The same store, whose writes are written down once they are done. */
function recording(state: StateStore, writes: string[]): StateStore {
  return {
    ...state,
    put: async (key, value, expected) => {
      const outcome = await state.put(key, value, expected);
      writes.push(`put ${key}`);
      return outcome;
    },
    delete: async (key, expected) => {
      const outcome = await state.delete(key, expected);
      writes.push(`delete ${key}`);
      return outcome;
    },
  };
}
