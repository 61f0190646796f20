// `cairn verify` over chains made here: one tampering at a time, each named and each a failure; and the spec's examples.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { type DigestDocument, digestText, parseDigest } from "../model/digest.ts";
import { processTerminal } from "./process-terminal.ts";
import { run } from "./run.ts";
import {
  logKey,
  sha256,
  signedDigest,
  type TestChain,
  type TestObject,
  testChain,
  testKey,
  writeCairnBucket,
  writeCopy,
} from "./verify/chain.test-world.ts";

const bucket = "audit-logs";
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 10, 9, 17, 28);
const place = { account: "111122223333", region: "us-east-1" };
const [key, otherKey] = [testKey(), testKey()];
const folders: string[] = [];
const real = processTerminal(() => Promise.reject(new Error("no server here")));

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cairn-verify-"));
  folders.push(folder);
  writeFileSync(
    join(folder, "keys.json"),
    JSON.stringify({ PublicKeyList: [key.entry, { ...otherKey.entry, Region: "us-east-1" }] }),
  );
  return folder;
}

/** A starting digest, then digests of 2, 0, 3 and 1 log files. */
function chainOf(change: Partial<Parameters<typeof testChain>[0]> = {}): TestChain {
  const options = { bucket, ...place, trailName: "my_trail", startMs, filesPerDigest: [2, 0, 3, 1], key };
  return testChain({ ...options, ...change });
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function cairn(...words: string[]): Promise<Run> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    ...real,
    ...{ environment: {}, isErrorTty: false },
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    writeError: (text: string) => void err.push(text),
  };
  const code = await run(words, terminal);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

type Layout = "cairn" | "copy";

async function verify(
  objects: ReadonlyMap<string, TestObject>,
  layout: Layout = "cairn",
  ...flags: string[]
): Promise<Run> {
  const folder = freshFolder();
  if (layout === "cairn") writeCairnBucket(folder, bucket, objects);
  else writeCopy(join(folder, bucket), objects);
  return verifyFolder(folder, ...flags);
}

function verifyFolder(folder: string, ...flags: string[]): Promise<Run> {
  const keys = flags.includes("--public-keys") ? [] : ["--public-keys", join(folder, "keys.json")];
  return cairn("verify", "--directory", join(folder, bucket), ...keys, ...flags);
}

interface Line {
  readonly kind: string;
  readonly key?: string;
  readonly status?: string;
  readonly weight?: string;
  readonly reason?: string;
  readonly text?: string;
}

function lines({ out }: Run): Line[] {
  return out.split("\n").map((line) => JSON.parse(line) as Line);
}

/** What is wrong, as `status reason`, by key. */
function wrong(result: Run): Record<string, string> {
  const bad = lines(result).filter((line) => line.weight === "bad" && line.kind !== "remark");
  return Object.fromEntries(
    bad.map((line) => [line.key ?? "", `${line.status ?? ""}: ${line.reason ?? ""}`]),
  );
}

function at(keys: readonly string[], index: number): string {
  return keys.at(index) ?? "";
}

function bodyOf(chain: TestChain, name: string): Uint8Array {
  return chain.objects.get(name)?.body ?? new Uint8Array();
}

/** Replaces the bytes and keeps the metadata. */
function setBody(chain: TestChain, name: string, body: Uint8Array): void {
  chain.objects.set(name, { body, metadata: chain.objects.get(name)?.metadata ?? {} });
}

function documentOf(chain: TestChain, name: string): DigestDocument {
  const document = parseDigest(gunzipSync(bodyOf(chain, name)).toString());
  if (!document) throw new Error("This is no digest.");
  return document;
}

/** Signs a digest anew and links nothing to it. */
function resign(chain: TestChain, name: string, change: Partial<DigestDocument>, by = key): void {
  chain.objects.set(name, signedDigest({ ...documentOf(chain, name), ...change }, by));
}

