// The small S3 door over the bucket directory: enough for `aws s3 mb/ls/cp/rm/rb`, for log readers and for Terraform to
// read a bucket. It is no S3 product: no versions, no multipart uploads, no encryption, no ACLs.
// Who may do what is decided by the callers' policies alone; a bucket's policy is kept for CloudTrail's checks.
import type { Log } from "../model/environment.ts";
import { type BucketAdministration, BucketError, type BucketStore } from "./contract.ts";
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
import { listingOperations } from "./s3-door-listing.ts";
import { objectOperations } from "./s3-door-objects.ts";
import type { BucketDoor, BucketDoorRequest, BucketDoorResponse } from "./s3-door-types.ts";
import { targetOf } from "./s3-operation.ts";

const operations: DoorOperationTable = { ...bucketOperations, ...listingOperations, ...objectOperations };

/** Answers S3 requests in path style over `store`; never rejects. `log` hears of failures that are nobody's mistake. */
export function createBucketDoor(
  store: BucketStore & BucketAdministration,
  { log }: { readonly log: Log },
): BucketDoor {
  return async (request) => {
    const answer = await answerOrError(store, request, log);
    return { ...answer, headers: { ...answer.headers, "x-amz-request-id": request.requestId } };
  };
}

async function answerOrError(
  store: BucketStore & BucketAdministration,
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
    return errorAnswer(
      new BucketError("InternalError", "We encountered an internal error. Please try again."),
      request,
    );
  }
}

function operationOf(call: DoorCall): DoorOperation {
  const operation = Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
  if (operation) return operation;
  const hint = /Multipart|Part/.test(call.operation)
    ? `${call.operation}; put objects of up to 64 MB in one request`
    : call.operation;
  throw notImplemented(hint);
}

function authorize(call: DoorCall, { action, on }: DoorOperation): void {
  if (on === "each") return;
  const { request, bucket, key } = call;
  const resource = on === "service" ? "*" : on === "bucket" ? bucketArn(bucket) : objectArn(bucket, key);
  if (!request.may(action, resource)) throw accessDenied(request.caller, action, resource);
}
