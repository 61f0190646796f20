// Calls to S3 by three clients, to the embedded buckets and through Cairn to a server that checks signatures: the same
// records of both, member by member against formats.md §1.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aws } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles, logFilesBelow, until } from "../harness/log-files.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";
import { type S3Server, versitygw, versitygwCredentials, versitygwServer } from "../harness/versitygw.ts";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { sign } from "../door/signing.ts";
import type { LoggedRecord } from "./recorder-world.ts";

const region = "us-east-1";
const account = "123456789012";
const bucket = "photos";
const key = "2026/a b/ü.txt";
const text = expect.any(String);

interface Surroundings {
  readonly cairn: CairnProcess;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  records(): readonly LoggedRecord[];
  dispose(): Promise<void>;
}

async function logEverything(url: string, logs: string, accessKeyId: string): Promise<void> {
  const trails = new CloudTrail({
    ...{ endpoint: url, region, credentials: { accessKeyId, secretAccessKey: "unchecked" } },
  });
  await trails.createTrail({ Name: "everything", S3BucketName: logs });
  await trails.putEventSelectors({
    TrailName: "everything",
    AdvancedEventSelectors: [
      { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
      {
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["Data"] },
          { Field: "resources.type", Equals: ["AWS::S3::Object"] },
        ],
      },
    ],
  });
  await trails.startLogging({ Name: "everything" });
  trails.destroy();
}

const args = ["--auth", "off", "--delivery-interval", "200ms", "--bucket-policy", "off"];
const aboutPhotos = (records: readonly LoggedRecord[]) =>
  records.filter(
    ({ eventSource, requestParameters }) =>
      eventSource === "s3.amazonaws.com" && !JSON.stringify(requestParameters).includes('"logs"'),
  );

async function embedded(): Promise<Surroundings> {
  const cairn = await startCairn({ args });
  const credentials = { accessKeyId: account, secretAccessKey: "unchecked" };
  const s3 = clientOf(cairn.url, credentials);
  await s3.send(new CreateBucketCommand({ Bucket: "logs" }));
  await logEverything(cairn.url, "logs", account);
  return {
    ...{ cairn, credentials, dispose: () => cairn.dispose() },
    records: () => aboutPhotos(logFiles(cairn.dataDir, "logs").flatMap((file) => file.records)),
  };
}

async function behind(): Promise<Surroundings> {
  const server: S3Server = await versitygwServer();
  await server.start();
  const credentials = versitygwCredentials;
  const cairn = await startCairn({
    args: [...args, "--s3-endpoint", server.url],
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  });
  const s3 = clientOf(cairn.url, credentials);
  await s3.send(new CreateBucketCommand({ Bucket: "logs" }));
  await logEverything(cairn.url, "logs", account);
  return {
    ...{ cairn, credentials },
    records: () => aboutPhotos(logFilesBelow(join(server.root, "logs")).flatMap((file) => file.records)),
    async dispose() {
      await cairn.dispose();
      await server.dispose();
    },
  };
}

function clientOf(url: string, credentials: Surroundings["credentials"]): S3Client {
  return new S3Client({ endpoint: url, region, credentials, forcePathStyle: true, maxAttempts: 1 });
}

/** A record of S3 but for what the operation decides. */
function expected(place: Surroundings, own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { accessKeyId } = place.credentials;
  const isData = own["isData"] === true;
  const { isData: _, additional, requestParameters, ...others } = own;
  return {
    eventVersion: "1.11",
    userIdentity: { type: "Unknown", principalId: account, accountId: account, accessKeyId },
    ...{ eventTime: text, eventSource: "s3.amazonaws.com", awsRegion: region, sourceIPAddress: "127.0.0.1" },
    userAgent: expect.stringMatching(/^\[aws-sdk-js\/.*\]$/),
    requestParameters: expect.objectContaining({
      ...(typeof requestParameters === "object" ? requestParameters : {}),
      Host: new URL(place.cairn.url).host,
    }),
    responseElements: null,
    additionalEventData: expect.objectContaining({
      ...{ SignatureVersion: "SigV4", AuthenticationMethod: "AuthHeader" },
      ...(typeof additional === "object" ? additional : {}),
    }),
    ...{ requestID: text, eventID: text, eventType: "AwsApiCall", recipientAccountId: account },
    ...{ managementEvent: !isData, eventCategory: isData ? "Data" : "Management" },
    ...others,
  };
}