describe("a good chain", () => {
  test.each<Layout>(["cairn", "copy"])("in a %s directory is good", async (layout) => {
    const result = await verify(chainOf().objects, layout);
    expect(result).toMatchObject({ code: 0 });
    expect(result.out).toContain("Results found for 2026-01-10T08:17:28Z to 2026-01-10T13:17:28Z:");
    const counts =
      layout === "cairn"
        ? ["5/5 digest files valid", "6/6 log files valid"]
        : [
            "4/5 digest files valid, 1/5 digest files not fully verifiable",
            "5/6 log files valid, 1/6 log files not",
          ];
    for (const count of counts) expect(result.out).toContain(count);
  });

  test("a copy says which digest it cannot prove, and --strict makes that a failure", async () => {
    const chain = chainOf();
    const result = await verify(chain.objects, "copy", "--strict");
    expect(result.code).toBe(1);
    const newest = at(chain.digestKeys, -1);
    expect(result.err).toBe(
      `Digest file\ts3://${bucket}/${newest}\tNOT FULLY VERIFIABLE: signature not in the copy`,
    );
  });

  test("a time range takes the signature from the digest after it", async () => {
    const chain = chainOf();
    const range = ["--start-time", "2026-01-10T10:00", "--end-time", "2026-01-10T10:30:00+00:00"];
    const result = await verify(chain.objects, "copy", ...range, "--strict");
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(result.out).toContain("Results requested for 2026-01-10T10:00:00Z to 2026-01-10T10:30:00Z");
    expect(result.out).toContain("2/2 digest files valid");
  });

  test("prints valid files with --verbose, newest digest first", async () => {
    const chain = chainOf({ filesPerDigest: [1] });
    const result = await verify(chain.objects, "cairn", "--verbose");
    const file = (kind: string, name: string) => `${kind}\ts3://${bucket}/${name}\tvalid`;
    expect(result.out.split("\n").slice(2, 5)).toEqual([
      file("Digest file", at(chain.digestKeys, 1)),
      file("Log file", at(chain.logKeys, 0)),
      file("Digest file", at(chain.digestKeys, 0)),
    ]);
  });

  test("of an organization, below a prefix, is found; --account-id and --region narrow", async () => {
    const above = { keyPrefix: "a/b", organizationId: "o-exampleorgid" };
    const objects = new Map([
      ...chainOf(above).objects,
      ...chainOf({ ...above, account: "444455556666" }).objects,
      ...chainOf({ ...above, region: "eu-west-1", homeRegion: "us-east-1" }).objects,
    ]);
    expect((await verify(objects)).out).toContain("15/15 digest files valid");
    expect((await verify(objects, "cairn", "--prefix", "a/b")).out).toContain("15/15 digest");
    expect((await verify(objects, "cairn", "--account-id", "444455556666")).out).toContain("5/5 digest");
    expect((await verify(objects, "cairn", "--region", "eu-west-1")).out).toContain("5/5 digest");
    const trailArn = "arn:aws:cloudtrail:us-east-1:999988887777:trail/my_trail";
    expect((await verify(objects, "cairn", "--trail-arn", trailArn)).out).toContain("15/15 digest");
  });

  test("a second chain after a pause is good, and the pause is said", async () => {
    const later = chainOf({ startMs: startMs + 10 * hourMs });
    const objects = new Map([...chainOf().objects, ...later.objects]);
    const result = await verify(objects);
    expect(result.code).toBe(0);
    expect(result.out).toContain(
      "No log files were delivered by CloudTrail between 2026-01-10T13:17:28Z and 2026-01-10T18:17:28Z",
    );
  });

  test("files in no digest: newer than the newest, or outside every chain's time", async () => {
    const chain = chainOf();
    const [newer, older] = [logKey(place, startMs + 4 * hourMs, 77), logKey(place, startMs - 5 * hourMs, 78)];
    for (const name of [newer, older]) chain.objects.set(name, { body: gzipSync("{}"), metadata: {} });
    chain.objects.set("AWSLogs/111122223333/CloudTrail/us-east-1/notes.txt", {
      body: Buffer.from("x"),
      metadata: {},
    });
    const result = await verify(chain.objects, "cairn", "--json");
    expect(result.code).toBe(0);
    const statuses = Object.fromEntries(lines(result).map(({ key, status }) => [key, status]));
    expect(statuses).toMatchObject({ [newer]: "not-yet-in-a-digest", [older]: "in-no-digest" });
    expect((await verify(chain.objects, "cairn", "--strict")).code).toBe(1);
  });

  test("log files that go on long after the newest digest are remarked", async () => {
    const chain = chainOf();
    chain.objects.set(logKey(place, startMs + 9 * hourMs, 77), { body: gzipSync("{}"), metadata: {} });
    expect((await verify(chain.objects)).err).toContain("but log files go on until 2026-01-10T18:15:00Z");
  });
});

