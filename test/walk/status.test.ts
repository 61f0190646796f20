// An operator's day with `cairn status` and `cairn bucket-policy`: a bucket goes away and comes back, a policy is missing.
// The built command against the built server.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  bucket,
  expectRefusal,
  makeBucket,
  makeTrail,
  s3,
  startApi,
  unsignedScope,
} from "../harness/api-fixture.ts";
import { cleanEnvironment } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `cairn` to its end, without AWS credentials or configuration of whoever runs the tests. */
function cairn(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = { ...cleanEnvironment(), HOME: "/nonexistent", NODE_NO_WARNINGS: "1", ...environment };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

interface Destination {
  readonly kind: string;
  readonly target: string;
  readonly delivered?: { readonly latestMs: number };
  readonly failing?: { readonly code: string; readonly attempts: number; readonly sinceMs: number };
  readonly waiting: { readonly files: number; readonly records: number };
}

/** The bucket of a trail as `--json` tells it. */
async function bucketOf(api: Api, trail: string): Promise<Destination | undefined> {
  const { out } = await cairn(["status", "--json", "--endpoint-url", api.url, "--trail", trail]);
  const report = JSON.parse(out) as { trails: { arn: string; destinations: Destination[] }[] };
  return report.trails[0]?.destinations.find(({ kind }) => kind === "bucket");
}

describe("cairn status", () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.dispose());
  const status = (...words: string[]) => cairn(["status", "--endpoint-url", api.url, ...words]);

  test("without trails all is well", async () => {
    expect(await status()).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("There are no trails."),
    });
  });

  test("a bucket that goes away is told, alone, and that it is back", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeBucket(api.url, "vanishing-bucket");
    const good = await makeTrail(client, "good");
    const { TrailARN: bad = "" } = await client.createTrail({
      ...{ Name: "bad", S3BucketName: "vanishing-bucket", S3KeyPrefix: "audit" },
    });
    expect(await bucketOf(api, bad)).toMatchObject({
      target: "s3://vanishing-bucket/audit",
      waiting: { files: 0, records: 0 },
    });
    expect((await s3(api.url, "DELETE", "vanishing-bucket")).status).toBe(204);
    for (const Name of [good, bad]) await client.startLogging({ Name });
    await postEvents(api.url, [managementEvent({ recipientAccountId: account })]);

    await until("the failure is told", async () => (await bucketOf(api, bad))?.failing !== undefined);
    await until("the good trail delivers", async () => (await bucketOf(api, good))?.delivered !== undefined);
    const failing = await bucketOf(api, bad);
    expect(failing).toMatchObject({ failing: { code: "NoSuchBucket" } });
    expect(failing?.failing?.attempts).toBeGreaterThanOrEqual(1);
    expect(failing?.waiting.files).toBeGreaterThanOrEqual(1);
    expect(failing?.waiting.records).toBeGreaterThanOrEqual(1);
    expect(failing).not.toHaveProperty("delivered");
    const text = await status();
    expect(text).toMatchObject({ code: 1, err: "" });
    expect(text.out).toContain(`${good} is logging.\n  Log files to s3://${bucket}`);
    expect(text.out).toContain(`${bad} is logging.\n  Log files to s3://vanishing-bucket/audit`);
    expect(text.out).toMatch(/FAILING +since .*\n +NoSuchBucket/);
    expect(text.out).toContain("1 of 2 trails needs attention.");
    expect((await status("--trail", "good")).code).toBe(0);

    await makeBucket(api.url, "vanishing-bucket");
    await until("it is over", async () => (await status()).code === 0);
    const healed = await bucketOf(api, bad);
    expect(healed?.delivered?.latestMs).toBeGreaterThan(failing?.failing?.sinceMs ?? Number.NaN);
    expect(healed).not.toHaveProperty("failing");
  });

  test("a deleted trail with nothing left is no longer listed", async () => {
    const client = api.as(api.newAccount());
    const Name = await makeTrail(client, "short-lived");
    expect((await status("--trail", "short-lived")).out).toContain(`${Name} is not logging.`);
    await client.deleteTrail({ Name });
    await until("it is gone", async () => {
      const { code, err } = await status("--trail", "short-lived");
      return code === 2 && err.includes("is the name or ARN of no trail");
    });
  });
});

test("a token guards the status", async () => {
  const api = await startApi({ args: ["--metrics-token", "a-long-metrics-token"] });
  try {
    const words = ["status", "--endpoint-url", api.url];
    expect(await cairn(words)).toMatchObject({
      code: 2,
      err: expect.stringContaining("CAIRN_METRICS_TOKEN"),
    });
    expect(await cairn(words, { CAIRN_METRICS_TOKEN: "a-long-metrics-token" })).toMatchObject({
      code: 0,
      err: "",
    });
  } finally {
    await api.dispose();
  }
});

describe("cairn bucket-policy", () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi({ args: ["--bucket-policy", "strict"] });
  });
  afterAll(() => api.dispose());

  async function attach(name: string, policy: string): Promise<number> {
    const response = await fetch(`${api.url}/${name}?policy`, {
      method: "PUT",
      headers: { authorization: unsignedScope({ account: "123456789012" }, "s3") },
      body: policy,
    });
    return response.status;
  }

  test("prints what a strict server asks for, before the trail is there and after it changed", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeBucket(api.url, "policed-bucket");
    const create = () =>
      client.createTrail({ Name: "policed", S3BucketName: "policed-bucket", EnableLogFileValidation: true });
    const refusal = [
      "InsufficientS3BucketPolicyException",
      "Incorrect S3 bucket policy is detected for bucket: policed-bucket",
    ] as const;
    await expectRefusal(create(), refusal);
    const identity = ["--trail", "policed", "--account-id", account, "--region", "us-east-1"];
    const before = await cairn(["bucket-policy", ...identity, "--bucket", "policed-bucket"]);
    expect(before).toMatchObject({ code: 0, err: "" });
    expect(await attach("policed-bucket", before.out)).toBe(204);
    const { TrailARN = "" } = await create();
    const asked = await cairn(["bucket-policy", "--trail", TrailARN, "--endpoint-url", api.url]);
    expect(asked).toEqual(before);

    const move = () => client.updateTrail({ Name: "policed", S3KeyPrefix: "audit" });
    await expectRefusal(move(), refusal);
    const wider = await cairn([
      "bucket-policy",
      "--trail",
      TrailARN,
      "--prefix",
      "audit",
      "--endpoint-url",
      api.url,
    ]);
    expect(await attach("policed-bucket", wider.out)).toBe(204);
    await move();
  });

  test("a trail that is not there", async () => {
    const { code, out, err } = await cairn(["bucket-policy", "--trail", "nosuch", "--endpoint-url", api.url]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("TrailNotFoundException: Unknown trail: nosuch");
  });
});
