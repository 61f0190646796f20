// Digest chains over hours of simulated time: windows, ends, places, outages, clocks and restarts. After every test a
// checker walks all chains in the buckets (digest-world.ts).
import { afterEach, describe, expect, test } from "vitest";
import type { Answer } from "./delivery-world.ts";
import { DigestWorld, documentOf, startMs, TwoKeys } from "./digest-world.ts";

const keys = new TwoKeys();
const minuteMs = 60_000;
const hourMs = 3_600_000;
const other = { account: "444455556666", region: "eu-west-1" };
let worlds: DigestWorld[] = [];

afterEach(async () => {
  const last = worlds;
  worlds = [];
  for (const world of last) {
    await world.finish();
    world.check();
  }
});

/** A world with the trail `t`, whose validation began at 09:17:28.640, and a process. */
async function begin(
  changes: ConstructorParameters<typeof DigestWorld>[1] = {},
): Promise<{ world: DigestWorld } & Awaited<ReturnType<DigestWorld["start"]>>> {
  const world = new DigestWorld(keys, changes);
  worlds.push(world);
  world.places.set("t", { bucket: "logs" });
  world.places.start("t");
  return { world, ...(await world.start()) };
}

/** Refuses or loses digests only; log files do not go through this bucket. */
function answerBy(world: DigestWorld, answer: Answer): void {
  world.bucket.answer = () => answer;
}

describe("a chain", () => {
  test("begins with an empty digest of the hour before StartLogging, and has one for every hour since", async () => {
    const { world } = await begin();
    await world.clock.advance(5 * minuteMs);
    world.decide("t");
    await world.clock.advance(2 * minuteMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0"]);
    await world.clock.advance(hourMs);
    world.decide("t");
    world.decide("t");
    await world.clock.advance(2 * hourMs);
    expect(world.windows("t")).toEqual([
      ...["*08:17:28-09:17:28 0", "09:17:28-10:17:28 1", "10:17:28-11:17:28 2", "11:17:28-12:17:28 0"],
    ]);
  });

  test("has the members of a digest in their order, and the times of its files", async () => {
    const { world } = await begin();
    world.decide("t", { afterMs: minuteMs });
    world.decide("t", { afterMs: 3 * minuteMs });
    await world.clock.advance(2 * hourMs);
    const digest = world.chain("t")[1];
    expect(Object.keys(digest ?? {})).toEqual([
      ...["awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket", "digestS3Object"],
      ...["digestPublicKeyFingerprint", "digestSignatureAlgorithm", "newestEventTime", "oldestEventTime"],
      ...["previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue"],
      ...["previousDigestHashAlgorithm", "previousDigestSignature", "logFiles"],
    ]);
    expect([digest?.oldestEventTime, digest?.newestEventTime]).toEqual([
      ...["2026-01-10T09:18:28Z", "2026-01-10T09:20:28Z"],
    ]);
  });

  test("of a Region begins with its first event, and never without one", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(2.5 * hourMs);
    world.decide("t", { region: "eu-west-1" });
    await world.clock.advance(hourMs);
    expect(world.windows("t", { region: "eu-west-1" })).toEqual([
      "*10:17:28-11:17:28 0",
      "11:17:28-12:17:28 1",
    ]);
    expect(world.chain("t", { region: "eu-west-2" })).toEqual([]);
  });

  test("stands alone: two accounts and two Regions over six hours, one without files, a stop between", async () => {
    const { world } = await begin();
    const corners = [{}, { region: other.region }, { account: other.account }, other];
    for (let hour = 0; hour < 6; hour += 1) {
      if (hour === 3) world.places.stop("t");
      if (hour === 4) world.places.start("t");
      if (hour !== 2) for (const of of corners) world.decide("t", { ...of, afterMs: 10 * minuteMs });
      await world.clock.advance(hourMs);
    }
    world.places.stop("t");
    await world.clock.advance(10 * minuteMs);
    for (const of of corners) {
      const windows = world.windows("t", of);
      expect(windows.filter((text) => text.startsWith("*"))).toHaveLength(2);
      expect(windows.filter((text) => text.endsWith(" 0"))).toHaveLength(3);
      expect(windows.length).toBe(8);
    }
  });

  test("keeps the folder of an organization and the prefix of its trail", async () => {
    const { world } = await begin();
    world.places.set("t", { bucket: "logs", keyPrefix: "p", organizationId: "o-abc" });
    world.decide("t", { account: other.account });
    await world.clock.advance(minuteMs);
    const [digest] = world.chain("t", { account: other.account });
    expect(digest?.digestS3Object).toMatch(
      /^p\/AWSLogs\/o-abc\/444455556666\/CloudTrail-Digest\/us-east-1\/2026\/01\/10\/444455556666_CloudTrail-Digest_us-east-1_t_us-east-1_20260110T091728Z\.json\.gz$/,
    );
  });

  test("of thousands of files ends windows early, at whole seconds", async () => {
    const { world } = await begin({ limits: { filesMax: 3 } });
    for (let file = 0; file < 10; file += 1) world.decide("t", { afterMs: file * 400 });
    await world.clock.advance(2.1 * hourMs);
    expect(world.windows("t")).toEqual([
      ...["*08:17:28-09:17:28 0", "09:17:28-09:17:29 1", "09:17:29-09:17:30 3", "09:17:30-09:17:31 2"],
      ...["09:17:31-09:17:32 3", "09:17:32-10:17:28 1", "10:17:28-11:17:28 0"],
    ]);
  });

  test("is the same with a window of seconds", async () => {
    const { world } = await begin({ options: { digestIntervalMs: 2_000 } });
    world.decide("t", { afterMs: 500 });
    await world.clock.advance(6_000);
    expect(world.windows("t")).toEqual([
      ...["*09:17:26-09:17:28 0", "09:17:28-09:17:30 1", "09:17:30-09:17:32 0", "09:17:32-09:17:34 0"],
    ]);
  });
});

