// Runs the bucket suite over the directory (real and simulated disk) and over S3 (our own door, and versitygw).
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import { openS3Buckets } from "../../src/bucket/s3.ts";
import type { DiskStep } from "../../src/disk/contract.ts";
import { nodeDisk } from "../../src/disk/node-disk.ts";
import { stepByStep } from "../../src/disk/step-by-step.ts";
import { describeWith } from "../harness/outside-program.ts";
import { versitygw, versitygwCredentials, versitygwServer } from "../harness/versitygw.ts";
import { SimulatedDisk } from "../sim/simulated-disk.ts";
import { simulatedTree } from "../sim/simulated-tree.ts";
import { type BucketHarness, bucketSuite, oddKeys } from "./bucket.suite.ts";
import { serveBucketDoor } from "./serve-bucket-door.ts";

const clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: () => Promise.resolve(),
};
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-buckets-"));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

function directoryHarness(store: ReturnType<typeof openDirectoryBuckets>): BucketHarness {
  return {
    store,
    administration: store,
    objects: store,
    makeBucket: async (name) => {
      await store.create(name);
    },
    putPolicy: (bucket, text) => store.putPolicy(bucket, text),
    close: () => Promise.resolve(),
  };
}

bucketSuite("directory on the real disk", {
  open: async () =>
    directoryHarness(
      openDirectoryBuckets({
        root: join(await newFolder(), "buckets"),
        clock,
        partBytesMin: 0,
        shareBodies: true,
      }),
    ),
});

bucketSuite("directory on a simulated disk", {
  open: () => {
    const world = simulatedTree(new SimulatedDisk({ seed: 7 }));
    return Promise.resolve(
      directoryHarness(
        openDirectoryBuckets({ root: "/buckets", clock, ...world, partBytesMin: 0, shareBodies: true }),
      ),
    );
  },
  runs: 10,
});

bucketSuite("S3 client against Cairn's bucket door", {
  open: async () => {
    const directory = openDirectoryBuckets({ root: await newFolder(), clock, shareBodies: true });
    const server = await serveBucketDoor(directory);
    const credentials = { accessKeyId: "111122223333", secretAccessKey: "secret" };
    const store = await openS3Buckets({
      endpoint: server.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials,
    });
    return {
      store,
      makeBucket: async (name) => {
        await directory.create(name);
      },
      putPolicy: (bucket, text) => directory.putPolicy(bucket, text),
      close: async () => {
        store.close();
        await server.close();
      },
    };
  },
  runs: 15,
});

describeWith([versitygw])("with versitygw", () => {
  const posix = "versitygw over posix maps keys to paths as they are";
  bucketSuite("S3 client against versitygw", {
    open: openVersitygw,
    skip: [
      { test: "odd keys live side by side, and none escapes", reason: posix },
      { test: "keys `a`, `a/b` and `a/b/c` coexist whatever the order", reason: posix },
      {
        test: "generated keys: what is put is there, and the list has exactly them, in order",
        reason: posix,
      },
      { test: "generated listings are those of the naive list", reason: posix },
      { test: "readers see the old object or the new one", reason: posix },
      { test: "many puts at once", reason: posix },
    ],
  });
});

async function openVersitygw(): Promise<BucketHarness> {
  const server = await versitygwServer();
  await server.start();
  const access = { endpoint: server.url, region: "us-east-1", credentials: versitygwCredentials };
  const store = await openS3Buckets({ ...access, forcePathStyle: true });
  const { CreateBucketCommand, PutBucketPolicyCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({ ...access, forcePathStyle: true });
  return {
    store,
    makeBucket: async (Bucket) => {
      await client.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "BucketOwnerPreferred" }));
    },
    putPolicy: async (Bucket, Policy) => {
      await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    },
    close: async () => {
      store.close();
      client.destroy();
      await server.dispose();
    },
  };
}

