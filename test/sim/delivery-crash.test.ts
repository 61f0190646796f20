// Delivery that dies at any call, over disks that forget, a state store that fails and a bucket that refuses,
// hangs, loses its answers and takes effect late, while trails move. At the end every durable record stands in
// exactly one stored file of each destination that logs it, and nowhere else; and every file of the trail that
// validates is named in exactly one digest and announced to its topic.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ServiceOutcome, Topics } from "../../src/aws/contract.ts";
import type { BucketStore } from "../../src/bucket/contract.ts";
import type { ValidationPeriod } from "../../src/bucket/place.ts";
import { createDelivery, type Delivery } from "../../src/delivery/delivery.ts";
import { defaultLimits } from "../../src/delivery/limits.ts";
import type { CutPosition } from "../../src/delivery/plan.ts";
import type { Journal } from "../../src/journal/contract.ts";
import { type DigestDocument } from "../../src/model/digest.ts";
import { parseDigestKey } from "../../src/model/digest-key.ts";
import { openSegmentJournal } from "../../src/journal/segment-journal.ts";
import type { Clock } from "../../src/model/environment.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import { documentOf, TwoKeys } from "./digest-world.ts";
import {
  type Answer,
  CountingMetrics,
  frame,
  KeptLog,
  ManualClock,
  matchSet,
  recordsOf,
  recordText,
  seededRandom,
  settled,
  TestBucket,
  testOptions,
  TestPlaces,
  textOf,
} from "./delivery-world.ts";
import { MortalLife } from "./mortal-life.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const rounds = 200;
const incarnations = ["a", "b", "c"];
const options = {
  ...testOptions,
  deliveryIntervalMs: 5_000,
  digestIntervalMs: 10_000,
  outboxBytesMax: 10_000_000,
};
/** Half of them have files that are soon full: they are cut alone. */
const logFileBytesMax = (seed: number): number => (seed % 4 < 2 ? 400 : 130);
const limits = {
  ...defaultLimits,
  laneBytesMax: 400,
  heldBytesMax: 700,
  passBytesMax: 600,
  readBytesMax: 100,
};

/** The trail whose log files are validated and announced. */
const validated = "a";
const keys = new TwoKeys();
const signer = {
  fingerprint: keys.fingerprint.bind(keys),
  sign: keys.sign.bind(keys),
  forgetExpired: async () => {},
};

/** Remembers which log files it heard of. */
class TestTopics implements Topics {
  readonly heard = new Set<string>();
  mayFail: () => boolean = () => false;

  async publish(_topic: string, message: string): Promise<ServiceOutcome> {
    if (this.mayFail()) return { kind: "refused", code: "AuthorizationError", message: "Not now." };
    const { s3Bucket, s3ObjectKey } = JSON.parse(message) as { s3Bucket: string; s3ObjectKey: string[] };
    for (const key of s3ObjectKey) this.heard.add(`${s3Bucket}/${key}`);
    return { kind: "done" };
  }
}

type Draw = ReturnType<typeof seededRandom>;

/** One process with its delivery. */
class Life extends MortalLife {
  /** Whether delivery's start has ended, and how. */
  start: "under way" | "done" | "failed" = "under way";
}

class Simulation {
  readonly draw: Draw;
  readonly clock = new ManualClock();
  readonly state: StateStore = openMemoryState({ clock: this.clock });
  readonly bucket = new TestBucket();
  readonly places = new TestPlaces();
  readonly topics = new TestTopics();
  readonly log = new KeptLog();
  readonly metrics = new CountingMetrics();
  /** Records whose append was acknowledged, per destination. */
  readonly durable = new Map<string, string[]>(incarnations.map((name) => [name, []]));
  /** Records whose append had no answer when the process died: they may be there, once. */
  readonly doubtful = new Set<string>();
  outboxDisk: SimulatedDisk;
  journalDisk: SimulatedDisk;
  readonly logFileBytesMax: number;
  /** Half the lives read every frame from the disk, the others some from memory. */
  readonly recentBytesMax: number;
  outboxFiles = 0;
  /** Starts that found some corners cut ahead of the others. */
  ahead = 0;
  digests = 0;
  deaths = 0;
  readonly #startMs = this.clock.nowMs();
  #journal: Journal | undefined;
  #records = 0;
  #mood = 0;