describe("a tampering", () => {
  type Change = (chain: TestChain) => Readonly<Record<string, string>>;
  const edited = gzipSync('{"Records":[{"eventID":"forged"}]}');
  const cases: [string, Change][] = [
    [
      "a log file edited",
      (chain) => {
        setBody(chain, at(chain.logKeys, 3), edited);
        return { [at(chain.logKeys, 3)]: "changed: hash value doesn't match" };
      },
    ],
    [
      "a log file deleted",
      (chain) => {
        chain.objects.delete(at(chain.logKeys, 0));
        return { [at(chain.logKeys, 0)]: "missing: not found" };
      },
    ],
    [
      "a log file replaced by an older one",
      (chain) => {
        setBody(chain, at(chain.logKeys, 3), bodyOf(chain, at(chain.logKeys, 1)));
        return { [at(chain.logKeys, 3)]: "changed: hash value doesn't match" };
      },
    ],
    [
      "bytes appended to a log file",
      (chain) => {
        const name = at(chain.logKeys, 2);
        setBody(chain, name, Buffer.concat([bodyOf(chain, name), edited]));
        return { [name]: "changed: unexpected data after end of compressed stream" };
      },
    ],
    [
      "a log file that is not gzip",
      (chain) => {
        setBody(chain, at(chain.logKeys, 2), Buffer.from("hello"));
        return { [at(chain.logKeys, 2)]: "changed: invalid format" };
      },
    ],
    [
      "a digest edited",
      (chain) => {
        const name = at(chain.digestKeys, 3);
        setBody(chain, name, gzipSync(digestText({ ...documentOf(chain, name), logFiles: [] })));
        const files = chain.logKeys.slice(2, 5);
        return {
          [name]: "changed: signature verification failed",
          ...Object.fromEntries(files.map((file) => [file, inHole])),
        };
      },
    ],
    [
      "a digest that is not one",
      (chain) => {
        setBody(chain, at(chain.digestKeys, 2), gzipSync('{"awsAccountId":1}'));
        return { [at(chain.digestKeys, 2)]: "changed: invalid format" };
      },
    ],
    [
      "a digest deleted",
      (chain) => {
        chain.objects.delete(at(chain.digestKeys, 3));
        const files = chain.logKeys.slice(2, 5);
        return {
          [at(chain.digestKeys, 3)]: "missing: not found",
          ...Object.fromEntries(files.map((file) => [file, inHole])),
        };
      },
    ],
    [
      "the digests at the beginning deleted",
      (chain) => {
        chain.objects.delete(at(chain.digestKeys, 0));
        return { [at(chain.digestKeys, 0)]: "missing: not found" };
      },
    ],
    [
      "a digest signed again with an unknown key",
      (chain) => {
        const stranger = testKey();
        const name = at(chain.digestKeys, 2);
        resign(chain, name, { digestPublicKeyFingerprint: stranger.fingerprint }, stranger);
        return {
          [name]: `invalid: public key not found in region us-east-1 for fingerprint ${stranger.fingerprint}`,
        };
      },
    ],
    [
      "a digest signed with another key than it names",
      (chain) => {
        resign(chain, at(chain.digestKeys, 2), {}, testKey());
        return { [at(chain.digestKeys, 2)]: "changed: signature verification failed" };
      },
    ],
    [
      "a digest changed and signed again with a known key",
      (chain) => {
        const [name, after] = [at(chain.digestKeys, 1), at(chain.digestKeys, 2)];
        const [kept, hidden] = documentOf(chain, name).logFiles;
        const change = { digestPublicKeyFingerprint: otherKey.fingerprint, logFiles: kept ? [kept] : [] };
        resign(chain, name, change, otherKey);
        return {
          [after]: "invalid: previousDigestHashValue doesn't match the digest file before it",
          [hidden?.s3Object ?? ""]: "in-no-digest: no digest file of its time names it",
        };
      },
    ],
    [
      "a previousDigestHashValue that is wrong, under a right signature",
      (chain) => {
        const name = at(chain.digestKeys, -1);
        resign(chain, name, { previousDigestHashValue: sha256("something else") });
        return { [name]: "invalid: previousDigestHashValue doesn't match the digest file before it" };
      },
    ],
    [
      "a previousDigestSignature that is wrong, under a right signature",
      (chain) => {
        const name = at(chain.digestKeys, -1);
        resign(chain, name, { previousDigestSignature: "ab".repeat(256) });
        return { [name]: "invalid: previousDigestSignature doesn't match the digest file before it" };
      },
    ],
    [
      "a gap in time, under a right signature",
      (chain) => {
        const name = at(chain.digestKeys, -1);
        resign(chain, name, { digestStartTime: "2026-01-10T12:30:00Z" });
        const gap =
          "starts at 2026-01-10T12:30:00Z, but the digest file before it ends at 2026-01-10T12:17:28Z";
        return { [name]: `invalid: ${gap}` };
      },
    ],
    [
      "a digest copied to another key",
      (chain) => {
        const name = at(chain.digestKeys, 4).replace("T131728Z", "T151728Z");
        const object = chain.objects.get(at(chain.digestKeys, 4));
        if (object) chain.objects.set(name, object);
        return { [name]: "moved: has been moved from its original location" };
      },
    ],
    [
      "a file in no digest",
      (chain) => {
        const name = logKey(place, startMs + 1.5 * hourMs, 4711);
        chain.objects.set(name, { body: edited, metadata: {} });
        return { [name]: "in-no-digest: no digest file of its time names it" };
      },
    ],
  ];
  const inHole = "in-no-digest: the digest file of its time is missing or INVALID";

  test.each(cases)("%s is named", async (_name, change) => {
    const chain = chainOf();
    const expected = change(chain);
    const result = await verify(chain.objects, "cairn", "--json");
    expect(result.code).toBe(1);
    expect(wrong(result)).toEqual(expected);
  });

  test.each([0, 3, 9, 11])("is found in a plain copy, too (case %i)", async (index) => {
    const [, change] = cases[index] ?? [];
    const chain = chainOf();
    change?.(chain);
    expect((await verify(chain.objects, "copy")).code).toBe(1);
  });

  test("the log files of a digest that cannot be trusted are named as such", async () => {
    const chain = chainOf();
    const name = at(chain.digestKeys, 1);
    setBody(chain, name, gzipSync(`${digestText(documentOf(chain, name))} `));
    const result = await verify(chain.objects, "cairn", "--verbose");
    expect(result.code).toBe(1);
    for (const file of chain.logKeys.slice(0, 2)) {
      expect(result.err).toContain(
        `${file}\tNOT FULLY VERIFIABLE: named only by a digest file that is INVALID`,
      );
    }
  });

  test("in a trail nobody asked for changes nothing; files that its digests name are in a digest", async () => {
    const other = chainOf({ trailName: "other", startMs: startMs + hourMs, filesPerDigest: [1] });
    setBody(other, at(other.logKeys, 0), edited);
    const objects = new Map([...chainOf().objects, ...other.objects]);
    const trailArn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/my_trail";
    const result = await verify(objects, "cairn", "--trail-arn", trailArn);
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(result.out).toContain("5/5 digest files valid");
    expect((await verify(objects)).code).toBe(1);
  });
});

