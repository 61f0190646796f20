// Verifies AWS Signature Version 4, in the header or presigned (api.md §1.6). Takes the time as an argument.
// Must not: know policies, or which door asks.
import { hash, timingSafeEqual } from "node:crypto";
import { ApiError, apiError } from "../model/errors.ts";
import type { Region } from "../model/regions.ts";
import { canonicalRequest } from "./canonical-request.ts";
import { type DoorRequest, headerOf, queryParameter } from "./exchange.ts";
import { isoBasic } from "./iso-basic.ts";
import type { SigningIdentity } from "./ports.ts";
import { readClaim } from "./read-claim.ts";
import { incomplete, type SignatureClaim } from "./signature-claim.ts";
import type { SigningKey, SigningKeys } from "./signing-keys.ts";

export interface SignatureRules {
  /** Service names the scope may carry; the first is the one that error texts name. */
  readonly services: readonly string[];
  readonly regions: readonly Region[];
  readonly nowMs: number;
  readonly clockSkewMsMax: number;
  /** S3 signs the path as sent and may leave the payload out of the signature; nobody else may. */
  readonly style: "s3" | "standard";
}

export interface SignatureParts {
  readonly identity: (accessKeyId: string) => SigningIdentity | undefined;
  readonly keys: SigningKeys;
}

export type SignedRequest = Pick<DoorRequest, "method" | "path" | "query" | "headers"> & {
  readonly body: Uint8Array;
};

/** The body has not come yet: S3's signer says what its hash is, and who takes the body checks it. */
export type UnreadRequest = Omit<SignedRequest, "body"> & { readonly body: undefined };

export interface VerifiedSignature {
  readonly identity: SigningIdentity;
  readonly region: Region;
  readonly claim: SignatureClaim;
  /** Signs the chunks of a streamed S3 body. */
  readonly signingKey: SigningKey;
}

/** Checks scope, time, key, token and signature, in this order. Throws an ApiError of api.md §1.6. */
export function verifySignature(
  request: SignedRequest | UnreadRequest,
  rules: SignatureRules,
  parts: SignatureParts,
): VerifiedSignature {
  const claim = readClaim(request);
  const region = checkScope(claim, rules);
  checkTime(claim, rules);
  const identity = parts.identity(claim.scope.accessKeyId);
  if (!identity) throw apiError("UnrecognizedClientException");
  checkToken(claim, identity, rules.nowMs);
  checkSignedHeaders(request, claim);
  const signingKey = parts.keys.derive(identity.secretAccessKey, claim.scope);
  const canonical = canonicalRequest(request, {
    path: rules.style === "s3" ? "as-sent" : "normalized",
    signedHeaders: claim.signedHeaders,
    payloadHash: payloadHash(request, claim, rules),
  });
  if (!isSameText(claim.signature, signatureOf(canonical, claim, signingKey))) {
    throw apiError("InvalidSignatureException.mismatch");
  }
  return { identity, region, claim, signingKey };
}

/** `{date}/{region}/{service}/aws4_request`, the second part of every string to sign. */
export function scopeText(claim: SignatureClaim): string {
  return `${claim.scope.date}/${claim.scope.region}/${claim.scope.service}/${claim.scope.terminator}`;
}

/** Compares without telling by its duration where the texts differ. */
export function isSameText(a: string, b: string): boolean {
  // Their lengths are no secret.
  if (a.length !== b.length) return false;
  const left = Buffer.from(a, "utf8");
  const right = Buffer.from(b, "utf8");
  return left.length === right.length && timingSafeEqual(left, right);
}

function checkScope(claim: SignatureClaim, rules: SignatureRules): Region {
  const { scope, requestTime } = claim;
  if (scope.terminator !== "aws4_request") throw apiError("InvalidSignatureException.terminator");
  const region = rules.regions.find((known) => known === scope.region);
  if (!region) throw apiError("InvalidSignatureException.region");
  if (!rules.services.includes(scope.service)) {
    throw apiError("InvalidSignatureException.service", { service: rules.services[0] ?? "" });
  }
  const date = requestTime.slice(0, 8);
  if (scope.date !== date) {
    throw apiError("InvalidSignatureException.date", { scopeDate: shortened(scope.date), date, requestTime });
  }
  return region;
}

