// The S3 door over the bucket directory: what `aws s3`, log readers, SDKs and Terraform ask of a bucket, with multipart
// uploads, copies and tags. It is no S3 product: no versions, no encryption, no ACLs, no lifecycle rules.
// Who may do what is decided by the callers' policies alone; a bucket's policy is kept for CloudTrail's checks.
import type { Log } from "../model/environment.ts";
import { BucketError } from "./contract.ts";
import type { DirectoryStore } from "./object-contract.ts";
import { systemCode } from "./object-tree.ts";
import {
  accessDenied,
  bucketArn,
  type DoorCall,
  type DoorOperation,
  type DoorOperationTable,
  errorAnswer,
  notImplemented,
  objectArn,
} from "./s3-answer.ts";
import { bucketOperations } from "./s3-door-buckets.ts";
import { copyOperations } from "./s3-door-copy.ts";
import { listingOperations } from "./s3-door-listing.ts";
import { multipartOperations } from "./s3-door-multipart.ts";
import { objectOperations } from "./s3-door-objects.ts";
import { readingOperations } from "./s3-door-reads.ts";
import { taggingOperations } from "./s3-door-tagging.ts";
import type { BucketDoor, BucketDoorRequest, BucketDoorResponse } from "./s3-door-types.ts";
import { uploadListingOperations } from "./s3-door-upload-listing.ts";
import { targetOf } from "./s3-operation.ts";

const operations: DoorOperationTable = {
  ...bucketOperations,
  ...listingOperations,
  ...readingOperations,
  ...objectOperations,
  ...copyOperations,
  ...taggingOperations,
  ...multipartOperations,
  ...uploadListingOperations,
};

/** Answers S3 requests in path style over `store`; never rejects. `log` hears of failures that are nobody's mistake. */
export function createBucketDoor(store: DirectoryStore, { log }: { readonly log: Log }): BucketDoor {
  return async (request) => {
    const answer = await answerOrError(store, request, log);
    return { ...answer, headers: { ...answer.headers, "x-amz-request-id": request.requestId } };
  };
}

async function answerOrError(
  store: DirectoryStore,
  request: BucketDoorRequest,
  log: Log,
): Promise<BucketDoorResponse> {
  try {
    const call: DoorCall = { ...targetOf(request), request, store };
    const operation = operationOf(call);
    authorize(call, operation);
    return await operation.run(call);
  } catch (error) {
    if (error instanceof BucketError) return errorAnswer(error, request);
    log.error({ error, method: request.method, path: request.path }, "The bucket directory failed.");
    return errorAnswer(failureOf(error), request);
  }
}

/** What may go away by itself, or when somebody makes room. */
const pressures = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

function failureOf(error: unknown): BucketError {
  if (pressures.has(systemCode(error) ?? "")) {
    return new BucketError(
      "ServiceUnavailable",
      "The object could not be written to disk. Please try again.",
    );
  }
  return new BucketError("InternalError", "We encountered an internal error. Please try again.");
}

function operationOf(call: DoorCall): DoorOperation {
  const operation = Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
  if (operation) return operation;
  throw notImplemented(call.operation);
}

function authorize(call: DoorCall, { action, on }: DoorOperation): void {
  if (on === "each") return;
  const { request, bucket, key } = call;
  const resource = on === "service" ? "*" : on === "bucket" ? bucketArn(bucket) : objectArn(bucket, key);
  if (!request.may(action, resource)) throw accessDenied(request.caller, action, resource);
}