describe("a stop", () => {
  test("ends the chain in its second, with the files that were decided before", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    await world.clock.advance(20 * minuteMs);
    // This one holds the record of StopLogging; its log file comes half an hour late.
    world.decide("t", { afterMs: 30 * minuteMs });
    world.places.stop("t");
    await world.clock.advance(20 * minuteMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0"]);
    expect(digests.isIdle("t")).toBe(false);
    await world.clock.advance(20 * minuteMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0", "09:17:28-09:37:28 2"]);
    expect(digests.isIdle("t")).toBe(true);
    await world.clock.advance(5 * hourMs);
    expect(world.windows("t")).toHaveLength(2);
  });

  test("long after, writes the hours before it and no hour after it", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(2.5 * hourMs);
    world.decide("t", { afterMs: 2 * hourMs });
    world.places.stop("t");
    await world.clock.advance(3 * hourMs);
    expect(world.windows("t")).toEqual([
      ...["*08:17:28-09:17:28 0", "09:17:28-10:17:28 1", "10:17:28-11:17:28 0", "11:17:28-11:47:28 1"],
    ]);
  });

  test("before the first file of a Region still gives that file its chain", async () => {
    const { world } = await begin();
    world.decide("t", { ...other, afterMs: 30 * minuteMs });
    world.places.stop("t");
    await world.clock.advance(hourMs);
    expect(world.windows("t", other)).toEqual(["*08:17:28-09:17:28 0", "09:17:28-09:17:29 1"]);
  });

  test("and a start within one second give two chains whose digests have different keys", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(100);
    for (let round = 0; round < 3; round += 1) {
      world.places.stop("t");
      await world.clock.advance(10);
      world.places.start("t");
      world.decide("t");
      await world.clock.advance(10);
    }
    world.places.stop("t");
    world.decide("t");
    await world.clock.advance(3 * hourMs);
    expect(world.windows("t")[0]).toBe("*08:17:28-09:17:28 0");
    expect(new Set(world.chain("t").map(({ digestS3Object }) => digestS3Object)).size).toBe(
      world.chain("t").length,
    );
    expect(world.chain("t").flatMap(({ logFiles }) => logFiles).length).toBeGreaterThanOrEqual(4);
  });

  test("of each of three periods within a second ends a chain of its own when it has the time", async () => {
    const { world } = await begin({ options: { digestIntervalMs: 1_000 } });
    for (let round = 0; round < 3; round += 1) {
      world.decide("t");
      await world.clock.advance(50);
      world.places.stop("t");
      await world.clock.advance(5_000);
      // The clock goes back to where it was: the next period begins in the same second.
      world.clock.setBy(-5_050);
      world.places.start("t");
    }
    await world.clock.advance(10_000);
    expect(world.windows("t")).toEqual([
      ...["*09:17:27-09:17:28 0", "09:17:28-09:17:29 1"],
      ...["*09:17:29-09:17:30 0", "09:17:30-09:17:31 1"],
      ...["*09:17:31-09:17:32 0", "09:17:32-09:17:33 1"],
    ]);
  });

  test("is validation turned off while the trail logs on: later files are in no digest, and begin no chain", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(hourMs / 2);
    world.places.stop("t");
    await world.clock.advance(10 * minuteMs);
    const process = await world.start();
    world.decide("t");
    world.decide("t", other);
    await world.clock.advance(3 * hourMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0", "09:17:28-09:47:28 1"]);
    expect(world.windows("t", other)).toEqual([]);
    expect(world.plans.size).toBe(0);
    expect(process.digests.isIdle("t")).toBe(true);
  });

  test("of which a file cannot be delivered holds up the next chain for one interval only", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(10 * minuteMs);
    world.decide("t", { afterMs: 9 * hourMs });
    world.places.stop("t");
    await world.clock.advance(10 * minuteMs);
    world.places.start("t");
    world.decide("t");
    await world.clock.advance(30 * minuteMs);
    expect(world.windows("t")).toHaveLength(1);
    await world.clock.advance(hourMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0", "09:17:28-09:27:28 2"]);
    world.decide("t");
    await world.clock.advance(9 * hourMs);
    expect(world.windows("t")[2]).toBe("*09:37:28-10:37:28 0");
    // The late file of the first period is named by the second chain.
    expect(world.chain("t").flatMap(({ logFiles }) => logFiles)).toHaveLength(4);
  });

  test("with nothing left to say in the very second of a digest's end needs no other digest", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    await world.clock.advance(hourMs - 640);
    world.places.stop("t");
    await world.clock.advance(10 * minuteMs);
    expect(world.windows("t")).toEqual(["*08:17:28-09:17:28 0", "09:17:28-10:17:28 1"]);
    expect(digests.isIdle("t")).toBe(true);
  });
});

