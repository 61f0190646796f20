// Requests that the vendor's own clients write, in every protocol that they speak, and what a record says of them.
import { CreateLogGroupCommand, CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { PublishBatchCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, test } from "vitest";
import {
  described,
  type TestAnswer,
  type TestRequest,
} from "../../src/recorder/service/passed-call.test-world.ts";

interface HttpRequestLike {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Sender {
  readonly middlewareStack: { add(middleware: unknown, options: object): void };
  send(command: unknown): Promise<unknown>;
}

const configuration = {
  region: "us-east-1",
  endpoint: "http://127.0.0.1:4577",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
  maxAttempts: 1,
};

/** What a client would send: taken from it at the last moment, so nothing is sent. */
async function written(service: string, client: unknown, command: unknown): Promise<TestRequest> {
  let seen: HttpRequestLike | undefined;
  const sender = client as Sender;
  sender.middlewareStack.add(
    () => (args: { request: HttpRequestLike }) => {
      seen = args.request;
      throw new Error("not sent");
    },
    { step: "finalizeRequest", priority: "low", name: "taken" },
  );
  await sender.send(command).catch(() => undefined);
  if (!seen) throw new Error("The client wrote nothing.");
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(seen.query ?? {}))
    query.append(name, typeof value === "string" ? value : "");
  const { body } = seen;
  return {
    service,
    method: seen.method,
    path: seen.path,
    query: query.toString(),
    headers: { host: "127.0.0.1:4577", ...seen.headers },
    ...((typeof body === "string" || body instanceof Uint8Array) && { body }),
  };
}

const json = (value: unknown, status = 200): TestAnswer => ({
  status,
  body: JSON.stringify(value),
  headers: { "x-amzn-requestid": "request-1" },
});

const s3 = () => new S3Client({ ...configuration, forcePathStyle: true });

describe("AWS JSON", () => {
  test("SQS SendMessage hides what is said", async () => {
    const QueueUrl = "http://127.0.0.1:4577/111122223333/jobs";
    const command = new SendMessageCommand({ QueueUrl, MessageBody: "a secret", MessageGroupId: "g" });
    const answer = json({ MessageId: "m-1", MD5OfMessageBody: "9a4e3f7a614d9dd9f8722092dbda17a2" });
    expect(await described(await written("sqs", new SQSClient(configuration), command), answer)).toEqual({
      eventSource: "sqs.amazonaws.com",
      eventName: "SendMessage",
      readOnly: false,
      eventCategory: "Data",
      resources: [
        {
          accountId: "111122223333",
          type: "AWS::SQS::Queue",
          ARN: "arn:aws:sqs:us-east-1:111122223333:jobs",
        },
      ],
      requestParameters: {
        queueUrl: QueueUrl,
        messageBody: "HIDDEN_DUE_TO_SECURITY_REASONS",
        messageGroupId: "g",
      },
      responseElements: { messageId: "m-1", mD5OfMessageBody: "9a4e3f7a614d9dd9f8722092dbda17a2" },
      requestID: "request-1",
    });
  });

  test("SQS ReceiveMessage is a read: no answer", async () => {
    const command = new ReceiveMessageCommand({
      QueueUrl: "https://sqs.us-east-1.amazonaws.com/444455556666/q",
      MaxNumberOfMessages: 10,
    });
    const request = await written(
      "sqs",
      new SQSClient({ ...configuration, useQueueUrlAsEndpoint: false }),
      command,
    );
    expect(await described(request, json({ Messages: [{ Body: "a secret" }] }))).toMatchObject({
      readOnly: true,
      resources: [{ accountId: "444455556666", ARN: "arn:aws:sqs:us-east-1:444455556666:q" }],
      requestParameters: { maxNumberOfMessages: 10 },
      responseElements: null,
    });
  });

  test("KMS leaves out plaintext and ciphertext, and names the key that was used", async () => {
    const kms = new KMSClient(configuration);
    const request = await written(
      "kms",
      kms,
      new EncryptCommand({
        KeyId: "alias/x",
        Plaintext: Buffer.from("geheim"),
        EncryptionContext: { a: "b" },
      }),
    );
    const key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const description = await described(request, json({ KeyId: key, CiphertextBlob: "Z2VoZWlt" }));
    expect(description).toMatchObject({
      eventName: "Encrypt",
      readOnly: true,
      eventCategory: "Management",
      resources: [{ accountId: "111122223333", type: "AWS::KMS::Key", ARN: key }],
      requestParameters: { keyId: "alias/x", encryptionContext: { a: "b" } },
      responseElements: null,
    });
    expect(JSON.stringify(description)).not.toContain("Z2VoZWlt");
  });

  test("an error is said by code and message", async () => {
    const request = await written(
      "kms",
      new KMSClient(configuration),
      new DecryptCommand({ CiphertextBlob: Buffer.from("x") }),
    );
    const answer = json(
      { __type: "com.amazonaws.kms#AccessDeniedException", message: "User: x is not authorized" },
      400,
    );
    expect(await described(request, answer)).toMatchObject({
      errorCode: "AccessDenied",
      errorMessage: "User: x is not authorized",
      responseElements: null,
    });
  });

  test("EventBridge names the bus, whose entry has no account", async () => {
    const command = new PutEventsCommand({
      Entries: [{ Source: "x", DetailType: "d", Detail: '{"password":"geheim"}' }],
    });
    expect(
      await described(
        await written("events", new EventBridgeClient(configuration), command),
        json({ FailedEntryCount: 0, Entries: [{ EventId: "e" }] }),
      ),
    ).toMatchObject({
      eventSource: "events.amazonaws.com",
      apiVersion: "2015-10-07",
      eventCategory: "Data",
      resources: [
        { type: "AWS::Events::EventBus", ARN: "arn:aws:events:us-east-1:111122223333:event-bus/default" },
      ],
      requestParameters: {
        entries: [{ source: "x", detailType: "d", detail: "HIDDEN_DUE_TO_SECURITY_REASONS" }],
      },
      responseElements: { failedEntryCount: 0, entries: [{ eventId: "e" }] },
    });
  });

  test("keys of maps are data and stay as they are", async () => {
    const command = new CreateLogGroupCommand({ logGroupName: "/g", tags: { StratusRedTeam: "true" } });
    expect(
      await described(await written("logs", new CloudWatchLogsClient(configuration), command)),
    ).toMatchObject({
      eventName: "CreateLogGroup",
      apiVersion: "20140328",
      requestParameters: { logGroupName: "/g", tags: { StratusRedTeam: "true" } },
    });
  });
});

describe("Query", () => {
  test("SNS Publish and PublishBatch", async () => {
    const TopicArn = "arn:aws:sns:us-east-1:111122223333:top";
    const sns = new SNSClient(configuration);
    const one = new PublishCommand({
      TopicArn,
      Message: "a secret",
      Subject: "s",
      MessageAttributes: { a: { DataType: "String", StringValue: "v" } },
    });
    const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    expect(
      await described(await written("sns", sns, one), {
        body: "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>",
      }),
    ).toMatchObject({
      eventName: "Publish",
      eventCategory: "Data",
      resources: [{ type: "AWS::SNS::Topic", ARN: TopicArn }],
      requestParameters: { topicArn: TopicArn, message: hidden, subject: hidden, messageAttributes: hidden },
      responseElements: { messageId: "m" },
      requestID: "r-1",
    });
    const batch = new PublishBatchCommand({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: "1", Message: "a secret" },
        { Id: "2", Message: "b" },
      ],
    });
    expect(await described(await written("sns", new SNSClient(configuration), batch))).toMatchObject({
      requestParameters: {
        topicArn: TopicArn,
        publishBatchRequestEntries: [
          { id: "1", message: hidden },
          { id: "2", message: hidden },
        ],
      },
    });
  });

  test("STS AssumeRole keeps the key, not the secret, and tells whose it is", async () => {
    const command = new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::111122223333:role/path/r",
      RoleSessionName: "s",
      DurationSeconds: 900,
    });
    const body =
      "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey>" +
      "<SessionToken>geheimer</SessionToken><Expiration>2026-01-10T09:18:41Z</Expiration></Credentials><AssumedRoleUser>" +
      "<AssumedRoleId>AROA1:s</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>";
    const description = await described(await written("sts", new STSClient(configuration), command), {
      body,
    });
    expect(description).toMatchObject({
      eventName: "AssumeRole",
      readOnly: true,
      resources: [
        { accountId: "111122223333", type: "AWS::IAM::Role", ARN: "arn:aws:iam::111122223333:role/path/r" },
      ],
      requestParameters: {
        roleArn: "arn:aws:iam::111122223333:role/path/r",
        roleSessionName: "s",
        durationSeconds: 900,
      },
      responseElements: {
        credentials: { accessKeyId: "ASIA1", expiration: "Jan 10, 2026, 9:18:41 AM" },
        assumedRoleUser: { assumedRoleId: "AROA1:s", arn: "arn:aws:sts::111122223333:assumed-role/r/s" },
      },
      issued: {
        accessKeyId: "ASIA1",
        kind: "assumedRole",
        arn: "arn:aws:sts::111122223333:assumed-role/r/s",
        principalId: "AROA1:s",
        roleArn: "arn:aws:iam::111122223333:role/path/r",
        expiresMs: Date.UTC(2026, 0, 10, 9, 18, 41),
      },
    });
    expect(JSON.stringify(description)).not.toContain("geheim");
  });

  test("no members: null", async () => {
    expect(
      await described(await written("sts", new STSClient(configuration), new GetCallerIdentityCommand({}))),
    ).toMatchObject({
      eventName: "GetCallerIdentity",
      readOnly: true,
      requestParameters: null,
      responseElements: null,
    });
  });
});