describe("the directory", () => {
  test("holds ordinary objects as plain files under their keys", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock, shareBodies: true });
    await store.create("logs");
    const key = oddKeys.at(-1) ?? "";
    await store.put({ bucket: "logs", key, body: Buffer.from("real bytes"), metadata: {} });
    expect(await readFile(join(root, "logs", key), "utf8")).toBe("real bytes");
    expect((await readdir(root)).sort()).toEqual([".cairn", "logs"]);
    expect(await readdir(join(root, ".cairn/tmp"))).toEqual([]);
  });

  test("a file that somebody copied there is an object with sane metadata", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock, shareBodies: true });
    await store.create("logs");
    await writeFile(join(root, "logs/x.json.gz"), "gzip bytes");
    await writeFile(join(root, "logs/né"), "its name is none of ours");
    expect(await store.head("logs", "x.json.gz")).toMatchObject({
      sizeBytes: 10,
      etag: createHash("md5").update("gzip bytes").digest("hex"),
      metadata: { contentType: "application/json", contentEncoding: "gzip" },
    });
    expect((await store.list({ bucket: "logs" })).objects.map(({ key }) => key)).toEqual(["x.json.gz"]);
    await expect(store.remove("logs")).rejects.toMatchObject({ code: "BucketNotEmpty" });
  });

  test("a file that somebody changed is not described as it was", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock, shareBodies: true });
    await store.create("logs");
    await store.put({
      bucket: "logs",
      key: "k",
      body: Buffer.from("before"),
      metadata: { user: { a: "b" } },
    });
    await writeFile(join(root, "logs/k"), "after!");
    const unasked = { contentType: "binary/octet-stream", encryption: { algorithm: "AES256" } };
    expect((await store.get("logs", "k"))?.head.metadata).toEqual(unasked);
    await writeFile(join(root, "logs/k"), "longer than before");
    expect((await store.head("logs", "k"))?.metadata).toEqual(unasked);
  });

  test("a bucket that was removed by hand is gone, and can be made again", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock, shareBodies: true });
    await store.create("logs");
    await store.putPolicy("logs", "{}");
    const object = { bucket: "logs", key: "a/b/c", body: Buffer.from("x"), metadata: {} };
    await store.put(object);
    await rm(join(root, "logs/a"), { recursive: true });
    expect(await store.put(object)).toMatchObject({ kind: "stored" });
    await rm(join(root, "logs"), { recursive: true });
    expect(await store.presence("logs")).toBe("missing");
    expect(await store.put(object)).toMatchObject({ kind: "refused", code: "NoSuchBucket" });
    expect(await store.create("logs")).toBe("created");
    expect(await store.policy("logs")).toEqual({ kind: "none" });
    expect(await store.put(object)).toMatchObject({ kind: "stored" });
  });

  test("one body under several keys is one file but for the first, and each object stays its own", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock, shareBodies: true });
    await store.create("logs");
    const body = Buffer.from("the same for all");
    const metadata = { contentType: "application/json", contentEncoding: "gzip" };
    for (const key of ["a.json.gz", "b.json.gz", "c.json.gz"])
      await store.put({ bucket: "logs", key, body, metadata });
    const numberOf = async (key: string) => (await stat(join(root, "logs", key))).ino;
    expect(await numberOf("b.json.gz")).toBe(await numberOf("c.json.gz"));
    expect(await numberOf("a.json.gz")).not.toBe(await numberOf("b.json.gz"));
    await store.put({ bucket: "logs", key: "b.json.gz", body: Buffer.from("another"), metadata });
    await store.deleteObject("logs", "a.json.gz");
    const found = await store.get("logs", "c.json.gz");
    expect(found && Buffer.from(found.body).toString()).toBe("the same for all");
    expect(found?.head.metadata).toMatchObject(metadata);
  });

  test("unless it is asked for, equal objects do not hang together", async () => {
    const root = await newFolder();
    const store = openDirectoryBuckets({ root, clock });
    const body = Buffer.from("the same for all");
    for (const bucket of ["one", "two", "three"]) {
      await store.create(bucket);
      await store.put({ bucket, key: "log.json.gz", body, metadata: {} });
    }
    await writeFile(join(root, "one/log.json.gz"), "changed in place");
    expect((await store.get("two", "log.json.gz"))?.body).toEqual(body);
    expect((await store.get("three", "log.json.gz"))?.body).toEqual(body);
  });

  test("where there are no links, each object is written", async () => {
    const root = await newFolder();
    const link = () => Promise.reject(Object.assign(new Error("EPERM"), { code: "EPERM" }));
    const calls = { ...nodeDisk(), link, isThere: () => Promise.resolve(false) };
    const disk = { ...calls, inOrder: (steps: readonly DiskStep[]) => stepByStep(calls, steps) };
    const store = openDirectoryBuckets({ root, clock, disk, shareBodies: true });
    await store.create("logs");
    const body = Buffer.from("the same for all");
    for (const key of ["a", "b", "c", "d"]) {
      expect(await store.put({ bucket: "logs", key, body, metadata: {} })).toMatchObject({ kind: "stored" });
      expect((await store.get("logs", key))?.body).toEqual(body);
    }
    expect(await readdir(join(root, ".cairn/tmp"))).toEqual([]);
  });

  test("what a crash left unfinished is removed at the first use", async () => {
    const root = await newFolder();
    const first = openDirectoryBuckets({ root, clock, shareBodies: true });
    await first.create("logs");
    await writeFile(join(root, ".cairn/tmp/99"), "half of some");
    const second = openDirectoryBuckets({ root, clock, shareBodies: true });
    await second.put({ bucket: "logs", key: "k", body: Buffer.from("x"), metadata: {} });
    expect(await readdir(join(root, ".cairn/tmp"))).toEqual([]);
  });
});
