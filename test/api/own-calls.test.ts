// Every API call to Cairn is itself an event: what its record says (formats.md §1), and that the trail gets it.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  home,
  makeBucket,
  organization,
  readAnswer,
  startApi,
  trailArn,
  unsignedScope,
  writeConfig,
} from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { describeWith, program } from "../harness/outside-program.ts";

type EventRecord = Readonly<Record<string, unknown>>;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The record of the call with that request id, once it is in the bucket. */
async function recordOf(
  dataDir: string,
  bucket: string,
  requestId: string | undefined,
): Promise<EventRecord> {
  const find = () =>
    logFiles(dataDir, bucket)
      .flatMap((file) => file.records)
      .filter((record) => record["requestID"] === requestId);
  expect(requestId).toMatch(uuid);
  await until(`the record of request ${requestId} is delivered`, () => find().length > 0);
  expect(find()).toHaveLength(1);
  return find()[0] ?? {};
}

describe("with authentication", () => {
  const account = "123456789012";
  const mary = { accessKeyId: "AKIAMARY000000000001", secretAccessKey: "mary-secret-of-the-tests-0000001" };
  const guest = { accessKeyId: "AKIAGUEST00000000001", secretAccessKey: "guest-secret-of-the-tests-000001" };
  const root = { accessKeyId: "AKIAROOT000000000001", secretAccessKey: "root-secret-of-the-tests-0000001" };
  const session = {
    accessKeyId: "ASIAMARY000000000001",
    secretAccessKey: "session-secret-of-the-tests-0001",
    sessionToken: "a-token-of-mary",
  };
  const bucket = "own-calls";
  let folder = "";
  let cairn: CairnProcess;
  const as = (credentials: typeof mary, region = home) =>
    new CloudTrail({ endpoint: cairn.url, region, credentials, maxAttempts: 1 });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cairn-own-"));
    const policies = [
      { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
    ];
    const users = [
      {
        name: "mary",
        path: "/teams/",
        accessKeys: [mary, { ...session, expires: "2099-01-01T00:00:00Z" }],
        policies,
      },
      { name: "guest", accessKeys: [guest] },
    ];
    const yaml = JSON.stringify({ accounts: [{ id: account, users, root: { accessKeys: [root] } }] });
    cairn = await startCairn({
      args: ["--auth", "on", "--delivery-interval", "200ms", "--config", writeConfig(folder, yaml)],
    });
    const s3 = new S3Client({ endpoint: cairn.url, region: home, credentials: mary, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await as(mary).createTrail({ Name: "own-trail", S3BucketName: bucket, IsMultiRegionTrail: true });
    await as(mary).startLogging({ Name: "own-trail" });
  });
  afterAll(async () => {
    await cairn.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a read by a user says who, what, from where, and that it changed nothing", async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { $metadata } = await as(mary).getTrail({ Name: "own-trail" });
    const record = await recordOf(cairn.dataDir, bucket, $metadata.requestId);
    expect(record).toEqual({
      eventVersion: "1.11",
      userIdentity: {
        type: "IAMUser",
        principalId: expect.stringMatching(/^AIDA\w+$/),
        arn: `arn:aws:iam::${account}:user/teams/mary`,
        accountId: account,
        accessKeyId: mary.accessKeyId,
        userName: "mary",
      },
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      eventSource: "cloudtrail.amazonaws.com",
      eventName: "GetTrail",
      awsRegion: home,
      sourceIPAddress: "127.0.0.1",
      userAgent: expect.stringContaining("aws-sdk-js/"),
      requestParameters: { name: "own-trail" },
      responseElements: null,
      requestID: $metadata.requestId,
      eventID: expect.stringMatching(uuid),
      readOnly: true,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: "Management",
    });
    expect(Date.parse(String(record["eventTime"]))).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(record["eventTime"]))).toBeLessThanOrEqual(Date.now());
  });

  test("a read of the root is the root's", async () => {
    const { $metadata } = await as(root).listTrails({});
    const record = await recordOf(cairn.dataDir, bucket, $metadata.requestId);
    expect(record["userIdentity"]).toEqual({
      type: "Root",
      principalId: account,
      arn: `arn:aws:iam::${account}:root`,
      accountId: account,
      accessKeyId: root.accessKeyId,
    });
  });

  test("temporary credentials are told as a session", async () => {
    const { $metadata } = await as(session).listTrails({});
    const record = await recordOf(cairn.dataDir, bucket, $metadata.requestId);
    expect(record["userIdentity"]).toMatchObject({
      type: "IAMUser",
      accessKeyId: session.accessKeyId,
      userName: "mary",
      sessionContext: { attributes: { mfaAuthenticated: "false" } },
    });
    expect(JSON.stringify(record)).not.toContain(session.sessionToken);
  });

  test("a denied call says so", async () => {
    const error = await as(guest)
      .deleteTrail({ Name: "own-trail" })
      .catch((reason: unknown) => reason);
    const { $metadata } = error as { $metadata: { requestId: string } };
    expect(await recordOf(cairn.dataDir, bucket, $metadata.requestId)).toMatchObject({
      eventName: "DeleteTrail",
      errorCode: expect.stringMatching(/^AccessDenied(Exception)?$/),
      errorMessage: expect.stringContaining("is not authorized to perform: cloudtrail:DeleteTrail"),
      responseElements: null,
      readOnly: false,
      userIdentity: { userName: "guest" },
    });
  });

  test("a call in another Region is an event of that Region", async () => {
    const { $metadata } = await as(mary, "eu-west-1").listTrails({});
    const record = await recordOf(cairn.dataDir, bucket, $metadata.requestId);
    expect(record["awsRegion"]).toBe("eu-west-1");
    const file = logFiles(cairn.dataDir, bucket).find(({ records }) =>
      records.some((other) => other["requestID"] === $metadata.requestId),
    );
    expect(file?.key).toContain(`AWSLogs/${account}/CloudTrail/eu-west-1/`);
  });
});

