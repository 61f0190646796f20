// Secrets of many kinds sent through Cairn in requests and answers: none is on its disk afterwards, in whatever form.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BotoAnswer, type BotoCall, boto3, runBoto3 } from "../harness/boto3.ts";
import { moto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { account, type RecorderWorld, region, startWorld } from "./recorder-world.ts";

let planted = 0;
const kinds: string[] = [];
/** A new secret: plain to find, of characters that every protocol sends as they are. */
function secret(kind: string): string {
  planted += 1;
  kinds.push(kind);
  return `Planted${planted}x${createHash("sha256").update(kind).digest("hex").slice(0, 12)}!`;
}

const role = "arn:aws:iam::123456789012:role/any";
const values: string[] = [];
const plant = (kind: string): string => {
  const value = secret(kind);
  values.push(value);
  return value;
};
const bytes = (kind: string) => ({ $bytes: plant(kind) });

/** One or more secrets in each. */
const calls: readonly BotoCall[] = [
  ...(
    [
      ["iam", "CreateUser", { UserName: "paul" }],
      ["iam", "CreateLoginProfile", { UserName: "paul", Password: plant("console password") }],
      ["iam", "UpdateLoginProfile", { UserName: "paul", Password: plant("new console password") }],
      [
        "iam",
        "ChangePassword",
        { OldPassword: plant("old password"), NewPassword: plant("own new password") },
      ],
      [
        "iam",
        "UploadServerCertificate",
        {
          ...{ ServerCertificateName: "c", CertificateBody: "body" },
          PrivateKey: plant("private key of a certificate"),
        },
      ],
      [
        "rds",
        "CreateDBInstance",
        {
          ...{
            DBInstanceIdentifier: "shop",
            Engine: "mysql",
            DBInstanceClass: "db.t3.micro",
            MasterUsername: "a",
          },
          MasterUserPassword: plant("database password"),
        },
      ],
      [
        "rds",
        "ModifyDBInstance",
        { DBInstanceIdentifier: "shop", MasterUserPassword: plant("new database password") },
      ],
      [
        "redshift",
        "CreateCluster",
        {
          ...{ ClusterIdentifier: "dw", NodeType: "ra3.large", MasterUsername: "a" },
          MasterUserPassword: plant("warehouse password"),
        },
      ],
      ["secretsmanager", "CreateSecret", { Name: "db", SecretString: plant("secret string") }],
      ["secretsmanager", "PutSecretValue", { SecretId: "db", SecretBinary: bytes("secret bytes") }],
      ["secretsmanager", "UpdateSecret", { SecretId: "db", SecretString: plant("secret in an answer") }],
      ["secretsmanager", "GetSecretValue", { SecretId: "db" }],
      ["ssm", "PutParameter", { Name: "/p", Type: "SecureString", Value: plant("secure parameter") }],
      ["ssm", "GetParameter", { Name: "/p", WithDecryption: true }],
      [
        "sqs",
        "SendMessage",
        {
          ...{ QueueUrl: "{{queue.QueueUrl}}", MessageBody: plant("message body") },
          MessageAttributes: { note: { DataType: "String", StringValue: plant("message attribute") } },
        },
      ],
      ["sqs", "ReceiveMessage", { QueueUrl: "{{queue.QueueUrl}}" }],
      [
        "sns",
        "Publish",
        {
          ...{ TopicArn: "{{topic.TopicArn}}", Message: plant("notification"), Subject: plant("subject") },
        },
      ],
      ["sns", "Publish", { PhoneNumber: "+15550100", Message: plant("text message") }],
      [
        "events",
        "PutEvents",
        {
          Entries: [
            { Source: "s", DetailType: "t", Detail: JSON.stringify({ card: plant("detail of an event") }) },
          ],
        },
      ],
      ["kinesis", "CreateStream", { StreamName: "st", ShardCount: 1 }],
      ["kinesis", "PutRecord", { StreamName: "st", PartitionKey: "p", Data: bytes("stream record") }],
      [
        "kinesis",
        "PutRecords",
        { StreamName: "st", Records: [{ PartitionKey: "p", Data: bytes("stream records") }] },
      ],
      [
        "dynamodb",
        "PutItem",
        { TableName: "t", Item: { id: { S: "1" }, card: { S: plant("item attribute") } } },
      ],
      [
        "dynamodb",
        "UpdateItem",
        {
          ...{ TableName: "t", Key: { id: { S: "1" } }, UpdateExpression: "SET card = :c" },
          ExpressionAttributeValues: { ":c": { S: plant("expression value") } },
          ReturnValues: "ALL_NEW",
        },
      ],
      ["dynamodb", "GetItem", { TableName: "t", Key: { id: { S: "1" } } }],
      [
        "dynamodb",
        "ExecuteStatement",
        { Statement: "SELECT * FROM t WHERE id = ?", Parameters: [{ S: plant("parameter") }] },
      ],
      [
        "lambda",
        "CreateFunction",
        {
          ...{ FunctionName: "f", Runtime: "python3.12", Role: role, Handler: "h.h" },
          Code: { ZipFile: bytes("code") },
          Environment: { Variables: { TOKEN: plant("environment variable") } },
        },
      ],
      ["lambda", "Invoke", { FunctionName: "f", Payload: bytes("payload") }],
      [
        "ec2",
        "RunInstances",
        { ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1, UserData: plant("user data") },
      ],
      ["ec2", "CreateKeyPair", { KeyName: "k" }],
      ["kms", "Encrypt", { KeyId: "{{key.KeyMetadata.KeyId}}", Plaintext: bytes("plaintext") }],
      ["kms", "GenerateDataKey", { KeyId: "{{key.KeyMetadata.KeyId}}", KeySpec: "AES_256" }],
      [
        "cognito-idp",
        "AdminCreateUser",
        {
          ...{
            UserPoolId: "{{pool.UserPool.Id}}",
            Username: "u",
            TemporaryPassword: plant("temporary password"),
          },
        },
      ],
      [
        "cognito-idp",
        "InitiateAuth",
        {
          ...{ ClientId: "none", AuthFlow: "USER_PASSWORD_AUTH" },
          AuthParameters: { USERNAME: "u", PASSWORD: plant("sign-in password") },
        },
      ],
      [
        "sts",
        "AssumeRoleWithWebIdentity",
        {
          ...{ RoleArn: role, RoleSessionName: "session", WebIdentityToken: plant("identity token") },
        },
      ],
      ["sts", "AssumeRoleWithSAML", { RoleArn: role, PrincipalArn: role, SAMLAssertion: plant("assertion") }],
      ["logs", "CreateLogGroup", { logGroupName: "g" }],
      ["logs", "CreateLogStream", { logGroupName: "g", logStreamName: "s" }],
      [
        "logs",
        "PutLogEvents",
        {
          ...{ logGroupName: "g", logStreamName: "s" },
          logEvents: [{ timestamp: Date.now(), message: plant("log line") }],
        },
      ],
      ["apigateway", "CreateApiKey", { name: "k", value: plant("api key of twenty characters") }],
      ["firehose", "PutRecord", { DeliveryStreamName: "d", Record: { Data: bytes("firehose record") } }],
      ["directconnect", "CreateConnection", { location: "l", bandwidth: "1Gbps", connectionName: "c" }],
      [
        "elasticache",
        "CreateReplicationGroup",
        {
          ...{
            ReplicationGroupId: "r",
            ReplicationGroupDescription: "d",
            AuthToken: plant("cache token 16 characters"),
          },
        },
      ],
      [
        "docdb",
        "CreateDBCluster",
        {
          ...{ DBClusterIdentifier: "d", Engine: "docdb", MasterUsername: "a" },
          MasterUserPassword: plant("cluster password"),
        },
      ],
      [
        "glue",
        "CreateConnection",
        {
          ConnectionInput: {
            ...{ Name: "c", ConnectionType: "JDBC" },
            ConnectionProperties: { USERNAME: "u", PASSWORD: plant("connection password") },
          },
        },
      ],
    ] satisfies readonly (readonly [string, string, Record<string, unknown>])[]
  ).map(([service, operation, parameters]) => ({ service, operation, parameters })),
];

const preparations: readonly BotoCall[] = [
  { service: "sqs", operation: "CreateQueue", parameters: { QueueName: "jobs" }, save: "queue" },
  { service: "sns", operation: "CreateTopic", parameters: { Name: "news" }, save: "topic" },
  { service: "kms", operation: "CreateKey", save: "key" },
  { service: "cognito-idp", operation: "CreateUserPool", parameters: { PoolName: "p" }, save: "pool" },
  {
    ...{ service: "dynamodb", operation: "CreateTable" },
    parameters: {
      ...{
        TableName: "t",
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      },
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    },
  },
];

/** Secrets that are in answers: moto makes them. */
function handedOut(answers: readonly BotoAnswer[]): string[] {
  const found: string[] = [];
  const look = (value: unknown, name: string): void => {
    if (typeof value === "object" && value !== null) {
      for (const [inner, member] of Object.entries(value)) look(member, inner);
    } else if (typeof value === "string" && secretMembers.has(name)) {
      found.push(value);
    }
  };
  for (const { answer } of answers) look(answer, "");
  return found;
}
const secretMembers = new Set([
  ...[
    "SecretAccessKey",
    "SessionToken",
    "Plaintext",
    "CiphertextBlob",
    "KeyMaterial",
    "SecretString",
    "ReceiptHandle",
  ],
]);

/** The forms in which a text may lie somewhere: as it is, in base64 at each of three offsets, in percent and hex. */
function formsOf(text: string): string[] {
  const inner = (offset: number) => {
    const coded = Buffer.from(`${"\0".repeat(offset)}${text}`).toString("base64");
    return coded.slice(offset === 0 ? 0 : 4, -4);
  };
  return [text, encodeURIComponent(text), Buffer.from(text).toString("hex"), inner(0), inner(1), inner(2)];
}

/** Every file below a folder, gzip undone. */
function contentsBelow(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => {
      const raw = readFileSync(path);
      const isGzip = raw[0] === 0x1f && raw[1] === 0x8b;
      return { path, text: (isGzip ? gunzipSync(raw) : raw).toString("latin1") };
    });
}

