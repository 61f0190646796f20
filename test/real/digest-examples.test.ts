// The example digests of the shared specification, when they are there: they parse, come out again as they were, and
// their chain is right for the checker of the tests, which finds the two log files that it leaves out.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { digestText, parseDigest, stringToSign } from "../../src/model/digest.ts";
import { chainProblems, type Chains, publicKeysByFingerprint } from "../harness/digest-checker.ts";
import { deliveredBelow } from "../harness/digest-files.ts";

const folder = fileURLToPath(new URL("../../../shared/spec/examples/", import.meta.url));
const isThere = existsSync(`${folder}digests`);
if (!isThere) process.stdout.write("skipped: needs ../shared/spec/examples/digests\n");

const bucket = "example-audit-logs";
const json = (name: string): unknown => JSON.parse(readFileSync(`${folder}${name}`, "utf8"));

function exampleChain(): Chains {
  const { digests, logFiles } = deliveredBelow([{ bucket, root: `${folder}bucket` }]);
  const { objects } = json("object-headers.json") as { objects: Record<string, Record<string, string>> };
  const { PublicKeyList } = json("list-public-keys-response.json") as {
    PublicKeyList: { Fingerprint: string; Value: string }[];
  };
  const keys = PublicKeyList.map(({ Fingerprint, Value }) => ({
    Fingerprint,
    Value: Buffer.from(Value, "base64"),
  }));
  return {
    digests: digests.filter(({ key }) => !key.includes("_backfill")),
    logFiles,
    signatures: new Map(
      Object.entries(objects).map(([key, headers]) => [key, headers["x-amz-meta-signature"] ?? ""]),
    ),
    publicKeys: publicKeysByFingerprint(keys),
  };
}

describe.skipIf(!isThere)("the example digests", () => {
  const names = isThere ? readdirSync(`${folder}digests`).filter((name) => name.endsWith(".json")) : [];

  test("there are five", () => expect(names).toHaveLength(5));

  test.each(names)("%s is read and written with the same members in the same order", (name) => {
    const text = readFileSync(`${folder}digests/${name}`, "utf8");
    const digest = parseDigest(text);
    expect(digest && digestText(digest)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test("their strings to sign are made as they stand there", () => {
    const { digests } = exampleChain();
    for (const name of ["starting", "with-logs"]) {
      const expected = readFileSync(`${folder}digests/${name}.string-to-sign.txt`, "utf8");
      const file = digests.find(({ digest }) => expected.startsWith(digest.digestEndTime));
      expect(file && stringToSign(file.digest, file.hash)).toBe(expected);
    }
  });

  test("their chain is whole, but for the log files of the backfill digest and of aggregated events", () => {
    const day = "AWSLogs/111122223333";
    expect(chainProblems(exampleChain())).toEqual([
      `s3://${bucket}/${day}/CloudTrail-Aggregated/us-east-1/2026/01/10/111122223333_CloudTrail-Aggregated_us-east-1_20260110T0935Z_TpB01NrBJOGkCU19.json.gz is in no digest.`,
      `s3://${bucket}/${day}/CloudTrail/us-east-1/2026/01/10/111122223333_CloudTrail_us-east-1_20260110T1010Z_GhEIEoEzByiDZ86b.json.gz is in no digest.`,
    ]);
  });

  test("the checker finds whatever is changed in it", () => {
    const chains = exampleChain();
    const [first, second, third, ...rest] = chains.digests;
    if (!first || !second || !third) throw new Error("The example chain has four digests.");
    const count = chainProblems(chains).length;
    const changes: Record<string, Partial<Chains>> = {
      "a digest is missing": { digests: [first, third, ...rest] },
      "a digest stands twice": { digests: [first, second, second, third, ...rest] },
      "a digest is edited": { digests: [first, { ...second, hash: third.hash }, third, ...rest] },
      "a signature is another's": {
        signatures: new Map([...chains.signatures, [second.key, chains.signatures.get(third.key) ?? ""]]),
      },
      "a key is unknown": { publicKeys: new Map() },
      "a log file is missing": {
        logFiles: chains.logFiles.filter(({ key }) => key !== second.digest.logFiles[0]?.s3Object),
      },
      "a log file is edited": { logFiles: chains.logFiles.map((file) => ({ ...file, text: "{}" })) },
      "the beginning is missing": { digests: [second, third, ...rest] },
    };
    for (const [what, change] of Object.entries(changes)) {
      expect(chainProblems({ ...chains, ...change }).length, what).toBeGreaterThan(count);
    }
  });
});
