// The bucket directory on a disk that forgets and fails: after every single disk call of a script of operations, and for
// several seeds, an object is the old one or the new one, with the metadata that belongs to it.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { simulatedTree } from "./simulated-tree.ts";

const clock = { nowMs: () => 1_768_036_000_000, monotonicMs: () => 0, sleep: () => Promise.resolve() };
const bucket = "logs";

type Step =
  | { readonly kind: "put"; readonly key: string; readonly text: string; readonly body?: Uint8Array }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "policy"; readonly text: string };

const put = (key: string, text: string): Step => ({ kind: "put", key, text });
/** A log file that says of itself what its name says; one body under several keys. */
const shared = Buffer.from("shared by several trails");
const putShared = (key: string): Step => ({ kind: "put", key, text: shared.toString(), body: shared });
/** A log file that one trail has alone. */
const putLog = (key: string, number: number): Step => {
  const text = `log file ${number}`;
  return { kind: "put", key, text, body: Buffer.from(text) };
};
const logMetadata = {
  contentType: "application/json",
  contentEncoding: "gzip",
  encryption: { algorithm: "AES256" },
} as const;
const script: readonly Step[] = [
  put("a", "first"),
  put("x/y/z.json.gz", "log file"),
  put("a", "other"),
  { kind: "policy", text: '{"one":1}' },
  put("a/b", "a folder now"),
  put("a", "longer than before"),
  put("a/b/c", "deeper"),
  { kind: "delete", key: "a" },
  put("a", "back again"),
  { kind: "policy", text: '{"number":2}' },
  { kind: "delete", key: "x/y/z.json.gz" },
  put("x/y", "where a folder was"),
  put("a/b", "replaced, aside"),
  put("a/b", "replaced, aside"),
  putShared("l/1.json.gz"),
  putShared("l/2.json.gz"),
  putShared("l/3.json.gz"),
  putShared("l/2.json.gz"),
  { kind: "delete", key: "l/2.json.gz" },
  putShared("l/2.json.gz"),
  putShared("l/3.json.gz/folder.json.gz"),
  putLog("m/1.json.gz", 1),
  putLog("m/2.json.gz", 2),
  putLog("m/2.json.gz", 30),
  putLog("m/1.json.gz", 4),
  { kind: "delete", key: "m/2.json.gz" },
  putLog("m/2.json.gz", 5),
  putLog("m/2.json.gz/below.json.gz", 6),
  putLog("m/2.json.gz", 7),
];
const keys = [...new Set(script.flatMap((step) => (step.kind === "policy" ? [] : [step.key])))];
const policyName = "(policy)";

type Buckets = ReturnType<typeof openDirectoryBuckets>;
/** What each key holds, and the policy under its own name. */
type Expected = Map<string, string | undefined>;

function open(disk: SimulatedDisk): Buckets {
  return openDirectoryBuckets({ root: "/data/buckets", clock, ...simulatedTree(disk), shareBodies: true });
}

async function run(store: Buckets, step: Step): Promise<void> {
  if (step.kind === "delete") return store.deleteObject(bucket, step.key);
  if (step.kind === "policy") return store.putPolicy(bucket, step.text);
  const outcome = await store.put({
    bucket,
    key: step.key,
    body: step.body ?? Buffer.from(step.text),
    metadata: step.body ? logMetadata : { contentType: "text/plain", user: { text: step.text } },
  });
  expect(outcome.kind).not.toBe("refused");
  if (outcome.kind !== "stored") throw new Error("The put is unknown.");
}

function apply(expected: Expected, step: Step): void {
  if (step.kind === "policy") expected.set(policyName, step.text);
  else expected.set(step.key, step.kind === "put" ? step.text : undefined);
}

/** Every key is as expected, or as the unfinished step would have left it. */
async function check(
  store: Buckets,
  expected: Expected,
  unfinished: Step | undefined,
  where: string,
): Promise<void> {
  const after = new Map(expected);
  if (unfinished) apply(after, unfinished);
  const present: string[] = [];
  for (const key of keys) {
    const found = await store.get(bucket, key);
    const text = found && Buffer.from(found.body).toString();
    expect([expected.get(key), after.get(key)], `${key} ${where}`).toContain(text);
    if (text === undefined) continue;
    present.push(key);
    const isLog = text === shared.toString() || /^log file \d/.test(text);
    const metadata = isLog ? logMetadata : { user: { text } };
    expect(found?.head.metadata, `metadata of ${key} ${where}`).toMatchObject(metadata);
    const head = await store.head(bucket, key);
    const etag = createHash("md5").update(text).digest("hex");
    expect(head, `head of ${key} ${where}`).toMatchObject({ etag, metadata });
  }
  const listed = (await store.list({ bucket })).objects.map((object) => object.key);
  expect(listed, where).toEqual(present.sort());
  const policy = await store.policy(bucket);
  const text = policy.kind === "policy" ? policy.text : undefined;
  expect([expected.get(policyName), after.get(policyName)], `policy ${where}`).toContain(text);
}

async function started(seed: number): Promise<{ disk: SimulatedDisk; store: Buckets }> {
  const disk = new SimulatedDisk({ seed });
  const store = open(disk);
  expect(await store.create(bucket)).toBe("created");
  return { disk, store };
}

async function callsOfScript(): Promise<number> {
  const { disk, store } = await started(1);
  const before = disk.calls();
  for (const step of script) await run(store, step);
  return disk.calls() - before;
}

describe("the bucket directory on a bad disk", () => {
  test.each([1, 2, 3])("dies at any call (seed %i)", async (seed) => {
    const calls = await callsOfScript();
    expect(calls).toBeGreaterThan(200);
    for (let dyingCall = 1; dyingCall <= calls; dyingCall++) {
      const { disk, store } = await started(seed * 10_000 + dyingCall);
      disk.dieAtCall(dyingCall);
      const expected: Expected = new Map();
      let unfinished: Step | undefined;
      for (const step of script) {
        try {
          await run(store, step);
          apply(expected, step);
        } catch {
          unfinished = step;
          break;
        }
      }
      const survivor = open(disk.crash());
      await check(survivor, expected, unfinished, `after dying at call ${dyingCall}`);
      for (const key of keys) await run(survivor, put(key, "after the crash"));
      const again = new Map<string, string | undefined>(keys.map((key) => [key, "after the crash"]));
      const policy = await survivor.policy(bucket);
      again.set(policyName, policy.kind === "policy" ? policy.text : undefined);
      await check(survivor, again, undefined, `written again after dying at call ${dyingCall}`);
    }
  });

  test.each(["before", "partial", "after"] as const)("fails at any call, %s it", async (effect) => {
    const calls = await callsOfScript();
    for (let failingCall = 1; failingCall <= calls; failingCall++) {
      const { disk, store } = await started(failingCall);
      disk.failCall(failingCall, effect);
      const expected: Expected = new Map();
      for (const step of script) {
        try {
          await run(store, step);
        } catch {
          await check(store, expected, step, `after call ${failingCall} failed`);
          await run(store, step);
        }
        apply(expected, step);
      }
      await check(store, expected, undefined, `in the end, call ${failingCall} having failed`);
      await check(
        open(disk.crash()),
        expected,
        undefined,
        `after a crash, call ${failingCall} having failed`,
      );
    }
  });
});
