// `cairn bucket-policy`: from flags alone, and from what a small server answers to GetTrail.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { letsCloudTrailWrite } from "../model/delivery-policy.ts";
import { bucketPolicy } from "./bucket-policy.ts";

const arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/example-trail";
const bucket = "example-audit-logs";
const folders = ["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight"];
const permission = { trailArn: arn, bucket, owner: "111122223333", folders };

type Flags = Readonly<Record<string, string>>;

async function print(flags: Flags, environment: Flags = {}, files: Flags = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    environment,
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    readFile(path: string) {
      const text = files[path];
      if (text === undefined) throw new Error("no such file");
      return { text, mode: 0o600 };
    },
  };
  const code = await bucketPolicy(flags, terminal);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** Actions → resources of a printed policy. */
function resources(text: string): unknown {
  const { Statement } = JSON.parse(text) as { Statement: { Action: unknown; Resource: unknown }[] };
  return Statement.map(({ Action, Resource }) => [Action, Resource]);
}

describe("without a server", () => {
  test("the bucket's policy lets this trail write, wherever it needs to", async () => {
    const { code, out, err } = await print({ trail: arn, bucket });
    expect([code, err]).toEqual([0, ""]);
    expect(letsCloudTrailWrite(out, permission)).toBe(true);
    expect(letsCloudTrailWrite(out, { ...permission, keyPrefix: "audit" })).toBe(false);
    expect(letsCloudTrailWrite(out, { ...permission, owner: "444455556666" })).toBe(false);
  });

  test("a name needs account and Region; prefix and organization are heeded", async () => {
    const flags = { trail: "example-trail", bucket, prefix: "a*b", "organization-id": "o-exampleorgid" };
    const { out } = await print({ ...flags, "account-id": "111122223333", region: "us-east-1" });
    const organization = { ...permission, organizationId: "o-exampleorgid" };
    expect(letsCloudTrailWrite(out, { ...organization, keyPrefix: "a*b" })).toBe(true);
    expect(letsCloudTrailWrite(out, { ...organization, keyPrefix: "aXb" })).toBe(false);
  });

  test("the other kinds", async () => {
    const topic = "arn:aws:sns:us-east-1:111122223333:example-trail-topic";
    expect(resources((await print({ kind: "topic", trail: arn, topic })).out)).toEqual([
      ["SNS:Publish", topic],
    ]);
    const key = JSON.parse((await print({ kind: "key", trail: arn })).out) as { Sid: string }[];
    expect(key.map(({ Sid }) => Sid)).toEqual([
      "CloudTrailEncrypts",
      "CloudTrailDescribesKey",
      "ReadersDecrypt",
    ]);
    const group = "arn:aws:logs:us-east-1:111122223333:log-group:g";
    const role = { kind: "role", trail: arn, "log-group": `${group}:*` };
    const home = `${group}:log-stream:111122223333_CloudTrail_us-east-1*`;
    expect(resources((await print(role)).out)).toEqual([
      [["logs:CreateLogStream"], [home]],
      [["logs:PutLogEvents"], [home]],
    ]);
    const all = `${group}:log-stream:111122223333_CloudTrail_*`;
    expect(resources((await print({ ...role, "multi-region": "true" })).out)).toContainEqual([
      ["logs:PutLogEvents"],
      [all],
    ]);
    expect((await print({ kind: "role-trust" })).out).toContain('"sts:AssumeRole"');
  });

  test.each<[Flags, string]>([
    [{}, "--trail: give the name or ARN of a trail."],
    [{ bucket }, "--trail: give the name or ARN of a trail."],
    [{ trail: "example-trail", bucket }, "--trail: without a server a name is not enough;"],
    [{ trail: "arn:aws:s3:::x", bucket }, '--trail: "arn:aws:s3:::x" is neither'],
    [{ trail: `${arn}*`, bucket }, "is neither a trail's name nor its ARN."],
    [{ trail: arn, bucket: "Not_A_Bucket" }, '--bucket: "Not_A_Bucket" is not a bucket name.'],
    [{ trail: arn, bucket, prefix: "/a" }, "--prefix: "],
    [{ trail: arn, bucket, "organization-id": "mine" }, "--organization-id: "],
    [{ trail: arn, bucket, region: "Ohio" }, '--region: "Ohio" is no Region'],
    [{ trail: arn, bucket, "account-id": "12" }, '--account-id: "12" is no account id'],
    [{ trail: arn, kind: "topic", topic: "my-topic" }, '--topic: "my-topic" is not the ARN'],
    [{ trail: arn, kind: "role", "log-group": "g" }, "--log-group: "],
    [
      { trail: arn, kind: "\u001b" },
      '--kind: "\\u001b" is not one of bucket, topic, key, role and role-trust.',
    ],
    [{ trail: arn, port: "1" }, "--port: cairn bucket-policy has no such flag;"],
    [{ trail: arn, "endpoint-url": "x" }, '--endpoint-url: "x" is not an address'],
  ])("%j is refused with 2", async (flags, sentence) => {
    const { code, out, err } = await print(flags);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
  });
});

