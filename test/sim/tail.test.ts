// Tails over a real journal: everything in order and once, from memory and from the disk, across trims, slow readers and ends.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Journal } from "../../src/journal/contract.ts";
import { openSegmentJournal } from "../../src/journal/segment-journal.ts";
import { parseAccountId } from "../../src/model/arn.ts";
import type { Clock, Log, Metrics } from "../../src/model/environment.ts";
import { parseRegion } from "../../src/model/regions.ts";
import type { MatchSet } from "../../src/selector/match-set.ts";
import {
  createTails,
  type EventFilter,
  parseTailPosition,
  type Tail,
  type TailQuestion,
  type Tails,
} from "../../src/tail/tails.ts";
import { managementEvent } from "../harness/events.ts";
import { SimulatedDisk, seededRandom } from "./simulated-disk.ts";

const account = known(parseAccountId("123456789012"));
const other = known(parseAccountId("210987654321"));
const region = known(parseRegion("us-east-1"));

function known<Parsed>(parsed: Parsed | undefined): Parsed {
  if (parsed === undefined) throw new Error("The test has no places.");
  return parsed;
}

let nowMs = 1_790_000_000_000;
const clock: Clock = {
  nowMs: () => nowMs,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
};
const nothing = () => undefined;
const failures: string[] = [];
const log: Log = {
  ...{ debug: nothing, info: nothing, warn: nothing },
  error: (fields, message) => failures.push(`${message} ${JSON.stringify(fields)}`),
};

interface World {
  readonly journal: Journal;
  readonly tails: Tails;
  readonly disk: SimulatedDisk;
  readonly gauges: Map<string, number>;
}

const opened: { readonly journal: Journal; readonly tails: Tail[] }[] = [];

async function open(recentBytesMax: number, segmentBytesMax = 4000): Promise<World> {
  const disk = new SimulatedDisk({ seed: 7 });
  const gauges = new Map<string, number>();
  const metrics: Metrics = {
    count: (name, _labels, by = 1) => void gauges.set(name, (gauges.get(name) ?? 0) + by),
    gauge: (name, value) => void gauges.set(name, value),
    observe: nothing,
  };
  const journal = await openSegmentJournal({
    ...{ disk, directory: "/data/journal", clock, log, metrics, recentBytesMax, segmentBytesMax },
    ...{ bytesMax: 64_000_000, ownCallReserveBytes: 1000 },
  });
  const tails: Tail[] = [];
  opened.push({ journal, tails });
  const all = createTails({ journal, clock, log, metrics });
  const remembering: Tails = {
    open(question) {
      const tail = all.open(question);
      if (tail !== "full") tails.push(tail);
      return tail;
    },
    find: (...asked) => all.find(...asked),
  };
  return { journal, tails: remembering, disk, gauges };
}

afterEach(async () => {
  for (const { journal, tails } of opened.splice(0)) {
    for (const tail of tails) await tail.return?.();
    await journal.close();
  }
  expect(failures.splice(0)).toEqual([]);
});

let frames = 0;

/** Appends one frame of events called `names`. */
async function append(
  journal: Journal,
  names: readonly string[],
  { changes = {}, set = {} }: { changes?: object; set?: Partial<MatchSet> } = {},
): Promise<void> {
  frames += 1;
  const place = { account, region, folder: "CloudTrail", destinations: [] } as const;
  const matchSet = { ...place, ...set };
  const outcome = await journal.append({
    id: `6f0e8f0a-0d55-4a3c-9a2e-${String(frames).padStart(12, "0")}`,
    header: { door: "events", principal: "test", arrivedMs: nowMs, configurationVersion: 1 },
    records: names.map((eventName) => ({
      bytes: Buffer.from(JSON.stringify(managementEvent({ eventName, ...changes }))),
      matchSet,
    })),
  });
  expect(outcome.kind).toBe("durable");
}

const now: TailQuestion = {
  ...{ filter: {}, start: { kind: "now" }, follow: true, derived: false },
  mayGoOn: () => true,
};
const all: TailQuestion = { ...now, start: { kind: "start" }, follow: false };

function ask(tails: Tails, question: Partial<TailQuestion> = {}): Tail {
  const tail = tails.open({ ...now, ...question });
  if (tail === "full") throw new Error("There is no room for a tail.");
  return tail;
}

interface Line {
  readonly cursor: string;
  readonly event?: { readonly eventName: string; readonly eventID: string };
  readonly [more: string]: unknown;
}

