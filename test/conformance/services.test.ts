// The other AWS services against moto's server: what is sent arrives, and a refusal has its code. Needs moto_server.
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DisableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from "@aws-sdk/client-kms";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { LogGroup, Services } from "../../src/aws/contract.ts";
import { openServices, type ServiceEndpoints } from "../../src/aws/services.ts";
import { parseRegion, type Region } from "../../src/model/regions.ts";
import { realClock } from "../../src/world.ts";
import { type MotoServer, moto, motoAccount, motoCredentials, startMoto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { useCredentials } from "./aws-credentials.ts";

const ireland = regionOf("eu-west-1");
const virginia = regionOf("us-east-1");
/** Moto answers this in XML, also where the service speaks JSON. */
const denied = { kind: "refused", code: expect.stringMatching(/^AccessDenied/) };
const trailArn = `arn:aws:cloudtrail:eu-west-1:${motoAccount}:trail/my-trail`;

describeWith([moto])("the other services, against moto", () => {
  let server: MotoServer;
  let services: Services;
  const open: Services[] = [];

  beforeAll(async () => {
    server = await startMoto();
  });
  beforeEach(async () => {
    await server.reset();
    useCredentials(motoCredentials);
    services = openAll();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await server.enforcePolicies(false);
  });
  afterAll(() => server.stop());

  /** Every service at moto, but for the changes. */
  function openAll(changes: Partial<ServiceEndpoints> = {}): Services {
    const here = { kind: "url", url: server.url } as const;
    const endpoints = { sns: here, logs: here, events: here, kms: here, eventBusName: "default", ...changes };
    const opened = openServices(endpoints, realClock);
    open.push(opened);
    return opened;
  }

  function access(region: string) {
    return { endpoint: server.url, region, credentials: motoCredentials };
  }

  async function queue(region: string, name: string) {
    const client = new SQSClient(access(region));
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name }));
    return {
      arn: `arn:aws:sqs:${region}:${motoAccount}:${name}`,
      /** Waits for up to ten messages. */
      async bodies() {
        const answer = await client.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }),
        );
        return (answer.Messages ?? []).map(({ Body = "" }): unknown => JSON.parse(Body));
      },
    };
  }

  test("a message reaches the queue that subscribes to the topic, in the Region of its ARN", async () => {
    const client = new SNSClient(access("eu-west-1"));
    const { TopicArn = "" } = await client.send(new CreateTopicCommand({ Name: "log-files" }));
    const inbox = await queue("eu-west-1", "inbox");
    await client.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: inbox.arn }));
    expect(await services.topics?.publish(TopicArn, '{"s3Bucket":"b","s3ObjectKey":["k é"]}')).toEqual({
      kind: "done",
    });
    expect(await inbox.bodies()).toEqual([
      expect.objectContaining({
        Type: "Notification",
        TopicArn,
        Message: '{"s3Bucket":"b","s3ObjectKey":["k é"]}',
      }),
    ]);
  });

  test("a topic that is missing refuses", async () => {
    const missing = `arn:aws:sns:eu-west-1:${motoAccount}:missing`;
    expect(await services.topics?.publish(missing, "x")).toEqual({
      kind: "refused",
      code: "NotFound",
      message: expect.stringContaining("does not exist"),
    });
  });

  async function logGroup(name = "trail-logs"): Promise<LogGroup> {
    const client = new CloudWatchLogsClient(access("eu-west-1"));
    await client.send(new CreateLogGroupCommand({ logGroupName: name }));
    return groupNamed(name);
  }

  test("a log stream is made once, takes events in order, and another attempt to make it is done too", async () => {
    const group = await logGroup("/cairn/trail.logs#1");
    const stream = `${motoAccount}_CloudTrail_eu-west-1`;
    const { logGroups } = services;
    expect(await logGroups?.createStream(group, stream)).toEqual({ kind: "done" });
    expect(await logGroups?.createStream(group, stream)).toEqual({ kind: "done" });
    const nowMs = realClock.nowMs();
    const events = ['{"eventVersion":"1.11"}', '{"é":"\\u2028"}'].map((message, index) => ({
      timestampMs: nowMs + index,
      message,
    }));
    expect(await logGroups?.putEvents({ group, stream, events })).toEqual({ kind: "done" });
    const client = new CloudWatchLogsClient(access("eu-west-1"));
    const answer = await client.send(
      new GetLogEventsCommand({
        logGroupName: "/cairn/trail.logs#1",
        logStreamName: stream,
        startFromHead: true,
      }),
    );
    expect(answer.events?.map(({ timestamp, message }) => ({ timestampMs: timestamp, message }))).toEqual(
      events,
    );
  });

  test("events outside the window of the group are refused though the answer is 200", async () => {
    const group = await logGroup();
    await services.logGroups?.createStream(group, "s");
    const old = [{ timestampMs: realClock.nowMs() - 20 * 86_400_000, message: "old" }];
    expect(await services.logGroups?.putEvents({ group, stream: "s", events: old })).toMatchObject({
      kind: "refused",
      code: "RejectedLogEvents",
    });
  });

  test("a missing group and a missing stream refuse", async () => {
    const missing = { kind: "refused", code: "ResourceNotFoundException" };
    const group = await logGroup();
    const events = [{ timestampMs: realClock.nowMs(), message: "x" }];
    const { logGroups } = services;
    expect(await logGroups?.createStream(groupNamed("missing"), "s")).toMatchObject(missing);
    expect(await logGroups?.putEvents({ group, stream: "missing", events })).toMatchObject(missing);
  });

  test("with an STS endpoint the log stream is made by the role, which needs nothing of Cairn's own key", async () => {
    const group = await logGroup("trail-logs");
    await roleTrusting(server.url, `arn:aws:iam::${motoAccount}:user/cairn`);
    useCredentials(await userWho(server.url, "sts:AssumeRole"));
    await server.enforcePolicies(true);
    const withRole = openAll({ sts: { kind: "url", url: server.url } });
    expect(await withRole.logGroups?.createStream(group, "s")).toEqual({ kind: "done" });
    const events = [{ timestampMs: realClock.nowMs(), message: "x" }];
    expect(await withRole.logGroups?.putEvents({ group, stream: "s", events })).toMatchObject(denied);
    expect(await openAll().logGroups?.createStream(group, "t")).toMatchObject(denied);
  });

  test("a role that Cairn may not become is refused as AssumeRole", async () => {
    const group = await logGroup();
    await roleTrusting(server.url, `arn:aws:iam::${motoAccount}:user/another`);
    useCredentials(await userWho(server.url, "sts:AssumeRole"));
    await server.enforcePolicies(true);
    const withRole = openAll({ sts: { kind: "url", url: server.url } });
    expect(await withRole.logGroups?.createStream(group, "s")).toMatchObject({
      kind: "refused",
      code: "AssumeRole",
      message: expect.stringMatching(/^AccessDenied: /),
    });
  });

  test("credentials that nobody knows are no verdict about the role", async () => {
    const group = await logGroup();
    await server.enforcePolicies(true);
    const withRole = openAll({ sts: { kind: "url", url: server.url } });
    expect(await withRole.logGroups?.createStream(group, "s")).toMatchObject({
      kind: "refused",
      code: "InvalidClientTokenId",
    });
  });

  const busEvent = {
    source: "cairn.iam",
    detailType: "AWS API Call via CloudTrail",
    detail: '{"eventVersion":"1.11","eventName":"CreateUser"}',
    timeMs: Date.UTC(2026, 0, 10, 9, 25, 13),
    resources: [],
  };

  test("events on a bus reach the target of a rule, in the Region of the events", async () => {
    const client = new EventBridgeClient(access("us-east-1"));
    await client.send(new CreateEventBusCommand({ Name: "audit" }));
    const inbox = await queue("us-east-1", "bus-inbox");
    const rule = { Name: "all", EventBusName: "audit" };
    await client.send(new PutRuleCommand({ ...rule, EventPattern: '{"source":["cairn.iam"]}' }));
    await client.send(
      new PutTargetsCommand({
        Rule: rule.Name,
        EventBusName: rule.EventBusName,
        Targets: [{ Id: "1", Arn: inbox.arn }],
      }),
    );
    const { buses } = openAll({ eventBusName: "audit" });
    expect(await buses?.putEvents(virginia, [busEvent, { ...busEvent, source: "cairn.ec2" }])).toEqual({
      kind: "done",
      entries: [{ isTaken: true }, { isTaken: true }],
    });
    expect(await inbox.bodies()).toEqual([
      expect.objectContaining({
        source: "cairn.iam",
        "detail-type": "AWS API Call via CloudTrail",
        time: "2026-01-10T09:25:13Z",
        region: "us-east-1",
        resources: [],
        detail: { eventVersion: "1.11", eventName: "CreateUser" },
      }),
    ]);
  });

  test("an event that the bus does not take is named by its place", async () => {
    const answer = await services.buses?.putEvents(virginia, [
      busEvent,
      { ...busEvent, detail: "no JSON" },
      busEvent,
    ]);
    expect(answer).toEqual({
      kind: "done",
      entries: [
        { isTaken: true },
        { isTaken: false, code: "MalformedDetail", message: "Detail is malformed." },
        { isTaken: true },
      ],
    });
  });

  async function key(changes: CreateKeyCommandInput = {}, region: string = ireland) {
    const client = new KMSClient(access(region));
    const { KeyMetadata } = await client.send(new CreateKeyCommand(changes));
    return { client, id: KeyMetadata?.KeyId ?? "", arn: KeyMetadata?.Arn ?? "" };
  }

  test("a key is found by its ARN and by its alias, in the Region of the ARN", async () => {
    const { client, id, arn } = await key();
    const alias = "alias/trail/logs";
    await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: id }));
    const found = { kind: "key", key: { arn, isEnabled: true, isUsable: true } };
    const { keys } = services;
    expect(await keys?.describe(arn)).toEqual(found);
    expect(await keys?.describe(`arn:aws:kms:eu-west-1:${motoAccount}:${alias}`)).toEqual(found);
    expect(await keys?.describe(`arn:aws:kms:us-east-1:${motoAccount}:${alias}`)).toEqual({
      kind: "missing",
    });
    const absent = "00000000-0000-4000-8000-000000000000";
    expect(await keys?.describe(`arn:aws:kms:eu-west-1:${motoAccount}:key/${absent}`)).toEqual({
      kind: "missing",
    });
  });

  test("a disabled key, one to be deleted and one that does not encrypt are described as such", async () => {
    const disabled = await key();
    await disabled.client.send(new DisableKeyCommand({ KeyId: disabled.id }));
    const dying = await key();
    await dying.client.send(new ScheduleKeyDeletionCommand({ KeyId: dying.id }));
    const { keys } = services;
    expect(await keys?.describe(disabled.arn)).toMatchObject({ key: { isEnabled: false, isUsable: true } });
    expect(await keys?.describe(dying.arn)).toMatchObject({ key: { isEnabled: false } });
    for (const [KeySpec, KeyUsage] of [
      ["RSA_2048", "ENCRYPT_DECRYPT"],
      ["HMAC_256", "GENERATE_VERIFY_MAC"],
    ] as const) {
      const { arn } = await key({ KeySpec, KeyUsage });
      expect(await keys?.describe(arn)).toMatchObject({ key: { isEnabled: true, isUsable: false } });
    }
  });

  test("a data key is given by a good key, and refused by a missing one", async () => {
    const { arn } = await key();
    const { keys } = services;
    expect(await keys?.probe(arn, trailArn)).toEqual({ kind: "done" });
    const absent = arn.replace(/[0-9a-f]{12}$/, "000000000000");
    expect(await keys?.probe(absent, trailArn)).toMatchObject({
      kind: "refused",
      code: "NotFoundException",
    });
  });

  test("a caller without permission is refused by its code", async () => {
    const { arn } = await key();
    useCredentials(await userWho(server.url, "s3:ListBucket"));
    await server.enforcePolicies(true);
    const { keys, topics } = openAll();
    expect(await keys?.describe(arn)).toMatchObject(denied);
    expect(await keys?.probe(arn, trailArn)).toMatchObject(denied);
    expect(await topics?.publish(`arn:aws:sns:eu-west-1:${motoAccount}:t`, "x")).toMatchObject({
      kind: "refused",
      code: expect.stringMatching(/AccessDenied|AuthorizationError/),
    });
  });
});