const isCall = ({ eventType }: LoggedRecord) => eventType === "AwsApiCall";

const objectArns = (name: string) => [
  { ARN: `arn:aws:s3:::${bucket}/${name}`, type: "AWS::S3::Object" },
  { ARN: `arn:aws:s3:::${bucket}`, accountId: account, type: "AWS::S3::Bucket" },
];

describe.each([
  { place: "the embedded buckets", open: embedded, programs: [awsCli] },
  { place: "an S3 server behind Cairn", open: behind, programs: [awsCli, versitygw] },
])("calls to $place", ({ open, programs }) => {
  describeWith(programs)("by clients", () => {
    let place: Surroundings;
    const found = (name: string, isWanted: (record: LoggedRecord) => boolean = isCall) =>
      place.records().filter((record) => record["eventName"] === name && isWanted(record));

    beforeAll(async () => {
      place = await open();
      const s3 = clientOf(place.cairn.url, place.credentials);
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: "hello", Metadata: { m: "1" } }));
      await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "2026/", MaxKeys: 10 }));
      await s3.send(new ListBucketsCommand({}));
      const source = encodeURI(`${bucket}/${key}`);
      await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "copy", CopySource: source }));
      const failures = [
        await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "none" })).catch(String),
        await s3.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "none" })).catch(String),
        await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: "{" })).catch(String),
      ];
      expect(failures.every((failure) => typeof failure === "string")).toBe(true);
      const both = [{ Key: "x" }, { Key: "y & z/ü" }];
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: both, Quiet: true } }));
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "copy" }));
      s3.destroy();
      await until("all calls are logged", () => found("DeleteObject").length === 1);
    }, 60_000);
    afterAll(() => place.dispose());

    test.each<[string, Readonly<Record<string, unknown>>]>([
      [
        "CreateBucket",
        {
          readOnly: false,
          requestParameters: { bucketName: bucket },
          responseElements: expect.toSatisfy(() => true),
        },
      ],
      [
        "PutObject",
        {
          ...{ isData: true, readOnly: false, requestParameters: { bucketName: bucket, key } },
          ...{ resources: objectArns(key), additional: { bytesTransferredIn: 5, bytesTransferredOut: 0 } },
          responseElements: expect.toSatisfy(() => true),
        },
      ],
      [
        "HeadObject",
        {
          isData: true,
          readOnly: true,
          requestParameters: { bucketName: bucket, key },
          resources: objectArns(key),
        },
      ],
      [
        "ListObjects",
        {
          ...{ isData: true, readOnly: true },
          requestParameters: { bucketName: bucket, prefix: "2026/", "list-type": "2", "max-keys": "10" },
          resources: [
            { ARNPrefix: `arn:aws:s3:::${bucket}/2026/`, type: "AWS::S3::Object" },
            { ARN: `arn:aws:s3:::${bucket}`, accountId: account, type: "AWS::S3::Bucket" },
          ],
        },
      ],
      ["ListBuckets", { readOnly: true, requestParameters: {} }],
      [
        "CopyObject",
        {
          ...{ isData: true, readOnly: false },
          requestParameters: { bucketName: bucket, key: "copy", "x-amz-copy-source": text },
          resources: expect.arrayContaining(objectArns("copy")),
          responseElements: expect.toSatisfy(() => true),
        },
      ],
      [
        "PutBucketPolicy",
        {
          ...{ readOnly: false, requestParameters: { bucketName: bucket }, errorCode: "MalformedPolicy" },
          errorMessage: text,
          resources: [{ ARN: `arn:aws:s3:::${bucket}`, accountId: account, type: "AWS::S3::Bucket" }],
        },
      ],
      [
        "DeleteObjects",
        {
          ...{ isData: true, readOnly: false, requestParameters: { bucketName: bucket } },
          resources: [
            { ARNPrefix: `arn:aws:s3:::${bucket}/`, type: "AWS::S3::Object" },
            { ARN: `arn:aws:s3:::${bucket}`, accountId: account, type: "AWS::S3::Bucket" },
          ],
        },
      ],
      [
        "DeleteObject",
        {
          ...{ isData: true, readOnly: false, requestParameters: { bucketName: bucket, key: "copy" } },
          resources: objectArns("copy"),
        },
      ],
    ])("%s", (eventName, own) => {
      const records = found(eventName);
      expect(records).toHaveLength(1);
      expect(records[0]).toEqual(expected(place, { eventName, ...own }));
    });

    test("each object of a DeleteObjects has a record of its own, of the same request", () => {
      const [request] = found("DeleteObjects");
      const deletions = found("DeleteObject", (record) => !isCall(record));
      const { additionalEventData: _, ...wanted } = expected(place, {
        ...{ eventName: "DeleteObject", eventType: "AwsServiceEvent", isData: true, readOnly: false },
        ...{ requestParameters: null, requestID: request?.["requestID"] },
      });
      const identity = { identityVerified: false, reason: text };
      const byKey = (name: string) => ({
        ...{ ...wanted, requestParameters: null, resources: objectArns(name) },
        ...(deletions[0]?.["additionalEventData"] ? { additionalEventData: identity } : {}),
      });
      expect(deletions).toHaveLength(2);
      expect(deletions).toEqual(expect.arrayContaining([byKey("x"), byKey("y & z/ü")]));
      expect(new Set(deletions.map(({ eventID }) => eventID)).size).toBe(2);
    });

    test("GetObject, also of what is not there", () => {
      const records = found("GetObject");
      const by = (name: string) =>
        records.find(({ requestParameters }) => JSON.stringify(requestParameters).includes(name));
      const get = { eventName: "GetObject", isData: true, readOnly: true };
      expect(by("2026")).toEqual(
        expected(place, {
          ...{ ...get, requestParameters: { bucketName: bucket, key }, resources: objectArns(key) },
          additional: { bytesTransferredIn: 0, bytesTransferredOut: 5 },
        }),
      );
      expect(by('"none","bucketName":"photos"') ?? by('"photos","Host"')).toBeDefined();
      expect(records.map(({ errorCode }) => String(errorCode)).sort((a, b) => (a < b ? -1 : 1))).toEqual([
        ...["NoSuchBucket", "NoSuchKey", "undefined"],
      ]);
    });

    test("large uploads and links by the AWS CLI", async () => {
      const folder = mkdtempSync(join(tmpdir(), "cairn-large-"));
      const file = join(folder, "large.bin");
      writeFileSync(file, Buffer.alloc(20 * 1024 * 1024, "cairn"));
      const cli = { url: place.cairn.url, region, ...place.credentials };
      await aws(cli, ["s3", "cp", "--only-show-errors", file, `s3://${bucket}/large.bin`]);
      const { target } = await sign(
        {
          ...{ method: "GET", path: encodeURI(`/${bucket}/${key}`) },
          headers: { host: new URL(place.cairn.url).host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
        },
        { credentials: place.credentials, service: "s3", region, presignSeconds: 300 },
      );
      const response = await fetch(`${place.cairn.url}${target}`);
      expect(await response.text()).toBe("hello");
      rmSync(folder, { recursive: true, force: true });
      const isLarge = ({ requestParameters }: LoggedRecord) =>
        JSON.stringify(requestParameters).includes("large.bin");
      await until("the upload is logged", () => found("CompleteMultipartUpload").length === 1);
      await until("the link is logged", () => found("GetObject").length === 4);
      expect(found("CreateMultipartUpload", isLarge)).toMatchObject([
        { readOnly: false, eventCategory: "Data", resources: objectArns("large.bin") },
      ]);
      const parts = found("UploadPart", isLarge);
      expect(parts).toHaveLength(3);
      const sent = parts.map((part) => Number(Object(part["additionalEventData"])["bytesTransferredIn"]));
      expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(20 * 1024 * 1024);
      expect(found("CompleteMultipartUpload", isLarge)[0]).toMatchObject({
        readOnly: false,
        eventCategory: "Data",
      });
      const linked = found("GetObject", ({ additionalEventData }) =>
        JSON.stringify(additionalEventData).includes("QueryString"),
      );
      expect(linked).toHaveLength(1);
      const signature = /X-Amz-Signature=([0-9a-f]{64})/.exec(target)?.[1] ?? "";
      expect(signature).toHaveLength(64);
      expect(JSON.stringify(linked)).not.toContain(signature);
    });

    test("a loop of Cairn's own deliveries does not arise", async () => {
      const count = place.records().length;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(place.records().length).toBe(count);
    });
  });
});