describe("hostile evidence", () => {
  test("a log file's key never leads outside the directory, not even by a link", async () => {
    const secret = '{"Records":[]}';
    for (const hostile of [
      "../../outside.json.gz",
      "AWSLogs/../../outside.json.gz",
      "/etc/hostname",
      "link/outside.json.gz",
    ]) {
      const chain = chainOf({ filesPerDigest: [1] });
      const name = at(chain.digestKeys, 1);
      const [file] = documentOf(chain, name).logFiles;
      if (!file) throw new Error("There is no log file.");
      resign(chain, name, { logFiles: [{ ...file, s3Object: hostile, hashValue: sha256(secret) }] });
      const folder = freshFolder();
      writeCopy(join(folder, "x", bucket), chain.objects);
      writeFileSync(join(folder, "outside.json.gz"), gzipSync(secret));
      symlinkSync(folder, join(folder, "x", bucket, "link"));
      const keys = join(folder, "keys.json");
      const result = await cairn(
        "verify",
        "--directory",
        join(folder, "x", bucket),
        "--public-keys",
        keys,
        "--json",
      );
      expect(wrong(result)[hostile]).toBe("missing: not found");
    }
  });

  test("a link is not followed, nor a folder read as a file", async () => {
    const chain = chainOf({ filesPerDigest: [2] });
    const [first, second] = [at(chain.logKeys, 0), at(chain.logKeys, 1)];
    const body = bodyOf(chain, first);
    chain.objects.delete(first);
    chain.objects.delete(second);
    const folder = freshFolder();
    writeCairnBucket(folder, bucket, chain.objects);
    writeFileSync(join(folder, "elsewhere"), body);
    mkdirSync(dirname(join(folder, bucket, first)), { recursive: true });
    symlinkSync(join(folder, "elsewhere"), join(folder, bucket, first));
    mkdirSync(join(folder, bucket, second));
    const result = await verifyFolder(folder, "--json");
    expect(wrong(result)).toEqual({ [first]: "missing: not found", [second]: "missing: not found" });
  });

  test.each([
    ["deep", Buffer.from("[".repeat(1_000_000))],
    ["large", Buffer.alloc(40_000_000, 32)],
    ["of other types", Buffer.from('{"logFiles":{"length":-1},"digestEndTime":[]}')],
    ["not UTF-8", Buffer.from([0xff, 0xfe, 0])],
  ])("a digest that is %s is INVALID", async (_what, text) => {
    const chain = chainOf();
    setBody(chain, at(chain.digestKeys, 2), gzipSync(text));
    const result = await verify(chain.objects, "cairn", "--json");
    expect(Object.keys(wrong(result))).toEqual([at(chain.digestKeys, 2)]);
  });

  test("keys are shown without what a terminal would obey", async () => {
    const chain = chainOf();
    const name = "AWSLogs/111122223333/CloudTrail/us-east-1/\u001b[2J\u009b1m\u202e.json.gz";
    chain.objects.set(name, { body: gzipSync("{}"), metadata: {} });
    for (const flag of ["--verbose", "--json"]) {
      const result = await verify(chain.objects, "copy", flag);
      expect(result.out + result.err).toContain("\\u001b[2J\\u009b1m\\u202e.json.gz");
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(result.out + result.err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
});

describe("the progress line", () => {
  test("is on a terminal only, and gone at the end", async () => {
    const folder = freshFolder();
    writeCairnBucket(folder, bucket, chainOf().objects);
    const written: string[] = [];
    const terminal = {
      ...real,
      ...{ environment: {}, isErrorTty: true },
      out: (line: string) => void written.push(`${line}\n`),
      err: (line: string) => void written.push(`${line}\n`),
      writeError: (text: string) => void written.push(text),
    };
    const words = ["verify", "--directory", join(folder, bucket), "--public-keys", join(folder, "keys.json")];
    expect(await run([...words, "--verbose"], terminal)).toBe(0);
    expect(written[1]).toBe(`\r\u001b[K[${"-".repeat(30)}] 0 of 6 log files`);
    const [drawn, cleared] = [true, false].map((isBar) =>
      written.findLastIndex((text) => text.startsWith("\r\u001b[K") && text.includes("log files") === isBar),
    );
    expect(cleared).toBeGreaterThan(drawn ?? Infinity);
  });
});

describe("what cannot be verified", () => {
  test("no digest at all is a failure", async () => {
    const chain = chainOf();
    const logsOnly = new Map([...chain.objects].filter(([name]) => !name.includes("Digest")));
    const result = await verify(logsOnly);
    expect(result.code).toBe(1);
    expect(result.out).toContain("No digests found\n\n6 log files in no digest");
  });

  test.each([
    [["--directory", "x"], "--directory: name the keys by --public-keys FILE"],
    [["--public-keys", "x"], "Name what to verify: --bucket NAME, or --directory DIR"],
    [["--bucket", "b", "--trail-arn", "arn:x"], 'Invalid trail ARN provided: "arn:x"'],
    [["--bucket", "b", "--start-time", "soon"], '--start-time: Unable to parse date value: "soon"'],
    [["--bucket", "b", "--start-time", "2026-01-02", "--end-time", "2026-01-01"], "is after --end-time"],
    [["--bucket", "b", "--concurrency", "0"], '--concurrency: "0" is not a whole number'],
    [["--bucket", "b", "--account-id", "12"], '--account-id: "12" is not an account id'],
    [["--bucket", "b", "--region", "here"], '--region: "here" is not a Region'],
    [["--bucket", "b", "--endpoint-url", "ftp://x"], "--endpoint-url: "],
    [["--bucket", "b", "--keys", "x"], "--keys: cairn verify has no such flag"],
    [["--directory", "/no/such/folder", "--public-keys", "/no/such/file"], "--public-keys: "],
  ])("%j is refused with 2", async (flags, sentence) => {
    const result = await cairn("verify", ...flags);
    expect(result.code).toBe(2);
    expect(result.err).toContain(sentence);
  });

  test.each([
    ["hello", "it is not JSON"],
    ["{}", "it has no PublicKeyList"],
    ['{"PublicKeyList":[]}', "it holds no key"],
    [
      JSON.stringify({ PublicKeyList: [{ ...key.entry, Fingerprint: otherKey.fingerprint }] }),
      "is not that of its key",
    ],
  ])("the keys %.20s are refused", async (text, reason) => {
    const folder = freshFolder();
    writeFileSync(join(folder, "bad.json"), text);
    writeCopy(join(folder, bucket), chainOf().objects);
    const result = await verifyFolder(folder, "--public-keys", join(folder, "bad.json"));
    expect(result.code).toBe(2);
    expect(result.err).toContain(reason);
  });
});

const examples = fileURLToPath(new URL("../../../shared/spec/examples/", import.meta.url));
const isThere = existsSync(examples);
if (!isThere) process.stdout.write("skipped: needs ../shared/spec/examples\n");

describe.skipIf(!isThere)("the specification's examples", () => {
  interface Headers {
    readonly bucket: string;
    readonly objects: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }

  test("4 digests, 1 backfill digest and 6 log files are valid; the one in no digest is named", async () => {
    const { bucket: name, objects } = JSON.parse(
      readFileSync(join(examples, "object-headers.json"), "utf8"),
    ) as Headers;
    const read = Object.entries(objects).map(([path, headers]): [string, TestObject] => {
      const metadata = Object.entries(headers)
        .filter(([header]) => header.startsWith("x-amz-meta-"))
        .map(([header, value]) => [header.slice("x-amz-meta-".length), value]);
      const body = readFileSync(join(examples, "bucket", path));
      return [path, { body, metadata: Object.fromEntries(metadata) as Record<string, string> }];
    });
    const folder = freshFolder();
    writeCairnBucket(folder, name, new Map(read));
    const keys = ["--public-keys", join(examples, "list-public-keys-response.json")];
    const result = await cairn("verify", "--directory", join(folder, name), ...keys);
    expect(result.code).toBe(1);
    expect(result.err).toMatch(/^Log file\t\S+_TpB01NrBJOGkCU19\.json\.gz\tIN NO DIGEST: [^\n]+$/);
    expect(result.out).toContain(
      "4/4 digest files valid\n1/1 backfill digest files valid\n6/6 log files valid\n1 log file in no digest",
    );
  });
});