describe("a clock that is set", () => {
  test("forward writes the empty hours, one after the other", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(minuteMs);
    world.clock.setBy(5 * hourMs);
    await world.clock.advance(10 * minuteMs);
    expect(world.windows("t")).toHaveLength(6);
  });

  test("back waits: ends go on increasing, and what came in between is named", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(2 * hourMs);
    world.clock.setBy(-90 * minuteMs);
    world.decide("t");
    await world.clock.advance(80 * minuteMs);
    world.decide("t");
    await world.clock.advance(2 * hourMs);
    expect(world.windows("t").slice(2)).toEqual(["10:17:28-11:17:28 2", "11:17:28-12:17:28 0"]);
  });

  test("forward by years writes one long window instead of every hour", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(minuteMs);
    world.clock.setBy(800 * hourMs);
    await world.clock.advance(10 * minuteMs);
    const [, long] = world.chain("t");
    expect([long?.digestStartTime, long?.digestEndTime]).toEqual([
      "2026-01-10T09:17:28Z",
      "2026-02-12T17:17:28Z",
    ]);
    expect(world.windows("t")).toHaveLength(2);
  });

  test("back by years does not keep a stop from ending the chain", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    await world.clock.advance(2 * hourMs);
    world.clock.setBy(-10_000 * hourMs);
    world.decide("t");
    world.places.stop("t");
    await world.clock.advance(10 * minuteMs);
    expect(world.windows("t").at(-1)).toBe("10:17:28-10:17:29 1");
    expect(digests.isIdle("t")).toBe(true);
  });
});

