// Builds the event record of a call to Cairn's own API (formats.md §1). Pure: the id and the time are arguments.
// Must not: decide who may call, or know HTTP.
import type { Call, Caller } from "../model/call.ts";
import type { OperationName } from "../model/operations.ts";
import { isoSeconds } from "../model/timestamp.ts";

/** One finished CloudTrail API call. */
export interface CallAttempt {
  readonly call: Call;
  readonly operation: OperationName;
  /** The decoded input as JSON; undefined when the call failed before it could be read. */
  readonly input?: unknown;
  /** The encoded output of a call that succeeded. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

// formats.md §1.6: 1 KB = 1024 bytes of the UTF-8 JSON text of the value.
const textBytesMax = 1024;
const objectBytesMax = 100 * 1024;

const readOnlyVerbs = /^(Get|List|Describe|Lookup|Search|GenerateQuery|StartQuery$)/;

/** Whether an operation changes nothing (formats.md §1.7). */
export function isReadOnlyOperation(operation: OperationName): boolean {
  return readOnlyVerbs.test(operation);
}

export interface RecordStamp {
  /** UUID of the record. */
  readonly eventId: string;
  /** When the request finished, milliseconds since the epoch. */
  readonly finishedMs: number;
}

/** The record of a call as an object in the member order of real records (formats.md §1.1). */
export function callRecord(attempt: CallAttempt, stamp: RecordStamp): Record<string, unknown> {
  const { call, operation, error } = attempt;
  const readOnly = isReadOnlyOperation(operation);
  return {
    eventVersion: "1.11",
    userIdentity: userIdentity(call.caller),
    eventTime: isoSeconds(stamp.finishedMs),
    eventSource: "cloudtrail.amazonaws.com",
    eventName: operation,
    awsRegion: call.region,
    sourceIPAddress: call.sourceIp,
    userAgent: cutText(call.userAgent),
    ...(error && { errorCode: recordedCode(error.code), errorMessage: cutText(error.message) }),
    requestParameters: capped("requestParameters", lowerCamel(attempt.input)),
    responseElements: readOnly || error ? null : capped("responseElements", lowerCamel(attempt.output)),
    ...(call.caller.kind === "unverified" && {
      additionalEventData: { identityVerified: false, reason: "Authentication is off." },
    }),
    requestID: call.requestId,
    eventID: stamp.eventId,
    readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: call.caller.accountId,
    eventCategory: "Management",
    ...(call.tls && { tlsDetails: call.tls }),
  };
}

/** userIdentity of a caller (formats.md §1.4). Unverified callers claim no more than an account. */
function userIdentity(caller: Caller): Record<string, unknown> {
  const { accountId, accessKeyId } = caller;
  if (caller.kind === "unverified") {
    return { type: "Unknown", principalId: accountId, accountId, ...(accessKeyId && { accessKeyId }) };
  }
  return {
    type: caller.kind === "root" ? "Root" : "IAMUser",
    principalId: caller.principalId,
    arn: caller.arn,
    accountId,
    ...(accessKeyId && { accessKeyId }),
    ...(caller.userName && { userName: caller.userName }),
    ...(caller.session && { sessionContext: { attributes: sessionAttributes(caller.session) } }),
  };
}

function sessionAttributes(session: NonNullable<Caller["session"]>): Record<string, unknown> {
  const { issuedMs } = session;
  return {
    ...(issuedMs !== undefined && { creationDate: isoSeconds(issuedMs) }),
    mfaAuthenticated: "false",
  };
}

/** Most services, CloudTrail among them, record a denial under the short name (formats.md §1.2). */
function recordedCode(code: string): string {
  return code === "AccessDeniedException" ? "AccessDenied" : code;
}

/** Lowers the first letter of every key at every level (formats.md §1.5); empty objects become null. */
function lowerCamel(value: unknown): unknown {
  const lowered = loweredKeys(value);
  return isObject(lowered) && Object.keys(lowered).length === 0 ? null : (lowered ?? null);
}

function loweredKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(loweredKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key.slice(0, 1).toLowerCase() + key.slice(1),
      loweredKeys(member),
    ]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object above its cap keeps its key and holds a marker (formats.md §1.6). */
function capped(member: string, value: unknown): unknown {
  if (value === null) return null;
  const originalSize = new TextEncoder().encode(JSON.stringify(value)).length;
  return originalSize <= objectBytesMax
    ? value
    : { reason: `${member} too large`, omitted: true, originalSize };
}

/** Cuts text so that its UTF-8 form stays within 1 KB, at a code-point boundary. */
function cutText(text: string): string {
  const clean = text.toWellFormed();
  const bytes = new TextEncoder().encode(clean);
  if (bytes.length <= textBytesMax) return clean;
  return new TextDecoder().decode(bytes.subarray(0, textBytesMax)).replace(/\uFFFD+$/, "");
}
