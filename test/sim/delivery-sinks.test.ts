// Delivery to a trail's log group and topic beside its bucket: each on a road of its own. Time is simulated.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogEvent, LogGroups, ServiceOutcome, Topics } from "../../src/aws/contract.ts";
import { createDelivery, type Delivery } from "../../src/delivery/delivery.ts";
import type { DeliveryPorts } from "../../src/delivery/ports.ts";
import { type StateStore, type StoredValue } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import {
  frame,
  ManualClock,
  makeWorld,
  matchSet,
  MemoryJournal,
  recordText,
  region,
  type World,
} from "./delivery-world.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const minute = 60_000;
const usEast1 = region("us-east-1");
const group = { logGroupArn: "arn:aws:logs:us-east-1:123456789012:log-group:g:*", roleArn: "role" };
const topicArn = "arn:aws:sns:us-east-1:123456789012:t";
const refusal = { kind: "refused", code: "AccessDeniedException", message: "Not you." } as const;

/** Remembers what it took; `answer` decides. */
class TestLogGroups implements LogGroups {
  readonly taken = new Map<string, LogEvent[]>();
  answer: () => ServiceOutcome = () => ({ kind: "done" });

  async createStream(): Promise<ServiceOutcome> {
    return this.answer();
  }

  async putEvents({ stream, events }: Parameters<LogGroups["putEvents"]>[0]): Promise<ServiceOutcome> {
    const outcome = this.answer();
    if (outcome.kind === "done") this.taken.set(stream, [...(this.taken.get(stream) ?? []), ...events]);
    return outcome;
  }

  messages(stream: string): string[] {
    return (this.taken.get(stream) ?? []).map(({ message }) => message);
  }
}

class TestTopics implements Topics {
  readonly messages: string[] = [];
  answer: () => ServiceOutcome = () => ({ kind: "done" });

  async publish(_topic: string, message: string): Promise<ServiceOutcome> {
    const outcome = this.answer();
    if (outcome.kind === "done") this.messages.push(message);
    return outcome;
  }

  get keys(): string[] {
    return this.messages.flatMap((message) => (JSON.parse(message) as { s3ObjectKey: string[] }).s3ObjectKey);
  }
}

let clock: ManualClock;
let journal: MemoryJournal;
let state: StateStore;
let world: World;
let logGroups: TestLogGroups;
let topics: TestTopics;
let delivery: Delivery;
let count: number;

function make(): Delivery {
  const ports: DeliveryPorts = { ...world.ports, services: { logGroups, topics, close() {} } };
  return createDelivery(ports, world.options, world.limits);
}

async function append(...names: string[]): Promise<void> {
  const id = `event-${count++}`;
  await journal.append(frame(id, clock.nowMs(), [{ id, matchSet: matchSet(names) }]));
}

async function stop(): Promise<void> {
  const stopped = delivery.stop();
  await clock.advance(6_000);
  await stopped;
}

const texts = (...numbers: number[]): string[] => numbers.map((number) => recordText(`event-${number}`));
const keysOf = (bucket: string): string[] =>
  world.bucket.keys(bucket).map((name) => name.slice(bucket.length + 1));
const stream = "123456789012_CloudTrail_us-east-1";
const plans = (): Promise<readonly StoredValue[]> => state.list("delivery/plan/");

beforeEach(async () => {
  clock = new ManualClock();
  journal = new MemoryJournal();
  state = openMemoryState({ clock });
  world = makeWorld({ journal, state, disk: new SimulatedDisk({ seed: 5 }), clock });
  world.places.set("a", { bucket: "bucket-a", ...group, topicArn });
  world.places.set("b", { bucket: "bucket-b" });
  logGroups = new TestLogGroups();
  topics = new TestTopics();
  count = 0;
  delivery = make();
  await delivery.start();
});
afterEach(async () => {
  expect(world.bucket.problems).toEqual([]);
  await stop();
});

test("a record goes to the bucket, to the log group, and its file is announced", async () => {
  await append("a", "b");
  await append("b");
  await clock.advance(minute + 1_000);
  expect(world.bucket.records("bucket-a")).toEqual(texts(0));
  expect(world.bucket.records("bucket-b")).toEqual(texts(0, 1));
  expect(logGroups.messages(stream)).toEqual(texts(0));
  expect([...topics.keys].sort()).toEqual(keysOf("bucket-a"));
  const { bucket, notification, logGroup } = delivery.status("a", usEast1);
  expect([bucket, notification, logGroup].map(({ latestMs }) => latestMs !== undefined)).toEqual([
    true,
    true,
    true,
  ]);
  expect(await plans()).toEqual([]);
});

test("a log group that refuses delays neither bucket nor topic, and gets everything once it is well", async () => {
  logGroups.answer = () => refusal;
  for (let round = 0; round < 3; round++) {
    await append("a", "b");
    await clock.advance(minute);
  }
  await clock.advance(2_000);
  expect(world.bucket.records("bucket-a")).toEqual(texts(0, 1, 2));
  expect([...topics.keys].sort()).toEqual(keysOf("bucket-a"));
  expect(delivery.status("a", usEast1).logGroup).toMatchObject({ latestError: "Not you." });
  const [report] = delivery.report("a").filter(({ kind }) => kind === "log-group");
  expect(report).toMatchObject({
    target: group.logGroupArn,
    waiting: { files: topics.keys.length, records: 3 },
    failing: { code: "AccessDeniedException", message: "Not you." },
  });
  // What waits for the log group lies in the outbox: the journal is free.
  expect(journal.startSeq).toBe(journal.end().seq);
  await stop();
  delivery = make();
  await delivery.start();
  logGroups.answer = () => ({ kind: "done" });
  await clock.advance(10 * minute);
  expect(logGroups.messages(stream)).toEqual(texts(0, 1, 2));
  expect(delivery.status("a", usEast1).logGroup.latestError).toBeUndefined();
  expect(await plans()).toEqual([]);
});

test("a bucket that refuses delays the announcement, not the log group", async () => {
  world.bucket.answer = () => ({ refuse: "AccessDenied" });
  await append("a");
  await clock.advance(minute + 1_000);
  expect(logGroups.messages(stream)).toEqual(texts(0));
  expect(topics.messages).toEqual([]);
  world.bucket.answer = () => "store";
  await clock.advance(minute);
  expect(world.bucket.records("bucket-a")).toEqual(texts(0));
  expect(topics.keys).toHaveLength(1);
  expect(logGroups.messages(stream)).toEqual(texts(0));
});

describe("UpdateTrail", () => {
  beforeEach(async () => {
    logGroups.answer = () => refusal;
    await append("a");
    await clock.advance(minute + 1_000);
  });

  test("gives what waits another log group", async () => {
    const logGroupArn = group.logGroupArn.replace(":g:", ":other:");
    world.places.set("a", { bucket: "bucket-a", logGroupArn, roleArn: "role-2", topicArn });
    logGroups.answer = () => ({ kind: "done" });
    await clock.advance(minute);
    expect(logGroups.messages(stream)).toEqual(texts(0));
    expect(await plans()).toEqual([]);
  });

  test("takes the log group away: what waits is given up, counted and logged", async () => {
    world.places.set("a", { bucket: "bucket-a", topicArn });
    await clock.advance(10 * minute);
    expect(await plans()).toEqual([]);
    const lost = "delivery_given_up_records_total target-removed log-group";
    expect(world.metrics.totals.get(lost)).toBe(1);
    expect(world.log.of("error").map(({ fields }) => fields)).toMatchObject([
      { reason: "target-removed", eventCount: 1 },
    ]);
  });
});
