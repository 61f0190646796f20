// The bucket door's operations on objects: get, head, put, copy and delete.
import { BucketError, type ObjectHead, type ObjectMetadata } from "./contract.ts";
import { keyProblem } from "../model/key-path.ts";
import {
  accessDenied,
  aclAnswer,
  type DoorCall,
  type DoorOperationTable,
  emptyAnswer,
  mustExist,
  noSuchKey,
  notImplemented,
  objectArn,
  xmlAnswer,
} from "./s3-answer.ts";
import type { BucketDoorResponse } from "./s3-door-types.ts";
import { checkBody, httpDate, isoDate, precondition, requestedRange } from "./s3-http.ts";
import { element, malformedXml, memberText, members, parseXml, textElement } from "./s3-xml.ts";

/** Objects are handled whole in memory. */
const objectBytesMax = 64 * 1024 * 1024;
const userMetadataBytesMax = 2 * 1024;
const deletedKeysMax = 1000;
const deleteBodyBytesMax = 8 * 1024 * 1024;
const userPrefix = "x-amz-meta-";

export const objectOperations: DoorOperationTable = {
  GetObject: { action: "s3:GetObject", on: "object", run: getObject },
  HeadObject: { action: "s3:GetObject", on: "object", run: headObject },
  PutObject: { action: "s3:PutObject", on: "object", run: putObject },
  CopyObject: { action: "s3:PutObject", on: "object", run: copyObject },
  DeleteObject: { action: "s3:DeleteObject", on: "object", run: deleteObject },
  DeleteObjects: { action: "s3:DeleteObject", on: "each", run: deleteObjects },
  GetObjectAcl: { action: "s3:GetObjectAcl", on: "object", run: getObjectAcl },
  GetObjectTagging: { action: "s3:GetObjectTagging", on: "object", run: getObjectTagging },
};

async function getObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { store, bucket, key, request } = call;
  const { head, range, isModified } = await chosen(call);
  if (!isModified) return notModified(head);
  const overrides = overriddenHeaders(request.query);
  const found = await store.get(bucket, key, range);
  if (!found) throw noSuchKey();
  const headers = { ...objectHeaders(found.head), ...overrides };
  if (!range) return { status: 200, headers, body: found.body };
  const last = range.first + found.body.length - 1;
  const contentRange = `bytes ${range.first}-${last}/${head.sizeBytes}`;
  return { status: 206, headers: { ...headers, "content-range": contentRange }, body: found.body };
}

async function headObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { head, range, isModified } = await chosen(call);
  if (!isModified) return notModified(head);
  const length = range ? range.last - range.first + 1 : head.sizeBytes;
  const headers = {
    ...objectHeaders(head),
    ...overriddenHeaders(call.request.query),
    "content-length": String(length),
    ...(range && { "content-range": `bytes ${range.first}-${range.last}/${head.sizeBytes}` }),
  };
  return emptyAnswer(range ? 206 : 200, headers);
}

/** The object a GET or HEAD is about, if its preconditions hold, and the part of it that is asked for. */
async function chosen(call: DoorCall) {
  const { store, bucket, key, request } = call;
  refuseVersions(request.query);
  await mustExist(call);
  const head = await store.head(bucket, key);
  if (!head) throw noSuchKey();
  const judged = precondition(request.headers, head);
  if (judged === "failed") throw preconditionFailed();
  const isModified = judged === "holds";
  return { head, range: requestedRange(request.headers["range"], head.sizeBytes), isModified };
}

function notModified({ etag, lastModifiedMs }: ObjectHead): BucketDoorResponse {
  return emptyAnswer(304, { etag: `"${etag}"`, "last-modified": httpDate(lastModifiedMs) });
}

async function putObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { request } = call;
  refuseUnknownFeatures(request.headers);
  const body = readBody(call);
  const ifNoneMatch = request.headers["if-none-match"];
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw notImplemented("If-None-Match with an ETag on PutObject");
  const metadata = sentMetadata(request.headers);
  const etag = await store(call, { body, metadata, ...(ifNoneMatch === "*" && { ifAbsent: true }) });
  return emptyAnswer(200, { etag: `"${etag}"`, ...encryptionHeaders(metadata) });
}

