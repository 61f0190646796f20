// `cairn verify` over HTTP against a server with authentication on: signed requests, odd keys, listings of several pages,
// large objects in chunks, refusals.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testChain, testKey, writeCairnBucket } from "../../src/cli/verify/chain.test-world.ts";
import { runCairn } from "../harness/cairn-command.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";

const bucket = "evidence-bucket";
// What must be escaped in a path, and what must not.
const keyPrefix = "a b+c/(d)'!*/ä";
const credentials = { id: "AKIAVERIFYVERIFY0001", secret: "verify-secret-of-forty-characters-000000" };
const place = { account: "111122223333", region: "us-east-1" };
const startMs = Date.UTC(2026, 0, 10, 9, 17, 28);
const largeBytes = 3_000_000;

describe("cairn verify over HTTP", () => {
  let folder: string;
  let cairn: CairnProcess;
  const key = testKey();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cairn-verify-http-"));
    const chain = testChain({
      ...{ bucket, keyPrefix, ...place, trailName: "t", startMs, key },
      filesPerDigest: [1200, 0, 3],
      textOf: (index) =>
        `{"Records":[${index === 1201 ? `"${randomBytes(largeBytes / 2).toString("hex")}"` : String(index)}]}`,
    });
    writeFileSync(join(folder, "keys.json"), JSON.stringify({ PublicKeyList: [key.entry] }));
    writeFileSync(
      join(folder, "cairn.yaml"),
      JSON.stringify({
        accounts: [
          {
            id: "111122223333",
            users: [
              {
                name: "auditor",
                accessKeys: [{ accessKeyId: credentials.id, secretAccessKey: credentials.secret }],
                policies: [
                  { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
                ],
              },
            ],
          },
        ],
      }),
      { mode: 0o600 },
    );
    const dataDir = join(folder, "data");
    writeCairnBucket(join(dataDir, "buckets"), bucket, chain.objects);
    cairn = await startCairn({ dataDir, args: ["--auth", "on", "--config", join(folder, "cairn.yaml")] });
  });
  afterAll(async () => {
    await cairn?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  function verify(secret: string, ...words: readonly string[]) {
    const keys = ["--public-keys", join(folder, "keys.json")];
    const env = { AWS_ACCESS_KEY_ID: credentials.id, AWS_SECRET_ACCESS_KEY: secret };
    return runCairn(["verify", "--bucket", bucket, "--endpoint-url", cairn.url, ...keys, ...words], env);
  }

  test.each([[[]], [["--prefix", keyPrefix]], [["--concurrency", "1", "--strict"]]])(
    "finds the chain valid with %j",
    async (words) => {
      const { code, out, err } = await verify(credentials.secret, ...words);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("4/4 digest files valid\n1203/1203 log files valid");
    },
  );

  test("takes a time range by its listing", async () => {
    const range = ["--start-time", "2026-01-10T11:30:00Z", "--end-time", "2026-01-10T11:40:00Z"];
    const { code, out } = await verify(credentials.secret, ...range);
    expect(code).toBe(0);
    expect(out).toContain("1/1 digest files valid\n3/3 log files valid");
  });

  test("gives up with what the server says when the signature is refused", async () => {
    const { code, err } = await verify("another-secret");
    expect(code).toBe(1);
    expect(err).toMatch(/^The verification was given up: .+/);
    expect(err).not.toContain("another-secret");
  });

  test("gives up when there is no such bucket", async () => {
    const keys = ["--public-keys", join(folder, "keys.json")];
    const env = { AWS_ACCESS_KEY_ID: credentials.id, AWS_SECRET_ACCESS_KEY: credentials.secret };
    const words = ["verify", "--bucket", "no-such-bucket", "--endpoint-url", cairn.url, ...keys];
    const { code, err } = await runCairn(words, env);
    expect(code).toBe(1);
    expect(err).toContain("The specified bucket does not exist");
  });
});