function groupNamed(name: string): LogGroup {
  return {
    arn: `arn:aws:logs:eu-west-1:${motoAccount}:log-group:${name}:*`,
    roleArn: `arn:aws:iam::${motoAccount}:role/cairn-logs`,
  };
}

/** An IAM user with one allowed action; its access key. */
async function userWho(url: string, action: string) {
  await iam(url, { Action: "CreateUser", UserName: "cairn" });
  await iam(url, {
    Action: "PutUserPolicy",
    UserName: "cairn",
    PolicyName: "may",
    PolicyDocument: allowing(action),
  });
  const answer = await iam(url, { Action: "CreateAccessKey", UserName: "cairn" });
  const text = (element: string) => new RegExp(`<${element}>([^<]+)<`).exec(answer)?.[1] ?? "";
  return { accessKeyId: text("AccessKeyId"), secretAccessKey: text("SecretAccessKey") };
}

/** The role of `groupNamed`, which may make log streams and may be assumed by `principal`. */
async function roleTrusting(url: string, principal: string): Promise<void> {
  const trust = [{ Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" }];
  await iam(url, {
    Action: "CreateRole",
    RoleName: "cairn-logs",
    AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: trust }),
  });
  await iam(url, {
    Action: "PutRolePolicy",
    RoleName: "cairn-logs",
    PolicyName: "write",
    PolicyDocument: allowing("logs:CreateLogStream"),
  });
}

/** One IAM call, unsigned: moto reads only the scope. */
async function iam(url: string, parameters: Record<string, string>): Promise<string> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=x/20260110/us-east-1/iam/aws4_request" },
    body: new URLSearchParams({ Version: "2010-05-08", ...parameters }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

function allowing(action: string): string {
  const Statement = [{ Effect: "Allow", Action: action, Resource: "*" }];
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

function regionOf(text: string): Region {
  const region = parseRegion(text);
  if (!region) throw new Error(`${text} is no Region`);
  return region;
}
