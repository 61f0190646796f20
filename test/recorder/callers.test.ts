// Who made a call and from where: sessions that Cairn saw issued, other accounts, identity providers, proxies and VPC
// endpoints; and MinIO's audit webhook.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBucket, unsignedScope } from "../harness/api-fixture.ts";
import { type BotoAnswer, type BotoCall, boto3, runBoto3 } from "../harness/boto3.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { type MotoServer, moto, startMoto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { freePort } from "../harness/versitygw.ts";
import { account, type LoggedRecord, type RecorderWorld, region, startWorld } from "./recorder-world.ts";

const unchecked = { accessKeyId: account, secretAccessKey: "unchecked" };
const other = "111122223333";

describeWith([moto, boto3])("callers", () => {
  let world: RecorderWorld;
  let vpcPort: number;
  const run = (...calls: BotoCall[]): Promise<readonly BotoAnswer[]> =>
    runBoto3({ ...{ endpoint: world.cairn.url, region, credentials: unchecked }, calls });
  const untilFound = async (
    what: string,
    isWanted: (record: LoggedRecord) => boolean,
    count = 1,
  ): Promise<readonly LoggedRecord[]> => {
    await until(`${what} is logged`, () => world.records().filter(isWanted).length >= count, 15_000);
    return world.records().filter(isWanted);
  };

  beforeAll(async () => {
    vpcPort = await freePort();
    world = await startWorld([
      ...[
        "--vpc-endpoints",
        `vpce-0a1b2c3d=${vpcPort}@999988887777`,
        "--trusted-proxies",
        "127.0.0.1,10.0.0.0/8",
      ],
      ...["--audit-webhook-token", "minio-reports-here"],
    ]);
    await world.logAccount(other);
  }, 60_000);
  afterAll(() => world.dispose());

  test("of another account leave a copy with the owner, joined by the shared id", async () => {
    await run(
      { service: "sns", operation: "CreateTopic", parameters: { Name: "shared" } },
      {
        ...{ service: "sns", operation: "Publish", credentials: { ...unchecked, accessKeyId: other } },
        parameters: { TopicArn: `arn:aws:sns:${region}:${account}:shared`, Message: "m" },
      },
    );
    const copies = await untilFound("Publish", ({ eventName }) => eventName === "Publish", 2);
    const [callers, owners] = [other, account].map((recipient) =>
      copies.find(({ recipientAccountId }) => recipientAccountId === recipient),
    );
    expect(callers).toMatchObject({
      userIdentity: { type: "Unknown", accountId: other, accessKeyId: other },
    });
    expect(owners?.["userIdentity"]).toEqual({ type: "AWSAccount", principalId: other, accountId: other });
    expect(callers?.["sharedEventID"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(owners?.["sharedEventID"]).toBe(callers?.["sharedEventID"]);
    expect(owners?.["eventID"]).not.toBe(callers?.["eventID"]);
    expect(owners?.["requestID"]).toBe(callers?.["requestID"]);
  });

  test("with the token of an identity provider are named by it", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "none" })}.${part({ sub: "42", aud: "app", iss: "https://idp.example.com" })}.c2ln`;
    const role = { RoleName: "web", AssumeRolePolicyDocument: "{}" };
    await run(
      { service: "iam", operation: "CreateRole", parameters: role },
      {
        ...{ service: "sts", operation: "AssumeRoleWithWebIdentity", save: "web" },
        parameters: {
          RoleArn: `arn:aws:iam::${account}:role/web`,
          RoleSessionName: "visit",
          WebIdentityToken: token,
        },
      },
      {
        ...{ service: "iam", operation: "ListUsers" },
        credentials: {
          accessKeyId: "{{web.Credentials.AccessKeyId}}",
          secretAccessKey: "{{web.Credentials.SecretAccessKey}}",
          sessionToken: "{{web.Credentials.SessionToken}}",
        },
      },
    );
    const [assumed] = await untilFound(
      "the role",
      ({ eventName }) => eventName === "AssumeRoleWithWebIdentity",
    );
    expect(assumed).toMatchObject({ userIdentity: { type: "WebIdentityUser" }, recipientAccountId: account });
    expect(JSON.stringify(assumed)).not.toContain(token);
    const [used] = await untilFound("its session", ({ eventName }) => eventName === "ListUsers");
    expect(used).toMatchObject({
      userIdentity: {
        ...{ type: "AssumedRole", arn: `arn:aws:sts::${account}:assumed-role/web/visit`, accountId: account },
        sessionContext: {
          sessionIssuer: { type: "Role", arn: `arn:aws:iam::${account}:role/web`, userName: "web" },
        },
      },
    });
  });

  test("behind trusted proxies have the address that these report", async () => {
    const response = await fetch(world.cairn.url, {
      method: "POST",
      headers: {
        authorization: unsignedScope({ account }, "sts"),
        "content-type": "application/x-www-form-urlencoded",
        "x-forwarded-for": "203.0.113.66, 198.51.100.7, 10.1.2.3",
        "user-agent": "proxied",
      },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    expect(response.status).toBe(200);
    const [record] = await untilFound("the call", ({ userAgent }) => userAgent === "proxied");
    expect(record).toMatchObject({ sourceIPAddress: "198.51.100.7", eventName: "GetCallerIdentity" });
  });

  test("by a VPC endpoint bear its id and leave a network activity event", async () => {
    const endpoint = `http://127.0.0.1:${vpcPort}`;
    const [answer] = await run({ service: "sqs", operation: "ListQueues", endpoint });
    expect(answer?.status).toBe(200);
    const both = await untilFound("ListQueues", ({ eventName }) => eventName === "ListQueues", 2);
    const call = both.find(({ eventType }) => eventType === "AwsApiCall");
    const network = both.find(({ eventType }) => eventType === "AwsVpceEvent");
    const ids = { vpcEndpointId: "vpce-0a1b2c3d", vpcEndpointAccountId: "999988887777" };
    expect(call).toMatchObject({ ...ids, eventCategory: "Data", managementEvent: false });
    expect(network).toEqual({
      eventVersion: "1.11",
      userIdentity: { type: "Unknown", principalId: account, accountId: account, accessKeyId: account },
      eventTime: expect.any(String),
      eventSource: "sqs.amazonaws.com",
      eventName: "ListQueues",
      awsRegion: region,
      sourceIPAddress: "127.0.0.1",
      requestID: call?.["requestID"],
      eventID: expect.any(String),
      eventType: "AwsVpceEvent",
      recipientAccountId: account,
      sharedEventID: expect.any(String),
      ...ids,
      eventCategory: "NetworkActivity",
    });
    expect(network?.["eventID"]).not.toBe(call?.["eventID"]);
  });

  test("of MinIO come by its audit webhook, each once", async () => {
    const entry = {
      version: "1",
      deploymentid: "bc0e4d1e-bacc-42eb-91ad-2d7f3eacfa8d",
      time: "2026-01-10T09:18:41.250817748Z",
      trigger: "incoming",
      api: {
        ...{ name: "PutObject", bucket: "photos", object: "2026/cat.jpg", status: "OK", statusCode: 200 },
        ...{ rx: 512, tx: 0, timeToResponse: "16438202ns" },
      },
      remotehost: "192.0.2.10",
      requestID: "15BA4A72C0C70AFC",
      userAgent: "MinIO (linux; amd64) minio-go/v7.0.90",
      requestHeader: {
        Authorization: `AWS4-HMAC-SHA256 Credential=mary/20260110/${region}/s3/aws4_request,SignedHeaders=host,Signature=planted-signature`,
        "X-Amz-Server-Side-Encryption-Customer-Key": "planted-customer-key",
      },
      responseHeader: { "X-Amz-Request-Id": "15BA4A72C0C70AFC" },
      accessKey: "mary",
    };
    const post = (body: string, token?: string) =>
      fetch(`${world.cairn.url}/audit/minio`, {
        method: "POST",
        headers: token === undefined ? {} : { authorization: token },
        body,
      });
    expect((await post("{}")).status).toBe(401);
    expect((await post("{}", "Bearer another-token-here")).status).toBe(401);
    expect((await post("not json", "minio-reports-here")).status).toBe(400);
    // MinIO asks so whether somebody is there.
    expect(await (await post("{}", "minio-reports-here")).json()).toEqual({
      recorded: 0,
      ignored: 1,
      refused: 0,
    });
    const lines = [entry, entry, { ...entry, requestID: "15BA4A72C0C70AFD", api: { name: "ServerInfo" } }];
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    expect(await (await post(text, "Bearer minio-reports-here")).json()).toEqual({
      ...{ recorded: 1, ignored: 2, refused: 0 },
    });
    const records = await untilFound("PutObject", ({ eventName }) => eventName === "PutObject");
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      userIdentity: { type: "IAMUser", userName: "mary", accountId: account, accessKeyId: "mary" },
      ...{ eventTime: "2026-01-10T09:18:41Z", eventSource: "s3.amazonaws.com", awsRegion: region },
      ...{ sourceIPAddress: "192.0.2.10", userAgent: "[MinIO (linux; amd64) minio-go/v7.0.90]" },
      requestParameters: { bucketName: "photos", key: "2026/cat.jpg" },
      additionalEventData: { bytesTransferredIn: 512, bytesTransferredOut: 0 },
      ...{ requestID: "15BA4A72C0C70AFC", eventCategory: "Data", recipientAccountId: account },
      resources: [
        { ARN: "arn:aws:s3:::photos/2026/cat.jpg", type: "AWS::S3::Object" },
        { ARN: "arn:aws:s3:::photos", type: "AWS::S3::Bucket" },
      ],
    });
    expect(JSON.stringify(records)).not.toContain("planted");
  });
});