async function nextLines(tail: Tail): Promise<Line[]> {
  const piece = await tail.next();
  if (piece.done === true) return [];
  const text = Buffer.from(piece.value).toString();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** All lines until the end, or until `isEnough`. */
async function lines(tail: Tail, isEnough: (all: readonly Line[]) => boolean = () => false): Promise<Line[]> {
  const found: Line[] = [];
  for (;;) {
    const more = await nextLines(tail);
    found.push(...more);
    if (more.length === 0 || isEnough(found)) return found;
  }
}

const namesOf = (found: readonly Line[]) => found.flatMap(({ event }) => event?.eventName ?? []);
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `E${from + index}`);

describe.each([
  ["from the disk", 0],
  ["partly from memory", 20_000],
  ["from memory", 32_000_000],
])("a tail %s", (_name, recentBytesMax) => {
  test("tells everything from the start, in order and once, and ends", async () => {
    const { journal, tails, gauges } = await open(recentBytesMax);
    for (let frame = 0; frame < 100; frame += 1) await append(journal, numbered(5, frame * 5));
    const found = await lines(ask(tails, all));
    expect(found[0]).toMatchObject({ start: { isCut: false } });
    expect(namesOf(found)).toEqual(numbered(500));
    expect(found.at(-1)).toMatchObject({ end: "journal" });
    expect(gauges.get("tails")).toBe(0);
    expect(gauges.get("tail_events_total")).toBe(500);
  });

  test("goes on at every cursor where it was", async () => {
    const { journal, tails } = await open(recentBytesMax);
    for (let frame = 0; frame < 10; frame += 1) await append(journal, numbered(5, frame * 5));
    const found = await lines(ask(tails, all));
    const events = found.filter(({ event }) => event);
    for (const [index, { cursor }] of events.entries()) {
      const positions = parseTailPosition(cursor);
      if (!positions) throw new Error(`${cursor} is no position.`);
      const rest = await lines(ask(tails, { ...all, start: { kind: "positions", positions } }));
      expect(namesOf(rest)).toEqual(numbered(50).slice(index + 1));
    }
  });

  test("begins at a time", async () => {
    const { journal, tails } = await open(recentBytesMax);
    const times: number[] = [];
    for (let frame = 0; frame < 40; frame += 1) {
      nowMs += 1000;
      times.push(nowMs);
      await append(journal, [`E${frame}`]);
    }
    for (const [index, sinceMs] of times.entries()) {
      const start = { kind: "since", sinceMs } as const;
      expect(namesOf(await lines(ask(tails, { ...all, start })))).toEqual(numbered(40).slice(index));
    }
    const late = { kind: "since", sinceMs: nowMs + 1 } as const;
    expect(namesOf(await lines(ask(tails, { ...all, start: late })))).toEqual([]);
  });

  test("follows what comes, and stops at its limit", async () => {
    const { journal, tails } = await open(recentBytesMax);
    await append(journal, ["before"]);
    const tail = ask(tails, { limit: 3 });
    expect(await nextLines(tail)).toMatchObject([{ start: {} }]);
    const rest = lines(tail);
    for (const name of ["a", "b"]) await append(journal, [name]);
    await append(journal, ["c", "d"]);
    const found = await rest;
    expect(namesOf(found)).toEqual(["a", "b", "c"]);
    expect(found.at(-1)).toMatchObject({ end: "limit" });
  });

  test("tells a reader who was slower than the trimming what it missed", async () => {
    const { journal, tails, gauges } = await open(recentBytesMax);
    const tail = ask(tails);
    await nextLines(tail);
    await append(journal, ["first"]);
    expect(namesOf(await nextLines(tail))).toEqual(["first"]);
    // Nobody is registered but this one, who releases all.
    journal.registerReader("delivery", journal.start("0"));
    for (let frame = 0; frame < 100; frame += 1) {
      await append(journal, [`E${frame}`]);
      await journal.release("delivery", journal.end("0"));
    }
    const start = journal.start("0").seq;
    expect(start).toBeGreaterThan(50);
    const found = await lines(tail, (told) => namesOf(told).includes("E99"));
    // Frame 1 was read; those from 2 on that are gone were skipped.
    expect(found[0]).toMatchObject({ skipped: { frames: start - 2 } });
    expect(namesOf(found)).toEqual(numbered(100).slice(start - 2));
    expect(gauges.get("tail_frames_skipped_total")).toBe(start - 2);
    const since = ask(tails, { ...all, start: { kind: "since", sinceMs: 0 } });
    expect((await nextLines(since))[0]).toMatchObject({ start: { isCut: true } });
  });
});

