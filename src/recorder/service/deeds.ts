// The service's own action and the resource it is about, as policies name them. Pure.
import { partitionOf } from "../../model/regions.ts";
import type { DescribedResource, PassingHead, ServiceDeed } from "../contract.ts";
import { named } from "./named.ts";

interface Deed {
  readonly action: string;
  readonly resource: string;
}

/** Short name of the event source → prefix of its actions, where they differ. */
const prefixes: Readonly<Record<string, string>> = named({
  monitoring: "cloudwatch",
  rdsdata: "rds-data",
  "models.lex": "lex",
  "runtime.lex": "lex",
  lexv2: "lex",
  email: "ses",
  "cloudtrail-data": "cloudtrail-data",
  tagging: "tag",
  iotdata: "iot",
  timestream: "timestream",
});

/** Operations that are allowed by an action of another name; `service:Operation`. */
const actions: Readonly<Record<string, string>> = named({
  "lambda:Invoke": "lambda:InvokeFunction",
  "lambda:InvokeAsync": "lambda:InvokeFunction",
  "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
  "dynamodb:BatchExecuteStatement": "dynamodb:PartiQLUpdate",
  "dynamodb:ExecuteStatement": "dynamodb:PartiQLUpdate",
  "dynamodb:ExecuteTransaction": "dynamodb:PartiQLUpdate",
  "sqs:SendMessageBatch": "sqs:SendMessage",
  "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
  "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
  "sns:PublishBatch": "sns:Publish",
  "kms:ReEncrypt": "kms:ReEncryptFrom",
  "ses:SendRawEmail": "ses:SendRawEmail",
});

const s3Actions: Readonly<Record<string, string>> = named({
  ListBuckets: "ListAllMyBuckets",
  ListObjects: "ListBucket",
  ListObjectsV2: "ListBucket",
  HeadBucket: "ListBucket",
  ListObjectVersions: "ListBucketVersions",
  ListMultipartUploads: "ListBucketMultipartUploads",
  ListParts: "ListMultipartUploadParts",
  HeadObject: "GetObject",
  SelectObjectContent: "GetObject",
  GetObjectAttributes: "GetObjectAttributes",
  CopyObject: "PutObject",
  PostObject: "PutObject",
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  UploadPartCopy: "PutObject",
  CompleteMultipartUpload: "PutObject",
  DeleteObjects: "DeleteObject",
  GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
  GetBucketLifecycle: "GetLifecycleConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  PutBucketLifecycle: "PutLifecycleConfiguration",
  DeleteBucketLifecycle: "PutLifecycleConfiguration",
  GetBucketNotificationConfiguration: "GetBucketNotification",
  PutBucketNotificationConfiguration: "PutBucketNotification",
  GetBucketEncryption: "GetEncryptionConfiguration",
  PutBucketEncryption: "PutEncryptionConfiguration",
  DeleteBucketEncryption: "PutEncryptionConfiguration",
  GetBucketReplication: "GetReplicationConfiguration",
  PutBucketReplication: "PutReplicationConfiguration",
  DeleteBucketReplication: "PutReplicationConfiguration",
  GetBucketCors: "GetBucketCORS",
  PutBucketCors: "PutBucketCORS",
  DeleteBucketCors: "PutBucketCORS",
  DeleteBucketTagging: "PutBucketTagging",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
  DeletePublicAccessBlock: "PutBucketPublicAccessBlock",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  PutObjectLockConfiguration: "PutBucketObjectLockConfiguration",
  GetBucketAccelerateConfiguration: "GetAccelerateConfiguration",
  PutBucketAccelerateConfiguration: "PutAccelerateConfiguration",
  GetBucketAnalyticsConfiguration: "GetAnalyticsConfiguration",
  ListBucketAnalyticsConfigurations: "GetAnalyticsConfiguration",
  PutBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  DeleteBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  GetBucketInventoryConfiguration: "GetInventoryConfiguration",
  ListBucketInventoryConfigurations: "GetInventoryConfiguration",
  PutBucketInventoryConfiguration: "PutInventoryConfiguration",
  DeleteBucketInventoryConfiguration: "PutInventoryConfiguration",
  GetBucketMetricsConfiguration: "GetMetricsConfiguration",
  ListBucketMetricsConfigurations: "GetMetricsConfiguration",
  PutBucketMetricsConfiguration: "PutMetricsConfiguration",
  DeleteBucketMetricsConfiguration: "PutMetricsConfiguration",
  GetBucketIntelligentTieringConfiguration: "GetIntelligentTieringConfiguration",
  ListBucketIntelligentTieringConfigurations: "GetIntelligentTieringConfiguration",
  PutBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
  DeleteBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
});

/** Object operations that are another action when they name a version. */
const ofVersions: ReadonlySet<string> = new Set([
  ...["GetObject", "GetObjectAcl", "GetObjectTagging", "PutObjectAcl", "PutObjectTagging", "DeleteObject"],
  ...["DeleteObjectTagging", "GetObjectTorrent", "GetObjectAttributes"],
]);

export function s3Action(operation: string, hasVersion: boolean): string {
  const action = s3Actions[operation] ?? operation;
  return `s3:${hasVersion && ofVersions.has(action) ? action.replace("Object", "ObjectVersion") : action}`;
}

export function actionOf(source: string, operation: string): string {
  const action = `${prefixes[source] ?? source}:${operation}`;
  return actions[action] ?? action;
}

/** API Gateway's actions are methods, its resources paths. */
export function apiGatewayDeed({ method, path, region }: PassingHead): Deed {
  return {
    action: `apigateway:${method}`,
    resource: `arn:${partitionOf(region)}:apigateway:${region}::${path}`,
  };
}

/** What S3 is asked for where names depend on who reads them. */
export const anything: ServiceDeed = { action: "s3:*", resource: "*" };

/** A path or a key with `.` or `..` in it: what it names depends on who reads it. */
export function hasDotSegments(path: string): boolean {
  return /(^|\/)(\.|%2e){1,2}(\/|%2f|$)/i.test(path) || /%2f(\.|%2e){1,2}(\/|%2f|$)/i.test(path);
}

/** One resource stands for itself; a call about several must be allowed on each. */
export function resourcesOfDeed(
  resources: readonly DescribedResource[],
): Pick<ServiceDeed, "resource" | "among"> {
  // Who may read a stream need not be allowed its table.
  const streams = resources.filter(({ type }) => type === "AWS::DynamoDB::Stream");
  const named = streams.length > 0 ? streams : resources;
  if (named.length <= 1) return { resource: named[0]?.ARN ?? "*" };
  return { resource: "*", among: named.map(({ ARN }) => ARN ?? "*") };
}
