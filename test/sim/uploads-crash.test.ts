// Multipart uploads, copies and tags on a disk that forgets and fails: after every single disk call of a script, an object is
// the old one or the whole new one, what was acknowledged is there, and a completion repeated afterwards answers the same.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import type { DirectoryStore, StoredObject } from "../../src/bucket/object-contract.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { simulatedTree } from "./simulated-tree.ts";

const bucket = "logs";
const key = "a/large";
const before = "the object that was there";
const parts = ["first part, replaced later", "second part", "the last"];
const whole = `FIRST PART${parts[1] ?? ""}${parts[2] ?? ""}`;
const initiator = { account: "111122223333", arn: "arn:aws:iam::111122223333:user/mary" };

const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const etags = ["FIRST PART", parts[1] ?? "", parts[2] ?? ""].map(md5);
const compositeEtag = `${createHash("md5")
  .update(Buffer.from(etags.join(""), "hex"))
  .digest("hex")}-3`;

function open(disk: SimulatedDisk, nowMs = 1_768_036_000_000): DirectoryStore {
  const clock = { nowMs: () => nowMs, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  return openDirectoryBuckets({ root: "/data/buckets", clock, ...simulatedTree(disk), partBytesMin: 2 });
}

/** How far the script came: what it was told. */
interface Progress {
  uploadId?: string;
  parts: number;
  isCompleted?: true;
  isCopied?: true;
  isTagged?: true;
  isAborted?: true;
  otherId?: string;
}

type Step = (store: DirectoryStore, progress: Progress) => Promise<void>;

const upload = {
  bucket,
  key,
  initiator,
  metadata: { contentType: "text/x" },
  tags: [{ key: "t", value: "1" }],
};
const named = ({ uploadId = "" }: Progress) => ({ bucket, key, uploadId });
const part =
  (number: number, text: string): Step =>
  async (store, progress) => {
    const { etag } = await store.uploads.putPart(named(progress), { number, pieces: Buffer.from(text) });
    expect(etag).toBe(md5(text));
    progress.parts = Math.max(progress.parts, number);
  };
const wanted = etags.map((etag, index) => ({ number: index + 1, etag }));

const steps: readonly Step[] = [
  async (store, progress) => {
    progress.uploadId = await store.uploads.create(upload, "11111111-1111-4111-8111-111111111111");
  },
  part(1, parts[0] ?? ""),
  part(2, parts[1] ?? ""),
  part(1, "FIRST PART"),
  part(3, parts[2] ?? ""),
  async (store, progress) => {
    const made = await store.uploads.complete(named(progress), { parts: wanted });
    expect(made.etag).toBe(compositeEtag);
    progress.isCompleted = true;
  },
  async (store, progress) => {
    const source = await store.open(bucket, key);
    if (!source) throw new Error("There is no source.");
    try {
      await store.copy({ source, bucket, key: "copy", metadata: {}, tags: [{ key: "c", value: "2" }] });
    } finally {
      await source.close();
    }
    progress.isCopied = true;
  },
  async (store, progress) => {
    expect(await store.setTags(bucket, "copy", [{ key: "new", value: "3" }])).toBe(true);
    progress.isTagged = true;
  },
  async (store, progress) => {
    progress.otherId = await store.uploads.create(
      { ...upload, key: "never" },
      "22222222-2222-4222-8222-222222222222",
    );
    await store.uploads.putPart(
      { bucket, key: "never", uploadId: progress.otherId },
      {
        ...{ number: 1, pieces: Buffer.from("forgotten") },
      },
    );
  },
  async (store, progress) => {
    await store.uploads.abort({ bucket, key: "never", uploadId: progress.otherId ?? "" });
    progress.isAborted = true;
  },
];

async function started(seed: number): Promise<{ disk: SimulatedDisk; store: DirectoryStore }> {
  const disk = new SimulatedDisk({ seed });
  const store = open(disk);
  await store.create(bucket);
  await store.put({ bucket, key, body: Buffer.from(before), metadata: { contentType: "text/old" } });
  return { disk, store };
}

async function callsOfScript(): Promise<number> {
  const { disk, store } = await started(1);
  const first = disk.calls();
  const progress: Progress = { parts: 0 };
  for (const step of steps) await step(store, progress);
  return disk.calls() - first;
}

async function textOf(store: DirectoryStore, name: string): Promise<string | undefined> {
  const found = await store.get(bucket, name);
  return found && Buffer.from(found.body).toString();
}

async function check(store: DirectoryStore, progress: Progress, where: string): Promise<void> {
  const head = await store.describe(bucket, key);
  const text = await textOf(store, key);
  expect(progress.isCompleted ? [whole] : [before, whole], where).toContain(text);
  checkHead(head, text === whole, where);
  const copy = await textOf(store, "copy");
  expect(progress.isCopied ? [whole] : [undefined, whole], where).toContain(copy);
  const tags = (await store.describe(bucket, "copy"))?.tags?.map((tag) => tag.key);
  if (progress.isTagged) expect(tags, where).toEqual(["new"]);
  else if (copy !== undefined) expect([["c"], ["new"]], where).toContainEqual(tags);
  const listed = await store.uploads.list(bucket);
  if (progress.isAborted)
    expect(
      listed.map((item) => item.key),
      where,
    ).not.toContain("never");
  expect(
    (await store.list({ bucket })).objects.map((item) => item.key),
    where,
  ).toEqual(copy === undefined ? [key] : [key, "copy"]);
}

function checkHead(head: StoredObject | undefined, isWhole: boolean, where: string): void {
  if (!isWhole) {
    expect(head, where).toMatchObject({ etag: md5(before), metadata: { contentType: "text/old" } });
    expect(head?.uploadId, where).toBeUndefined();
    return;
  }
  expect(head, where).toMatchObject({
    ...{ etag: compositeEtag, sizeBytes: whole.length, metadata: { contentType: "text/x" } },
    tags: [{ key: "t", value: "1" }],
  });
}

/** What a client does that heard nothing: it asks again until it is told. */
async function finish(store: DirectoryStore, progress: Progress, where: string): Promise<void> {
  if (progress.uploadId === undefined || progress.parts < 3) return;
  const parts = await partsOf(store, progress);
  // The upload is gone only when its object is there.
  if (parts === undefined) expect(await textOf(store, key), where).toBe(whole);
  else expect(parts.slice(0, 3), where).toEqual(etags);
  for (let time = 1; time <= 2; time++) {
    const made = await store.uploads.complete(named(progress), { parts: wanted });
    expect(made.etag, where).toBe(compositeEtag);
  }
  expect(await textOf(store, key), where).toBe(whole);
  await expect(store.uploads.find(named(progress))).rejects.toMatchObject({ code: "NoSuchUpload" });
}

async function partsOf(store: DirectoryStore, progress: Progress): Promise<string[] | undefined> {
  try {
    const stored = await store.uploads.parts(named(progress), { after: 0, count: 10 });
    return stored.map(({ etag }) => etag);
  } catch (error) {
    expect(error).toMatchObject({ code: "NoSuchUpload" });
    return undefined;
  }
}

describe("multipart uploads on a bad disk", () => {
  test.each([1, 2, 3])("die at any call (seed %i)", async (seed) => {
    const calls = await callsOfScript();
    expect(calls).toBeGreaterThan(100);
    for (let dyingCall = 1; dyingCall <= calls; dyingCall++) {
      const { disk, store } = await started(seed * 10_000 + dyingCall);
      disk.dieAtCall(dyingCall);
      const progress: Progress = { parts: 0 };
      try {
        for (const step of steps) await step(store, progress);
      } catch {
        // The machine went down; what it said until then must hold.
      }
      const survivor = open(disk.crash());
      const where = `after dying at call ${dyingCall}`;
      await check(survivor, progress, where);
      await finish(survivor, progress, where);
    }
  });

  test.each(["before", "partial", "after"] as const)("fail at any call, %s it", async (effect) => {
    const calls = await callsOfScript();
    for (let failingCall = 1; failingCall <= calls; failingCall++) {
      const { disk, store } = await started(failingCall);
      disk.failCall(failingCall, effect);
      const progress: Progress = { parts: 0 };
      const where = `call ${failingCall} having failed ${effect}`;
      for (const step of steps) {
        try {
          await step(store, progress);
        } catch {
          await check(store, progress, where);
          await step(store, progress).catch((error: unknown) => {
            // An abort that failed half way may have been carried out.
            expect(error, where).toMatchObject({ code: "NoSuchUpload" });
            progress.isAborted = true;
          });
        }
      }
      expect(progress.isCompleted, where).toBe(true);
      await check(store, progress, where);
      await check(open(disk.crash()), progress, `${where}, after a crash`);
    }
  });

  test("what nobody ends is gone after a week, with its files", async () => {
    const { disk, store } = await started(5);
    const progress: Progress = { parts: 0 };
    for (const step of steps.slice(0, 4)) await step(store, progress);
    const weekLater = open(disk, 1_768_036_000_000 + 8 * 86_400_000);
    await expect(weekLater.uploads.find(named(progress))).rejects.toMatchObject({ code: "NoSuchUpload" });
    expect(await weekLater.uploads.list(bucket)).toEqual([]);
    await weekLater.uploads.create({ ...upload, key: "b" }, "33333333-3333-4333-8333-333333333333");
    expect(disk.files().filter((path) => path.includes(progress.uploadId ?? "?"))).toEqual([]);
  });

  test("so many at once, and no more until one ends", async () => {
    const clock = { nowMs: () => 1, monotonicMs: () => 0, sleep: () => Promise.resolve() };
    const tree = simulatedTree(new SimulatedDisk({ seed: 7 }));
    const store = openDirectoryBuckets({ root: "/data/buckets", clock, ...tree, uploadsMax: 3 });
    await store.create(bucket);
    const ids: string[] = [];
    for (const unique of ["1", "2", "3"]) ids.push(await store.uploads.create(upload, unique));
    await expect(store.uploads.create(upload, "4")).rejects.toMatchObject({ code: "SlowDown" });
    await store.uploads.abort({ bucket, key, uploadId: ids[1] ?? "" });
    expect(await store.uploads.create(upload, "4")).toMatch(/^[0-9a-z]{41}$/);
  });

  test("a bucket made again has no uploads or tags of the one before", async () => {
    const { disk, store } = await started(6);
    const progress: Progress = { parts: 0 };
    for (const step of steps.slice(0, 3)) await step(store, progress);
    await store.setBucketTags(bucket, [{ key: "a", value: "b" }]);
    await store.deleteObject(bucket, key);
    await store.remove(bucket);
    expect(disk.files()).toEqual([]);
    await store.create(bucket);
    expect(await store.uploads.list(bucket)).toEqual([]);
    expect(await store.bucketTags(bucket)).toEqual([]);
    await expect(store.uploads.find(named(progress))).rejects.toMatchObject({ code: "NoSuchUpload" });
  });
});
