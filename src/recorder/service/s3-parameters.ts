// What a record says of an S3 request and its answer: bucketName, key, Host, the query and the headers by their own
// names, configurations as they stand (formats.md §1.5, and real records). Pure.
import { isObject, type JsonObject, type JsonValue } from "../../model/json.ts";
import type { RequestHeaders } from "../../model/headers.ts";
import type { PassedCall } from "../contract.ts";
import { freeJson } from "./json-members.ts";
import { headerOf, type ReadBody } from "./read-body.ts";
import { type Members, put, type Reading, shownText } from "./record-values.ts";
import { jsonOf } from "./rest-members.ts";
import type { S3Target } from "./s3-operation.ts";
import { asItStands } from "./xml-members.ts";
import { parseXml } from "./xml-tree.ts";

/** Query parameters that are of the signature, or of the SDK, or secret. */
const leftOutOfQuery =
  /^(x-amz-(signature|security-token|credential)|awsaccesskeyid|signature|x-id|x-amz-checksum-.*)$/i;

/** Headers that records do not have: of the signature, of the transfer, checksums, keys, the user's own metadata. */
const leftOutOfHeaders =
  /^x-amz-(date|content-sha256|security-token|user-agent|decoded-content-length|trailer|te|mfa|checksum-.*|sdk-checksum-algorithm|meta-.*|id-2|request-id|.*-customer-key|.*-customer-key-md5|source-expected-bucket-owner|expected-bucket-owner|website-redirect-location|object-attributes|crc.*|request-route|request-token|fwd-.*)$/;
const grant = /^x-amz-grant-/;

export interface S3Request {
  readonly target: S3Target;
  readonly query: URLSearchParams;
  readonly body: ReadBody;
}

export function s3Parameters(
  { target, query, body }: S3Request,
  call: PassedCall,
  reading: Reading,
): Members {
  const { headers } = call.head;
  const members: Members = {};
  put(members, "bucketName", target.bucket);
  put(members, "Host", headerOf(headers, "host"));
  for (const [name, value] of query) if (!leftOutOfQuery.test(name)) put(members, name, shownText(value));
  const grants: Members = {};
  for (const [name, [value = ""]] of headers) {
    if (!name.startsWith("x-amz-") || leftOutOfHeaders.test(name)) continue;
    if (grant.test(name)) put(grants, name, shownText(value));
    else put(members, name, shownText(value));
  }
  if (Object.keys(grants).length > 0) put(members, "accessControlList", grants);
  put(members, "key", target.key);
  addConfiguration(members, { target, query, body }, reading);
  return members;
}

/** A policy stands as JSON, every other configuration as its XML. */
function addConfiguration(members: Members, { target, body }: S3Request, reading: Reading): void {
  if (target.operation === undefined || !hasConfiguration(target.operation.name) || body.bytes.length === 0)
    return;
  if (target.operation.name === "PutBucketPolicy") {
    const policy = jsonOf(body);
    if (isObject(policy)) put(members, "bucketPolicy", freeJson(policy, { reading, depth: 0 }));
    return;
  }
  if (body.isCut) return;
  const root = parseXml(body.text());
  if (root) put(members, root.name, asItStands(root, { reading, depth: 0 }));
}

/** Objects, and the list of a DeleteObjects, are never parsed. */
export function hasConfiguration(operation: string): boolean {
  return /^(Put|Create)(Bucket|PublicAccess|ObjectAcl|ObjectTagging|ObjectRetention|ObjectLegalHold|ObjectLockConf)|^RestoreObject$/.test(
    operation,
  );
}

/** What S3 says of an object that was written is in its headers; null when that is nothing. */
export function s3ResponseElements(headers: RequestHeaders): JsonObject | null {
  const members: Members = {};
  for (const [name, [value = ""]] of headers) {
    if (
      name.startsWith("x-amz-") &&
      !leftOutOfHeaders.test(name) &&
      !/^x-amz-(bucket-region|replication-status|object-size)$/.test(name)
    )
      put(members, name, shownText(value));
  }
  return Object.keys(members).length === 0 ? null : members;
}

export function s3AdditionalData(call: PassedCall, isWrite: boolean): JsonObject {
  const { caller, answer } = call;
  const members: Members = {};
  put(members, "SignatureVersion", known(caller.signature.version));
  put(members, "CipherSuite", caller.tls?.cipherSuite);
  // Without the frames of aws-chunked.
  const decoded = Number(headerOf(call.head.headers, "x-amz-decoded-content-length") ?? Number.NaN);
  put(members, "bytesTransferredIn", decoded <= call.bytesIn ? decoded : call.bytesIn);
  if (isWrite || headerOf(answer.headers, "x-amz-server-side-encryption") !== undefined) {
    put(members, "SSEApplied", sseApplied(answer.headers));
  }
  put(members, "AuthenticationMethod", known(caller.signature.method));
  put(members, "x-amz-id-2", headerOf(answer.headers, "x-amz-id-2"));
  put(members, "bytesTransferredOut", call.bytesOut);
  return members;
}

function known(text: string): JsonValue | undefined {
  return text === "none" ? undefined : text;
}

function sseApplied(headers: RequestHeaders): string | undefined {
  if (headers.has("x-amz-server-side-encryption-customer-algorithm")) return "SSE_C";
  const kind = headerOf(headers, "x-amz-server-side-encryption");
  if (kind === undefined) return undefined;
  return kind === "AES256" ? "SSE_S3" : kind === "aws:kms:dsse" ? "DSSE_KMS" : "SSE_KMS";
}