describe("what a record tells of input, output and errors", () => {
  const bucket = "told-calls";
  // Of the trail that the calls make and start: its files are not looked at.
  const otherBucket = "other-calls";
  let api: Api;
  let account = "";
  beforeAll(async () => {
    api = await startApi();
    account = api.newAccount();
    await makeBucket(api.url, bucket);
    await makeBucket(api.url, otherBucket);
    await api.as(account).createTrail({ Name: "own-trail", S3BucketName: bucket });
    await api.as(account).startLogging({ Name: "own-trail" });
  });
  afterAll(() => api.dispose());

  const call = async (operation: string, input: unknown) => {
    const answer = await api.raw(operation, input, { account });
    return { answer, record: await recordOf(api.cairn.dataDir, bucket, answer.requestId) };
  };
  const arn = (name: string) => trailArn(account, name);

  // The calls build on one another.
  test.each<[operation: string, input: object, parameters: () => unknown, elements: () => unknown]>([
    [
      "CreateTrail",
      {
        Name: "new-trail",
        S3BucketName: otherBucket,
        IsMultiRegionTrail: true,
        TagsList: [{ Key: "Team", Value: "audit" }],
      },
      () => ({
        name: "new-trail",
        s3BucketName: otherBucket,
        isMultiRegionTrail: true,
        tagsList: [{ key: "Team", value: "audit" }],
      }),
      () => ({
        name: "new-trail",
        s3BucketName: otherBucket,
        includeGlobalServiceEvents: true,
        isMultiRegionTrail: true,
        trailARN: arn("new-trail"),
        logFileValidationEnabled: false,
        isOrganizationTrail: false,
      }),
    ],
    [
      "UpdateTrail",
      { Name: "new-trail", IsMultiRegionTrail: false },
      () => ({ name: "new-trail", isMultiRegionTrail: false }),
      () => expect.objectContaining({ trailARN: arn("new-trail"), isMultiRegionTrail: false }),
    ],
    [
      "PutEventSelectors",
      { TrailName: "new-trail", EventSelectors: [{ ReadWriteType: "WriteOnly" }] },
      () => ({ trailName: "new-trail", eventSelectors: [{ readWriteType: "WriteOnly" }] }),
      () => ({
        trailARN: arn("new-trail"),
        eventSelectors: [
          {
            readWriteType: "WriteOnly",
            includeManagementEvents: true,
            dataResources: [],
            excludeManagementEventSources: [],
          },
        ],
      }),
    ],
    [
      "PutInsightSelectors",
      { TrailName: "new-trail", InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
      () => ({ trailName: "new-trail", insightSelectors: [{ insightType: "ApiCallRateInsight" }] }),
      () => ({ trailARN: arn("new-trail"), insightSelectors: [{ insightType: "ApiCallRateInsight" }] }),
    ],
    ["StartLogging", { Name: "new-trail" }, () => ({ name: "new-trail" }), () => null],
    ["StopLogging", { Name: "new-trail" }, () => ({ name: "new-trail" }), () => null],
    ["DeleteTrail", { Name: "new-trail" }, () => ({ name: "new-trail" }), () => null],
  ])("%s, a write", async (operation, input, parameters, elements) => {
    const { answer, record } = await call(operation, input);
    expect(answer.status).toBe(200);
    expect(record).toMatchObject({ eventName: operation, readOnly: false, managementEvent: true });
    expect(record["requestParameters"]).toEqual(parameters());
    expect(record["responseElements"]).toEqual(elements());
    expect(record).not.toHaveProperty("errorCode");
  });

  test.each<[operation: string, input: object, parameters: unknown]>([
    ["DescribeTrails", {}, null],
    [
      "DescribeTrails",
      { trailNameList: ["own-trail"], includeShadowTrails: false },
      { trailNameList: ["own-trail"], includeShadowTrails: false },
    ],
    ["GetTrail", { Name: "own-trail" }, { name: "own-trail" }],
    ["ListTrails", {}, null],
    ["GetTrailStatus", { Name: "own-trail" }, { name: "own-trail" }],
    ["GetEventSelectors", { TrailName: "own-trail" }, { trailName: "own-trail" }],
  ])("%s %j, a read", async (operation, input, parameters) => {
    const { answer, record } = await call(operation, input);
    expect(answer.status).toBe(200);
    expect(record).toMatchObject({ eventName: operation, readOnly: true, responseElements: null });
    expect(record["requestParameters"]).toEqual(parameters);
  });

  test.each<[operation: string, input: unknown, code: string, readOnly: boolean, parameters: unknown]>([
    ["GetTrail", { Name: "no-such-trail" }, "TrailNotFoundException", true, { name: "no-such-trail" }],
    ["StopLogging", { Name: "?" }, "InvalidTrailNameException", false, { name: "?" }],
    [
      "CreateTrail",
      { Name: "own-trail", S3BucketName: bucket },
      "TrailAlreadyExistsException",
      false,
      { name: "own-trail", s3BucketName: bucket },
    ],
    ["ListChannels", { MaxResults: 5 }, "UnsupportedOperationException", true, { maxResults: 5 }],
    ["GetTrail", '{"Name":', "SerializationException", true, null],
  ])("%s %j, a failure", async (operation, input, code, readOnly, parameters) => {
    const { answer, record } = await call(operation, input);
    expect(answer.json).toMatchObject({ __type: code });
    expect(record).toMatchObject({ eventName: operation, errorCode: code, readOnly, responseElements: null });
    expect(record["requestParameters"]).toEqual(parameters);
    const { Message } = answer.json as { Message?: string };
    if (Message !== undefined) expect(record["errorMessage"]).toBe(Message);
  });

  test("who did not prove who it is, is not told as somebody", async () => {
    const { record } = await call("ListTrails", {});
    expect(record["userIdentity"]).toMatchObject({ accountId: account });
    expect(record["userIdentity"]).not.toHaveProperty("userName");
    expect(record["userIdentity"]).not.toHaveProperty("arn");
    // Records say that the identity was not verified.
    expect(JSON.stringify(record)).toMatch(/verified/i);
  });

  test("the user agent is kept as sent, and cut at 1 KB", async () => {
    for (const [sent, kept] of [
      ["my-tool/1.0 (a test; it's mine)", "my-tool/1.0 (a test; it's mine)"],
      ["x".repeat(3000), "x".repeat(1024)],
    ] as const) {
      const response = await fetch(api.url, {
        method: "POST",
        headers: {
          authorization: unsignedScope({ account }, "cloudtrail"),
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "CloudTrail_20131101.ListTrails",
          "user-agent": sent,
        },
        body: "{}",
      });
      const { requestId } = await readAnswer(response);
      const { userAgent } = await recordOf(api.cairn.dataDir, bucket, requestId);
      // 1 KB of the JSON text may count the quotes (formats.md §1.6).
      expect(kept.startsWith(String(userAgent))).toBe(true);
      expect(String(userAgent).length).toBeGreaterThanOrEqual(kept.length - 2);
    }
  });

  test("parameters above 100 KB are left out, with their size", async () => {
    const Values = Array.from(
      { length: 240 },
      (_, index) => `arn:aws:s3:::bucket-${index}/${"p".repeat(500)}`,
    );
    const { answer, record } = await call("PutEventSelectors", {
      TrailName: "own-trail",
      EventSelectors: [{ DataResources: [{ Type: "AWS::S3::Object", Values }] }],
    });
    expect(answer.status).toBe(200);
    expect(record["requestParameters"]).toEqual({
      reason: "requestParameters too large",
      omitted: true,
      originalSize: expect.any(Number),
    });
    const { originalSize } = record["requestParameters"] as { originalSize: number };
    expect(originalSize).toBeGreaterThan(120_000);
  });

  test("every record has an id of its own", async () => {
    const ids = logFiles(api.cairn.dataDir, bucket).flatMap((file) =>
      file.records.map((record) => record["eventID"]),
    );
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("a member's call reaches the organization's trail", async () => {
    await makeBucket(api.url, "organization-calls");
    const management = api.as(organization.management);
    await management.createTrail({
      Name: "org-trail",
      S3BucketName: "organization-calls",
      IsOrganizationTrail: true,
    });
    await management.startLogging({ Name: "org-trail" });
    const { $metadata } = await api.as(organization.member).listTrails({});
    const record = await recordOf(api.cairn.dataDir, "organization-calls", $metadata.requestId);
    expect(record["recipientAccountId"]).toBe(organization.member);
    expect(logFiles(api.cairn.dataDir, "organization-calls").map((file) => file.key)).toContainEqual(
      expect.stringContaining(`AWSLogs/${organization.id}/${organization.member}/CloudTrail/`),
    );
  });
});

describeWith([program("openssl", "openssl", ["version"])])("under TLS", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cairn-tls-"));
    const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")];
    const wanted = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    const made = spawnSync("openssl", ["req", "-x509", ...wanted, ...files]);
    expect(made.status, made.stderr.toString()).toBe(0);
    chmodSync(join(folder, "tls.key"), 0o600);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("the record tells of the connection", async () => {
    const tls = [
      "--tls-certificate-file",
      join(folder, "tls.crt"),
      "--tls-key-file",
      join(folder, "tls.key"),
    ];
    const cairn = await startCairn({ args: ["--auth", "off", "--delivery-interval", "200ms", ...tls] });
    try {
      expect(cairn.url).toMatch(/^https:/);
      const credentials = { accessKeyId: "123456789012", secretAccessKey: "not-checked" };
      // The certificate is signed by itself.
      const requestHandler = { httpsAgent: new Agent({ rejectUnauthorized: false }) };
      const shared = { endpoint: cairn.url, region: home, credentials, requestHandler };
      const s3 = new S3Client({ ...shared, forcePathStyle: true });
      await s3.send(new CreateBucketCommand({ Bucket: "tls-calls" }));
      const client = new CloudTrail({ ...shared, maxAttempts: 1 });
      await client.createTrail({ Name: "tls-trail", S3BucketName: "tls-calls" });
      await client.startLogging({ Name: "tls-trail" });
      const { $metadata } = await client.listTrails({});
      const record = await recordOf(cairn.dataDir, "tls-calls", $metadata.requestId);
      expect(record["tlsDetails"]).toEqual({
        tlsVersion: expect.stringMatching(/^TLSv1\.[23]$/),
        cipherSuite: expect.stringMatching(/^[A-Z0-9_-]+$/),
        clientProvidedHostHeader: new URL(cairn.url).host,
      });
    } finally {
      await cairn.dispose();
    }
  });
});