describe("from a server", () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  let answer: { status: number; body: unknown };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      seen.push({ request, body });
      response.writeHead(answer.status, {
        "content-type": "application/x-amz-json-1.1",
        connection: "close",
      });
      response.end(JSON.stringify(answer.body));
    });
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const trail = { Name: "example-trail", TrailARN: arn, S3BucketName: bucket, HomeRegion: "us-east-1" };
  beforeEach(() => {
    seen.length = 0;
    answer = { status: 200, body: { Trail: trail } };
  });
  /** Account or access key, and Region of the one call seen. */
  const scope = () =>
    /Credential=([^/]+)\/\d{8}\/([^/]+)\//.exec(seen[0]?.request.headers.authorization ?? "")?.slice(1);

  test("takes bucket and prefix from the trail, and flags over them", async () => {
    answer.body = { Trail: { ...trail, S3KeyPrefix: "audit" } };
    const { code, out, err } = await print({ trail: arn, "endpoint-url": url });
    expect([code, err]).toEqual([0, ""]);
    expect(letsCloudTrailWrite(out, { ...permission, keyPrefix: "audit" })).toBe(true);
    expect(seen[0]?.request.headers["x-amz-target"]).toMatch(/\.GetTrail$/);
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ Name: arn });
    const other = await print({ trail: arn, "endpoint-url": url, prefix: "other" });
    expect(letsCloudTrailWrite(other.out, { ...permission, keyPrefix: "other" })).toBe(true);
  });

  test.each<[string, Flags, Flags, Flags, string[]]>([
    ["none, and an ARN", { trail: arn }, {}, {}, ["111122223333", "us-east-1"]],
    ["none, and a name", { trail: "example-trail" }, { AWS_REGION: "eu-west-1" }, {}, ["cairn", "eu-west-1"]],
    [
      "none, no Region either",
      { trail: "example-trail", "account-id": "444455556666" },
      {},
      {},
      ["444455556666", "us-east-1"],
    ],
    [
      "those of the environment",
      { trail: "example-trail", region: "us-east-2" },
      { AWS_ACCESS_KEY_ID: "AKIAMARY", AWS_SECRET_ACCESS_KEY: "s", AWS_REGION: "eu-west-1" },
      {},
      ["AKIAMARY", "us-east-2"],
    ],
    [
      "a file with a Region alone has none",
      { trail: arn },
      { HOME: "/home/mary" },
      { "/home/mary/.aws/config": "[default]\nregion = eu-west-1\n" },
      ["111122223333", "us-east-1"],
    ],
  ])("credentials: %s", async (_name, flags, environment, files, expected) => {
    const { code, err } = await print({ ...flags, "endpoint-url": url }, environment, files);
    expect([code, err]).toEqual([0, ""]);
    expect(scope()).toEqual(expected);
  });

  test("a refusal is told with its code and text, escaped; exit code 1", async () => {
    answer = {
      status: 400,
      body: { __type: "TrailNotFoundException", Message: "Unknown trail: x\u001b for y" },
    };
    const { code, out, err } = await print({ trail: "example-trail", "endpoint-url": url });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(`GetTrail at ${url}/ failed: TrailNotFoundException: Unknown trail: x\\u001b for y`);
  });

  test("a trail without the destination says which flag gives one", async () => {
    const ask = (kind: string) => print({ trail: arn, kind, "endpoint-url": url });
    expect(await ask("topic")).toEqual({
      code: 1,
      out: "",
      err: `The trail ${arn} has no SNS topic; give one with --topic.`,
    });
    expect(await ask("role")).toMatchObject({
      code: 1,
      err: `The trail ${arn} has no log group; give one with --log-group.`,
    });
    expect(await ask("key")).toMatchObject({ code: 0 });
  });

  test("topic and log group of the trail; an organization's records have streams of their own", async () => {
    const topic = "arn:aws:sns:us-east-1:111122223333:t";
    const group = "arn:aws:logs:us-east-1:111122223333:log-group:g";
    answer.body = {
      Trail: {
        ...trail,
        ...{ SnsTopicARN: topic, CloudWatchLogsLogGroupArn: `${group}:*` },
        ...{ IsOrganizationTrail: true, IsMultiRegionTrail: true },
      },
    };
    const ask = (kind: string) => print({ trail: arn, kind, "endpoint-url": url });
    expect(resources((await ask("topic")).out)).toEqual([["SNS:Publish", topic]]);
    const streams = [`${group}:log-stream:111122223333_CloudTrail_*`, `${group}:log-stream:org_*`];
    expect(resources((await ask("role")).out)).toContainEqual([["logs:PutLogEvents"], streams]);
    expect(await ask("bucket")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--organization-id: "),
    });
    const whole = await print({ trail: arn, "endpoint-url": url, "organization-id": "o-exampleorgid" });
    expect(letsCloudTrailWrite(whole.out, { ...permission, organizationId: "o-exampleorgid" })).toBe(true);
  });
});
