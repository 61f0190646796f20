// The vendor's other clients through Cairn to moto, with authentication on: the SDK for JavaScript and the AWS CLI. Callers
// are verified here where the endpoint signs again; what their policies deny is recorded and never reaches the service.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { KMS } from "@aws-sdk/client-kms";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeConfig } from "../harness/api-fixture.ts";
import { aws, awsRaw } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { type MotoServer, moto, startMoto } from "../harness/moto.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";
import type { LoggedRecord } from "./recorder-world.ts";

const region = "us-east-1";
const account = "123456789012";
const mary = { accessKeyId: "AKIAMARYTEST", secretAccessKey: "mary-test-secret-key" };
const root = { accessKeyId: "AKIAROOTTEST", secretAccessKey: "root-test-secret-key" };
const upstream = { accessKeyId: "AKIAUPSTREAM", secretAccessKey: "planted-upstream-secret" };

const configuration = (url: string) => `
accounts:
  - id: "${account}"
    root: { accessKeys: [{ accessKeyId: ${root.accessKeyId}, secretAccessKey: ${root.secretAccessKey} }] }
    users:
      - name: mary
        path: /teams/
        accessKeys: [{ accessKeyId: ${mary.accessKeyId}, secretAccessKey: ${mary.secretAccessKey} }]
        policies:
          - Version: "2012-10-17"
            Statement:
              - { Effect: Allow, Action: ["sqs:*", "sns:CreateTopic", "dynamodb:*", "iam:*", "sts:*"], Resource: "*" }
endpoints:
  default: { url: "${url}", resign: { accessKeyId: ${upstream.accessKeyId}, secretAccessKey: ${upstream.secretAccessKey} } }
  kms: ${url}
  logs: ${url}
  events: ${url}
`;