describe("a bucket that fails", () => {
  test("gets every digest later, with the same content and window, while log files go on", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    await world.clock.advance(5 * minuteMs);
    answerBy(world, { refuse: "AccessDenied" });
    for (let hour = 0; hour < 3; hour += 1) {
      world.decide("t");
      await world.clock.advance(hourMs);
    }
    expect(world.plans.size).toBe(0);
    expect(world.windows("t")).toHaveLength(1);
    expect(digests.report()).toMatchObject([{ phase: "waiting", failure: { code: "AccessDenied" } }]);
    expect(world.statuses.at(-1)).toBe("refused");
    // One probe at a time, five minutes apart at most.
    expect(world.bucket.puts.length).toBeLessThan(80);
    answerBy(world, "store");
    await world.clock.advance(10 * minuteMs);
    expect(world.windows("t").slice(1)).toEqual([
      ...["09:17:28-10:17:28 2", "10:17:28-11:17:28 1", "11:17:28-12:17:28 1"],
    ]);
    expect(world.statuses.at(-1)).toBe("stored");
    expect(digests.report()).toMatchObject([{ phase: "open" }]);
  });

  test.each(["lose", "hang"] as const)(
    "and answers nothing (%s) gets the same bytes once more",
    async (answer) => {
      const { world } = await begin();
      world.decide("t");
      answerBy(world, answer);
      await world.clock.advance(hourMs);
      answerBy(world, "store");
      await world.clock.advance(1.1 * hourMs);
      expect(world.windows("t")).toHaveLength(3);
      const first = world.bucket.puts.filter(({ key }) => key === world.bucket.puts[0]?.key);
      expect(first.length).toBeGreaterThan(1);
      expect(new Set(first.map(({ body }) => Buffer.from(body).toString("hex"))).size).toBe(1);
      expect(new Set(first.map(({ metadata }) => metadata.user?.["signature"])).size).toBe(1);
    },
  );

  test("does not delay the digests of another trail", async () => {
    const { world } = await begin();
    world.places.set("u", { bucket: "other" });
    world.places.start("u");
    world.bucket.answer = ({ bucket }) => (bucket === "logs" ? "hang" : "store");
    for (let chain = 0; chain < 12; chain += 1) {
      world.decide("t", { account: String(100_000_000_000 + chain) });
    }
    world.decide("u");
    await world.clock.advance(2 * minuteMs);
    expect(world.windows("u")).toHaveLength(1);
    world.bucket.answer = () => "store";
    await world.clock.advance(10 * minuteMs);
  });

  test("and that refused gives its digest to the place that UpdateTrail names, with the same window and files", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(5 * minuteMs);
    answerBy(world, { refuse: "NoSuchBucket" });
    await world.clock.advance(2.2 * hourMs);
    world.places.set("t", { bucket: "new", keyPrefix: "p" });
    answerBy(world, "store");
    await world.clock.advance(minuteMs);
    const chain = world.chain("t");
    expect(chain.map(({ digestS3Bucket }) => digestS3Bucket)).toEqual(["logs", "new", "new"]);
    expect(chain[1]?.previousDigestS3Bucket).toBe("logs");
    expect(world.windows("t").slice(1)).toEqual(["09:17:28-10:17:28 1", "10:17:28-11:17:28 0"]);
  });

  test("and that refused before a restart does so too", async () => {
    const { world, ...process } = await begin();
    world.decide("t");
    await world.clock.advance(5 * minuteMs);
    answerBy(world, { refuse: "NoSuchBucket" });
    await world.clock.advance(1.2 * hourMs);
    process.kill();
    world.places.set("t", { bucket: "new" });
    answerBy(world, "store");
    await world.start();
    await world.clock.advance(minuteMs);
    expect(world.chain("t").map(({ digestS3Bucket }) => digestS3Bucket)).toEqual(["logs", "new"]);
  });

  test("and that may have written keeps its digest: the next one goes to the new place", async () => {
    const { world } = await begin();
    world.decide("t");
    await world.clock.advance(5 * minuteMs);
    answerBy(world, "late");
    await world.clock.advance(70 * minuteMs);
    world.places.set("t", { bucket: "new" });
    answerBy(world, "store");
    await world.clock.advance(70 * minuteMs);
    world.bucket.landLate();
    expect(world.chain("t").map(({ digestS3Bucket }) => digestS3Bucket)).toEqual(["logs", "logs", "new"]);
  });
});

describe("a deleted trail", () => {
  test("gets its last digest, and leaves nothing behind", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    world.decide("t", other);
    await world.clock.advance(30 * minuteMs);
    world.decide("t", { afterMs: 10 * minuteMs });
    world.places.delete("t");
    await world.clock.advance(minuteMs);
    expect(digests.isIdle("t")).toBe(false);
    await world.clock.advance(20 * minuteMs);
    expect(digests.isIdle("t")).toBe(true);
    expect(world.windows("t").at(-1)).toBe("09:17:28-09:47:28 2");
    await digests.forget("t");
    expect(await world.state.list("")).toEqual([]);
    expect(digests.report()).toEqual([]);
  });

  test("whose bucket is gone is given up after its time, and said", async () => {
    const { world, digests } = await begin();
    world.decide("t");
    await world.clock.advance(5 * minuteMs);
    answerBy(world, { refuse: "NoSuchBucket" });
    world.places.delete("t");
    await world.clock.advance(50 * minuteMs);
    expect(digests.isIdle("t")).toBe(false);
    await world.clock.advance(20 * minuteMs);
    expect(digests.isIdle("t")).toBe(true);
    expect(world.log.of("error").map(({ message }) => message)).toEqual([
      "A digest was given up; the log files it would have named cannot be validated.",
    ]);
    expect(world.metrics.totals.get("digests_given_up_total")).toBe(1);
    await digests.forget("t");
    expect(await world.state.list("")).toEqual([]);
    // It was to be named, and was given up.
    world.files.clear();
  });
});

