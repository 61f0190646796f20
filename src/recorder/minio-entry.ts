// One entry of MinIO's audit log, as its webhook posts it, read as a call to S3. Pure.
// MinIO names the handler, not the HTTP method; the method follows from the name, and the rest stands in query and headers.
import { createHash } from "node:crypto";
import type { AccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import type { RequestHeaders } from "../model/headers.ts";
import { isObject } from "../model/json.ts";
import { parseRegion, partitionOf, type Region } from "../model/regions.ts";
import type { PassedCall, PassedCaller } from "./contract.ts";

export interface MinioPlace {
  /** Owns everything in MinIO, which knows no accounts. */
  readonly account: AccountId;
  /** For requests whose signature does not tell theirs. */
  readonly region: Region;
  readonly nowMs: number;
  /** Stands for a missing id of the request. */
  readonly requestId: string;
}

type Members = Readonly<Record<string, unknown>>;

/** Handlers of MinIO that are calls to S3 → their method. What is not here (administration, healing) is no such call. */
const methods: ReadonlyMap<string, string> = new Map([
  ...named("GET", [
    ...[
      "GetObject",
      "GetObjectACL",
      "GetObjectAcl",
      "GetObjectAttributes",
      "GetObjectLambda",
      "GetObjectTagging",
    ],
    ...["GetObjectRetention", "GetObjectLegalHold", "ListObjectParts", "ListMultipartUploads", "ListBuckets"],
    ...["ListObjectsV1", "ListObjectsV2", "ListObjectsV2M", "ListObjectVersions", "ListObjectVersionsM"],
    ...[
      "GetBucketLocation",
      "GetBucketPolicy",
      "GetBucketPolicyStatus",
      "GetBucketLifecycle",
      "GetBucketACL",
    ],
    ...[
      "GetBucketEncryption",
      "GetBucketObjectLockConfig",
      "GetBucketReplicationConfig",
      "GetBucketVersioning",
    ],
    ...[
      "GetBucketNotification",
      "GetBucketCors",
      "GetBucketWebsite",
      "GetBucketAccelerate",
      "GetBucketLogging",
    ],
    ...["GetBucketRequestPayment", "GetBucketTagging"],
  ]),
  ...named("HEAD", ["HeadObject", "HeadBucket"]),
  ...named("PUT", [
    ...[
      "PutObject",
      "PutObjectPart",
      "PutObjectACL",
      "PutObjectAcl",
      "PutObjectTagging",
      "PutObjectRetention",
    ],
    ...[
      "PutObjectLegalHold",
      "PutObjectExtract",
      "CopyObject",
      "CopyObjectPart",
      "PutBucket",
      "PutBucketACL",
    ],
    ...["PutBucketPolicy", "PutBucketLifecycle", "PutBucketEncryption", "PutBucketObjectLockConfig"],
    ...["PutBucketReplicationConfig", "PutBucketVersioning", "PutBucketNotification", "PutBucketTagging"],
    ...["PutBucketCors"],
  ]),
  ...named("DELETE", [
    ...["DeleteObject", "DeleteObjectTagging", "AbortMultipartUpload", "DeleteBucket", "DeleteBucketPolicy"],
    ...[
      "DeleteBucketLifecycle",
      "DeleteBucketEncryption",
      "DeleteBucketReplicationConfig",
      "DeleteBucketTagging",
    ],
    ...["DeleteBucketWebsite", "DeleteBucketCors"],
  ]),
  ...named("POST", [
    ...["NewMultipartUpload", "CompleteMultipartUpload", "SelectObjectContent", "PostRestoreObject"],
    ...["DeleteMultipleObjects", "PostPolicyBucket"],
  ]),
]);

function named(method: string, names: readonly string[]): [string, string][] {
  return names.map((name) => [name, method]);
}

/** Undefined when the entry is not of a client's call to S3. */
export function callOfEntry(entry: unknown, place: MinioPlace): PassedCall | undefined {
  if (!isObject(entry) || !isObject(entry["api"])) return undefined;
  const api = entry["api"];
  const method = methods.get(textOf(api["name"]) ?? "");
  if (method === undefined || !isIncoming(entry)) return undefined;
  const sent = headersOf(entry["requestHeader"]);
  const query = queryOf(entry["requestQuery"]);
  const credential = credentialOf(sent, query);
  const finishedMs = timeOf(entry["time"]) ?? place.nowMs;
  const requestId = textOf(entry["requestID"]);
  const status = numberOf(api["statusCode"]) ?? 200;
  return {
    head: {
      ...{ service: "s3", method, query: textOfQuery(query) },
      region: parseRegion(credential?.region ?? "") ?? place.region,
      path: pathOf(textOf(api["bucket"]), textOf(api["object"])),
      headers: sent,
    },
    request: { kind: "whole", bytes: new Uint8Array() },
    bytesIn: Math.max(0, numberOf(api["rx"]) ?? 0),
    bytesOut: Math.max(0, numberOf(api["tx"]) ?? 0),
    answer: answerOf(status, entry),
    caller: callerOf(entry, { credential, query, place }),
    startedMs: finishedMs - Math.round((nanosecondsOf(api["timeToResponse"]) ?? 0) / 1e6),
    finishedMs,
    requestId: requestId ?? place.requestId,
    ...(requestId === undefined ? {} : { eventId: eventIdOf(entry, requestId) }),
  };
}

/** What MinIO does by itself (expiry, replication) bears another trigger, and its administration another path. */
function isIncoming(entry: Members): boolean {
  const trigger = textOf(entry["trigger"]);
  const path = textOf(entry["requestPath"]) ?? "";
  return (trigger === undefined || trigger === "incoming") && !path.startsWith("/minio/");
}

function answerOf(status: number, entry: Members): PassedCall["answer"] {
  const headers = headersOf(entry["responseHeader"]);
  const code = headers.get("x-minio-error-code")?.[0];
  const message = headers.get("x-minio-error-desc")?.[0]?.replace(/^"(.*)"$/, "$1");
  const text = code === undefined ? "" : JSON.stringify({ code, ...(message && { message }) });
  return { status, headers, body: { kind: "whole", bytes: new TextEncoder().encode(text) } };
}

interface Credential {
  readonly accessKeyId: string;
  readonly region: string | undefined;
}

/** From the signature in the header or in the query; newer versions of MinIO black it out. */
function credentialOf(headers: RequestHeaders, query: URLSearchParams): Credential | undefined {
  const header = headers.get("authorization")?.[0] ?? "";
  const scope = /Credential=([^,\s]{1,300})/.exec(header)?.[1] ?? query.get("X-Amz-Credential") ?? undefined;
  const parts = scope?.split("/") ?? [];
  const [, region] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join("/");
  return accessKeyId === "" ? undefined : { accessKeyId, region };
}

interface Signed {
  readonly credential: Credential | undefined;
  readonly query: URLSearchParams;
  readonly place: MinioPlace;
}

/** MinIO names the key when it believed the signature; then it vouches for its user, whose name is the key or the parent's. */
function callerOf(entry: Members, { credential, query, place }: Signed): PassedCaller {
  const accessKeyId = textOf(entry["accessKey"]) ?? credential?.accessKeyId;
  const method = query.has("X-Amz-Signature") || query.has("Signature") ? "QueryString" : "AuthHeader";
  return {
    ...(accessKeyId === undefined ? {} : { accessKeyId, verified: minioUser(entry, accessKeyId, place) }),
    signature:
      accessKeyId === undefined
        ? { version: "none", method: "none" }
        : { version: query.has("Signature") ? "SigV2" : "SigV4", method },
    sourceIp: textOf(entry["remotehost"]) ?? "",
    userAgent: textOf(entry["userAgent"]) ?? "",
  };
}

function minioUser(entry: Members, accessKeyId: string, place: MinioPlace): Caller {
  const { account } = place;
  const believed = textOf(entry["accessKey"]);
  const parent = textOf(entry["parentUser"]);
  const userName = (parent ?? accessKeyId).slice(0, 512);
  const user = { accountId: account, principalId: userName, accessKeyId };
  const arn = `arn:${partitionOf(place.region)}:iam::${account}:user/${userName}`;
  if (believed === undefined) return { ...user, arn, kind: "unverified", principalId: account };
  return { ...user, arn, kind: "user", userName, ...(parent === undefined ? {} : { session: {} }) };
}

function pathOf(bucket: string | undefined, object: string | undefined): string {
  if (bucket === undefined) return "/";
  const key = object?.split("/").map(encodeURIComponent).join("/");
  return `/${encodeURIComponent(bucket)}${key === undefined ? "" : `/${key}`}`;
}

/** The same for every report of one request. A UUID of version 5's form. */
function eventIdOf(entry: Members, requestId: string): string {
  const name = `minio/${textOf(entry["deploymentid"]) ?? ""}/${requestId}/${textOf(entry["time"]) ?? ""}`;
  const hex = createHash("sha1").update(name).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

function headersOf(value: unknown): RequestHeaders {
  const headers = new Map<string, readonly string[]>();
  for (const [name, text] of Object.entries(isObject(value) ? value : {})) {
    if (typeof text === "string") headers.set(name.toLowerCase(), [text]);
  }
  return headers;
}

function queryOf(value: unknown): URLSearchParams {
  const texts = Object.entries(isObject(value) ? value : {}).flatMap(([name, text]) =>
    typeof text === "string" ? [[name, text] as [string, string]] : [],
  );
  return new URLSearchParams(texts);
}

function textOfQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** `16438202ns` */
function nanosecondsOf(value: unknown): number | undefined {
  const digits = typeof value === "string" ? /^(\d{1,15})(?:ns)?$/.exec(value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** Later years have another form. */
const latestMs = 253_402_300_800_000;

function timeOf(value: unknown): number | undefined {
  // oxlint-disable-next-line no-restricted-globals -- reads the text, does not look at the clock
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return ms >= 0 && ms < latestMs ? ms : undefined;
}
