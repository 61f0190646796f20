// The bucket door's operations that read an object: its bytes, its headers, its attributes. Large bodies are streamed.
import type { ByteRange, OpenObject, StoredObject } from "./object-contract.ts";
import { closingPieces, pieceBytes, wholeRange } from "./open-object.ts";
import {
  aclAnswer,
  type DoorCall,
  type DoorOperationTable,
  emptyAnswer,
  noSuchKey,
  objectArn,
  xmlAnswer,
} from "./s3-answer.ts";
import { checksumElements, checksumHeaders } from "./s3-checksums.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import {
  httpDate,
  precondition,
  preconditionFailed,
  refuseVersions,
  requestedPart,
  requestedRange,
} from "./s3-http.ts";
import { objectHeaders, overriddenHeaders } from "./s3-object-headers.ts";
import { element, textElement } from "./s3-xml.ts";
import { BucketError } from "./contract.ts";

export const readingOperations: DoorOperationTable = {
  GetObject: { action: "s3:GetObject", on: "object", run: getObject },
  HeadObject: { action: "s3:GetObject", on: "object", run: headObject },
  GetObjectAttributes: { action: "s3:GetObjectAttributes", on: "object", run: getObjectAttributes },
  GetObjectAcl: { action: "s3:GetObjectAcl", on: "object", run: getObjectAcl },
};

async function getObject(call: DoorCall): Promise<BucketDoorResponse> {
  refuseVersions(call.request.query);
  const object = await call.store.open(call.bucket, call.key);
  if (!object) throw noSuchKey();
  try {
    const answer = readAnswer(call, object.head);
    if (answer.range === undefined) {
      await object.close();
      return emptyAnswer(answer.status, answer.headers);
    }
    return { ...answer, body: await bodyOf(object, answer.range) };
  } catch (error) {
    await object.close();
    throw error;
  }
}

async function headObject(call: DoorCall): Promise<BucketDoorResponse> {
  const head = await described(call);
  const { status, headers } = readAnswer(call, head);
  return emptyAnswer(status, headers);
}

/** What is small is read at once and the object closed; the rest is read while it is written. */
async function bodyOf(object: OpenObject, range: ByteRange): Promise<BucketDoorResponse["body"]> {
  if (range.last - range.first >= pieceBytes) return closingPieces(object, range);
  const pieces: Uint8Array[] = [];
  for await (const piece of object.pieces(range)) pieces.push(piece);
  await object.close();
  return Buffer.concat(pieces);
}

interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What GET sends; absent when it is not modified. */
  readonly range?: ByteRange;
}

/** What GET and HEAD of this object answer before any body. Throws BucketError for preconditions and ranges. */
function readAnswer(call: DoorCall, head: StoredObject): ReadAnswer {
  const { request } = call;
  const judged = precondition(request.headers, head);
  if (judged === "failed") throw preconditionFailed();
  const { etag, lastModifiedMs, sizeBytes } = head;
  if (judged === "notModified") {
    return { status: 304, headers: { etag: `"${etag}"`, "last-modified": httpDate(lastModifiedMs) } };
  }
  const part = requestedPart(request.query.get("partNumber"), head);
  if (part && request.headers["range"] !== undefined) {
    throw new BucketError(
      "InvalidRequest",
      "Cannot specify both Range header and partNumber query parameter",
    );
  }
  const wanted = part?.range ?? requestedRange(request.headers["range"], sizeBytes);
  const range = wanted ?? wholeRange(sizeBytes);
  const isPartial = wanted !== undefined && sizeBytes > 0;
  const headers = {
    ...objectHeaders(head),
    ...taggingCount(call, head),
    ...(!isPartial && request.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED"
      ? checksumHeaders(head.checksum)
      : {}),
    ...(part?.count !== undefined && { "x-amz-mp-parts-count": String(part.count) }),
    ...overriddenHeaders(request.query),
    "content-length": String(range.last - range.first + 1),
    ...(isPartial && { "content-range": `bytes ${range.first}-${range.last}/${sizeBytes}` }),
  };
  return { status: isPartial ? 206 : 200, headers, range };
}

/** Told to those who may read the tags. */
function taggingCount({ request, bucket, key }: DoorCall, { tags = [] }: StoredObject) {
  if (tags.length === 0 || !request.may("s3:GetObjectTagging", objectArn(bucket, key))) return {};
  return { "x-amz-tagging-count": String(tags.length) };
}

/** The object a call is about. */
export async function described(call: DoorCall): Promise<StoredObject> {
  refuseVersions(call.request.query);
  const head = await call.store.describe(call.bucket, call.key);
  if (!head) throw noSuchKey();
  return head;
}

async function getObjectAttributes(call: DoorCall): Promise<BucketDoorResponse> {
  const wanted = (call.request.headers["x-amz-object-attributes"] ?? "")
    .split(",")
    .map((name) => name.trim());
  const known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
  if (wanted.some((name) => !known.includes(name))) {
    throw new BucketError("InvalidArgument", "Invalid attribute name specified.");
  }
  const head = await described(call);
  const has = (name: string) => wanted.includes(name);
  const count = (head.parts ?? []).reduce((sum, [times]) => sum + times, 0);
  const answer = xmlAnswer("GetObjectAttributesResponse", [
    ...(has("ETag") ? [textElement("ETag", head.etag)] : []),
    ...(has("Checksum") && head.checksum ? [element("Checksum", checksumElements(head.checksum))] : []),
    ...(has("ObjectParts") && count > 0 ? [element("ObjectParts", [textElement("PartsCount", count)])] : []),
    ...(has("StorageClass") ? [textElement("StorageClass", "STANDARD")] : []),
    ...(has("ObjectSize") ? [textElement("ObjectSize", head.sizeBytes)] : []),
  ]);
  return { ...answer, headers: { ...answer.headers, "last-modified": httpDate(head.lastModifiedMs) } };
}

async function getObjectAcl(call: DoorCall): Promise<BucketDoorResponse> {
  await described(call);
  return aclAnswer(call.request.caller);
}