describeWith([moto, boto3])("whose a key is", () => {
  let server: MotoServer;
  let cairn: CairnProcess | undefined;
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-keys-"));
  beforeAll(async () => {
    server = await startMoto();
  });
  afterAll(async () => {
    await cairn?.dispose();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = () =>
    startCairn({
      dataDir,
      args: ["--auth", "off", "--delivery-interval", "200ms", "--endpoints", `default=${server.url}`],
    });

  test("is known after a restart, until the key is deleted", async () => {
    cairn = await start();
    await makeBucket(cairn.url, "keys");
    const script = (calls: readonly BotoCall[], credentials = unchecked) => ({
      ...{ endpoint: cairn?.url ?? "", region, credentials, calls },
    });
    const [, , created] = await runBoto3(
      script([
        {
          service: "cloudtrail",
          operation: "CreateTrail",
          parameters: { Name: "keys", S3BucketName: "keys" },
        },
        { service: "iam", operation: "CreateUser", parameters: { UserName: "paul" } },
        { service: "iam", operation: "CreateAccessKey", parameters: { UserName: "paul" } },
        { service: "cloudtrail", operation: "StartLogging", parameters: { Name: "keys" } },
      ]),
    );
    const key = JSON.parse(JSON.stringify(created?.answer?.["AccessKey"])) as Record<string, string>;
    const paul = { accessKeyId: key["AccessKeyId"] ?? "", secretAccessKey: key["SecretAccessKey"] ?? "" };
    // The state is written behind the call; a stop waits for it.
    expect(await cairn.end("SIGTERM")).toBe(0);
    cairn = await start();
    const list: BotoCall = { service: "iam", operation: "ListUsers" };
    await runBoto3(script([list], paul));
    const remove = { UserName: "paul", AccessKeyId: paul.accessKeyId };
    await runBoto3(script([{ service: "iam", operation: "DeleteAccessKey", parameters: remove }]));
    await runBoto3(script([list], paul));
    const records = () =>
      logFiles(dataDir, "keys")
        .flatMap((file) => file.records)
        .filter(({ eventName }) => eventName === "ListUsers");
    await until("both calls are logged", () => records().length === 2);
    const [before, after] = ["IAMUser", "Unknown"].map((type) =>
      records().find(({ userIdentity }) => JSON.stringify(userIdentity).includes(`"type":"${type}"`)),
    );
    expect([before?.["userIdentity"], after?.["userIdentity"]]).toEqual([
      {
        ...{ type: "IAMUser", arn: `arn:aws:iam::${account}:user/paul`, accountId: account },
        ...{ accessKeyId: paul.accessKeyId, userName: "paul", principalId: expect.any(String) },
      },
      { type: "Unknown", principalId: account, accountId: account, accessKeyId: paul.accessKeyId },
    ]);
  });
});