describe("S3", () => {
  test("PutObject, GetObject and UploadPart never ask for a body", async () => {
    const put = await written(
      "s3",
      s3(),
      new PutObjectCommand({
        Bucket: "bkt",
        Key: "a/b c",
        Body: "object",
        Metadata: { pw: "geheim" },
        SSECustomerKey: "0123456789abcdef0123456789abcdef",
        SSECustomerAlgorithm: "AES256",
      }),
    );
    const description = await described(put, {
      headers: {
        "x-amz-request-id": "R1",
        "x-amz-id-2": "i2",
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
      },
    });
    expect(description).toMatchObject({
      eventName: "PutObject",
      eventCategory: "Data",
      resources: [
        { type: "AWS::S3::Object", ARN: "arn:aws:s3:::bkt/a/b c" },
        { accountId: "111122223333", type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::bkt" },
      ],
      requestParameters: {
        bucketName: "bkt",
        key: "a/b c",
        Host: "127.0.0.1:4577",
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
      },
      additionalEventData: {
        SignatureVersion: "SigV4",
        AuthenticationMethod: "AuthHeader",
        "x-amz-id-2": "i2",
        SSEApplied: "SSE_C",
      },
      requestID: "R1",
    });
    expect(JSON.stringify(description)).not.toMatch(/geheim|MDEyMzQ1/);
    const part = await written(
      "s3",
      s3(),
      new UploadPartCommand({ Bucket: "b", Key: "k", UploadId: "u", PartNumber: 1, Body: "x" }),
    );
    expect(await described(part)).toMatchObject({
      eventName: "UploadPart",
      requestParameters: { uploadId: "u", partNumber: "1" },
    });
    const get = await written("s3", s3(), new GetObjectCommand({ Bucket: "b", Key: "k" }));
    expect(
      await described(get, {
        status: 404,
        body: "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
      }),
    ).toMatchObject({
      eventName: "GetObject",
      errorCode: "NoSuchKey",
      errorMessage: "The specified key does not exist.",
      responseElements: null,
    });
  });

  test("ListObjectsV2 is ListObjects with list-type 2, about a prefix", async () => {
    expect(
      await described(await written("s3", s3(), new ListObjectsV2Command({ Bucket: "b", Prefix: "a/" }))),
    ).toMatchObject({
      eventName: "ListObjects",
      resources: [{ type: "AWS::S3::Object", ARNPrefix: "arn:aws:s3:::b/a/" }, { type: "AWS::S3::Bucket" }],
      requestParameters: { bucketName: "b", "list-type": "2", prefix: "a/" },
    });
  });

  test("CopyObject is about both objects", async () => {
    const { resources } = await described(
      await written("s3", s3(), new CopyObjectCommand({ Bucket: "b", Key: "k", CopySource: "from/x%20y" })),
    );
    expect(resources.map(({ ARN }) => ARN)).toEqual([
      "arn:aws:s3:::b/k",
      "arn:aws:s3:::b",
      "arn:aws:s3:::from",
      "arn:aws:s3:::from/x y",
    ]);
  });

  test("configurations stand as their XML, policies as JSON", async () => {
    const lifecycle = new PutBucketLifecycleConfigurationCommand({
      Bucket: "b",
      LifecycleConfiguration: {
        Rules: [{ ID: "r", Status: "Enabled", Filter: { Prefix: "*" }, Expiration: { Days: 1 } }],
      },
    });
    expect(await described(await written("s3", s3(), lifecycle))).toMatchObject({
      eventName: "PutBucketLifecycle",
      eventCategory: "Management",
      requestParameters: {
        lifecycle: "",
        LifecycleConfiguration: {
          xmlns: "http://s3.amazonaws.com/doc/2006-03-01/",
          Rule: { Status: "Enabled", Expiration: { Days: 1 }, ID: "r" },
        },
      },
    });
    const policy = new PutBucketPolicyCommand({
      Bucket: "b",
      Policy: '{"Version":"2012-10-17","Statement":[]}',
    });
    expect(await described(await written("s3", s3(), policy))).toMatchObject({
      requestParameters: { policy: "", bucketPolicy: { Version: "2012-10-17", Statement: [] } },
    });
  });

  test("a presigned URL leaves no signature, key or token", async () => {
    const query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260110%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260110T091841Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Security-Token=geheim&X-Amz-Signature=geheim";
    const { requestParameters } = await described({
      service: "s3",
      method: "GET",
      path: "/k",
      query,
      hostBucket: "bkt",
      headers: { host: "bkt.s3.example.com" },
    });
    expect(requestParameters).toEqual({
      bucketName: "bkt",
      Host: "bkt.s3.example.com",
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Date": "20260110T091841Z",
      "X-Amz-Expires": "300",
      "X-Amz-SignedHeaders": "host",
      key: "k",
    });
  });

  test("HEAD says why by its status alone", async () => {
    const head = { service: "s3", method: "HEAD", headers: { host: "h" } };
    expect(await described({ ...head, path: "/b/k" }, { status: 404 })).toMatchObject({
      eventName: "HeadObject",
      errorCode: "NoSuchKey",
    });
    expect(await described({ ...head, path: "/b" }, { status: 403 })).toMatchObject({
      eventName: "HeadBucket",
      errorCode: "AccessDenied",
      errorMessage: "Access Denied",
    });
  });

  test("a copy that failed after its 200 is a failure", async () => {
    const request = await written(
      "s3",
      s3(),
      new CopyObjectCommand({ Bucket: "b", Key: "k", CopySource: "from/x" }),
    );
    expect(
      await described(request, {
        body: "<Error><Code>InternalError</Code><Message>try again</Message></Error>",
      }),
    ).toMatchObject({ errorCode: "InternalError" });
  });
});