describeWith([moto, awsCli])("clients with keys of the configuration", () => {
  let server: MotoServer;
  let cairn: CairnProcess;
  let folder: string;
  const as = (credentials: typeof mary) => ({ endpoint: cairn.url, region, credentials, maxAttempts: 1 });
  const records = (): readonly LoggedRecord[] =>
    logFiles(cairn.dataDir, "logs").flatMap((file) => file.records);
  const untilFound = async (eventName: string, count = 1): Promise<readonly LoggedRecord[]> => {
    const found = () => records().filter((record) => record["eventName"] === eventName);
    await until(`${eventName} is logged`, () => found().length >= count);
    return found();
  };
  const identity = {
    ...{ type: "IAMUser", principalId: expect.stringMatching(/^AIDA/), accountId: account, userName: "mary" },
    ...{ arn: `arn:aws:iam::${account}:user/teams/mary`, accessKeyId: mary.accessKeyId },
  };

  beforeAll(async () => {
    server = await startMoto();
    folder = mkdtempSync(join(tmpdir(), "cairn-clients-"));
    const config = writeConfig(folder, configuration(server.url));
    cairn = await startCairn({ args: ["--config", config, "--delivery-interval", "200ms"] });
    const s3 = new S3Client({ ...as(root), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "logs" }));
    const trails = new CloudTrail(as(root));
    await trails.createTrail({ Name: "all", S3BucketName: "logs", IsMultiRegionTrail: true });
    await trails.startLogging({ Name: "all" });
    s3.destroy();
    trails.destroy();
  }, 60_000);
  afterAll(async () => {
    await cairn.dispose();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("are verified here and signed again for the service", async () => {
    const { QueueUrl } = await new SQS(as(mary)).createQueue({ QueueName: "jobs" });
    expect(QueueUrl).toContain("/jobs");
    const [record] = await untilFound("CreateQueue");
    expect(record).toMatchObject({
      ...{ eventSource: "sqs.amazonaws.com", recipientAccountId: account, readOnly: false },
      requestParameters: { queueName: "jobs" },
      responseElements: { queueUrl: QueueUrl },
      userAgent: expect.stringMatching(/^aws-sdk-js\//),
    });
    expect(record?.["userIdentity"]).toEqual(identity);
    expect(record).not.toHaveProperty("additionalEventData");
  });

  test("are denied by their policies, which is recorded and goes no further", async () => {
    const sns = new SNS(as(mary));
    const { TopicArn } = await sns.createTopic({ Name: "news" });
    await expect(sns.deleteTopic({ TopicArn })).rejects.toMatchObject({
      name: expect.stringMatching(/AccessDenied|AuthorizationError/),
    });
    const [record] = await untilFound("DeleteTopic");
    expect(record).toMatchObject({
      errorCode: "AccessDenied",
      errorMessage: expect.stringContaining("is not authorized to perform: sns:DeleteTopic"),
      responseElements: null,
    });
    expect(record?.["userIdentity"]).toEqual(identity);
    const { Topics } = await new SNS(as(root)).listTopics({});
    expect(Topics).toEqual([{ TopicArn }]);
  });

  test("with a wrong secret are nobody", async () => {
    const wrong = { ...mary, secretAccessKey: "another-test-secret" };
    await expect(new SQS(as(wrong)).listQueues({})).rejects.toMatchObject({
      name: expect.stringMatching(/Signature/),
    });
    const { code, stderr } = await awsRaw({ url: cairn.url, region, ...wrong }, ["iam", "list-users"]);
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining("SignatureDoesNotMatch")]);
    const found = records().filter(({ eventName }) => eventName === "ListUsers");
    for (const { userIdentity } of found) expect(userIdentity).not.toMatchObject({ type: "IAMUser" });
  });

  test("of the AWS CLI", async () => {
    const cli = { url: cairn.url, region, ...mary };
    await aws(cli, ["iam", "create-user", "--user-name", "zoe", "--path", "/teams/"]);
    await aws(cli, [
      ...["dynamodb", "create-table", "--table-name", "t", "--billing-mode", "PAY_PER_REQUEST"],
      ...["--key-schema", "AttributeName=id,KeyType=HASH"],
      ...["--attribute-definitions", "AttributeName=id,AttributeType=S"],
    ]);
    expect((await untilFound("CreateUser"))[0]).toMatchObject({
      ...{
        eventSource: "iam.amazonaws.com",
        awsRegion: "us-east-1",
        userAgent: expect.stringMatching(/^aws-cli\//),
      },
      requestParameters: { userName: "zoe", path: "/teams/" },
      userIdentity: { userName: "mary" },
    });
    expect((await untilFound("CreateTable"))[0]).toMatchObject({
      eventSource: "dynamodb.amazonaws.com",
      resources: [{ ARN: `arn:aws:dynamodb:${region}:${account}:table/t`, accountId: account }],
    });
  });

  test("whose signature is passed on are believed by the service's answer", async () => {
    await new KMS(as(mary)).createKey({ Description: "backups" });
    await new CloudWatchLogs(as(mary)).createLogGroup({ logGroupName: "shop" });
    await new EventBridge(as(mary)).putRule({ Name: "nightly", ScheduleExpression: "rate(1 day)" });
    for (const eventName of ["CreateKey", "CreateLogGroup", "PutRule"]) {
      const [record] = await untilFound(eventName);
      expect(record?.["userIdentity"]).toEqual(identity);
    }
  });

  test("are found by LookupEvents a second later", async () => {
    await new KMS(as(mary)).createAlias({ AliasName: "alias/none", TargetKeyId: "none" }).catch(() => {});
    const startedMs = performance.now();
    const trails = new CloudTrail(as(root));
    const wanted = { AttributeKey: "EventName", AttributeValue: "CreateAlias" } as const;
    const found = async () => (await trails.lookupEvents({ LookupAttributes: [wanted] })).Events ?? [];
    let events = await found();
    while (events.length === 0 && performance.now() - startedMs < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 600));
      events = await found();
    }
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(events).toMatchObject([
      { EventName: "CreateAlias", EventSource: "kms.amazonaws.com", Username: "mary", ReadOnly: "false" },
    ]);
    const [record] = await untilFound("CreateAlias");
    expect(JSON.parse(events[0]?.CloudTrailEvent ?? "")).toEqual(record);
    trails.destroy();
  });

  test("assume roles, and their sessions are known by them", async () => {
    const sts = new STS(as(mary));
    const RoleArn = `arn:aws:iam::${account}:role/ops/Deployer`;
    const { Credentials } = await sts.assumeRole({ RoleArn, RoleSessionName: "build" });
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    // Nobody here can verify a session of the service; it is passed on where signatures are.
    await new KMS({ ...as(mary), credentials: session }).listKeys({});
    const [record] = await untilFound("ListKeys");
    expect(record).toMatchObject({
      userIdentity: {
        ...{ type: "AssumedRole", arn: `arn:aws:sts::${account}:assumed-role/Deployer/build` },
        sessionContext: { sessionIssuer: { type: "Role", arn: RoleArn, userName: "Deployer" } },
      },
    });
    expect((await untilFound("AssumeRole"))[0]).toMatchObject({ userIdentity: identity });
  });

  test("leave no secret of the endpoint anywhere", () => {
    expect(JSON.stringify(records())).not.toContain(upstream.secretAccessKey);
    expect(JSON.stringify(records())).not.toContain(upstream.accessKeyId);
    expect(cairn.log()).not.toContain(upstream.secretAccessKey);
  });
});