  constructor(seed: number) {
    this.draw = seededRandom(seed);
    this.logFileBytesMax = logFileBytesMax(seed);
    this.recentBytesMax = seed % 2 === 0 ? 0 : 2_000;
    this.outboxDisk = new SimulatedDisk({ seed });
    this.journalDisk = new SimulatedDisk({ seed: seed + 1_000 });
    for (const name of incarnations) this.#moveTrail(name);
    this.bucket.answer = () => this.#answer();
    this.topics.mayFail = () => this.draw.below(4) === 0;
  }

  async run(): Promise<void> {
    const lives = 1 + this.draw.below(5);
    for (let count = 0; count < lives; count += 1) {
      await this.#live(
        new Life(this.draw, { dieAt: 1 + this.draw.below(400), failEvery: 10 + this.draw.below(60) }),
      );
      this.outboxFiles += this.outboxDisk.calls("rename");
      this.outboxDisk = this.outboxDisk.crash();
      this.journalDisk = this.journalDisk.crash();
      this.deaths += 1;
      await settled();
      if (this.draw.below(3) === 0) await this.clock.advance(this.draw.below(20_000));
    }
    await this.#finish();
  }

  /** Works until death, or for a while and is then killed between two calls. */
  async #live(life: Life): Promise<void> {
    const cut = await this.state.get("delivery/cut/0");
    if ((cut?.value as CutPosition | undefined)?.ahead) this.ahead += 1;
    const delivery = await this.#make(life);
    // A start may fail by a simulated error: the process ends, as the server would.
    void delivery.start().then(
      () => (life.start = "done"),
      () => (life.start = "failed"),
    );
    for (let step = 0; life.start !== "failed" && !life.isDead && step < 25; step += 1) {
      if (life.start === "done") await this.#step(delivery);
      else await settled();
    }
    life.kill();
  }

  async #step(delivery: Delivery): Promise<void> {
    const what = this.draw.below(22);
    if (what < 9) this.#appendSome();
    else if (what < 15) await this.clock.advance(this.draw.below(4_000));
    else if (what < 16) this.#mood = this.draw.below(4);
    else if (what < 17) this.bucket.landLate();
    else if (what < 18) void delivery.flush(this.#incarnation(), 5_000);
    else if (what < 19) void delivery.cutNow().catch(() => undefined);
    else this.#moveTrail(this.#incarnation());
    if (this.draw.below(4) > 0) await settled();
  }

  #appendSome(): void {
    const frames = this.logFileBytesMax < 400 ? 1 + this.draw.below(6) : 1;
    for (let n = 0; n < frames; n += 1) this.#append();
  }

  #append(): void {
    const owners: string[] = [];
    const texts: string[] = [];
    const records = Array.from({ length: 1 + this.draw.below(4) }, () => {
      const chosen = incarnations.filter(() => this.draw.below(2) === 0);
      const id = `event-${(this.#records += 1)}`;
      const account = this.draw.below(4) === 0 ? "444455556666" : "123456789012";
      for (const name of chosen) {
        owners.push(name);
        texts.push(recordText(id));
      }
      return { id, matchSet: matchSet(chosen, { account }) };
    });
    for (const text of texts) this.doubtful.add(text);
    const appended = this.#journal?.append(frame(this.draw.uuid(), this.clock.nowMs(), records));
    void appended?.then(
      (outcome) => {
        if (outcome.kind !== "durable") return;
        for (const [at, text] of texts.entries()) {
          this.durable.get(owners[at] ?? "")?.push(text);
          this.doubtful.delete(text);
        }
      },
      () => undefined,
    );
  }

  /** All is well from here on: everything must arrive. */
  async #finish(): Promise<void> {
    this.bucket.answer = () => "store";
    const delivery = await this.#make(new Life(this.draw, { dieAt: Infinity, failEvery: Infinity }));
    await delivery.start();
    await this.#until(() => this.#isDone(delivery));
    const untilMs = this.clock.nowMs();
    this.#set(validated, { bucket: "bucket-0", keyPrefix: validated }, { sinceMs: this.#startMs, untilMs });
    await this.#until(() => this.#isEvident());
    this.bucket.landLate();
    const stopped = delivery.stop();
    await this.clock.advance(6_000);
    await stopped;
  }

  async #until(isTrue: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 400 && !(await isTrue()); tries += 1) await this.clock.advance(1_000);
  }

  /** Every chain has ended and nothing is left to announce. */
  async #isEvident(): Promise<boolean> {
    const chains = await this.state.list("delivery/chain/");
    const phases = chains.map(({ value }) => (value as { phase: { kind: string } }).phase.kind);
    const left = [
      ...(await this.state.list("delivery/notice/")),
      ...(await this.state.list("delivery/evidence/")),
    ];
    return left.length === 0 && phases.every((phase) => phase === "ended");
  }

  async #isDone(delivery: Delivery): Promise<boolean> {
    const { journalFiles, outboxFiles } = delivery.waiting();
    const cut = await this.state.get("delivery/cut/0");
    const to = (cut?.value as { to: number } | undefined)?.to ?? 1;
    return journalFiles + outboxFiles === 0 && to === this.#journal?.end("0").seq;
  }

  async #make(life: Life): Promise<Delivery> {
    const { state, bucket, places, clock, log, metrics, draw } = this;
    const journal = await openSegmentJournal({
      ...{ disk: this.journalDisk, directory: "/journal", clock, log: new KeptLog(), metrics },
      // Small segments: trimming must really take away what is released.
      ...{ bytesMax: 1_000_000, ownCallReserveBytes: 0, segmentBytesMax: 600 },
      recentBytesMax: this.recentBytesMax,
    });
    this.#journal = journal;
    const diskCalls = [
      "makeDirectory",
      "list",
      "create",
      "readWhole",
      "rename",
      "remove",
      "syncDirectory",
    ] as const;
    return createDelivery(
      {
        journal: life.mortal(journal, ["read", "release", "waitBeyond"], false),
        state: life.mortal(state, ["get", "list", "put", "delete"], true),
        bucket: life.mortal(bucket as unknown as BucketStore, ["put"], false),
        disk: life.mortal(this.outboxDisk, diskCalls, true),
        clock: life.mortal<Clock>(clock, ["sleep"], false),
        services: { topics: life.mortal<Topics>(this.topics, ["publish"], false), close() {} },
        ...{ places, log, metrics, random: draw, signer },
      },
      { ...options, logFileBytesMax: this.logFileBytesMax },
      limits,
    );
  }

  #incarnation(): string {
    return incarnations[this.draw.below(incarnations.length)] ?? "a";
  }

  /** Trails share buckets; the first part of the prefix says whose a file is. */
  #moveTrail(name: string): void {
    const keyPrefix = this.draw.below(2) === 0 ? name : `${name}/p`;
    this.#set(name, { bucket: `bucket-${this.draw.below(3)}`, keyPrefix });
  }

  #set(
    name: string,
    place: { readonly bucket: string; readonly keyPrefix: string },
    validation: ValidationPeriod = { sinceMs: this.#startMs },
  ): void {
    const topicArn = "arn:aws:sns:us-east-1:123456789012:t";
    this.places.set(name, { ...place, ...(name === validated && { topicArn, validation }) });
  }

  #answer(): Answer {
    const moods: readonly (readonly Answer[])[] = [
      ["store"],
      ["store", "store", { refuse: "AccessDenied" }, "lose"],
      [{ refuse: "NoSuchBucket" }],
      ["hang", "late", "lose", { refuse: "AccessDenied" }],
    ];
    const mood = moods[this.#mood] ?? [];
    return mood[this.draw.below(mood.length)] ?? "store";
  }
}