describe("a restart", () => {
  test("goes on with the chain, and writes what was due meanwhile", async () => {
    const { world, ...process } = await begin();
    world.decide("t");
    await world.clock.advance(90 * minuteMs);
    process.kill();
    world.decide("t");
    await world.clock.advance(2 * hourMs);
    await world.start();
    await world.clock.advance(hourMs);
    expect(world.windows("t")).toEqual([
      ...["*08:17:28-09:17:28 0", "09:17:28-10:17:28 1", "10:17:28-11:17:28 0", "11:17:28-12:17:28 0"],
      ...["12:17:28-13:17:28 1"],
    ]);
  });

  test("knows the plans whose files are noted, as long as they exist", async () => {
    const { world, digests, ...process } = await begin();
    world.decide("t");
    const [planId = ""] = world.plans.keys();
    await world.clock.advance(minuteMs);
    expect(digests.isNoted(planId)).toBe(false);
    process.kill();
    const plan = { planId, seq: 1, incarnation: "t", account: "123456789012", region: "us-east-1" };
    world.plans.set(planId, { ...plan, isValidated: true, notBeforeMs: 0 });
    const again = await world.start();
    // The process before had noted it: only its plan was left.
    expect(world.plans.size).toBe(0);
    await world.clock.advance(2 * hourMs);
    expect(again.digests.isNoted(planId)).toBe(false);
    expect(world.windows("t")[1]).toBe("09:17:28-10:17:28 1");
  });

  test("ends what was not awaited, and tells nothing of a try that was cut off", async () => {
    const { world, digests, ...process } = await begin();
    world.decide("t");
    answerBy(world, "hang");
    await world.clock.advance(1_000);
    process.kill();
    const stopped = digests.stop();
    await world.clock.advance(4_000);
    await stopped;
    const failures = world.statuses.length;
    await world.clock.advance(hourMs);
    expect(world.statuses.length).toBe(failures);
    answerBy(world, "store");
    await world.start();
    await world.clock.advance(minuteMs);
    expect(world.windows("t")).toHaveLength(2);
  });
});

test("a trail without validation costs nothing: no note, and nobody asks for evidence", async () => {
  const { world, digests } = await begin();
  world.places.set("plain", { bucket: "logs" });
  const file = {
    ...{ planId: "p", incarnation: "plain", trail: "arn", folder: "CloudTrail", bucket: "logs", key: "k" },
    deliveredMs: startMs,
    evidence: () => Promise.reject(new Error("Nobody needs this.")),
  } as unknown as Parameters<typeof digests.delivered>[0];
  await digests.delivered(file);
  expect(await world.state.list("")).toEqual([]);
});

test("a signer that fails is said, tried again, and delays no log file", async () => {
  const { world, digests } = await begin();
  const fingerprint = world.keys.fingerprint.bind(world.keys);
  world.keys.fingerprint = () => Promise.reject(new Error("No key can be made."));
  world.decide("t");
  await world.clock.advance(10 * minuteMs);
  expect(digests.report()).toMatchObject([{ phase: "waiting", failure: { message: "No key can be made." } }]);
  expect(world.plans.size).toBe(0);
  world.keys.fingerprint = fingerprint;
  await world.clock.advance(10 * minuteMs);
  expect(world.windows("t")).toHaveLength(1);
});

test("what is in a bucket says the same as what is kept: the last digest's hash and signature", async () => {
  const { world } = await begin();
  world.decide("t");
  await world.clock.advance(2 * hourMs);
  const [stored] = await world.state.list("delivery/chain/");
  const last = [...world.digests().values()].map(documentOf).at(-1);
  expect(stored?.value).toMatchObject({ phase: { kind: "open", previous: { key: last?.digestS3Object } } });
  expect(await world.state.list("delivery/evidence/")).toEqual([]);
});
