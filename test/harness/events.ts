// Event records for tests, written here: small, valid, of every category.
import { randomUUID } from "node:crypto";

export interface EventRecord extends Record<string, unknown> {
  readonly eventID: string;
}

/** A management event of account 123456789012 in us-east-1; `changes` replaces members. */
export function managementEvent(changes: Readonly<Record<string, unknown>> = {}): EventRecord {
  return {
    eventVersion: "1.11",
    userIdentity: {
      type: "IAMUser",
      principalId: "AIDAEXAMPLEUSERMARY01",
      arn: "arn:aws:iam::123456789012:user/mary",
      accountId: "123456789012",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      userName: "mary",
    },
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: "ec2.amazonaws.com",
    eventName: "RunInstances",
    awsRegion: "us-east-1",
    sourceIPAddress: "198.51.100.7",
    userAgent: "test",
    requestParameters: null,
    responseElements: null,
    requestID: randomUUID(),
    eventID: randomUUID(),
    readOnly: false,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: "123456789012",
    eventCategory: "Management",
    ...changes,
  };
}

/** An S3 object event: `operation` on `s3://bucket/key`. */
export function objectEvent(
  object: {
    readonly operation: string;
    readonly bucket: string;
    readonly key: string;
    readonly readOnly: boolean;
  },
  changes: Readonly<Record<string, unknown>> = {},
): EventRecord {
  return managementEvent({
    eventSource: "s3.amazonaws.com",
    eventName: object.operation,
    readOnly: object.readOnly,
    managementEvent: false,
    eventCategory: "Data",
    resources: [
      { accountId: "123456789012", type: "AWS::S3::Bucket", ARN: `arn:aws:s3:::${object.bucket}` },
      { type: "AWS::S3::Object", ARN: `arn:aws:s3:::${object.bucket}/${object.key}` },
    ],
    ...changes,
  });
}

/** Posts records to the events door; returns the parsed answer. */
export async function postEvents(
  url: string,
  records: readonly unknown[],
): Promise<{
  status: number;
  accepted: number;
  rejected: { index: number; code: string; message: string }[];
}> {
  const response = await fetch(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: records.map((record) => JSON.stringify(record)).join("\n"),
  });
  const answer = (await response.json()) as {
    accepted: number;
    rejected: { index: number; code: string; message: string }[];
  };
  return { status: response.status, ...answer };
}
