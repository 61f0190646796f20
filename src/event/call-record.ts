// Builds the event record of a call to Cairn's own API (formats.md §1). Pure: the id and the time are arguments.
// Must not: decide who may call, or know HTTP.
import type { Call, Caller } from "../model/call.ts";
import { isObject } from "../model/json.ts";
import type { OperationName } from "../model/operations.ts";
import { isoSeconds } from "../model/timestamp.ts";
import { cappedObject, cutText, objectBytesMax } from "./record-limits.ts";
import { userIdentity } from "./user-identity.ts";

/** One finished CloudTrail API call. */
export interface CallAttempt {
  readonly call: Call;
  readonly operation: OperationName;
  /** The decoded input as JSON; undefined when the call failed before it could be read. */
  readonly input?: unknown;
  /** The encoded output of a call that succeeded. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

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

/**
 * The record of a call as JSON text, its members in the order of real records (formats.md §1.1). It is written piece by
 * piece: a call is journaled before its answer, and most of its record is the same in every one.
 */
export function callRecordText(attempt: CallAttempt, stamp: RecordStamp): string {
  const { call, operation, error } = attempt;
  const { caller, tls } = call;
  const readOnly = isReadOnlyOperation(operation);
  const input = capped("requestParameters", attempt.input);
  const output = readOnly || error ? "null" : capped("responseElements", attempt.output);
  const failure = error
    ? `,"errorCode":${quoted(recordedCode(error.code))},"errorMessage":${quoted(cutText(error.message))}`
    : "";
  return (
    `{"eventVersion":"1.11","userIdentity":${userIdentityText(caller)}` +
    `,"eventTime":"${isoSeconds(stamp.finishedMs)}","eventSource":"cloudtrail.amazonaws.com"` +
    `,"eventName":"${operation}","awsRegion":${quoted(call.region)}` +
    `,"sourceIPAddress":${quoted(call.sourceIp)},"userAgent":${quoted(cutText(call.userAgent))}${failure}` +
    `,"requestParameters":${input},"responseElements":${output}` +
    (caller.kind === "unverified" ? `,"additionalEventData":${unverified}` : "") +
    `,"requestID":${quoted(call.requestId)},"eventID":${quoted(stamp.eventId)},"readOnly":${readOnly}` +
    `,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"${caller.accountId}"` +
    `,"eventCategory":"Management"${tls ? `,"tlsDetails":${JSON.stringify(tls)}` : ""}}`
  );
}

const unverified = JSON.stringify({ identityVerified: false, reason: "Authentication is off." });

function quoted(text: string): string {
  return JSON.stringify(text);
}

// A caller of the configuration is one object for as long as that stands.
const userIdentities = new WeakMap<Caller, string>();

function userIdentityText(caller: Caller): string {
  const known = userIdentities.get(caller);
  if (known !== undefined) return known;
  const text = JSON.stringify(userIdentity(caller));
  userIdentities.set(caller, text);
  return text;
}

/** The code by which a record names an error: most services, CloudTrail among them, shorten a denial (formats.md §1.2). */
export function recordedCode(code: string): string {
  return code === "AccessDeniedException" ? "AccessDenied" : code;
}

/**
 * The JSON text of an input or output, the first letter of every key lowered (formats.md §1.5); `null` for an empty
 * object. One above the cap keeps its key and holds a marker (formats.md §1.6).
 */
function capped(member: string, value: unknown): string {
  const lowered = loweredKeys(value) ?? null;
  const text = JSON.stringify(lowered);
  if (text === "{}") return "null";
  return cappedObject(member, text, objectBytesMax);
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
