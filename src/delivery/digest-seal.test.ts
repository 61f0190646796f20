// Making digests: the published examples come out again, signatures verify, and what changed in the middle is refused.
import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { account, region } from "../../test/sim/delivery-world.ts";
import { parseDigest, stringToSign } from "../model/digest.ts";
import { type DigestContent, digestTarget, sealedText, signDigest } from "./digest-seal.ts";
import { trailArn } from "../model/arn.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const signed: string[] = [];
const signer = {
  fingerprint: async () => "f9176f48dd31d8345ca70f9300c3c981",
  async sign(_region: string, _endMs: number, text: string) {
    signed.push(text);
    const signature = sign("sha256", Buffer.from(text), pair.privateKey).toString("hex");
    return { signature, fingerprint: "f9176f48dd31d8345ca70f9300c3c981" };
  },
};
const chain = { incarnation: "i", account: account("111122223333"), region: region("us-east-1") };
const folder = fileURLToPath(new URL("../../../shared/spec/examples/digests", import.meta.url));
const examples = existsSync(folder)
  ? readdirSync(folder).filter((name) => /^(starting|empty|with-logs)\.json$/.test(name))
  : [];
if (examples.length === 0) process.stdout.write("skipped: needs ../shared/spec/examples/digests\n");

/** What an example says, as the content of a digest. */
function contentOf(text: string): DigestContent {
  const digest = parseDigest(text);
  if (!digest) throw new Error("The example is a digest.");
  const { previousDigestS3Bucket: bucket, previousDigestS3Object: key } = digest;
  const { previousDigestHashValue: hash, previousDigestSignature: signature } = digest;
  return {
    chain,
    startMs: Date.parse(digest.digestStartTime),
    endMs: Date.parse(digest.digestEndTime),
    bucket: digest.digestS3Bucket,
    key: digest.digestS3Object,
    previous: bucket && key && hash && signature ? { bucket, key, hash, signature } : undefined,
    notes: digest.logFiles.map((file) => ({
      ...{ planId: file.s3Object, bucket: file.s3Bucket, key: file.s3Object, sha256: file.hashValue },
      ...(file.newestEventTime != null && { newestEventTime: file.newestEventTime }),
      ...(file.oldestEventTime != null && { oldestEventTime: file.oldestEventTime }),
      deliveredMs: 0,
    })),
  };
}

describe.skipIf(examples.length === 0)("the published examples", () => {
  test("are all there", () => {
    expect(examples).toHaveLength(3);
  });

  test.each(examples)("%s comes out again, member by member", async (name) => {
    const example = readFileSync(`${folder}/${name}`, "utf8");
    const { text } = await signDigest(signer, contentOf(example));
    expect(Buffer.from(text).toString()).toBe(JSON.stringify(JSON.parse(example)));
  });

  test("what is signed is the published string", async () => {
    await signDigest(signer, contentOf(readFileSync(`${folder}/starting.json`, "utf8")));
    expect(signed.at(-1)?.split("\n").toSpliced(2, 1)).toEqual(
      readFileSync(`${folder}/starting.string-to-sign.txt`, "utf8").split("\n").toSpliced(2, 1),
    );
  });
});

const content: DigestContent = {
  chain,
  ...{ startMs: Date.UTC(2026, 0, 10, 9, 17, 28), endMs: Date.UTC(2026, 0, 10, 10, 17, 28) },
  ...{ bucket: "logs", key: "digest" },
  previous: { bucket: "logs", key: "before", hash: "00", signature: "ab" },
  notes: [
    {
      ...{ planId: "0-1-1", bucket: "logs", key: "file", sha256: "cd", deliveredMs: 0 },
      ...{ oldestEventTime: "2026-01-10T09:18:41Z", newestEventTime: "2026-01-10T09:20:02Z" },
    },
    // No record of this one has a time that can be read.
    { planId: "0-1-2", bucket: "logs", key: "other", sha256: "ef", deliveredMs: 0 },
  ],
};

test("the signature holds for the hash of the text, the place and the link", async () => {
  const { text, hash, signature } = await signDigest(signer, content);
  const digest = parseDigest(Buffer.from(text).toString());
  expect(digest?.logFiles.map(({ s3Object, oldestEventTime }) => [s3Object, oldestEventTime])).toEqual([
    ["file", "2026-01-10T09:18:41Z"],
    ["other", undefined],
  ]);
  expect(hash).toBe(createHash("sha256").update(text).digest("hex"));
  const string = digest ? stringToSign(digest, hash) : "";
  expect(verify("sha256", Buffer.from(string), pair.publicKey, Buffer.from(signature, "hex"))).toBe(true);
});

test("a sealed digest comes out the same from its notes, or not at all", async () => {
  const { text, ...rest } = await signDigest(signer, content);
  const { startMs, endMs, bucket, key } = content;
  const sealed = {
    startMs,
    endMs,
    bucket,
    key,
    ...rest,
    upTo: 2,
    isLast: false,
    outcome: "unknown",
  } as const;
  expect(sealedText(content, sealed)).toEqual(text);
  expect(() => sealedText({ ...content, notes: content.notes.slice(1) }, sealed)).toThrow(
    "cannot be made again",
  );
});

test("a key that changes in the middle signs nothing", async () => {
  const changing = { ...signer, fingerprint: async () => "00" };
  await expect(signDigest(changing, content)).rejects.toThrow("The signing key of us-east-1 changed");
});

test("the key has the organization's folder, the trail's name and its home Region", () => {
  const place = {
    ...{
      incarnation: "i",
      owner: account("123456789012"),
      bucket: "logs",
      keyPrefix: "p",
      organizationId: "o-1",
    },
    trailArn: trailArn({ homeRegion: region("eu-west-1"), account: account("123456789012"), name: "a_b" }),
  };
  expect(digestTarget(chain, Date.UTC(2026, 0, 10, 10, 17, 28), place)).toEqual({
    bucket: "logs",
    key: "p/AWSLogs/o-1/111122223333/CloudTrail-Digest/us-east-1/2026/01/10/111122223333_CloudTrail-Digest_us-east-1_a_b_eu-west-1_20260110T101728Z.json.gz",
  });
});
