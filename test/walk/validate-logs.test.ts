// `aws cloudtrail validate-logs`, unmodified, and `cairn verify` on the same chains: whole ones are valid, and whatever is
// changed afterwards is named by both.
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringToSign } from "../../src/model/digest.ts";
import { organization } from "../harness/api-fixture.ts";
import { awsRaw, type CliResult } from "../harness/aws-cli.ts";
import { type Ended, runCairn } from "../harness/cairn-command.ts";
import type { DigestFile } from "../harness/digest-files.ts";
import { awsCliWithEndpoints, describeWith } from "../harness/outside-program.ts";
import {
  buildChains,
  hasEmptyWindow,
  isFull,
  isStarting,
  movedPrefix,
  regions,
  trails,
  type ValidationWorld,
  type WalkTrail,
} from "./validation-world.ts";

const example = fileURLToPath(
  new URL("../../../shared/spec/examples/digests/with-logs.json", import.meta.url),
);

const hasExample = existsSync(example);
if (!hasExample) process.stdout.write("skipped: needs ../shared/spec/examples/digests\n");

describeWith([awsCliWithEndpoints])("log file validation", () => {
  let world: ValidationWorld;
  let s3: S3Client;

  beforeAll(async () => {
    world = await buildChains();
    s3 = new S3Client({
      ...{ endpoint: world.api.url, region: "us-east-1", forcePathStyle: true },
      credentials: { accessKeyId: trails.account.owner, secretAccessKey: "not-checked" },
    });
  }, 180_000);
  afterAll(() => world?.api.dispose());

  function validateLogs(of: WalkTrail, account: string, region: string): Promise<CliResult> {
    const ofAccount = of === trails.organization ? ["--account-id", account] : [];
    return awsRaw({ url: world.api.url, region, accessKeyId: of.owner }, [
      ...["cloudtrail", "validate-logs", "--trail-arn", of.arn, "--start-time", world.startTime],
      // Said aloud: with the default Region alone the CLI walks the digests of the trail's home with the keys of that Region.
      ...["--region", region, ...ofAccount],
    ]);
  }

  /** Reads the bucket through the server, as the AWS CLI does. */
  function verify(bucket: string, ...words: readonly string[]): Promise<Ended> {
    return runCairn(["verify", "--bucket", bucket, "--endpoint-url", world.api.url, ...words]);
  }

  const chainsOf = (of: WalkTrail) =>
    of.accounts.flatMap((account) =>
      regions.map((region) => ({ account, region, chain: world.chain(of, account, region) })),
    );

  test("the chains are what the other tests say of them", () => {
    for (const of of Object.values(trails)) {
      for (const { chain } of chainsOf(of)) {
        expect(chain.length).toBeGreaterThanOrEqual(7);
        expect(hasEmptyWindow(chain)).toBe(true);
        expect(chain.filter(isFull).length).toBeGreaterThanOrEqual(3);
        expect(chain.filter(isStarting)).toHaveLength(of === trails.account ? 2 : 1);
        expect(new Set(chain.map(({ bucket }) => bucket))).toEqual(new Set(of.buckets));
        const keys = new Set(chain.map(({ digest }) => digest.digestPublicKeyFingerprint));
        expect(keys.size).toBeGreaterThan(1);
      }
    }
    const { owner, buckets } = trails.moving;
    const moved = world.chain(trails.moving, owner, regions[0]).find(({ bucket }) => bucket === buckets[1]);
    expect(moved?.key).toMatch(new RegExp(`^${movedPrefix}/AWSLogs/${owner}/CloudTrail-Digest/`));
    expect(moved?.digest.previousDigestS3Bucket).toBe(buckets[0]);
    for (const { digest } of world.chain(trails.organization, organization.member, regions[1])) {
      expect(digest.digestS3Object).toContain(`AWSLogs/${organization.id}/${organization.member}/`);
    }
  });

  test.each([
    ["an account's trail", trails.account, trails.account.owner],
    ["a trail that moved to another bucket and prefix", trails.moving, trails.moving.owner],
    ["an organization's trail, its own account", trails.organization, organization.management],
    ["an organization's trail, a member", trails.organization, organization.member],
  ])("the AWS CLI finds %s valid in both Regions", async (_, of, account) => {
    for (const region of regions) {
      const { code, stdout, stderr } = await validateLogs(of, account, region);
      const chain = world.chain(of, account, region);
      const files = world
        .inBuckets(of)
        .logFiles.filter(({ key }) => key.includes(`/${account}/CloudTrail/${region}/`));
      // A chain that began anew is told, and is no failure.
      const gaps = chain
        .filter(isStarting)
        .slice(1)
        .map(() => expect.stringMatching(/^No log files were delivered by CloudTrail between /));
      expect({ code, problems: linesOf(stderr) }).toEqual({ code: 0, problems: gaps });
      // Every digest, and every log file of the account and Region.
      expect(linesOf(stdout)).toEqual(
        expect.arrayContaining([
          `${chain.length}/${chain.length} digest files valid`,
          `${files.length}/${files.length} log files valid`,
        ]),
      );
    }
  });

  test("cairn verify finds nothing to say against the chains, in the server's buckets or in their folders", async () => {
    const { api } = world;
    const folder = mkdtempSync(join(tmpdir(), "cairn-verify-"));
    try {
      const keys = join(folder, "public-keys.json");
      const exported = await runCairn([
        ...["public-keys", "--endpoint-url", api.url, "--region", regions.join(","), "--output", keys],
      ]);
      expect(exported).toMatchObject({ code: 0, err: "" });
      const inFolder = (bucket: string) =>
        runCairn([
          ...["verify", "--directory", join(api.cairn.dataDir, "buckets", bucket), "--bucket", bucket],
          ...["--public-keys", keys, "--strict"],
        ]);
      const [first = "", moved = ""] = trails.moving.buckets;
      // What was not read in another bucket is not proven, so the moved trail is not looked at strictly.
      for (const { code, out, err } of [
        await verify("account-logs", "--trail-arn", trails.account.arn, "--strict"),
        await verify("organization-logs", "--trail-arn", trails.organization.arn, "--strict"),
        await verify(first, "--trail-arn", trails.moving.arn),
        await verify(moved, "--trail-arn", trails.moving.arn, "--prefix", movedPrefix),
        await inFolder("account-logs"),
        await inFolder("organization-logs"),
      ]) {
        expect({ code, problems: invalidLines(err) }, err).toEqual({ code: 0, problems: [] });
        expect(out).toMatch(/^(\d+)\/\1 digest files valid$/m);
        expect(out).toMatch(/^(\d+)\/\1 log files valid$/m);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.skipIf(!hasExample)("a digest has the members of the specification's, in their order", () => {
    const expected = membersOf(readFileSync(example, "utf8"));
    for (const of of Object.values(trails)) {
      for (const { text } of world.inBuckets(of).digests.filter(isFull)) {
        expect(membersOf(text)).toEqual(expected);
      }
    }
  });

  interface StoredObject {
    readonly body: Uint8Array;
    readonly metadata: Readonly<Record<string, string>>;
  }

  async function getObject(bucket: string, key: string): Promise<StoredObject> {
    const { Body, Metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { body: (await Body?.transformToByteArray()) ?? new Uint8Array(), metadata: Metadata };
  }

  async function putObject(bucket: string, key: string, { body, metadata }: StoredObject): Promise<void> {
    const type = { ContentType: "application/json", ContentEncoding: "gzip" };
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata: metadata, ...type }),
    );
  }

  /** A digest in the middle of a chain with log files, and an older one. */
  function victims(): { readonly digest: DigestFile; readonly older: DigestFile } {
    const full = world.chain(trails.account, trails.account.owner, "us-east-1").filter(isFull);
    const [older, digest] = full;
    if (!older || !digest || full.length < 3) throw new Error("The chain is too short.");
    return { older, digest };
  }

  interface Tampering {
    readonly what: string;
    readonly kind: "Log file" | "Digest file";
    readonly verdict: string;
    /** What takes the object's place; undefined: nothing does. */
    readonly instead: (
      present: StoredObject,
      older: StoredObject,
      digest: DigestFile,
    ) => StoredObject | undefined;
  }

  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const tamperings: readonly Tampering[] = [
    {
      ...{ what: "a log file edited", kind: "Log file", verdict: "hash value doesn't match" },
      instead: (present) => edited(present, (text) => text.replace('"RunInstances"', '"StopInstances"')),
    },
    { what: "a log file deleted", kind: "Log file", verdict: "not found", instead: () => undefined },
    {
      ...{ what: "a log file replaced by an older one", kind: "Log file" },
      verdict: "hash value doesn't match",
      instead: (_, older) => older,
    },
    {
      ...{ what: "a digest edited", kind: "Digest file", verdict: "signature verification failed" },
      instead: (present) => edited(present, (text) => text.replace(/"logFiles":\[.*\]/, '"logFiles":[]')),
    },
    { what: "a digest deleted", kind: "Digest file", verdict: "not found", instead: () => undefined },
    {
      ...{ what: "a digest replaced by an older one", kind: "Digest file" },
      verdict: "has been moved from its original location",
      instead: (_, older) => older,
    },
    {
      ...{ what: "a digest signed with another key", kind: "Digest file" },
      verdict: "signature verification failed",
      instead: (present, _, digest) => signedBy(stranger.privateKey, present, digest),
    },
    {
      ...{ what: "a digest edited and signed with another key that it names", kind: "Digest file" },
      verdict: "public key not found in region us-east-1 for fingerprint 0123456789abcdef0123456789abcdef",
      instead: (present, _, digest) => {
        const named = edited(present, (text) =>
          text.replace(digest.digest.digestPublicKeyFingerprint, "0123456789abcdef0123456789abcdef"),
        );
        return signedBy(stranger.privateKey, named, digest);
      },
    },
    {
      ...{ what: "a digest without its signature", kind: "Digest file" },
      verdict: "signature verification failed",
      instead: ({ body }) => ({ body, metadata: {} }),
    },
  ];

  test.each(tamperings.map((tampering) => [tampering.what, tampering] as const))(
    "%s is named",
    async (_, { kind, verdict, instead }) => {
      const { digest, older } = victims();
      const isLog = kind === "Log file";
      const { bucket } = digest;
      const keyOf = (file: DigestFile) => (isLog ? (file.digest.logFiles[0]?.s3Object ?? "") : file.key);
      const [key, olderKey] = [keyOf(digest), keyOf(older)];
      const present = await getObject(bucket, key);
      const next = instead(present, await getObject(bucket, olderKey), digest);
      expect(next).not.toEqual(present);
      try {
        if (next) await putObject(bucket, key, next);
        else await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
        const [cli, own] = await Promise.all([
          validateLogs(trails.account, trails.account.owner, "us-east-1"),
          verify(bucket, "--trail-arn", trails.account.arn),
        ]);
        const line = `${kind}\ts3://${bucket}/${key}\tINVALID: ${verdict}`;
        expect({ code: cli.code, problems: invalidLines(cli.stderr) }).toEqual({ code: 1, problems: [line] });
        expect({ code: own.code, problems: invalidLines(own.err) }).toEqual({ code: 1, problems: [line] });
      } finally {
        await putObject(bucket, key, present);
      }
    },
  );

  test("what was put back is valid again", async () => {
    const { code, stderr } = await validateLogs(trails.account, trails.account.owner, "us-east-1");
    expect({ code, problems: invalidLines(stderr) }).toEqual({ code: 0, problems: [] });
    expect(await verify("account-logs", "--strict")).toMatchObject({ code: 0, err: "" });
  });
});

function edited<Object_ extends { readonly body: Uint8Array }>(
  object: Object_,
  change: (text: string) => string,
): Object_ {
  const text = gunzipSync(object.body).toString("utf8");
  return { ...object, body: gzipSync(change(text)) };
}

/** The same object with a signature of another key; the digest as it was says what else is signed. */
function signedBy<Object_ extends { readonly body: Uint8Array; readonly metadata: object }>(
  key: KeyObject,
  object: Object_,
  { digest }: DigestFile,
): Object_ {
  const hash = createHash("sha256").update(gunzipSync(object.body)).digest("hex");
  const signature = sign("sha256", Buffer.from(stringToSign(digest, hash)), key).toString("hex");
  return { ...object, metadata: { ...object.metadata, signature } };
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function invalidLines(text: string): readonly string[] {
  return linesOf(text).filter((line) => line.includes("\tINVALID: "));
}

/** Names of the members in the order in which they stand, those of the first log file too. */
function membersOf(text: string): readonly unknown[] {
  const digest = JSON.parse(text) as { logFiles: readonly object[] };
  return [Object.keys(digest), Object.keys(digest.logFiles[0] ?? {})];
}
