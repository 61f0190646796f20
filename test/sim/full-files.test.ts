// Log files that are full before their interval is over: they are cut alone, the others wait, and whatever happens in between,
// every record is in one file. Time is simulated.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Delivery } from "../../src/delivery/delivery.ts";
import type { DeliveryLimits } from "../../src/delivery/limits.ts";
import { parseCutPosition } from "../../src/delivery/plan.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import {
  frame,
  ManualClock,
  makeWorld,
  matchSet,
  MemoryJournal,
  recordsOf,
  recordText,
  settled,
  type World,
} from "./delivery-world.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const minute = 60_000;
const virginia = "us-east-1";
const ireland = "eu-west-1";
/** Ten records `event-10` to `event-99` fill a file; a frame holds one. */
const logFileBytesMax = 200;

let clock: ManualClock;
let journal: MemoryJournal;
let state: StateStore;
let disk: SimulatedDisk;
let world: World;
let delivery: Delivery;
let written: string[];

function setUp(limits: Partial<DeliveryLimits> = {}): void {
  clock = new ManualClock();
  journal = new MemoryJournal();
  state = openMemoryState({ clock });
  disk = new SimulatedDisk({ seed: 5 });
  world = makeWorld({ journal, state, disk, clock }, { options: { logFileBytesMax }, limits });
  for (const trail of ["a", "b"]) world.places.set(trail, { bucket: `bucket-${trail}` });
  delivery = world.make();
  written = [];
}

async function append(region: string, count: number, trails: readonly string[] = ["a", "b"]): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const id = `event-${written.length + 10}`;
    written.push(recordText(id));
    await journal.append(frame(id, clock.nowMs(), [{ id, matchSet: matchSet(trails, { region }) }]));
  }
}

async function stop(): Promise<void> {
  const stopped = delivery.stop();
  await clock.advance(6_000);
  await stopped;
}

async function restart(): Promise<void> {
  await stop();
  delivery = world.make();
  await delivery.start();
}

/** How many records the files of one Region hold. */
function sizes(region: string, bucket = "bucket-a"): number[] {
  return [...world.bucket.objects.values()]
    .filter((object) => object.bucket === bucket && object.key.includes(`/${region}/`))
    .map((object) => recordsOf(object).length);
}

async function cut() {
  const document = await state.get("delivery/cut/0");
  return document && parseCutPosition(document.value);
}

function expectAll(): void {
  for (const trail of ["a", "b"]) {
    expect(world.bucket.records(`bucket-${trail}`).sort(), trail).toEqual([...written].sort());
  }
}

beforeEach(() => setUp());
afterEach(async () => {
  expect(world.bucket.problems).toEqual([]);
  await stop();
});

/** 25 records of a busy Region, two files and a half, among them three of a quiet one. */
async function appendBusy(): Promise<void> {
  await append(virginia, 5);
  await append(ireland, 1);
  await append(virginia, 10);
  await append(ireland, 2);
  await append(virginia, 10);
}

const corner = `123456789012|${virginia}|CloudTrail`;

