// Records of a busy trail with S3 data events: a bulk download, a service that writes its own logs, and the KMS calls
// that go with both. Shares of kinds, fields, errors and sizes follow the statistics of a real trail (profile D).
import { account, userIdentity } from "./cast.ts";
import { type Draw, seededDraw, sharedOut } from "./draw.ts";

/** Who draws, and when. */
export interface Moment {
  readonly draw: Draw;
  /** An ISO 8601 second with Z. */
  time: string;
  /** The object that was read or written last: the KMS call for it follows or precedes. */
  lastKey: string;
}

type Kind = (moment: Moment) => Record<string, unknown>;

const bucket = "acme-audit-log";
const host = `${bucket}.s3.us-east-1.amazonaws.com`;
const bucketResource = { accountId: account, type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::${bucket}` };
const keyArn = `arn:aws:kms:us-east-1:${account}:key/0c7be2f4-8f5c-4a9f-8a2e-b1d42f6a9d70`;
const trailArn = `arn:aws:cloudtrail:us-east-1:${account}:trail/management-events`;
const cli = "[aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0 exe/x86_64 prompt/off command/s3.sync]";

const drawKind = sharedOut<{ readonly share: number; readonly make: Kind }>([
  { share: 39.2, make: getObject },
  { share: 38, make: decrypt },
  { share: 4.4, make: putLogFile },
  { share: 8, make: refusedPut },
  { share: 5.6, make: getBucketAcl },
  { share: 4.3, make: generateDataKey },
  { share: 0.4, make: refusedHead },
  { share: 0.1, make: listObjects },
]);

export function dataRecord(moment: Moment): Record<string, unknown> {
  return drawKind(moment.draw).make(moment);
}

interface Parts {
  readonly identity: Record<string, unknown>;
  readonly from: string;
  readonly userAgent: string;
  readonly source: "s3" | "kms";
  readonly name: string;
  readonly readOnly: boolean;
  readonly isData: boolean;
  readonly request: unknown;
  readonly response?: unknown;
  readonly isRefused?: true;
  readonly resources: readonly unknown[];
  readonly bytes?: { readonly in: number; readonly out: number; readonly isEncrypted?: true };
  readonly isShared: boolean;
}

function recordOf(parts: Parts, { draw, time }: Moment): Record<string, unknown> {
  const isS3 = parts.source === "s3";
  return {
    ...{ eventVersion: "1.08", userIdentity: parts.identity, eventTime: time },
    ...{ eventSource: `${parts.source}.amazonaws.com`, eventName: parts.name, awsRegion: "us-east-1" },
    ...{ sourceIPAddress: parts.from, userAgent: parts.userAgent },
    ...(parts.isRefused && { errorCode: "AccessDenied", errorMessage: "Access Denied" }),
    ...{ requestParameters: parts.request, responseElements: parts.response ?? null },
    ...(parts.bytes && { additionalEventData: transferData(parts.bytes, draw) }),
    ...{ requestID: isS3 ? draw.upper(16) : draw.uuid(), eventID: draw.uuid(), readOnly: parts.readOnly },
    ...{ resources: parts.resources, eventType: "AwsApiCall", managementEvent: !parts.isData },
    recipientAccountId: account,
    ...(parts.isShared && { sharedEventID: draw.uuid() }),
    ...(parts.isRefused && { vpcEndpointId: "vpce-0ceb942a7d1f3b5e8" }),
    eventCategory: parts.isData ? "Data" : "Management",
  };
}

function transferData(bytes: NonNullable<Parts["bytes"]>, draw: Draw): Record<string, unknown> {
  return {
    ...{
      SignatureVersion: "SigV4",
      CipherSuite: "ECDHE-RSA-AES128-GCM-SHA256",
      bytesTransferredIn: bytes.in,
    },
    ...(bytes.isEncrypted && { SSEApplied: "SSE_KMS" }),
    ...{ AuthenticationMethod: "AuthHeader", "x-amz-id-2": draw.base64(56), bytesTransferredOut: bytes.out },
  };
}

const downloader = userIdentity(seededDraw(41), { onBehalfOf: undefined, hasSession: false });
const downloaderInS3 = userIdentity(seededDraw(41), { onBehalfOf: "AWS Internal", hasSession: true });
const person = { identity: downloader, from: "198.51.100.224", userAgent: cli, isShared: false };

function service(name: string): Pick<Parts, "identity" | "from" | "userAgent" | "isShared"> {
  return { identity: { type: "AWSService", invokedBy: name }, from: name, userAgent: name, isShared: true };
}

function objectResources(key: string): unknown[] {
  return [{ type: "AWS::S3::Object", ARN: `arn:aws:s3:::${bucket}/${key}` }, bucketResource];
}

/** A bulk download goes through its keys in their order: what follows each other differs little. */
function newKey(moment: Moment): string {
  const { draw, time } = moment;
  const seconds = Date.parse(time) / 1000;
  const region = ["us-east-1", "us-west-1", "eu-west-1", "eu-north-1"][Math.floor(seconds / 1800) % 4] ?? "";
  const day = `2026/07/${String(10 + (Math.floor(seconds / 360) % 4))}`;
  const minute = Math.floor(seconds) % 288;
  const hour = String(Math.floor(minute / 12)).padStart(2, "0");
  const at = `${day.replaceAll("/", "")}T${hour}${String((minute % 12) * 5).padStart(2, "0")}Z`;
  const name = `${account}_CloudTrail_${region}_${at}_${draw.alphanumeric(16)}`;
  moment.lastKey = `AWSLogs/${account}/CloudTrail/${region}/${day}/${name}.json.gz`;
  return moment.lastKey;
}

function getObject(moment: Moment): Record<string, unknown> {
  const key = newKey(moment);
  return recordOf(
    {
      ...{ ...person, source: "s3", name: "GetObject", readOnly: true, isData: true },
      request: { bucketName: bucket, Host: host, key },
      ...{ resources: objectResources(key), bytes: { in: 0, out: 700 + moment.draw.below(9000) } },
    },
    moment,
  );
}

function decrypt(moment: Moment): Record<string, unknown> {
  const object = `arn:aws:s3:::${bucket}/${moment.lastKey}`;
  return recordOf(
    {
      identity: downloaderInS3,
      ...{ from: "AWS Internal", userAgent: "AWS Internal", isShared: false },
      ...{ source: "kms", name: "Decrypt", readOnly: true, isData: false },
      request: {
        encryptionAlgorithm: "SYMMETRIC_DEFAULT",
        encryptionContext: { "aws:cloudtrail:arn": trailArn, "aws:s3:arn": object },
      },
      resources: [{ accountId: account, type: "AWS::KMS::Key", ARN: keyArn }],
    },
    moment,
  );
}

const context = Buffer.from(JSON.stringify({ "aws:cloudtrail:arn": trailArn })).toString("base64");
const kmsHeaders = {
  "x-amz-server-side-encryption-aws-kms-key-id": keyArn,
  "x-amz-server-side-encryption": "aws:kms",
};

function putLogFile(moment: Moment): Record<string, unknown> {
  const key = newKey(moment);
  const objectArn = `arn:aws:s3:::${bucket}/${key}`;
  const wholeContext = { "aws:cloudtrail:arn": trailArn, "aws:s3:arn": objectArn };
  return recordOf(
    {
      ...{
        ...service("cloudtrail.amazonaws.com"),
        source: "s3",
        name: "PutObject",
        readOnly: false,
        isData: true,
      },
      request: {
        ...{ bucketName: bucket, "x-amz-acl": "bucket-owner-full-control" },
        ...{ "x-amz-server-side-encryption-context": context, ...kmsHeaders, Host: host, key },
      },
      response: {
        ...kmsHeaders,
        "x-amz-expiration": 'expiry-date="Mon, 12 Oct 2026 00:00:00 GMT", rule-id="audit"',
        "x-amz-server-side-encryption-context": Buffer.from(JSON.stringify(wholeContext)).toString("base64"),
      },
      ...{
        resources: objectResources(key),
        bytes: { in: 500 + moment.draw.below(9000), out: 0, isEncrypted: true },
      },
    },
    moment,
  );
}

function refusedPut(moment: Moment): Record<string, unknown> {
  const name = `${account}_vpcflowlogs_us-east-1_fl-079fdac3bd1f8d22b_20260714T0955Z_${moment.draw.hex(8)}.log.gz`;
  const key = `AWSLogs/${account}/vpcflowlogs/us-east-1/2026/07/14/${name}`;
  return recordOf(
    {
      ...{
        ...service("delivery.logs.amazonaws.com"),
        source: "s3",
        name: "PutObject",
        readOnly: false,
        isData: true,
      },
      request: { bucketName: bucket, Host: host, "x-amz-acl": "bucket-owner-full-control", key },
      ...{ isRefused: true, resources: objectResources(key), bytes: { in: 0, out: 243 } },
    },
    moment,
  );
}

function refusedHead(moment: Moment): Record<string, unknown> {
  const prefix = { type: "AWS::S3::Object", ARNPrefix: `arn:aws:s3:::${bucket}/` };
  return recordOf(
    {
      ...{
        ...service("delivery.logs.amazonaws.com"),
        source: "s3",
        name: "HeadBucket",
        readOnly: true,
        isData: true,
      },
      request: { bucketName: bucket, Host: host },
      ...{ isRefused: true, resources: [prefix, bucketResource], bytes: { in: 0, out: 243 } },
    },
    moment,
  );
}

function getBucketAcl(moment: Moment): Record<string, unknown> {
  return recordOf(
    {
      ...{
        ...service("cloudtrail.amazonaws.com"),
        source: "s3",
        name: "GetBucketAcl",
        readOnly: true,
        isData: false,
      },
      request: { bucketName: bucket, Host: host, acl: "" },
      ...{ resources: [bucketResource], bytes: { in: 0, out: 931 } },
    },
    moment,
  );
}

function generateDataKey(moment: Moment): Record<string, unknown> {
  const object = `arn:aws:s3:::${bucket}/${moment.lastKey}`;
  return recordOf(
    {
      ...{
        ...service("cloudtrail.amazonaws.com"),
        source: "kms",
        name: "GenerateDataKey",
        readOnly: true,
        isData: false,
      },
      request: {
        ...{ keyId: keyArn, keySpec: "AES_256" },
        encryptionContext: { "aws:cloudtrail:arn": trailArn, "aws:s3:arn": object },
      },
      resources: [{ accountId: account, type: "AWS::KMS::Key", ARN: keyArn }],
    },
    moment,
  );
}

function listObjects(moment: Moment): Record<string, unknown> {
  const prefix = { type: "AWS::S3::Object", ARNPrefix: `arn:aws:s3:::${bucket}/` };
  return recordOf(
    {
      ...{ ...person, source: "s3", name: "ListObjects", readOnly: true, isData: true },
      request: {
        ...{ "list-type": "2", bucketName: bucket, "continuation-token": moment.draw.base64(150) },
        ...{ "encoding-type": "url", prefix: "", Host: host },
      },
      ...{ resources: [prefix, bucketResource], bytes: { in: 0, out: 225_668 } },
    },
    moment,
  );
}
