// The bucket door's operations on the tags of objects and buckets, and the tags that come with a write.
import { BucketError } from "./contract.ts";
import type { Tag } from "./object-contract.ts";
import {
  type DoorCall,
  type DoorOperationTable,
  emptyAnswer,
  mayAlso,
  noSuchKey,
  objectArn,
  xmlAnswer,
} from "./s3-answer.ts";
import { checkBody } from "./s3-checksums.ts";
import { described } from "./s3-door-reads.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { refuseVersions } from "./s3-http.ts";
import { bodyTags, bucketTagLimits, headerTags, objectTagLimits, taggingContent } from "./s3-tags.ts";

export const taggingOperations: DoorOperationTable = {
  GetObjectTagging: { action: "s3:GetObjectTagging", on: "object", run: getObjectTagging },
  PutObjectTagging: { action: "s3:PutObjectTagging", on: "object", run: putObjectTagging },
  DeleteObjectTagging: { action: "s3:DeleteObjectTagging", on: "object", run: deleteObjectTagging },
  GetBucketTagging: { action: "s3:GetBucketTagging", on: "bucket", run: getBucketTagging },
  PutBucketTagging: { action: "s3:PutBucketTagging", on: "bucket", run: putBucketTagging },
  DeleteBucketTagging: { action: "s3:PutBucketTagging", on: "bucket", run: deleteBucketTagging },
};

/** The tags that a write brings in its header; they take a permission of their own. */
export function sentTags(call: DoorCall): readonly Tag[] | undefined {
  const header = call.request.headers["x-amz-tagging"];
  if (header === undefined || header === "") return undefined;
  mayAlso(call, "s3:PutObjectTagging", objectArn(call.bucket, call.key));
  const tags = headerTags(header);
  return tags.length === 0 ? undefined : tags;
}

async function getObjectTagging(call: DoorCall): Promise<BucketDoorResponse> {
  return xmlAnswer("Tagging", taggingContent((await described(call)).tags ?? []));
}

async function putObjectTagging(call: DoorCall): Promise<BucketDoorResponse> {
  const { body, headers } = call.request;
  await checkBody(body, headers);
  await setObjectTags(call, bodyTags(body, objectTagLimits));
  return emptyAnswer(200);
}

async function deleteObjectTagging(call: DoorCall): Promise<BucketDoorResponse> {
  await setObjectTags(call, []);
  return emptyAnswer(204);
}

async function setObjectTags({ request, store, bucket, key }: DoorCall, tags: readonly Tag[]): Promise<void> {
  refuseVersions(request.query);
  if (!(await store.setTags(bucket, key, tags))) throw noSuchKey();
}

async function getBucketTagging({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  const tags = await store.bucketTags(bucket);
  if (tags.length === 0) throw new BucketError("NoSuchTagSet", "The TagSet does not exist");
  return xmlAnswer("Tagging", taggingContent(tags));
}

async function putBucketTagging({ store, bucket, request }: DoorCall): Promise<BucketDoorResponse> {
  await checkBody(request.body, request.headers);
  await store.setBucketTags(bucket, bodyTags(request.body, bucketTagLimits));
  return emptyAnswer(204);
}

async function deleteBucketTagging({ store, bucket }: DoorCall): Promise<BucketDoorResponse> {
  await store.setBucketTags(bucket, []);
  return emptyAnswer(204);
}
