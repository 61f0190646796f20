// Which operations are data events (formats.md §1.13). All others are management events. Pure facts.
import { named } from "./named.ts";

/** Event source's short name → its data events, by the names that records have. */
const dataEvents: Readonly<Record<string, readonly string[]>> = named({
  s3: [
    ...[
      "AbortMultipartUpload",
      "CompleteMultipartUpload",
      "CopyObject",
      "CreateMultipartUpload",
      "DeleteObject",
    ],
    ...["DeleteObjects", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes"],
    ...["GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "HeadBucket"],
    ...[
      "HeadObject",
      "ListObjects",
      "ListObjectVersions",
      "ListParts",
      "PutObject",
      "PostObject",
      "PutObjectAcl",
    ],
    ...[
      "PutObjectLegalHold",
      "PutObjectRetention",
      "PutObjectTagging",
      "RestoreObject",
      "SelectObjectContent",
    ],
    ...["UploadPart", "UploadPartCopy", "RenameObject", "WriteGetObjectResponse"],
  ],
  lambda: ["Invoke", "InvokeAsync", "InvokeWithResponseStream"],
  dynamodb: [
    ...["BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem", "ExecuteStatement"],
    ...["ExecuteTransaction", "GetItem", "PutItem", "Query", "Scan", "SearchVectors", "TransactGetItems"],
    ...["TransactWriteItems", "UpdateItem", "GetRecords", "GetShardIterator"],
  ],
  sns: ["Publish", "PublishBatch"],
  sqs: [
    ...["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch"],
    ...["GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueues", "ListQueueTags"],
    ...["ReceiveMessage", "SendMessage", "SendMessageBatch"],
  ],
  events: ["PutEvents", "PutPartnerEvents"],
  "cloudtrail-data": ["PutAuditEvents"],
  kinesis: ["GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard"],
  firehose: ["PutRecord", "PutRecordBatch"],
  ebs: ["ListSnapshotBlocks", "ListChangedBlocks", "GetSnapshotBlock", "PutSnapshotBlock"],
  rdsdata: [
    ...[
      "ExecuteStatement",
      "BatchExecuteStatement",
      "BeginTransaction",
      "CommitTransaction",
      "RollbackTransaction",
    ],
    "ExecuteSql",
  ],
  "cognito-identity": [
    ...["GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity"],
    "UnlinkIdentity",
  ],
  states: ["StartSyncExecution", "GetActivityTask"],
  appconfig: ["StartConfigurationSession", "GetLatestConfiguration"],
  sagemaker: ["InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"],
  timestream: ["Query"],
  monitoring: [
    "PutMetricData",
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
    "GetMetricWidgetImage",
  ],
  kinesisvideo: [
    "GetMedia",
    "PutMedia",
    "GetClip",
    "GetDASHStreamingSessionURL",
    "GetHLSStreamingSessionURL",
  ],
  verifiedpermissions: [
    "IsAuthorized",
    "IsAuthorizedWithToken",
    "BatchIsAuthorized",
    "BatchIsAuthorizedWithToken",
  ],
  bedrock: [
    "InvokeAgent",
    "InvokeInlineAgent",
    "InvokeFlow",
    "Retrieve",
    "RetrieveAndGenerate",
    "ApplyGuardrail",
  ],
  xray: ["PutTraceSegments", "GetSamplingTargets", "GetSamplingRules"],
});

const bySource = new Map(Object.entries(dataEvents).map(([source, names]) => [source, new Set(names)]));

export function isDataEvent(source: string, eventName: string): boolean {
  return bySource.get(source === "s3express" ? "s3" : source)?.has(eventName) ?? false;
}
