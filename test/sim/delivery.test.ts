// Delivery as a whole over simulated parts: cadence, cuts, outcomes, back-off, moves, limits. Time is simulated.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Delivery } from "../../src/delivery/delivery.ts";
import type { DeliveryLimits } from "../../src/delivery/limits.ts";
import { parsePlan } from "../../src/delivery/plan.ts";
import type { DeliveryOptions } from "../../src/delivery/ports.ts";
import type { MatchSet } from "../../src/selector/match-set.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import {
  frame,
  ManualClock,
  makeWorld,
  matchSet,
  MemoryJournal,
  recordText,
  region,
  settled,
  textOf,
  type World,
} from "./delivery-world.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const minute = 60_000;
const usEast1 = region("us-east-1");

let clock: ManualClock;
let journal: MemoryJournal;
let state: StateStore;
let disk: SimulatedDisk;
let world: World;
let delivery: Delivery;
let ids: string[];

function setUp(changes: { options?: Partial<DeliveryOptions>; limits?: Partial<DeliveryLimits> } = {}): void {
  clock = new ManualClock();
  journal = new MemoryJournal();
  state = openMemoryState({ clock });
  disk = new SimulatedDisk({ seed: 11 });
  world = makeWorld({ journal, state, disk, clock }, changes);
  world.places.set("a", { bucket: "bucket-a" });
  world.places.set("b", { bucket: "bucket-b", keyPrefix: "pre" });
  delivery = world.make();
  ids = [];
}

async function append(set: MatchSet, count = 1): Promise<void> {
  const records = Array.from({ length: count }, () => {
    const id = `event-${ids.length}`;
    ids.push(id);
    return { id, matchSet: set };
  });
  await journal.append(frame(`f${ids.length}`, clock.nowMs(), records));
}

async function restart(): Promise<void> {
  const stopped = delivery.stop();
  await clock.advance(6_000);
  await stopped;
  delivery = world.make();
  await delivery.start();
}

const allTexts = (): string[] => ids.map(recordText).sort();
const delivered = (bucket: string): string[] => world.bucket.records(bucket).sort();
const plansLeft = async (): Promise<number> => (await state.list("delivery/plan/")).length;

beforeEach(() => setUp());
afterEach(async () => {
  expect(world.bucket.problems).toEqual([]);
  const stopped = delivery.stop();
  await clock.advance(6_000);
  await stopped;
});