function checkTime(claim: SignatureClaim, rules: SignatureRules): void {
  const { requestTime, requestTimeMs, expiresSeconds } = claim;
  const { nowMs, clockSkewMsMax } = rules;
  const isSkewed = requestTimeMs > nowMs + clockSkewMsMax || isLate(claim, rules);
  if (isSkewed && rules.style === "s3") throw tooSkewed();
  if (requestTimeMs > nowMs + clockSkewMsMax) {
    const limit = isoBasic(nowMs + clockSkewMsMax);
    throw apiError("InvalidSignatureException.notYet", { requestTime, limit, now: isoBasic(nowMs) });
  }
  if (expiresSeconds !== undefined) {
    if (nowMs > requestTimeMs + expiresSeconds * 1000) {
      if (rules.style === "s3") throw new ApiError("AccessDeniedException", "Request has expired");
      const limit = isoBasic(nowMs - expiresSeconds * 1000);
      throw apiError("InvalidSignatureException.presignedExpired", {
        requestTime,
        limit,
        now: isoBasic(nowMs),
        expiresSeconds,
      });
    }
  } else if (isLate(claim, rules)) {
    const limit = isoBasic(nowMs - clockSkewMsMax);
    throw apiError("InvalidSignatureException.expired", { requestTime, limit, now: isoBasic(nowMs) });
  }
}

function isLate({ requestTimeMs, expiresSeconds }: SignatureClaim, rules: SignatureRules): boolean {
  return expiresSeconds === undefined && requestTimeMs < rules.nowMs - rules.clockSkewMsMax;
}

/** S3's clients set their clocks right when they hear it. */
function tooSkewed(): ApiError {
  return new ApiError(
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
  );
}

/** Temporary credentials need exactly their token; long-term ones must come without any. */
function checkToken(claim: SignatureClaim, identity: SigningIdentity, nowMs: number): void {
  const isRight =
    identity.sessionToken === undefined
      ? claim.securityToken === undefined
      : claim.securityToken !== undefined && isSameText(claim.securityToken, identity.sessionToken);
  if (!isRight) throw apiError("UnrecognizedClientException");
  if (identity.expiresMs !== undefined && nowMs >= identity.expiresMs)
    throw apiError("ExpiredTokenException");
}

/**
 * Host and every x-amz-* header that is present must be signed, and every signed header must be present.
 * The security token may stand outside the signature: it is compared with the key's own token anyway.
 */
function checkSignedHeaders(request: Pick<SignedRequest, "headers">, claim: SignatureClaim): void {
  if (!claim.signedHeaders.includes("host")) {
    throw incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  if (claim.signedHeaders.some((name) => !request.headers.has(name))) {
    throw apiError("InvalidSignatureException.mismatch");
  }
  for (const name of request.headers.keys()) {
    if (!name.startsWith("x-amz-") || name === "x-amz-security-token") continue;
    if (!claim.signedHeaders.includes(name)) {
      throw apiError("InvalidSignatureException.unsignedHeader", { name });
    }
  }
}

function payloadHash(
  request: SignedRequest | UnreadRequest,
  claim: SignatureClaim,
  rules: SignatureRules,
): string {
  if (rules.style === "standard") return bodyHash(request);
  const said =
    headerOf(request, "x-amz-content-sha256") ?? queryParameter(request.query, "X-Amz-Content-Sha256");
  if (said === undefined) return claim.expiresSeconds === undefined ? bodyHash(request) : "UNSIGNED-PAYLOAD";
  if (said === "UNSIGNED-PAYLOAD" || said.startsWith("STREAMING-") || request.body === undefined) return said;
  return bodyHash(request);
}

function bodyHash(request: SignedRequest | UnreadRequest): string {
  return hash("sha256", request.body ?? "", "hex");
}

function signatureOf(canonical: string, claim: SignatureClaim, signingKey: SigningKey): string {
  const isAscii = Buffer.byteLength(canonical, "utf8") === canonical.length;
  const canonicalHash = hash("sha256", isAscii ? canonical : Buffer.from(canonical, "latin1"), "hex");
  const text = `AWS4-HMAC-SHA256\n${claim.requestTime}\n${scopeText(claim)}\n${canonicalHash}`;
  return signingKey.sign(text);
}

function shortened(text: string): string {
  return text.slice(0, 64);
}