test("random filters tell what a plain reading of every record tells", async () => {
  const random = seededRandom(20_261_121);
  const pick = <One>(list: readonly One[]): One => list[Math.floor(random() * list.length)] as One;
  const { journal, tails } = await open(30_000);
  const names = ["PutObject", "GetObject", 'Put"Object', "Pütobject"];
  const users = ["mary", "root", "bob"];
  const codes = ["AccessDenied", undefined];
  const kept: { readonly record: Record<string, unknown>; readonly set: MatchSet }[] = [];
  for (let frame = 0; frame < 300; frame += 1) {
    const userName = pick(users);
    const changes = {
      eventName: pick(names),
      readOnly: random() < 0.5,
      userIdentity:
        userName === "root" ? { type: "Root" } : { type: "IAMUser", userName, accessKeyId: "AKIA1" },
      ...{ errorCode: pick(codes), resources: [{ type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::b1" }] },
      eventID: `0c1f6d1e-7a3c-4f5d-9d50-${String(frame).padStart(12, "0")}`,
    };
    const destinations = random() < 0.5 ? [{ kind: "trail", incarnation: "t1" } as const] : [];
    const set: MatchSet = {
      ...{ account: pick([account, other]), region },
      folder: "CloudTrail",
      destinations,
    };
    await append(journal, ["x"], { changes, set });
    kept.push({ record: changes, set });
  }
  const choices: readonly (readonly [EventFilter, (one: (typeof kept)[number]) => boolean])[] = [
    ...names.map(
      (name) =>
        [
          { attributes: [["EventName", name] as const] },
          ({ record }: (typeof kept)[number]) => record["eventName"] === name,
        ] as const,
    ),
    ...users.map(
      (name) =>
        [
          { attributes: [["Username", name] as const] },
          ({ record }: (typeof kept)[number]) =>
            name === (JSON.stringify(record["userIdentity"]).includes("Root") ? "root" : userNameOf(record)),
        ] as const,
    ),
    [
      { attributes: [["EventSource", "ec2.amazonaws.com"]], errorCode: "AccessDenied" },
      ({ record }) => record["errorCode"] === "AccessDenied",
    ],
    [{ attributes: [["EventSource", "ec2"]] }, () => false],
    [{ attributes: [["ReadOnly", "true"]] }, ({ record }) => record["readOnly"] === true],
    [{ attributes: [["ReadOnly", "false"]] }, ({ record }) => record["readOnly"] === false],
    [{ attributes: [["ResourceType", "AWS::S3::Bucket"]] }, () => true],
    [{ attributes: [["ResourceName", "b1"]] }, () => true],
    [{ attributes: [["ResourceName", "arn:aws:s3:::b1"]] }, () => true],
    [{ attributes: [["ResourceName", "b"]] }, () => false],
    [{ attributes: [["AccessKeyId", "AKIA1"]] }, ({ record }) => userNameOf(record) !== undefined],
    [{ errorCode: "AccessDenied" }, ({ record }) => record["errorCode"] === "AccessDenied"],
    [{ account }, ({ set }) => set.account === account],
    [{ region }, () => true],
    [{ incarnation: "t1" }, ({ set }) => set.destinations.length > 0],
    [{ incarnation: "t2" }, () => false],
  ];
  for (let round = 0; round < 60; round += 1) {
    const [[one, isOne], [two, isTwo]] = [pick(choices), pick(choices)];
    const attributes = [...(one.attributes ?? []), ...(two.attributes ?? [])];
    const found = await lines(ask(tails, { ...all, filter: { ...one, ...two, attributes } }));
    const expected = kept.filter((each) => isOne(each) && isTwo(each));
    expect(found.flatMap(({ event }) => event?.eventID ?? [])).toEqual(
      expected.map(({ record }) => record["eventID"]),
    );
  }
});

function userNameOf(record: Record<string, unknown>): unknown {
  return (record["userIdentity"] as { userName?: string }).userName;
}

test("an Insights record is found by the event that it tells of", async () => {
  const { journal, tails } = await open(20_000);
  const insightDetails = { eventSource: "iam.amazonaws.com", eventName: "CreateUser" };
  const changes = { eventCategory: "Insight", eventSource: undefined, eventName: undefined, insightDetails };
  await append(journal, ["x"], { changes });
  const found = async (...attributes: NonNullable<EventFilter["attributes"]>) =>
    (await lines(ask(tails, { ...all, filter: { attributes } }))).filter(({ event }) => event).length;
  expect(await found(["EventName", "CreateUser"])).toBe(1);
  expect(await found(["EventName", "CreateUser"], ["EventSource", "iam.amazonaws.com"])).toBe(1);
  expect(await found(["EventName", "DeleteUser"])).toBe(0);
  expect(await found(["ReadOnly", "false"])).toBe(0);
});

test("a reader who takes nothing for long gets everything later", async () => {
  const { journal, tails } = await open(200_000, 1_000_000);
  const tail = ask(tails);
  await nextLines(tail);
  for (let frame = 0; frame < 200; frame += 1) await append(journal, numbered(50, frame * 50));
  expect(namesOf(await lines(tail, (found) => found.length >= 10_000))).toEqual(numbered(10_000));
});

test("a quiet stream has a heartbeat, whose position goes on; it ends when its reader may see no more", async () => {
  const { journal } = await open(200_000);
  // A hundred times as fast: ten seconds are a tenth of one.
  const fast: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => performance.now() * 100,
    sleep: (ms, signal) => clock.sleep(ms / 100, signal),
  };
  const { metrics } = { metrics: { count: nothing, gauge: nothing, observe: nothing } };
  const tails = createTails({ journal, clock: fast, log, metrics });
  let may = true;
  const tail = ask(tails, { filter: { attributes: [["EventName", "wanted"]] }, mayGoOn: () => may });
  await nextLines(tail);
  for (let frame = 0; frame < 5; frame += 1) await append(journal, ["unwanted"]);
  const quiet = await lines(tail, (told) => told.at(-1)?.cursor === "0.6.0");
  expect(quiet.every(({ heartbeat }) => heartbeat === true)).toBe(true);
  await append(journal, ["wanted"]);
  expect(namesOf(await lines(tail, (told) => namesOf(told).length > 0))).toEqual(["wanted"]);
  may = false;
  const found = await lines(tail);
  expect(found.at(-1)).toMatchObject({ failure: { code: "AccessDeniedException" } });
});

test("the end of the reader ends a tail that waits; the next one finds room", async () => {
  const { tails, gauges } = await open(0);
  const many = Array.from({ length: 32 }, () => ask(tails));
  expect(tails.open(now)).toBe("full");
  expect(gauges.get("tails_refused_total")).toBe(1);
  const [first] = many;
  await first?.next();
  const waiting = first?.next();
  await sleep(60);
  await first?.return?.();
  expect(await waiting).toMatchObject({ done: true });
  expect(gauges.get("tails")).toBe(31);
  expect(tails.open(now)).not.toBe("full");
  // Ended twice, or before it began, is ended once.
  await first?.return?.();
  await many[1]?.return?.();
  expect(gauges.get("tails")).toBe(31);
});

test("derived members stand beside the record", async () => {
  const { journal, tails } = await open(0);
  await append(journal, ["RunInstances"], {
    changes: { resources: [{ type: "AWS::X::Y", ARN: "arn:x/y" }] },
  });
  const found = await lines(ask(tails, { ...all, derived: true }));
  expect(found[1]).toMatchObject({
    derived: { username: "mary", resources: [{ type: "AWS::X::Y", name: "arn:x/y" }, { name: "y" }] },
  });
});

test("the newest record of an id is found, of one account when one is named", async () => {
  const { journal, tails } = await open(20_000);
  const eventID = "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77";
  const destinations = [{ kind: "trail", incarnation: "t1" } as const];
  await append(journal, ["a"], { changes: { eventID } });
  nowMs += 1000;
  await append(journal, ["b"], { changes: { eventID }, set: { destinations } });
  const arrivedMs = nowMs;
  for (let frame = 0; frame < 50; frame += 1) await append(journal, ["c"]);
  expect(await tails.find(eventID, account)).toMatchObject({ arrivedMs, matchSet: { destinations } });
  expect(await tails.find(eventID, other)).toBeUndefined();
  expect(await tails.find("0c1f6d1e-7a3c-4f5d-9d50-000000000000", undefined)).toBeUndefined();
  const many = await Promise.all(Array.from({ length: 6 }, () => tails.find(eventID, account)));
  expect(many.filter((found) => found === "busy")).toHaveLength(2);
  expect(await tails.find(eventID, account)).toMatchObject({ arrivedMs });
});

test("whatever position somebody gives, a tail begins somewhere and ends", async () => {
  const random = seededRandom(11);
  const { journal, tails } = await open(2_000);
  for (let frame = 0; frame < 20; frame += 1) await append(journal, numbered(3, frame * 3));
  const number = (most: number) => Math.floor(random() ** 4 * most);
  for (let round = 0; round < 300; round += 1) {
    const partition = random() < 0.8 ? "0" : "1";
    const positions = [{ partition, seq: number(999_999_999_999_999), index: number(999_999_999) }];
    const sinceMs = (random() - 0.5) * 10 ** (random() * 20);
    const start =
      random() < 0.7 ? ({ kind: "positions", positions } as const) : ({ kind: "since", sinceMs } as const);
    const found = await lines(ask(tails, { ...all, start, limit: 1 + number(100) }));
    expect(found.at(-1)).toHaveProperty("end");
    // In order, whatever the first one is.
    const names = namesOf(found);
    expect(names).toEqual(numbered(names.length, Number(names[0]?.slice(1) ?? 0)));
  }
});

test("a journal of two partitions is told as a whole, and goes on where each was", async () => {
  const [one, two] = [await open(20_000), await open(0)];
  for (let frame = 0; frame < 20; frame += 1) {
    await append(one.journal, [`A${frame}`]);
    await append(two.journal, [`B${frame}`, `B${frame}b`]);
  }
  const both = twoPartitions(one.journal, two.journal);
  const tails = createTails({
    journal: both,
    clock,
    log,
    metrics: { count: nothing, gauge: nothing, observe: nothing },
  });
  const whole = await lines(ask(tails, all));
  const sorted = (found: readonly Line[]) => namesOf(found).toSorted();
  expect(namesOf(whole)).toHaveLength(60);
  expect(new Set(namesOf(whole)).size).toBe(60);
  for (const [index, { cursor }] of whole.entries()) {
    const positions = parseTailPosition(cursor);
    if (!positions) throw new Error(`${cursor} is no position.`);
    const rest = await lines(ask(tails, { ...all, start: { kind: "positions", positions } }));
    expect(sorted(rest)).toEqual(sorted(whole.slice(index + 1)));
  }
  const tail = ask(tails);
  await nextLines(tail);
  await append(two.journal, ["later"]);
  expect(namesOf(await nextLines(tail))).toEqual(["later"]);
  await tail.return?.();
});

/** Two journals as one, whose partitions are called `a` and `b`. */
function twoPartitions(a: Journal, b: Journal): Parameters<typeof createTails>[0]["journal"] {
  const of = (name: string): Journal => (name === "a" ? a : b);
  const inside = <At extends { readonly partition: string }>(at: At): At => ({ ...at, partition: "0" });
  return {
    partitions: ["a", "b"],
    start: (partition) => ({ ...of(partition).start("0"), partition }),
    end: (partition) => ({ ...of(partition).end("0"), partition }),
    async read(from, { bytesMax, until }) {
      const { partition } = from;
      const limits = { bytesMax, ...(until && { until: inside(until) }) };
      const { frames: found, next } = await of(partition).read(inside(from), limits);
      const outside = found.map((frame) => ({ ...frame, position: { ...frame.position, partition } }));
      return { frames: outside, next: { ...next, partition } };
    },
    visitRecent(from, until, visit) {
      const { partition } = from;
      of(partition).visitRecent(inside(from), inside(until), (frame) =>
        visit({ ...frame, position: { ...frame.position, partition } }),
      );
    },
    waitBeyond: (position, signal) => of(position.partition).waitBeyond(inside(position), signal),
  };
}

test("a position of another journal begins at the start; what is none is told", async () => {
  const { journal, tails } = await open(0);
  await append(journal, ["a"]);
  const positions = [{ partition: "0", seq: 99, index: 3 }];
  expect(namesOf(await lines(ask(tails, { ...all, start: { kind: "positions", positions } })))).toEqual([
    "a",
  ]);
  for (const text of ["", "0", "0.1", "0.1.x", "0.1.1~", "a b.1.1", "0.-1.0", `0.${"9".repeat(16)}.0`]) {
    expect(parseTailPosition(text)).toBeUndefined();
  }
});

test("a journal that cannot be read ends the tail with a line that says so", async () => {
  const { journal, tails, disk } = await open(0);
  await append(journal, ["a"]);
  disk.failCall(1, "before");
  const found = await lines(ask(tails, all));
  expect(found.at(-1)).toMatchObject({ failure: { code: "InternalFailure" } });
  expect(failures.splice(0)).toHaveLength(1);
});