function readBody({ request }: DoorCall): Uint8Array {
  const { headers, body } = request;
  if (body.length > objectBytesMax) {
    throw new BucketError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  checkBody(body, headers);
  return body;
}

async function copyObject(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket, key } = call;
  refuseUnknownFeatures(request.headers);
  const source = copySource(request.headers["x-amz-copy-source"] ?? "");
  const arn = objectArn(source.bucket, source.key);
  if (!request.may("s3:GetObject", arn)) throw accessDenied(request.caller, "s3:GetObject", arn);
  const isReplacing = request.headers["x-amz-metadata-directive"]?.toUpperCase() === "REPLACE";
  if (source.bucket === bucket && source.key === key && !isReplacing) {
    throw new BucketError(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const found = await call.store.get(source.bucket, source.key);
  if (!found) throw noSuchKey();
  if (precondition(request.headers, found.head, "x-amz-copy-source-") !== "holds") throw preconditionFailed();
  const metadata = isReplacing ? sentMetadata(request.headers) : found.head.metadata;
  const etag = await store(call, { body: found.body, metadata });
  const written = await call.store.head(bucket, key);
  const lastModified = isoDate(written?.lastModifiedMs ?? found.head.lastModifiedMs);
  return xmlAnswer("CopyObjectResult", [
    textElement("LastModified", lastModified),
    textElement("ETag", `"${etag}"`),
  ]);
}

function copySource(header: string): { bucket: string; key: string } {
  const [path = "", query] = header.split("?", 2);
  if (query !== undefined) refuseVersions(new URLSearchParams(query));
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decodeSource(path)) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new BucketError(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  return { bucket, key };
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BucketError("InvalidArgument", "Invalid copy source encoding.");
  }
}

async function deleteObject(call: DoorCall): Promise<BucketDoorResponse> {
  refuseVersions(call.request.query);
  await call.store.deleteObject(call.bucket, call.key);
  return emptyAnswer(204);
}

async function deleteObjects(call: DoorCall): Promise<BucketDoorResponse> {
  const { request, bucket } = call;
  await mustExist(call);
  checkBody(request.body, request.headers);
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

  async function deletionError(call: DoorCall, key: string): Promise<BucketError | undefined> {
    const arn = objectArn(bucket, key);
    if (!request.may("s3:DeleteObject", arn)) return accessDenied(request.caller, "s3:DeleteObject", arn);
    const problem = keyProblem(key);
    if (problem) return new BucketError(problem.code, problem.message);
    try {
      await call.store.deleteObject(bucket, key);
      return undefined;
    } catch (error) {
      if (error instanceof BucketError) return error;
      throw error;
    }
  }
}

async function getObjectAcl(call: DoorCall): Promise<BucketDoorResponse> {
  await chosen(call);
  return aclAnswer(call.request.caller);
}

async function getObjectTagging(call: DoorCall): Promise<BucketDoorResponse> {
  await chosen(call);
  return xmlAnswer("Tagging", [element("TagSet", [])]);
}

interface Stored {
  readonly body: Uint8Array;
  readonly metadata: ObjectMetadata;
  readonly ifAbsent?: true;
}

async function store(call: DoorCall, stored: Stored): Promise<string> {
  const outcome = await call.store.put({ bucket: call.bucket, key: call.key, ...stored });
  if (outcome.kind === "stored") return outcome.etag;
  if (outcome.kind === "refused") throw new BucketError(outcome.code, outcome.message);
  throw new BucketError("ServiceUnavailable", "The object could not be written to disk. Please try again.");
}

/** What would be lost without a word if it were ignored is refused. */
function refuseUnknownFeatures(headers: Readonly<Record<string, string>>): void {
  const unknown = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
    "if-match",
  ].find((name) => headers[name] !== undefined);
  if (unknown !== undefined) throw notImplemented(`the header ${unknown}`);
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  if (storageClass !== "STANDARD") throw notImplemented(`the storage class ${storageClass}`);
  const encryption = headers["x-amz-server-side-encryption"] ?? "AES256";
  if (encryption !== "AES256") throw notImplemented(`the encryption ${encryption}`);
}

function refuseVersions(query: URLSearchParams): void {
  const version = query.get("versionId") ?? "null";
  if (version !== "null") throw new BucketError("NoSuchVersion", "The specified version does not exist.");
}

/** The metadata a request carries. `AES256` is kept and given back; the directory itself does not encrypt. */
function sentMetadata(headers: Readonly<Record<string, string>>): ObjectMetadata {
  const contentEncoding = headers["content-encoding"];
  const user = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(userPrefix))
      .map(([name, value]) => [name.slice(userPrefix.length), value]),
  );
  const userBytes = Object.entries(user).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (userBytes > userMetadataBytesMax) {
    throw new BucketError(
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  }
  return {
    contentType: headers["content-type"] ?? "binary/octet-stream",
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(headers["cache-control"] !== undefined && { cacheControl: headers["cache-control"] }),
    ...(headers["content-disposition"] !== undefined && {
      contentDisposition: headers["content-disposition"],
    }),
    ...(userBytes > 0 && { user }),
    ...(headers["x-amz-server-side-encryption"] === "AES256" && {
      encryption: { algorithm: "AES256" as const },
    }),
  };
}

function objectHeaders({ etag, lastModifiedMs, metadata }: ObjectHead): Readonly<Record<string, string>> {
  const {
    contentType = "binary/octet-stream",
    contentEncoding,
    cacheControl,
    contentDisposition,
    user,
  } = metadata;
  return {
    "content-type": contentType,
    "accept-ranges": "bytes",
    etag: `"${etag}"`,
    "last-modified": httpDate(lastModifiedMs),
    ...(contentEncoding !== undefined && { "content-encoding": contentEncoding }),
    ...(cacheControl !== undefined && { "cache-control": cacheControl }),
    ...(contentDisposition !== undefined && { "content-disposition": contentDisposition }),
    ...encryptionHeaders(metadata),
    ...Object.fromEntries(Object.entries(user ?? {}).map(([name, value]) => [userPrefix + name, value])),
  };
}

function encryptionHeaders({ encryption }: ObjectMetadata): Readonly<Record<string, string>> {
  if (!encryption) return {};
  const algorithm = { "x-amz-server-side-encryption": encryption.algorithm };
  if (encryption.algorithm === "AES256") return algorithm;
  return { ...algorithm, "x-amz-server-side-encryption-aws-kms-key-id": encryption.keyArn };
}

/** `response-content-type=…` and its like replace headers of the answer. */
function overriddenHeaders(query: URLSearchParams): Readonly<Record<string, string>> {
  const names = [
    "content-type",
    "content-language",
    "expires",
    "cache-control",
    "content-disposition",
    "content-encoding",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(`response-${name}`);
      if (value === null) return [];
      // Whatever is no header text could end the header and begin another.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
        throw new BucketError("InvalidArgument", `The value of response-${name} is not a header value.`);
      }
      return [[name, value]];
    }),
  );
}

function preconditionFailed(): BucketError {
  return new BucketError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
  );
}
