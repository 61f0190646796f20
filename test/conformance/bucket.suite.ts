// What every bucket store must do: one suite, run by bucket.test.ts over each implementation.
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BucketAdministration,
  BucketError,
  type BucketStore,
  type ListRequest,
  type ObjectMetadata,
} from "../../src/bucket/contract.ts";
import type { ObjectAdministration } from "../../src/bucket/object-contract.ts";

export interface BucketHarness {
  readonly store: BucketStore;
  /** Makes an empty bucket. */
  makeBucket(name: string): Promise<void>;
  putPolicy(bucket: string, text: string): Promise<void>;
  /** Absent where buckets are made by other means. */
  readonly administration?: BucketAdministration;
  /** Absent where a store can only put and get whole objects. Parts may be of any size. */
  readonly objects?: ObjectAdministration;
  close(): Promise<void>;
}

export interface BucketSuiteOptions {
  readonly open: () => Promise<BucketHarness>;
  /** Tests that this implementation cannot pass, with the reason. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
  /** How many random cases a property tries. */
  readonly runs?: number;
}

const seed = 20_260_110;
/** Some go through hundreds of keys, each of which is synced twice: a busy disk takes more than a minute for that. */
const slowDiskMs = 240_000;
const plain: ObjectMetadata = { contentType: "text/plain" };

/** Keys that have broken stores: dots, empty segments, escapes, case, control characters, long names, markers of our own. */
export const oddKeys: readonly string[] = [
  ...[
    "a",
    "a/b",
    "a/b/c",
    "a!",
    "a0",
    "A",
    "a b",
    "a+b",
    "a=b&c",
    "a%2Fb",
    "%",
    "%%",
    "%2E",
    "%_",
    "%+",
    "a%object",
    "a%meta",
  ],
  ...[
    ".",
    "..",
    "../x",
    "../../etc/passwd",
    "a/../b",
    "a/./b",
    "./a",
    ".hidden",
    "...",
    "~",
    "-rf",
    ".cairn",
    ".cairn/tmp/1",
  ],
  ...["/", "//", "/a", "a/", "a//", "a//b", "dir/", "dir//", "dir/file"],
  ...[
    "\u0001",
    "tab\there",
    "line\nbreak",
    "quote'\"`",
    "back\\slash",
    "<&>",
    "?query#hash",
    "*",
    "[x]{y}|z;$HOME",
  ],
  ...["é", "日本語/キー", "😀", "\u{10FFFF}", "\uFFFD", "e\u0301", "\u200B", "CON", "nul.txt"],
  ...[
    "x".repeat(255),
    "x".repeat(256),
    "x".repeat(240),
    "x".repeat(241),
    `${"y".repeat(300)}/z`,
    "y".repeat(300),
    "é".repeat(500),
  ],
  ...[
    `${"x".repeat(238)}é`,
    `${"x".repeat(239)}%`,
    `${"x".repeat(240)}.`,
    `${"x".repeat(240)}..`,
    "z".repeat(1024),
    "/".repeat(1024),
  ],
  "AWSLogs/111122223333/CloudTrail/",
  "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/10/111122223333_CloudTrail_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
];