/** What lies in the buckets for one destination, repetitions included. */
function deliveredTo(name: string, bucket: TestBucket): string[] {
  return filesOf(name, bucket).flatMap(([, object]) => recordsOf(object));
}

function filesOf(name: string, bucket: TestBucket) {
  return [...bucket.objects].filter(([, { key }]) => key.startsWith(`${name}/`) && !isDigest(key));
}

const isDigest = (key: string): boolean => key.includes("/CloudTrail-Digest/");

/** Every file of the validating trail is named once, with its hash, and announced; chains are linked and contiguous. */
function checkEvidence({ bucket, topics }: Simulation, what: string): number {
  const digests = [...bucket.objects.values()]
    .filter(({ key }) => isDigest(key))
    .map(documentOf)
    .sort((a, b) => (a.digestEndTime < b.digestEndTime ? -1 : 1));
  const hashes = filesOf(validated, bucket).map(([name, object]) => {
    const hash = createHash("sha256").update(textOf(object)).digest("hex");
    return `${name} ${hash}`;
  });
  const named = digests.flatMap(({ logFiles }) =>
    logFiles.map(({ s3Bucket, s3Object, hashValue }) => `${s3Bucket}/${s3Object} ${hashValue}`),
  );
  expect(named.sort(), `${what}: named in digests`).toEqual(hashes.sort());
  for (const [name] of filesOf(validated, bucket)) expect(topics.heard, what).toContain(name);
  for (const digest of digests) {
    const before = digests.findLast(
      (other) => chainOf(other) === chainOf(digest) && other.digestEndTime < digest.digestEndTime,
    );
    expect([digest.digestStartTime, digest.previousDigestS3Object], what).toEqual(
      before ? [before.digestEndTime, before.digestS3Object] : [expect.any(String), null],
    );
  }
  return digests.length;
}