describe("cadence", () => {
  test("records come in one file per interval and slot, to the key and with the headers of a log file", async () => {
    await delivery.start();
    await append(matchSet(["a", "b"]), 2);
    await append(matchSet(["a"], { region: "eu-west-1" }));
    await clock.advance(minute - 1);
    expect(world.bucket.puts).toEqual([]);
    await clock.advance(1_000);
    expect(world.bucket.objects.size).toBe(3);
    const [europe, virginia] = world.bucket.keys("bucket-a");
    expect(europe).toMatch(
      /^bucket-a\/AWSLogs\/123456789012\/CloudTrail\/eu-west-1\/2026\/01\/10\/123456789012_CloudTrail_eu-west-1_20260110T0915Z_[A-Za-z0-9]{16}\.json\.gz$/,
    );
    expect(world.bucket.keys("bucket-b")[0]).toMatch(
      /^bucket-b\/pre\/AWSLogs\/123456789012\/CloudTrail\/us-east-1\//,
    );
    const object = world.bucket.objects.get(virginia ?? "");
    expect(object && textOf(object)).toBe(`{"Records":[${recordText("event-0")},${recordText("event-1")}]}`);
    expect(object?.acl).toBe("bucket-owner-full-control");
    expect(object?.metadata).toEqual({
      contentType: "application/json",
      contentEncoding: "gzip",
      encryption: { algorithm: "AES256" },
    });
    expect(await plansLeft()).toBe(0);
    expect(delivery.health()).toEqual({ ok: true });
  });

  test("an interval without records makes no file, and events nobody logs are let go", async () => {
    await delivery.start();
    await append(matchSet([]), 5);
    await clock.advance(10 * minute);
    expect(world.bucket.puts).toEqual([]);
    expect(journal.startSeq).toBe(journal.end().seq);
  });

  test("a restart does not begin the interval anew", async () => {
    await delivery.start();
    await clock.advance(10_000);
    await append(matchSet(["a"]));
    await clock.advance(30_000);
    await restart();
    await clock.advance(25_000);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("stopping cuts nothing early", async () => {
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(1_000);
    const stopped = delivery.stop();
    await clock.advance(6_000);
    await stopped;
    await clock.advance(10 * minute);
    expect(world.bucket.puts).toEqual([]);
    expect(await plansLeft()).toBe(0);
  });

  test("a full file is cut at once, and no file is longer than the limit", async () => {
    setUp({ options: { logFileBytesMax: 200 } });
    await delivery.start();
    for (let n = 0; n < 30; n += 1) await append(matchSet(["a"]));
    await append(matchSet(["b"]));
    await clock.advance(2_000);
    const early = world.bucket.keys("bucket-a");
    // 30 records, ten of them fill a file: two are cut, the rest waits for its interval.
    expect(early.length).toBe(2);
    await clock.advance(minute);
    const texts = [...world.bucket.objects.values()].map(textOf);
    expect(texts.every((text) => text.length <= 200)).toBe(true);
    expect([...delivered("bucket-a"), ...delivered("bucket-b")].sort()).toEqual(allTexts());
  });

  test("a large file goes through the thread pool and comes out whole", async () => {
    await delivery.start();
    for (let n = 0; n < 40; n += 1) await append(matchSet(["a"]), 200);
    await delivery.cutNow();
    while (world.bucket.objects.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("small passes and small reads give the same records", async () => {
    setUp({ limits: { passBytesMax: 100, readBytesMax: 50 } });
    await delivery.start();
    for (let n = 0; n < 10; n += 1) await append(matchSet(n % 2 ? ["a", "b"] : ["a"]), 3);
    await delivery.cutNow();
    await settled();
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(delivered("bucket-b").length).toBe(15);
  });
});

describe("flush", () => {
  test("delivers what was decided for the destination, now", async () => {
    await delivery.start();
    await append(matchSet(["a"]));
    await delivery.flush("a", 5_000);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("cuts nothing when the destination has nothing", async () => {
    await delivery.start();
    await append(matchSet(["a"]));
    await delivery.flush("b", 5_000);
    expect(world.bucket.puts).toEqual([]);
  });

  test("gives up waiting after its time and leaves the file to the lane", async () => {
    world.bucket.answer = () => "hang";
    await delivery.start();
    await append(matchSet(["a"]));
    let isOver = false;
    const flushed = delivery.flush("a", 5_000).then(() => (isOver = true));
    await clock.advance(4_000);
    expect(isOver).toBe(false);
    await clock.advance(1_001);
    await flushed;
    world.bucket.answer = () => "store";
    await clock.advance(2 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });
});

describe("a bucket that fails", () => {
  test("is retried with growing pauses, its journal is free, its status says why, and all arrives after repair", async () => {
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(minute + 1_000);
    expect(journal.startSeq).toBe(journal.end().seq);
    expect(disk.files().length).toBe(1);
    expect(delivery.status("a", usEast1).bucket).toMatchObject({ latestError: "AccessDenied" });
    expect(delivery.status("a", usEast1).bucket.latestMs).toBeUndefined();
    for (let n = 0; n < 20; n += 1) {
      await append(matchSet(["a"]));
      await clock.advance(minute);
    }
    // 20 minutes: 5 s doubling to 5 min is about ten tries, and not one per file.
    expect(world.bucket.puts.length).toBeGreaterThan(6);
    expect(world.bucket.puts.length).toBeLessThan(20);
    expect(delivery.waiting()).toMatchObject({ lanesFailing: 1, memoryFiles: 0, outboxFiles: 21 });
    expect(delivery.health()).toMatchObject({ ok: true });
    world.bucket.answer = () => "store";
    await clock.advance(5 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(delivery.status("a", usEast1).bucket.latestError).toBeUndefined();
    expect(delivery.status("a", usEast1).bucket.latestSuccessfulAttemptMs).toBeGreaterThan(0);
    expect(disk.files()).toEqual([]);
    expect(await plansLeft()).toBe(0);
    expect(world.log.of("error")).toEqual([]);
  });

  test("a time-out is no delivery error", async () => {
    world.bucket.answer = () => "hang";
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(2 * minute);
    const { latestError, latestAttemptMs } = delivery.status("a", usEast1).bucket;
    expect(latestError).toBeUndefined();
    expect(latestAttemptMs).toBeGreaterThan(0);
  });

  test("an answer that was lost leads to the same object again", async () => {
    let tries = 0;
    world.bucket.answer = () => ((tries += 1) === 1 ? "lose" : "store");
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(2 * minute);
    expect(world.bucket.puts.length).toBe(2);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("retries go on after a restart, from the outbox", async () => {
    world.bucket.answer = () => ({ refuse: "NoSuchBucket" });
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(minute + 1_000);
    await restart();
    expect(delivery.status("a", usEast1).bucket.latestError).toBe("NoSuchBucket");
    world.bucket.answer = () => "store";
    await clock.advance(minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("a dead bucket delays no other", async () => {
    world.bucket.answer = ({ bucket }) => (bucket === "bucket-a" ? "hang" : "store");
    await delivery.start();
    for (let n = 0; n < 10; n += 1) {
      await append(matchSet(["a", "b"]));
      await clock.advance(minute);
      await clock.advance(1_000);
      expect(delivered("bucket-b").length).toBe(n + 1);
    }
    expect(delivered("bucket-a")).toEqual([]);
  });

  test("a trail that is refused delays no other trail at the same bucket", async () => {
    world.places.set("b", { bucket: "bucket-a", keyPrefix: "pre" });
    world.bucket.answer = ({ key }) => (key.startsWith("pre/") ? "store" : { refuse: "AccessDenied" });
    await delivery.start();
    for (let n = 0; n < 10; n += 1) await append(matchSet(["a", "b"]));
    await clock.advance(minute + 1_000);
    expect(delivered("bucket-a").length).toBe(10);
  });

  test("one Region's refused files do not stop the others of their trail", async () => {
    world.bucket.answer = ({ key }) => (key.includes("/eu-west-1/") ? { refuse: "AccessDenied" } : "store");
    await delivery.start();
    for (let n = 0; n < 20; n += 1) {
      await append(matchSet(["a"], { region: "eu-west-1" }));
      await append(matchSet(["a"]));
      await clock.advance(minute);
    }
    await clock.advance(2 * minute);
    expect(delivered("bucket-a").length).toBe(20);
    expect(delivery.status("a", usEast1).bucket.latestError).toBeUndefined();
    expect(delivery.status("a", region("eu-west-1")).bucket.latestError).toBe("AccessDenied");
  });

  test("after the retention a file is given up, counted and logged", async () => {
    setUp({ options: { retentionMs: 10 * minute } });
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a"]), 3);
    await clock.advance(10 * minute);
    expect(world.log.of("error")).toEqual([]);
    await clock.advance(2 * minute);
    expect(world.log.of("error").map((line) => line.fields)).toMatchObject([
      { reason: "retention", eventCount: 3, code: "AccessDenied", bucket: "bucket-a" },
    ]);
    expect(world.metrics.totals.get("delivery_given_up_records_total retention bucket")).toBe(3);
    expect([await plansLeft(), disk.files().length]).toEqual([0, 0]);
  });
});

describe("bounds", () => {
  test("what a hanging bucket would hold in memory goes to the outbox", async () => {
    setUp({ limits: { laneBytesMax: 300, heldBytesMax: 600 } });
    world.bucket.answer = () => "hang";
    await delivery.start();
    for (let n = 0; n < 20; n += 1) {
      await append(matchSet(["a"]));
      await delivery.cutNow();
      await settled();
    }
    const { memoryBytes, outboxFiles, journalFiles, memoryFiles } = delivery.waiting();
    expect(memoryBytes).toBeLessThanOrEqual(300);
    expect(memoryFiles).toBe(journalFiles);
    expect(outboxFiles + memoryFiles).toBe(20);
    world.bucket.answer = () => "store";
    await clock.advance(5 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("a full outbox gives up the oldest of the lane that fills it, and no other's", async () => {
    setUp({ options: { outboxBytesMax: 1_000, logFileBytesMax: 500 } });
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["b"]));
    await delivery.cutNow();
    await settled();
    for (let n = 0; n < 30; n += 1) {
      await append(matchSet(["a"]));
      await delivery.cutNow();
      await settled();
    }
    const givenUp = world.log.of("error").map((line) => line.fields["bucket"]);
    expect(givenUp.length).toBeGreaterThan(5);
    expect(new Set(givenUp)).toEqual(new Set(["bucket-a"]));
    expect(delivery.waiting().outboxBytes).toBeLessThanOrEqual(1_000);
    expect(world.metrics.totals.get("delivery_given_up_total outbox-full bucket")).toBe(givenUp.length);
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    // The youngest are there, the oldest are not.
    expect(delivered("bucket-b")).toEqual([recordText("event-0")]);
    const there = delivered("bucket-a");
    expect(there.length).toBe(30 - givenUp.length);
    expect(there).toEqual(
      ids
        .slice(1 + givenUp.length)
        .map(recordText)
        .sort(),
    );
  });

  test("when the outbox cannot be written the records stay in the journal and come later", async () => {
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a"]));
    for (let call = 1; call <= 200; call += 1) disk.failCall(call, "before");
    await clock.advance(2 * minute);
    expect(delivery.health().ok).toBe(false);
    expect(journal.startSeq).toBe(1);
    world.bucket.answer = () => "store";
    await clock.advance(20 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(delivery.health()).toEqual({ ok: true });
    expect(journal.startSeq).toBe(journal.end().seq);
  });

  test("many destinations that are well again do not read all of their outbox files at once", async () => {
    const limits = { laneBytesMax: 1_000, heldBytesMax: 1_000 };
    setUp({ options: { putTimeoutMs: 60 * minute }, limits });
    const names = Array.from({ length: 30 }, (_, at) => `trail-${at}`);
    for (const name of names) world.places.set(name, { bucket: "bucket-a", keyPrefix: name });
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    for (let cut = 0; cut < 4; cut += 1) {
      await append(matchSet(names));
      await clock.advance(minute);
    }
    expect(delivery.waiting().outboxFiles).toBeGreaterThanOrEqual(3 * names.length);
    // The first file of each trail heals its lane; then the bucket is slow.
    const healed = new Set<string>();
    let slowBytes = 0;
    world.bucket.answer = ({ key, body }) => {
      const [name = ""] = key.split("/");
      if (!healed.has(name)) {
        healed.add(name);
        return "store";
      }
      slowBytes += body.length;
      return "hang";
    };
    await clock.until("all lanes are healed", () => healed.size === names.length);
    expect(slowBytes).toBeGreaterThan(0);
    expect(slowBytes).toBeLessThanOrEqual(1_000);
    world.bucket.answer = () => "store";
    await clock.advance(90 * minute);
    expect(delivered("bucket-a").length).toBe(ids.length * names.length);
    expect(await plansLeft()).toBe(0);
  });

  test("a bucket that is well again is found out though nothing can be put aside", async () => {
    disk.create = async () => {
      throw new Error("The disk is full.");
    };
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(10 * minute);
    expect([delivery.health().ok, delivery.waiting().journalFiles]).toEqual([false, 1]);
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(delivery.health()).toEqual({ ok: true });
  });

  test("a damaged outbox file is given up and logged, its neighbours arrive", async () => {
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    for (let n = 0; n < 2; n += 1) {
      await append(matchSet(["a"]));
      await delivery.cutNow();
      await settled();
    }
    const [first = ""] = disk.files();
    disk.damage(first, (bytes) => bytes.slice(0, 10));
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect(world.log.of("error").map((line) => line.fields["reason"])).toEqual(["damaged"]);
    expect(delivered("bucket-a").length).toBe(1);
  });

  test("nothing is cut while too many plans wait, and all is cut later", async () => {
    setUp({ limits: { plansWaitingMax: 2 }, options: { deliveryIntervalMs: 1_000 } });
    let isBroken = true;
    const read = journal.read.bind(journal);
    // The composer reads with the range's end; the cutter reads to the journal's end.
    journal.read = async (from, limits) => {
      if (isBroken && from.seq < 3 && limits.until?.seq !== journal.end().seq)
        throw new Error("The disk is slow.");
      return read(from, limits);
    };
    await delivery.start();
    for (let n = 0; n < 10; n += 1) {
      await append(matchSet(["a"]));
      await clock.advance(1_000);
    }
    expect(delivery.waiting().journalFiles).toBeLessThanOrEqual(3);
    isBroken = false;
    await clock.advance(minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });
});

describe("a trail that changes", () => {
  test("refused and waiting files follow it to its new place under their names, soon after", async () => {
    world.bucket.answer = ({ bucket }) => (bucket === "bucket-a" ? { refuse: "NoSuchBucket" } : "store");
    await delivery.start();
    for (let n = 0; n < 30; n += 1) {
      await append(matchSet(["a"]));
      await clock.advance(minute);
    }
    const refusedKey = world.bucket.puts[0]?.key ?? "";
    world.places.set("a", { bucket: "bucket-new", keyPrefix: "p" });
    await clock.advance(20_000);
    expect(delivered("bucket-new")).toEqual(allTexts());
    expect(world.bucket.keys("bucket-new")).toContain(`bucket-new/p/${refusedKey}`);
    expect(await plansLeft()).toBe(0);
  });

  test("a file that may have been written finishes at its old place", async () => {
    world.bucket.answer = ({ bucket }) => (bucket === "bucket-a" ? "hang" : "store");
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(2 * minute);
    world.places.set("a", { bucket: "bucket-new" });
    await append(matchSet(["a"]));
    await clock.advance(10 * minute);
    expect(delivered("bucket-new")).toEqual([recordText("event-1")]);
    // Refused now: it still may have been written before.
    world.bucket.answer = ({ bucket }) => (bucket === "bucket-a" ? { refuse: "AccessDenied" } : "store");
    await clock.advance(20 * minute);
    await restart();
    await clock.advance(20 * minute);
    expect(delivered("bucket-new").length).toBe(1);
    world.bucket.answer = () => "store";
    await clock.advance(6 * minute);
    expect(delivered("bucket-a")).toEqual([recordText("event-0")]);
  });

  test("a refused file that is being tried when the process ends does not move afterwards", async () => {
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(minute + 1_000);
    world.bucket.answer = () => "hang";
    await clock.advance(5_000);
    expect(world.bucket.puts.length).toBe(2);
    await restart();
    world.places.set("a", { bucket: "bucket-new" });
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect([delivered("bucket-a").length, delivered("bucket-new").length]).toEqual([1, 0]);
  });

  test("a try is written down first when the plan's document is in doubt", async () => {
    const put = state.put.bind(state);
    state.put = async (key, value, expected) => {
      const outcome = await put(key, value, expected);
      const { backing } = value as { backing?: { kind: string } };
      if (backing?.kind === "outbox") throw new Error("The answer of the store was lost.");
      return outcome;
    };
    // What a restart would find in the moment of each try: only an announced plan stays where it is.
    const found: ReturnType<StateStore["list"]>[] = [];
    world.bucket.answer = () => {
      found.push(state.list("delivery/plan/"));
      return { refuse: "AccessDenied" };
    };
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(10 * minute);
    const plans = (await Promise.all(found)).flat().map(({ value }) => parsePlan(value));
    expect(plans.length).toBeGreaterThan(1);
    for (const { backing, outcome } of plans)
      expect([backing.kind, outcome]).not.toEqual(["outbox", "refused"]);
    state.put = put;
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("a repaired key is used at once and with the new key", async () => {
    const kms = (name: string): string => `arn:aws:kms:us-east-1:123456789012:key/${name}`;
    world.places.set("a", { bucket: "bucket-a", kmsKeyArn: kms("old") });
    world.bucket.answer = ({ metadata }) =>
      JSON.stringify(metadata).includes("old") ? { refuse: "KMS.DisabledException" } : "store";
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(5 * minute);
    expect(delivery.status("a", usEast1).bucket.latestError).toBe("KMS.DisabledException");
    world.places.set("a", { bucket: "bucket-a", kmsKeyArn: kms("new") });
    await clock.advance(10_000);
    const [key = ""] = world.bucket.keys("bucket-a");
    expect(world.bucket.objects.get(key)?.metadata.encryption).toEqual({
      algorithm: "aws:kms",
      keyArn: kms("new"),
    });
  });
});

describe("a deleted trail", () => {
  const remove = (): void => world.places.set("a", { bucket: "bucket-a", deletedMs: clock.nowMs() });

  test("gets what was decided before, then its place is forgotten", async () => {
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(1_000);
    remove();
    await clock.advance(30_000);
    expect(world.places.forgotten).toEqual([]);
    await clock.advance(3 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(world.places.forgotten).toEqual(["a"]);
    expect(await state.list("delivery/status/a/")).toEqual([]);
  });

  test("that never logged anything is forgotten too", async () => {
    await delivery.start();
    remove();
    await clock.advance(2 * minute);
    expect(world.places.forgotten).toEqual(["a"]);
  });

  test("is tried for an hour, then its files are given up", async () => {
    world.bucket.answer = () => ({ refuse: "NoSuchBucket" });
    await delivery.start();
    await append(matchSet(["a"]), 2);
    await clock.advance(minute);
    remove();
    await clock.advance(59 * minute);
    expect([await plansLeft(), world.places.forgotten.length]).toEqual([1, 0]);
    await clock.advance(2 * minute);
    expect(await plansLeft()).toBe(0);
    expect(world.log.of("error").map((line) => line.fields)).toMatchObject([
      { reason: "trail-deleted", eventCount: 2 },
    ]);
    expect(world.places.forgotten).toEqual(["a"]);
  });

  test("is given up while its file is being put aside: its neighbours' records stay in the journal", async () => {
    const create = disk.create.bind(disk);
    let canWrite = (_path: string): boolean => false;
    disk.create = async (path) => {
      if (!canWrite(path)) throw new Error("The disk is full.");
      return create(path);
    };
    world.bucket.answer = () => ({ refuse: "AccessDenied" });
    await delivery.start();
    await append(matchSet(["a", "b"]), 2);
    await clock.advance(minute + 10_000);
    const [keyOfA = ""] = (await state.list("delivery/plan/")).map(({ key }) => key);
    // The removal of its document takes a while; meanwhile its file is composed and can be put aside.
    const removeFromState = state.delete.bind(state);
    let isRemoving = false;
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    state.delete = async (key, expected) => {
      if (key === keyOfA) {
        isRemoving = true;
        await held;
      }
      return removeFromState(key, expected);
    };
    remove();
    await clock.until("the plan is being given up", () => isRemoving, 70 * minute);
    canWrite = (path) => path.includes("0-1-0");
    await clock.advance(30_000);
    goOn();
    await settled();
    await clock.advance(30_000);
    expect(journal.startSeq).toBe(1);
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect(delivered("bucket-b")).toEqual(allTexts());
    expect(await plansLeft()).toBe(0);
    expect(delivery.waiting()).toMatchObject({ journalFiles: 0, outboxFiles: 0, outboxBytes: 0 });
  });

  test("has its hour after a start, however long ago it was deleted by the clock", async () => {
    await append(matchSet(["a"]), 2);
    world.places.set("a", { bucket: "bucket-a", deletedMs: clock.nowMs() - 2 * 60 * minute });
    world.bucket.answer = () => ({ refuse: "NoSuchBucket" });
    await delivery.start();
    await clock.advance(30 * minute);
    world.bucket.answer = () => "store";
    await clock.advance(10 * minute);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(world.places.forgotten).toEqual(["a"]);
  });

  test("whose place is gone: its records are given up at the cut, its neighbours' are not", async () => {
    await delivery.start();
    await append(matchSet(["gone", "b"]), 2);
    await clock.advance(minute + 1_000);
    expect(delivered("bucket-b")).toEqual(allTexts());
    expect(world.log.of("error").map((line) => line.fields)).toMatchObject([
      { incarnation: "gone", eventCount: 2 },
    ]);
    expect(world.metrics.totals.get("delivery_given_up_records_total trail-deleted bucket")).toBe(2);
  });
});

describe("a start", () => {
  test("refuses a journal that does not belong to the state", async () => {
    await state.put("delivery/cut/0", { seq: 3, to: 9 }, "absent");
    await expect(delivery.start()).rejects.toThrow("do not belong together");
  });

  test("refuses a document it cannot read", async () => {
    await state.put("delivery/cut/0", { seq: 3, to: 1 }, "absent");
    await state.put("delivery/plan/0/000000000002/000000", { id: "x" }, "absent");
    await expect(delivery.start()).rejects.toThrow();
  });

  test("discards plans of a cut that was not committed", async () => {
    await append(matchSet(["a"]));
    const failing = state.put.bind(state);
    state.put = async (key, value, expected) => {
      if (key.startsWith("delivery/cut/")) throw new Error("The disk is full.");
      return failing(key, value, expected);
    };
    await delivery.start();
    await expect(delivery.cutNow()).rejects.toThrow("full");
    expect(await plansLeft()).toBe(1);
    const stopped = delivery.stop();
    await clock.advance(6_000);
    await stopped;
    state.put = failing;
    delivery = world.make();
    await delivery.start();
    expect(await plansLeft()).toBe(0);
    await clock.advance(minute + 1_000);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(world.bucket.objects.size).toBe(1);
  });

  test("while a cut is committed, the journal is counted on; the next cut waits for it", async () => {
    setUp({ options: { logFileBytesMax: 4 * recordText("event-10").length } });
    const [put, read] = [state.put.bind(state), journal.read.bind(journal)];
    const [cutsBegun, held]: [number[], (() => void)[]] = [[], []];
    state.put = async (key, value, expected) => {
      if (key.startsWith("delivery/cut/")) {
        cutsBegun.push((value as { seq: number }).seq);
        await new Promise<void>((resolve) => held.push(resolve));
      }
      return put(key, value, expected);
    };
    let readSeq = 0;
    journal.read = async (from, limits) => {
      const batch = await read(from, limits);
      readSeq = Math.max(readSeq, batch.next.seq);
      return batch;
    };
    await delivery.start();
    for (let frames = 0; frames < 5; frames += 1) await append(matchSet(["a"]));
    await clock.advance(1_000);
    expect(cutsBegun).toEqual([1]);
    const before = readSeq;
    await append(matchSet(["a"]));
    await clock.advance(1_000);
    expect(readSeq).toBe(before + 1);
    for (let frames = 0; frames < 9; frames += 1) await append(matchSet(["a"]));
    await clock.advance(1_000);
    expect(cutsBegun).toEqual([1]);
    const releasing = setInterval(() => held.shift()?.(), 1);
    await clock.advance(3 * minute);
    clearInterval(releasing);
    expect(cutsBegun).toEqual(cutsBegun.map((_, index) => index + 1));
    expect(cutsBegun.length).toBeGreaterThan(2);
    expect(delivered("bucket-a")).toEqual(allTexts());
  });

  test("a cut whose commit failed is committed as it was drawn", async () => {
    const failing = state.put.bind(state);
    const keys: string[] = [];
    let isFull = true;
    state.put = async (key, value, expected) => {
      if (key.startsWith("delivery/plan/")) keys.push((value as { target: { key: string } }).target.key);
      if (isFull && key.startsWith("delivery/cut/")) throw new Error("The disk is full.");
      return failing(key, value, expected);
    };
    await delivery.start();
    await append(matchSet(["a"]));
    await clock.advance(minute + 1_000);
    expect(delivery.health().ok).toBe(false);
    isFull = false;
    await clock.advance(minute);
    expect(new Set(keys).size).toBe(1);
    expect(keys.length).toBeGreaterThan(1);
    expect(delivered("bucket-a")).toEqual(allTexts());
    expect(delivery.health().ok).toBe(true);
  });
});
