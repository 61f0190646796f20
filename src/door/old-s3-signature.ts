// The presigned form of S3's old signature (version 2), which `aws s3 presign` and boto3 still make for us-east-1:
// `?AWSAccessKeyId=…&Expires=…&Signature=…`. Only S3 takes it, and only in the query. Takes the time as an argument.
//
//   string to sign = method \n content-md5 \n content-type \n expires \n x-amz-headers path[?subresources]
import { createHmac } from "node:crypto";
import { ApiError, apiError } from "../model/errors.ts";
import { decodeBytes, type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import type { SigningIdentity } from "./ports.ts";
import { isSameText } from "./sigv4.ts";

type OldRequest = Pick<DoorRequest, "method" | "path" | "query" | "headers">;

/**
 * What the signature covers of the query, beside the `response-…` overrides. The last two lines are younger than it
 * and nobody signs them: whoever has the URL of an object must not make it the URL of something else.
 */
const subresources: ReadonlySet<string> = new Set([
  ...["accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle"],
  ...["location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy"],
  ...["replication", "requestPayment", "restore", "select", "select-type", "storageClass", "tagging"],
  ...["torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website"],
  ...["attributes", "encryption", "intelligent-tiering", "legal-hold", "ownershipControls", "policyStatus"],
  ...["publicAccessBlock", "retention"],
]);

export function isOldPresigned({ query, headers }: Pick<DoorRequest, "query" | "headers">): boolean {
  if (headers.has("authorization")) return false;
  return /(^|&)AWSAccessKeyId=/.test(query) && /(^|&)Signature=/.test(query);
}

export function oldKeyOf({ query }: Pick<DoorRequest, "query">): string {
  return queryParameter(query, "AWSAccessKeyId") ?? "";
}

/** When the URL ends; undefined when it does not say so. */
export function oldExpiryMs(query: string): number | undefined {
  const text = queryParameter(query, "Expires") ?? "";
  return /^\d{1,11}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** Checks key, token, signature and time. Throws an ApiError. `hostBucket` is the bucket that the host name says. */
export function verifyOldSignature(
  request: OldRequest,
  identity: SigningIdentity | undefined,
  context: { readonly nowMs: number; readonly hostBucket?: string | undefined },
): SigningIdentity {
  const { query } = request;
  const expiresMs = oldExpiryMs(query);
  if (expiresMs === undefined) {
    throw new ApiError(
      "AccessDeniedException",
      "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
    );
  }
  if (!identity) throw apiError("UnrecognizedClientException");
  const token = queryParameter(query, "x-amz-security-token") ?? headerOf(request, "x-amz-security-token");
  const isRightToken =
    identity.sessionToken === undefined
      ? token === undefined
      : token !== undefined && isSameText(token, identity.sessionToken);
  if (!isRightToken) throw apiError("UnrecognizedClientException");
  if (identity.expiresMs !== undefined && context.nowMs >= identity.expiresMs) {
    throw apiError("ExpiredTokenException");
  }
  const said = queryParameter(query, "Signature") ?? "";
  const isRight = signedPaths(request, context.hostBucket).some((path) => {
    const text = Buffer.from(stringToSign(request, path), "latin1");
    const right = createHmac("sha1", identity.secretAccessKey).update(text).digest("base64");
    return isSameText(said, right);
  });
  if (!isRight) throw apiError("InvalidSignatureException.mismatch");
  if (context.nowMs > expiresMs) throw new ApiError("AccessDeniedException", "Request has expired");
  return identity;
}

/** Bucket and key; a bucket alone is signed with a slash after it, though some clients leave it out. */
function signedPaths({ path }: OldRequest, hostBucket: string | undefined): readonly string[] {
  const whole = hostBucket === undefined ? path : `/${hostBucket}${path}`;
  return /^\/[^/]+$/.test(whole) ? [`${whole}/`, whole] : [whole];
}

function stringToSign(request: OldRequest, path: string): string {
  const { method, query } = request;
  const saidOf = (name: string) => headerOf(request, name) ?? queryParameter(query, name) ?? "";
  const lines = [
    method,
    saidOf("content-md5"),
    saidOf("content-type"),
    queryParameter(query, "Expires") ?? "",
  ];
  return `${lines.join("\n")}\n${amzHeaders(request)}${path}${signedQuery(query)}`;
}

/** `name:value` lines, sorted; presigners move these headers into the query. */
function amzHeaders({ headers, query }: OldRequest): string {
  const named = new Map<string, string>();
  for (const pair of query.split("&")) {
    const name = nameOf(pair).toLowerCase();
    if (name.startsWith("x-amz-")) named.set(name, queryParameter(query, name) ?? "");
  }
  for (const [name, values] of headers) if (name.startsWith("x-amz-")) named.set(name, values.join(","));
  return [...named]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join("");
}

function signedQuery(query: string): string {
  const signed = query
    .split("&")
    .map((pair) => ({ name: nameOf(pair), pair }))
    .filter(({ name }) => subresources.has(name) || name.startsWith("response-"))
    .sort((left, right) => (left.pair < right.pair ? -1 : 1))
    .map(({ name, pair }) => (pair.includes("=") ? `${name}=${queryParameter(pair, name) ?? ""}` : name));
  return signed.length === 0 ? "" : `?${signed.join("&")}`;
}

/** However it is encoded: who reads the query decodes it. */
function nameOf(pair: string): string {
  return decodeBytes(pair.split("=", 1)[0] ?? "");
}