function chainOf({ awsAccountId, digestS3Object }: DigestDocument): string {
  return `${awsAccountId} ${parseDigestKey(digestS3Object)?.region}`;
}

async function check(seed: number): Promise<Simulation> {
  const simulation = new Simulation(seed);
  await simulation.run();
  const { bucket, durable, doubtful, log, state, outboxDisk } = simulation;
  const what = `seed ${seed}`;
  expect(bucket.problems, what).toEqual([]);
  for (const [name, records] of durable) {
    const delivered = deliveredTo(name, bucket);
    const certain = delivered.filter((text) => !doubtful.has(text));
    expect(certain.sort(), `${what}, destination ${name}`).toEqual([...records].sort());
    expect(new Set(delivered).size, `${what}, destination ${name}`).toBe(delivered.length);
  }
  simulation.digests = checkEvidence(simulation, what);
  for (const object of bucket.objects.values()) {
    if (isDigest(object.key)) continue;
    expect(textOf(object).length, what).toBeLessThanOrEqual(simulation.logFileBytesMax);
    expect(recordsOf(object).length, what).toBeGreaterThan(0);
  }
  expect(await state.list("delivery/plan/"), what).toEqual([]);
  expect(outboxDisk.files(), what).toEqual([]);
  expect(
    log.lines.filter((line) => line.message.includes("given up")),
    what,
  ).toEqual([]);
  // What is read for a plan is what was counted for it, at the first try.
  expect(
    log.lines.filter((line) => JSON.stringify(line.fields).includes("the journal gave")),
    what,
  ).toEqual([]);
  return simulation;
}

describe("delivery that dies at any call", () => {
  const seen = {
    ...{
      digests: 0,
      settled: 0,
      deaths: 0,
      moves: 0,
      outbox: 0,
      ahead: 0,
      refused: 0,
      unknown: 0,
      faults: 0,
      takenUp: 0,
      records: 0,
      trimmed: 0,
    },
  };

  test.each(Array.from({ length: rounds }, (_, at) => at + 1))("seed %i", async (seed) => {
    const simulation = await check(seed);
    const { log, deaths, metrics, durable, outboxFiles, journalDisk } = simulation;
    const messages = (text: string): number => log.lines.filter((line) => line.message.includes(text)).length;
    seen.deaths += deaths;
    seen.digests += simulation.digests;
    seen.settled += messages("was noted as delivered");
    seen.moves += messages("follows its trail");
    seen.outbox += outboxFiles;
    seen.ahead += simulation.ahead;
    seen.refused += metrics.totals.get("delivery_failures_total AccessDenied bucket") ?? 0;
    seen.unknown += metrics.totals.get("delivery_failures_total no-answer bucket") ?? 0;
    seen.faults += log.of("error").length;
    seen.takenUp += messages("goes on where");
    seen.trimmed += journalDisk.calls("remove");
    for (const records of durable.values()) seen.records += records.length;
  });

  test("has met everything it is there for", () => {
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(rounds / 5);
  });
});