describeWith([moto, boto3])("secrets that pass through", () => {
  let world: RecorderWorld;
  let answers: readonly BotoAnswer[];
  const s3Secrets = { key: "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", body: plant("object body") };

  beforeAll(async () => {
    world = await startWorld();
    const credentials = { accessKeyId: account, secretAccessKey: plant("signing key") };
    const before = preparations.length;
    const all = await runBoto3({
      ...{ endpoint: world.cairn.url, region, credentials },
      calls: [
        ...preparations,
        ...calls,
        { service: "iam", operation: "CreateAccessKey", parameters: { UserName: "paul" }, save: "access" },
        { service: "sts", operation: "GetSessionToken" },
        { service: "sts", operation: "GetFederationToken", parameters: { Name: "guest" }, save: "guest" },
        {
          service: "sts",
          operation: "AssumeRole",
          parameters: { RoleArn: role, RoleSessionName: "session" },
          save: "session",
        },
        {
          ...{ service: "sts", operation: "GetCallerIdentity" },
          credentials: {
            accessKeyId: "{{session.Credentials.AccessKeyId}}",
            secretAccessKey: "{{session.Credentials.SecretAccessKey}}",
            sessionToken: "{{session.Credentials.SessionToken}}",
          },
        },
      ],
    });
    answers = all.slice(before);
    const s3 = new S3Client({
      ...{ endpoint: world.cairn.url, region, forcePathStyle: true },
      credentials: { accessKeyId: account, secretAccessKey: credentials.secretAccessKey },
    });
    const object = { Bucket: "everything", Key: "planted.txt" };
    await s3.send(new PutObjectCommand({ ...object, Body: s3Secrets.body }));
    await s3.send(new GetObjectCommand(object));
    s3.destroy();
    await fetch(
      `${world.cairn.url}/everything/planted.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${account}%2F20260110%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260110T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=${plant("presigned token")}&X-Amz-Signature=${plant("presigned signature")}`,
      { headers: { "x-amz-server-side-encryption-customer-key": s3Secrets.key } },
    );
    await world.untilRecorded(preparations.length + calls.length);
    // What lies in the bucket is the object itself, which its owner put there.
    const [last] = await runBoto3({
      ...{ endpoint: world.cairn.url, region, credentials },
      calls: [{ service: "s3", operation: "DeleteObject", parameters: object }],
    });
    expect(last?.status).toBe(204);
  }, 180_000);
  afterAll(() => world.dispose());

  test("are of at least 30 kinds, and each call got through to moto", () => {
    expect(new Set(kinds).size).toBeGreaterThanOrEqual(30);
    // Moto answers tokens that it cannot read with a page of HTML.
    const unanswered = answers.filter(({ status, error }) => status === 0 && error !== "ResponseParserError");
    expect(unanswered).toEqual([]);
    expect(handedOut(answers).length).toBeGreaterThanOrEqual(10);
  });

  test("lie nowhere on disk, in no form", async () => {
    const files = contentsBelow(world.cairn.dataDir);
    expect(files.some(({ path }) => path.includes("/journal/"))).toBe(true);
    expect(files.some(({ path }) => path.includes("/state/"))).toBe(true);
    expect(files.some(({ path }) => path.endsWith(".json.gz"))).toBe(true);
    // The search finds what is there.
    expect(files.some(({ text }) => text.includes("CreateLoginProfile"))).toBe(true);
    const wanted = [...values, ...handedOut(answers), s3Secrets.key].filter((value) => value.length > 8);
    const found = wanted.flatMap((value) =>
      formsOf(value).flatMap((form) =>
        files.filter(({ text }) => text.includes(form)).map(({ path }) => `${value} in ${path.slice(-60)}`),
      ),
    );
    expect(found).toEqual([]);
    const log = world.cairn.log();
    expect(wanted.filter((value) => log.includes(value))).toEqual([]);
  });
});