export function bucketSuite(name: string, options: BucketSuiteOptions): void {
  const runs = options.runs ?? 40;
  const skipped = new Set(options.skip?.map(({ test }) => test));
  const known = new Set<string>();
  const check = (title: string, work: () => Promise<void>) => {
    known.add(title);
    test.skipIf(skipped.has(title))(title, work, slowDiskMs);
  };

  describe(`bucket store: ${name}`, () => {
    let harness: BucketHarness;
    let store: BucketStore;
    let count = 0;

    beforeAll(async () => {
      harness = await options.open();
      store = harness.store;
    });
    afterAll(() => harness.close());

    async function newBucket(): Promise<string> {
      count += 1;
      const bucket = `suite-${count}`;
      await harness.makeBucket(bucket);
      return bucket;
    }

    async function put(bucket: string, key: string, text = key): Promise<string> {
      const outcome = await store.put({ bucket, key, body: Buffer.from(text), metadata: plain });
      expect(outcome, JSON.stringify(key.slice(0, 80))).toMatchObject({ kind: "stored" });
      return outcome.kind === "stored" ? outcome.etag : "";
    }

    async function text(bucket: string, key: string): Promise<string | undefined> {
      const found = await store.get(bucket, key);
      return found && Buffer.from(found.body).toString();
    }

    async function listAll(
      request: ListRequest,
    ): Promise<{ keys: string[]; prefixes: string[]; pages: number }> {
      const [keys, prefixes]: [string[], string[]] = [[], []];
      let startAfter = request.startAfter;
      for (let pages = 1; ; pages++) {
        const page = await store.list({ ...request, ...(startAfter !== undefined && { startAfter }) });
        expect(page.objects.length + page.commonPrefixes.length).toBeLessThanOrEqual(request.keysMax ?? 1000);
        keys.push(...page.objects.map((object) => object.key));
        prefixes.push(...page.commonPrefixes);
        if (page.nextStartAfter === undefined) return { keys, prefixes, pages };
        startAfter = page.nextStartAfter;
        expect(pages).toBeLessThan(2000);
      }
    }

    check("what was put comes back, with its MD5 as ETag", async () => {
      const bucket = await newBucket();
      for (const body of [Buffer.alloc(0), Buffer.from("text"), Buffer.alloc(5_000_000, "0123456789")]) {
        const etag = createHash("md5").update(body).digest("hex");
        expect(await store.put({ bucket, key: "k", body, metadata: plain })).toEqual({
          kind: "stored",
          etag,
        });
        const found = await store.get(bucket, "k");
        expect(found && Buffer.compare(found.body, body)).toBe(0);
        expect(found?.head).toMatchObject({ key: "k", sizeBytes: body.length, etag });
        expect(await store.head(bucket, "k")).toMatchObject({ key: "k", sizeBytes: body.length, etag });
        expect((await store.list({ bucket })).objects).toMatchObject([
          { key: "k", sizeBytes: body.length, etag },
        ]);
      }
    });

    check("a missing object is undefined", async () => {
      const bucket = await newBucket();
      await put(bucket, "a/b");
      for (const key of ["x", "a", "a/", "a/b/", "a/b/c", "b", "", "x".repeat(1025)]) {
        expect(await store.get(bucket, key), key).toBeUndefined();
        expect(await store.head(bucket, key), key).toBeUndefined();
      }
    });

    check("a missing bucket is told", async () => {
      const bucket = "no-such-bucket-here";
      const outcome = await store.put({ bucket, key: "k", body: Buffer.from("x"), metadata: plain });
      expect(outcome).toMatchObject({ kind: "refused", code: "NoSuchBucket" });
      await expect(store.get(bucket, "k")).rejects.toMatchObject({
        name: "BucketError",
        code: "NoSuchBucket",
      });
      await expect(store.list({ bucket })).rejects.toBeInstanceOf(BucketError);
      expect(await store.head(bucket, "k")).toBeUndefined();
      expect(await store.presence(bucket)).toBe("missing");
      expect((await store.policy(bucket)).kind).toBe("unreadable");
    });

    check("presence", async () => {
      expect(await store.presence(await newBucket(), AbortSignal.timeout(10_000))).toBe("exists");
    });

    check("metadata comes back", async () => {
      const bucket = await newBucket();
      const metadata: ObjectMetadata = {
        contentType: "application/json",
        contentEncoding: "gzip",
        cacheControl: "no-store",
        contentDisposition: 'attachment; filename="x.json.gz"',
        user: { signature: "ab".repeat(256), "signature-algorithm": "SHA256withRSA" },
      };
      await store.put({
        bucket,
        key: "d",
        body: Buffer.from("x"),
        metadata,
        acl: "bucket-owner-full-control",
      });
      expect((await store.get(bucket, "d"))?.head.metadata).toMatchObject(metadata);
      expect((await store.head(bucket, "d"))?.metadata).toMatchObject(metadata);
      await store.put({ bucket, key: "d", body: Buffer.from("x"), metadata: plain });
      expect((await store.head(bucket, "d"))?.metadata.user, "replaced with the object").toBeUndefined();
    });

    check("the encryption asked for is accepted", async () => {
      const bucket = await newBucket();
      const metadata: ObjectMetadata = { ...plain, encryption: { algorithm: "AES256" } };
      const asked = { bucket, body: Buffer.from("x"), metadata, acl: "bucket-owner-full-control" };
      expect(await store.put({ ...asked, key: "k" })).toMatchObject({ kind: "stored" });
      expect(await store.put({ ...asked, key: "l" })).toMatchObject({ kind: "stored" });
      expect(await text(bucket, "l")).toBe("x");
    });

    check("ranges include both ends", async () => {
      const bucket = await newBucket();
      await put(bucket, "k", "0123456789");
      const part = async (first: number, last: number) => {
        const found = await store.get(bucket, "k", { first, last });
        expect(found?.head.sizeBytes).toBe(10);
        return found && Buffer.from(found.body).toString();
      };
      expect(await part(0, 0)).toBe("0");
      expect(await part(3, 5)).toBe("345");
      expect(await part(9, 9)).toBe("9");
      expect(await part(8, 1_000_000)).toBe("89");
      expect(await store.get(bucket, "none", { first: 0, last: 1 })).toBeUndefined();
      await expect(store.get(bucket, "k", { first: 10, last: 12 })).rejects.toMatchObject({
        code: "InvalidRange",
      });
    });

    check("put replaces, or not when it must not", async () => {
      const bucket = await newBucket();
      await put(bucket, "k", "one");
      await put(bucket, "k", "two!");
      expect(await text(bucket, "k")).toBe("two!");
      const asked = { bucket, body: Buffer.from("three"), metadata: plain, ifAbsent: true } as const;
      expect(await store.put({ ...asked, key: "k" })).toMatchObject({
        kind: "refused",
        code: "PreconditionFailed",
      });
      expect(await text(bucket, "k")).toBe("two!");
      expect(await store.put({ ...asked, key: "l" })).toMatchObject({ kind: "stored" });
      expect(await text(bucket, "l")).toBe("three");
    });

    check("keys that are none are refused", async () => {
      const bucket = await newBucket();
      for (const key of ["", "x".repeat(1025), "é".repeat(513), "a\uD800b"]) {
        const outcome = await store.put({ bucket, key, body: Buffer.from("x"), metadata: plain });
        expect(outcome, key.slice(0, 10)).toMatchObject({ kind: "refused" });
      }
      expect((await store.list({ bucket })).objects).toEqual([]);
    });

    check("an aborted put is unknown", async () => {
      const bucket = await newBucket();
      const asked = {
        bucket,
        key: "k",
        body: Buffer.from("x"),
        metadata: plain,
        signal: AbortSignal.abort(),
      };
      expect(await store.put(asked)).toMatchObject({ kind: "unknown" });
    });

    check("plain keys are listed by prefix, delimiter and start", async () => {
      const bucket = await newBucket();
      const keys = ["AWSLogs/1/a.gz", "AWSLogs/1/b.gz", "AWSLogs/2/a.gz", "AWSLogs/2/z/c.gz", "Bee", "zed/x"];
      for (const key of [...keys].reverse()) await put(bucket, key);
      expect((await listAll({ bucket })).keys).toEqual(keys);
      expect((await listAll({ bucket, prefix: "AWSLogs/2" })).keys).toEqual(keys.slice(2, 4));
      expect((await listAll({ bucket, prefix: "nothing" })).keys).toEqual([]);
      expect((await listAll({ bucket, startAfter: "AWSLogs/1/b.gz" })).keys).toEqual(keys.slice(2));
      expect((await listAll({ bucket, startAfter: "AWSLogs/1/" })).keys).toEqual(keys);
      expect(await listAll({ bucket, delimiter: "/" })).toMatchObject({
        keys: ["Bee"],
        prefixes: ["AWSLogs/", "zed/"],
      });
      const accounts = await listAll({ bucket, prefix: "AWSLogs/", delimiter: "/" });
      expect(accounts).toMatchObject({ keys: [], prefixes: ["AWSLogs/1/", "AWSLogs/2/"] });
      const small = await listAll({ bucket, delimiter: "/", keysMax: 1 });
      expect(small).toEqual({ keys: ["Bee"], prefixes: ["AWSLogs/", "zed/"], pages: 3 });
      expect(await listAll({ bucket, keysMax: 2 })).toEqual({ keys, prefixes: [], pages: 3 });
    });

    check("odd keys live side by side, and none escapes", async () => {
      const bucket = await newBucket();
      const other = await newBucket();
      for (const key of oddKeys) await put(bucket, key);
      for (const key of oddKeys) expect(await text(bucket, key), JSON.stringify(key.slice(0, 80))).toBe(key);
      expect((await listAll({ bucket })).keys).toEqual(inByteOrder(oddKeys));
      expect((await listAll({ bucket, keysMax: 3 })).keys).toEqual(inByteOrder(oddKeys));
      expect((await listAll({ bucket: other })).keys).toEqual([]);
    });

    check("keys `a`, `a/b` and `a/b/c` coexist whatever the order", async () => {
      const keys = ["a", "a/", "a/b", "a/b/c"];
      for (const order of permutations(keys)) {
        const bucket = await newBucket();
        for (const key of order) await put(bucket, key);
        for (const key of keys) await put(bucket, key, `${key}, again`);
        for (const key of keys) expect(await text(bucket, key), order.join()).toBe(`${key}, again`);
        expect((await listAll({ bucket })).keys).toEqual(keys);
      }
    });

    check("generated keys: what is put is there, and the list has exactly them, in order", async () => {
      const segment = fc.oneof(
        fc.constantFrom("", ".", "..", "a", "b", "%", "a%object", "%_", "%+"),
        fc.string({ unit: "grapheme", maxLength: 8 }),
        fc.string({ unit: fc.constantFrom("x", "é", "%"), minLength: 100, maxLength: 300 }),
      );
      const key = fc
        .array(segment, { minLength: 1, maxLength: 4 })
        .map((parts) => parts.join("/"))
        .filter((key) => key !== "" && Buffer.byteLength(key) <= 1024 && !key.includes("\0"));
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 8 }), async (keys) => {
          const bucket = await newBucket();
          for (const key of keys) await put(bucket, key);
          for (const key of keys) expect(await text(bucket, key)).toBe(key);
          expect((await listAll({ bucket })).keys).toEqual(inByteOrder(keys));
        }),
        { seed, numRuns: runs },
      );
    });

    check("generated listings are those of the naive list", async () => {
      const word = fc.string({ unit: fc.constantFrom("a", "b", "/", "!", "é"), minLength: 1, maxLength: 6 });
      const part = fc.string({ unit: fc.constantFrom("a", "b", "/", "!", "é"), maxLength: 3 });
      const arbitrary = {
        keys: fc.uniqueArray(word, { maxLength: 12 }),
        prefix: part,
        delimiter: fc.constantFrom("", "/", "b", "a/"),
        startAfter: part,
        keysMax: fc.integer({ min: 1, max: 5 }),
      };
      await fc.assert(
        fc.asyncProperty(fc.record(arbitrary), async ({ keys, ...request }) => {
          const bucket = await newBucket();
          for (const key of keys) await put(bucket, key);
          const { keys: listed, prefixes } = await listAll({ bucket, ...request });
          expect({ keys: listed, prefixes }).toEqual(naiveList(keys, request));
        }),
        { seed, numRuns: runs },
      );
    });

    check("readers see the old object or the new one", async () => {
      const bucket = await newBucket();
      const bodies = ["one".repeat(10_000), "two".repeat(20_000)];
      await put(bucket, "k", bodies[0]);
      const writer = (async () => {
        for (let round = 1; round <= 20; round++) await put(bucket, "k", bodies[round % 2]);
        for (const key of ["k/x", "k/y"]) await put(bucket, key);
      })();
      const writing = { isDone: false };
      void writer.finally(() => {
        writing.isDone = true;
      });
      while (!writing.isDone) {
        const found = await store.get(bucket, "k");
        const seen = found ? Buffer.from(found.body).toString() : "";
        expect(bodies).toContain(seen);
        expect(found?.head.etag).toBe(createHash("md5").update(seen).digest("hex"));
      }
      await writer;
    });

    check("many puts at once", async () => {
      const bucket = await newBucket();
      const keys = Array.from(
        { length: 40 },
        (_, index) => `p/${index % 4}${index % 3 === 0 ? "" : `/${index}`}`,
      );
      await Promise.all(keys.map((key) => put(bucket, key)));
      expect((await listAll({ bucket })).keys).toEqual(inByteOrder([...new Set(keys)]));
    });

    check("policy", async () => {
      const bucket = await newBucket();
      expect(await store.policy(bucket, AbortSignal.timeout(10_000))).toEqual({ kind: "none" });
      const policy = policyFor(bucket);
      await harness.putPolicy(bucket, policy);
      const answer = await store.policy(bucket);
      expect(answer.kind === "policy" && JSON.parse(answer.text)).toEqual(JSON.parse(policy));
    });

    check("administration: buckets come and go", async () => {
      const { administration } = harness;
      if (!administration) return;
      expect(await administration.create("admin-1", { region: "eu-west-1" })).toBe("created");
      expect(await administration.create("admin-1")).toBe("existed");
      for (const name of ["ab", "UPPER", "a..b", "-ab", "a_b", "1.2.3.4", "../x", "x".repeat(64), ".cairn"]) {
        await expect(administration.create(name), name).rejects.toMatchObject({ code: "InvalidBucketName" });
      }
      expect(await administration.info("admin-1")).toMatchObject({ name: "admin-1", region: "eu-west-1" });
      expect(await administration.info("admin-2")).toBeUndefined();
      expect((await administration.buckets()).map(({ name }) => name)).toContain("admin-1");
      await administration.putPolicy("admin-1", policyFor("admin-1"));
      await put("admin-1", "a/b/c");
      await expect(administration.remove("admin-1")).rejects.toMatchObject({ code: "BucketNotEmpty" });
      await administration.deleteObject("admin-1", "a/b/c");
      await administration.remove("admin-1");
      expect(await store.presence("admin-1")).toBe("missing");
      await expect(administration.remove("admin-1")).rejects.toMatchObject({ code: "NoSuchBucket" });
      await expect(administration.putPolicy("admin-1", "{}")).rejects.toMatchObject({ code: "NoSuchBucket" });
      await expect(administration.deletePolicy("admin-1")).rejects.toMatchObject({ code: "NoSuchBucket" });
      await expect(administration.deleteObject("admin-1", "k")).rejects.toMatchObject({
        code: "NoSuchBucket",
      });
      expect(await administration.create("admin-1")).toBe("created");
      expect(await store.policy("admin-1"), "the policy went with the bucket").toEqual({ kind: "none" });
      expect((await listAll({ bucket: "admin-1" })).keys).toEqual([]);
    });

    check("administration: objects and policies go", async () => {
      const { administration } = harness;
      if (!administration) return;
      const bucket = await newBucket();
      for (const key of oddKeys) await put(bucket, key);
      for (const [index, key] of oddKeys.entries()) {
        await administration.deleteObject(bucket, key);
        expect(await store.get(bucket, key), key).toBeUndefined();
        if (index % 40 === 0)
          expect((await listAll({ bucket })).keys).toEqual(inByteOrder(oddKeys.slice(index + 1)));
      }
      await administration.deleteObject(bucket, "never/was");
      await administration.putPolicy(bucket, policyFor(bucket));
      await administration.deletePolicy(bucket);
      await administration.deletePolicy(bucket);
      expect(await store.policy(bucket)).toEqual({ kind: "none" });
      await administration.remove(bucket);
    });

    check("objects: uploads, copies and tags of odd keys", async () => {
      const { objects, administration } = harness;
      if (!objects || !administration) return;
      const bucket = await newBucket();
      const keys = oddKeys.filter((_key, index) => index % 5 === 0);
      for (const key of keys) {
        const initiator = { account: "111122223333", arn: "arn:aws:iam::111122223333:root" };
        const uploadId = await objects.uploads.create({ bucket, key, initiator, metadata: plain }, key);
        const upload = { bucket, key, uploadId };
        const part = { number: 1, pieces: Buffer.from(`the part of ${key}`) };
        const { etag } = await objects.uploads.putPart(upload, part);
        const made = await objects.uploads.complete(upload, { parts: [{ number: 1, etag }] });
        expect(made.etag, key).toMatch(/^[0-9a-f]{32}-1$/);
        expect(await objects.setTags(bucket, key, [{ key: "t", value: key.slice(0, 9) }]), key).toBe(true);
        const source = await objects.open(bucket, key);
        if (!source) throw new Error(`There is no object ${key}.`);
        await objects.copy({ source, bucket, key: `${key}~`.slice(-200), metadata: plain });
        await source.close();
        const copy = await store.get(bucket, `${key}~`.slice(-200));
        expect(copy && Buffer.from(copy.body).toString(), key).toBe(`the part of ${key}`);
        const head = await store.head(bucket, key);
        expect(head, key).toMatchObject({ etag: made.etag, metadata: plain });
        expect((await objects.describe(bucket, key))?.tags, key).toHaveLength(1);
      }
      expect(await objects.uploads.list(bucket)).toEqual([]);
      expect((await listAll({ bucket })).keys).toHaveLength(2 * keys.length);
    });

    check("objects: generated uploads are their parts, one after the other", async () => {
      const { objects } = harness;
      if (!objects) return;
      const bucket = await newBucket();
      const part = fc.record({
        number: fc.integer({ min: 1, max: 12 }),
        body: fc.uint8Array({ maxLength: 40 }),
      });
      const initiator = { account: "111122223333", arn: "arn:aws:iam::111122223333:root" };
      await fc.assert(
        fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 20 }), fc.uuid(), async (puts, unique) => {
          const key = `generated/${puts.length}`;
          const uploadId = await objects.uploads.create({ bucket, key, initiator, metadata: {} }, unique);
          const upload = { bucket, key, uploadId };
          const model = new Map<number, Uint8Array>();
          for (const { number, body } of puts) {
            await objects.uploads.putPart(upload, { number, pieces: body });
            model.set(number, body);
          }
          const stored = await objects.uploads.parts(upload, { after: 0, count: 100 });
          expect(stored.map(({ number, sizeBytes }) => [number, sizeBytes])).toEqual(
            [...model].sort(([left], [right]) => left - right).map(([number, body]) => [number, body.length]),
          );
          const parts = stored.map(({ number, etag }) => ({ number, etag }));
          await objects.uploads.complete(upload, { parts });
          const whole = Buffer.concat(stored.map(({ number }) => model.get(number) ?? new Uint8Array(0)));
          const found = await store.get(bucket, key);
          expect(found && whole.equals(Buffer.from(found.body))).toBe(true);
        }),
        { seed, numRuns: Math.min(runs, 40) },
      );
    });

    test("every skip names a test and a reason", () => {
      for (const { test, reason } of options.skip ?? []) {
        expect([...known]).toContain(test);
        expect(reason).not.toBe("");
      }
    });
  });
}

function inByteOrder(keys: readonly string[]): string[] {
  return [...keys].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

function policyFor(bucket: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` },
    ],
  });
}

function naiveList(
  keys: readonly string[],
  { prefix, delimiter, startAfter }: { prefix: string; delimiter: string; startAfter: string },
): { keys: string[]; prefixes: string[] } {
  const [listed, prefixes]: [string[], Set<string>] = [[], new Set()];
  for (const key of inByteOrder(keys).filter((key) => key.startsWith(prefix))) {
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const item = at < 0 ? key : key.slice(0, at + delimiter.length);
    if (Buffer.compare(Buffer.from(item), Buffer.from(startAfter)) <= 0) continue;
    if (at < 0) listed.push(item);
    else prefixes.add(item);
  }
  return { keys: listed, prefixes: [...prefixes] };
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
