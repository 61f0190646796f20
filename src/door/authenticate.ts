// Who calls: turns a request into a Call and what the caller may do, in both modes of authentication.
// Must not: decide whether a call is allowed; that is authorize.ts.
import { parseAccountId } from "../model/arn.ts";
import type { Call, Caller } from "../model/call.ts";
import { apiError } from "../model/errors.ts";
import type { PolicyContext } from "../model/policy.ts";
import { partitionOf, type Region } from "../model/regions.ts";
import { isoSeconds } from "../model/timestamp.ts";
import type { Permissions } from "./authorize.ts";
import { type DoorRequest, headerOf } from "./exchange.ts";
import { isOldPresigned, oldKeyOf, verifyOldSignature } from "./old-s3-signature.ts";
import type { DoorConfiguration, DoorPorts, SigningIdentity } from "./ports.ts";
import { looseScope } from "./read-claim.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { type SignatureRules, type VerifiedSignature, verifySignature } from "./sigv4.ts";

/** Longer user agents are cut: they end up in every record of a call. */
const userAgentCharactersMax = 1024;

export interface Admission {
  readonly call: Call;
  readonly permissions: Permissions;
  /** Absent when signatures are not checked. */
  readonly signature?: VerifiedSignature;
}

export type AdmissionParts = Pick<DoorPorts, "configuration" | "identity" | "clock"> & {
  readonly signingKeys: SigningKeys;
};

export type AdmissionRules = Pick<SignatureRules, "services" | "style"> & {
  /** The bucket that the host name of an S3 request says. */
  readonly hostBucket?: string | undefined;
};

/** A request with its whole body. */
export type ReadRequest = DoorRequest & { readonly body: Uint8Array };

/** Of S3, whose signatures can be checked before the body comes. */
export type UnreadDoorRequest = DoorRequest & { readonly body: undefined };

/** Admits a request or throws an ApiError of api.md §1.6; nothing else is looked at before. */
export function authenticate(
  request: ReadRequest | UnreadDoorRequest,
  rules: AdmissionRules,
  parts: AdmissionParts,
): Admission {
  const configuration = parts.configuration();
  if (configuration.auth === "off") return admitUnverified(request, configuration);
  const nowMs = parts.clock.nowMs();
  if (rules.style === "s3" && isOldPresigned(request)) return admitOldS3(request, rules, { ...parts, nowMs });
  const { services, style } = rules;
  const { regions, clockSkewMsMax } = configuration;
  const signature = verifySignature(
    request,
    { services, style, regions, clockSkewMsMax, nowMs },
    { identity: parts.identity, keys: parts.signingKeys },
  );
  const call = callOf(request, signature.identity.caller, signature.region);
  return { call, permissions: permissionsOf(signature.identity, call, nowMs), signature };
}

/** S3's old signature names no Region. */
function admitOldS3(
  request: DoorRequest,
  { hostBucket }: AdmissionRules,
  { identity, configuration, nowMs }: AdmissionParts & { readonly nowMs: number },
): Admission {
  const known = identity(oldKeyOf(request));
  const { caller, policies } = verifyOldSignature(request, known, { nowMs, hostBucket });
  const call = callOf(request, caller, configuration().defaultRegion);
  return { call, permissions: permissionsOf({ caller, policies }, call, nowMs) };
}

/**
 * Authentication is off: an access key of 12 digits is the account itself, any other (and none) belongs to the
 * default account. Only the Region is checked, because everything else hangs on it.
 */
function admitUnverified(request: DoorRequest, configuration: DoorConfiguration): Admission {
  const scope = looseScope(request);
  const region = scope
    ? configuration.regions.find((known) => known === scope.region)
    : configuration.defaultRegion;
  if (!region) throw apiError("InvalidSignatureException.region");
  const key = scope?.accessKeyId ?? (isOldPresigned(request) ? oldKeyOf(request) : "");
  const accountId = parseAccountId(key) ?? configuration.defaultAccount;
  const accessKeyId = /^[\w-]{1,128}$/.test(key) ? key : undefined;
  const caller: Caller = {
    accountId,
    kind: "unverified",
    arn: `arn:${partitionOf(region)}:iam::${accountId}:root`,
    principalId: accountId,
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
  };
  return { call: callOf(request, caller, region), permissions: { kind: "everything" } };
}

function callOf(request: DoorRequest, caller: Caller, region: Region): Call {
  return {
    caller,
    region,
    requestId: request.requestId,
    sourceIp: request.sourceIp,
    userAgent: (headerOf(request, "user-agent") ?? "").slice(0, userAgentCharactersMax),
    ...(request.tls ? { tls: request.tls } : {}),
  };
}

/** The root of an account may do everything in it; users do what their policies say. */
export function permissionsOf(
  identity: Pick<SigningIdentity, "caller" | "policies">,
  call: Call,
  nowMs: number,
): Permissions {
  if (call.caller.kind === "root") return { kind: "everything" };
  return { kind: "policies", policies: identity.policies, context: () => contextOf(call, nowMs) };
}

function contextOf(call: Call, nowMs: number): PolicyContext {
  const { caller, region, sourceIp, userAgent, tls } = call;
  const issuedMs = caller.session?.issuedMs;
  return {
    "aws:PrincipalArn": [caller.arn],
    "aws:PrincipalAccount": [caller.accountId],
    "aws:PrincipalType": ["User"],
    "aws:userid": [caller.principalId],
    "aws:username": caller.userName === undefined ? [] : [caller.userName],
    "aws:RequestedRegion": [region],
    "aws:SourceIp": [sourceIp],
    "aws:UserAgent": [userAgent],
    "aws:SecureTransport": [tls ? "true" : "false"],
    "aws:CurrentTime": [isoSeconds(nowMs)],
    "aws:EpochTime": [String(Math.floor(nowMs / 1000))],
    "aws:TokenIssueTime": issuedMs === undefined ? [] : [isoSeconds(issuedMs)],
  };
}
