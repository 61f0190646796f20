// The bucket door's operations that put and delete objects.
import { BucketError, type PutOutcome } from "./contract.ts";
import { keyProblem } from "../model/key-path.ts";
import {
  accessDenied,
  type DoorCall,
  type DoorOperationTable,
  emptyAnswer,
  mustExist,
  objectArn,
  xmlAnswer,
} from "./s3-answer.ts";
import { checkBody, checksumHeaders } from "./s3-checksums.ts";
import { sentTags } from "./s3-door-tagging.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { refuseVersions } from "./s3-http.ts";
import {
  encryptionHeaders,
  refuseUnknownFeatures,
  sentMetadata,
  sentOtherHeaders,
  withoutQuotes,
  writeConditions,
} from "./s3-object-headers.ts";
import { element, malformedXml, memberText, members, parseXml, textElement } from "./s3-xml.ts";

const deletedKeysMax = 1000;
const deleteBodyBytesMax = 8 * 1024 * 1024;

export const objectOperations: DoorOperationTable = {
  PutObject: { action: "s3:PutObject", on: "object", run: putObject },
  DeleteObject: { action: "s3:DeleteObject", on: "object", run: deleteObject },
  DeleteObjects: { action: "s3:DeleteObject", on: "each", run: deleteObjects },
};

async function putObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key, store } = call;
  const { headers, body } = request;
  refuseUnknownFeatures(headers);
  const conditions = writeConditions(headers);
  const metadata = sentMetadata(headers);
  const tags = sentTags(call);
  const { md5Hex, checksum } = await checkBody(body, headers);
  const outcome = await store.putObject({
    ...{ bucket, key, body, metadata, md5Hex },
    ...conditions,
    ...sentOtherHeaders(headers),
    ...(tags && { tags }),
    ...(checksum && { checksum }),
  });
  const etag = etagOf(outcome);
  return emptyAnswer(200, {
    etag: `"${etag}"`,
    ...checksumHeaders(checksum),
    ...encryptionHeaders(metadata),
  });
}

function etagOf(outcome: PutOutcome): string {
  if (outcome.kind === "stored") return outcome.etag;
  if (outcome.kind === "refused") throw new BucketError(outcome.code, outcome.message);
  throw new BucketError("ServiceUnavailable", "The object could not be written to disk. Please try again.");
}

async function deleteObject(call: DoorCall): Promise<BucketDoorResponse> {
  refuseVersions(call.request.query);
  const match = call.request.headers["if-match"];
  await call.store.deleteObject(
    call.bucket,
    call.key,
    match === undefined ? undefined : withoutQuotes(match),
  );
  return emptyAnswer(204);
}

async function deleteObjects(call: DoorCall): Promise<BucketDoorResponse> {
  const { request } = call;
  await mustExist(call);
  await checkBody(request.body, request.headers);
  const wanted = parseXml(request.body, { root: "Delete", bytesMax: deleteBodyBytesMax });
  const keys = members(wanted, "Object").map((object) => memberText(object, "Key") ?? "");
  if (keys.length === 0 || keys.length > deletedKeysMax) throw malformedXml();
  const isQuiet = memberText(wanted, "Quiet")?.trim() === "true";
  const results: string[] = [];
  for (const key of keys) {
    const error = await deletionError(call, key);
    const named = textElement("Key", key);
    if (error) {
      results.push(
        element("Error", [named, textElement("Code", error.code), textElement("Message", error.message)]),
      );
    } else if (!isQuiet) results.push(element("Deleted", [named]));
  }
  return xmlAnswer("DeleteResult", results);
}

async function deletionError(call: DoorCall, key: string): Promise<BucketError | undefined> {
  const { request, bucket, store } = call;
  const arn = objectArn(bucket, key);
  if (!request.may("s3:DeleteObject", arn)) return accessDenied(request.caller, "s3:DeleteObject", arn);
  const problem = keyProblem(key);
  if (problem) return new BucketError(problem.code, problem.message);
  try {
    await store.deleteObject(bucket, key);
    return undefined;
  } catch (error) {
    if (error instanceof BucketError) return error;
    throw error;
  }
}