describe("a busy Region", () => {
  test("has its full files at once, the others wait for the interval; then the journal is free", async () => {
    await delivery.start();
    await appendBusy();
    await clock.advance(2_000);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10], []]);
    expect(sizes(virginia, "bucket-b")).toEqual([10, 10]);
    expect(await cut()).toEqual({ seq: 2, to: 1, ahead: { [corner]: 24 } });
    expect(journal.startSeq).toBe(1);
    await clock.advance(minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10, 5], [3]]);
    expect(await cut()).toEqual({ seq: 3, to: 29 });
    expect(journal.startSeq).toBe(29);
    expectAll();
  });

  test("a restart in between counts again what waits, and only that", async () => {
    await delivery.start();
    await appendBusy();
    await clock.advance(2_000);
    await restart();
    await append(virginia, 7);
    await append(ireland, 1);
    await clock.advance(2_000);
    // Five were left, seven came.
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10, 10], []]);
    await clock.advance(minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10, 10, 2], [4]]);
    expectAll();
  });

  test.each([
    ["full files", 0],
    ["the rest", minute - 1_000],
  ])("a process that ends before %s are written composes them from the journal", async (_what, hangsFrom) => {
    await delivery.start();
    world.bucket.answer = () => (clock.monotonicMs() < 1_000 + hangsFrom ? "store" : "hang");
    await appendBusy();
    await clock.advance(hangsFrom + 2_000);
    world.bucket.answer = () => "store";
    await restart();
    await clock.advance(2 * minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10, 5], [3]]);
    expect(world.log.of("error")).toEqual([]);
    expectAll();
  });

  test("what is left of the busy one comes before the first of a quiet one: the journal keeps what is read", async () => {
    await delivery.start();
    await append(virginia, 11);
    await append(ireland, 1);
    await clock.advance(minute - 1_000);
    world.bucket.answer = () => "hang";
    await clock.advance(2_000);
    world.bucket.answer = () => "store";
    await restart();
    await clock.advance(minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 1], [1]]);
    expectAll();
  });

  test("the next interval begins for all at the same frame again", async () => {
    await delivery.start();
    await appendBusy();
    await clock.advance(minute + 2_000);
    await append(virginia, 2);
    await append(ireland, 1);
    world.bucket.answer = () => "hang";
    await clock.advance(minute);
    world.bucket.answer = () => "store";
    await restart();
    await clock.advance(minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([
      [10, 10, 5, 2],
      [3, 1],
    ]);
    expectAll();
  });

  test("a cut of full files whose commit failed is committed as it was drawn; what came meanwhile follows", async () => {
    const put = state.put.bind(state);
    let isFull = true;
    state.put = async (key, value, expected) => {
      const outcome = await put(key, value, expected);
      // Stored, but nobody hears of it.
      if (isFull && key.startsWith("delivery/cut/")) throw new Error("The disk is full.");
      return outcome;
    };
    await delivery.start();
    await appendBusy();
    await clock.advance(10_000);
    expect(delivery.health().ok).toBe(false);
    await append(virginia, 20);
    isFull = false;
    await clock.advance(2 * minute);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 10, 10, 10, 5], [3]]);
    expect(delivery.health().ok).toBe(true);
    expectAll();
  });

  test("a deleted trail's records are given up once, its neighbours' come", async () => {
    await delivery.start();
    await append(virginia, 9);
    await world.places.forget("b");
    await append(virginia, 3);
    await clock.advance(2_000);
    await restart();
    await clock.advance(minute);
    expect(sizes(virginia)).toEqual([10, 2]);
    expect(world.metrics.totals.get("delivery_given_up_records_total trail-deleted bucket")).toBe(12);
  });
});

describe("everything is cut with a full file", () => {
  test.each([
    ["its records are not at hand", { liveBytesMax: 10 }],
    ["enough waits to be composed", { liveWaitingBytesMax: 0 }],
  ])("when %s", async (_what, limits) => {
    setUp(limits);
    await delivery.start();
    await appendBusy();
    await clock.advance(2_000);
    expect([sizes(virginia), sizes(ireland)]).toEqual([
      [10, 10],
      [1, 2],
    ]);
    await clock.advance(minute);
    expectAll();
  });

  test("when the others' records fill the memory: they are not read again from the journal", async () => {
    // Each group holds the least there is, four kilobytes: that of Virginia, two of Ireland's trails.
    setUp({ liveBytesMax: 10_000 });
    const read = journal.read.bind(journal);
    const reads: number[] = [];
    journal.read = async (from, limits) => {
      reads.push(from.seq);
      return read(from, limits);
    };
    await delivery.start();
    await append(virginia, 11);
    await append(ireland, 1, ["a"]);
    await append(ireland, 1, ["b"]);
    await append(virginia, 1);
    await clock.advance(2_000);
    expect([sizes(virginia), sizes(ireland)]).toEqual([[10, 1], [1]]);
    expect(reads).toEqual([...reads].sort((x, y) => x - y));
    await clock.advance(minute);
    expect([sizes(virginia), sizes(ireland), sizes(virginia, "bucket-b")]).toEqual([
      [10, 1, 1],
      [1],
      [10, 1, 1],
    ]);
  });

  test.each([
    ["the records that a start counts again reach their limit", { cutBytesMax: 400 }, 1024 ** 3],
    ["they are a quarter of the journal", {}, 1_600],
  ])("when %s", async (_what, limits, bytesMax) => {
    setUp(limits);
    journal.usage = () => ({ bytes: 0, bytesMax });
    delivery = world.make();
    await delivery.start();
    await appendBusy();
    await clock.advance(2_000);
    await settled();
    const early = [sizes(virginia), sizes(ireland)].map((all) => all.reduce((sum, size) => sum + size, 0));
    // A record and its comma are 18 bytes: with the 23rd it is more than 400 bytes.
    expect(early).toEqual([20, 3]);
    expect((await cut())?.to).toBe(24);
    await clock.advance(minute);
    expectAll();
  });
});
