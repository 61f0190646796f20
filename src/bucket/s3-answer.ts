// Answers of the bucket door: one operation's context, the forms of its answers, and errors with their status. Pure.
import { createHash } from "node:crypto";
import type { Caller } from "../model/call.ts";
import { BucketError } from "./contract.ts";
import type { DirectoryStore } from "./object-contract.ts";
import type { BucketDoorRequest, BucketDoorResponse } from "./s3-door-types.ts";
import type { Target } from "./s3-operation.ts";
import { element, errorDocument, textElement, xmlDocument } from "./s3-xml.ts";

/** What every operation of the door gets. */
export interface DoorCall extends Target {
  readonly request: BucketDoorRequest;
  readonly store: DirectoryStore;
}

export interface DoorOperation {
  /** The IAM action, asked for before anything is looked at. */
  readonly action: string;
  /** `each`: the operation asks for itself, once per object. */
  readonly on: "service" | "bucket" | "object" | "each";
  readonly run: (call: DoorCall) => Promise<BucketDoorResponse>;
}

export type DoorOperationTable = Readonly<Record<string, DoorOperation>>;

export function xmlAnswer(root: string, content: readonly string[]): BucketDoorResponse {
  return { status: 200, headers: { "content-type": "application/xml" }, body: xmlDocument(root, content) };
}

export function emptyAnswer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): BucketDoorResponse {
  return { status, headers, body: "" };
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}

export function accessDenied(caller: Caller, action: string, resource: string): BucketError {
  const text = `User: ${caller.arn} is not authorized to perform: ${action} on resource: "${resource}" because no policy allows the ${action} action`;
  return new BucketError("AccessDenied", text);
}

/** Throws BucketError `AccessDenied` unless the caller may do something more than its operation's own action. */
export function mayAlso({ request }: DoorCall, action: string, resource: string): void {
  if (!request.may(action, resource)) throw accessDenied(request.caller, action, resource);
}

/** Throws BucketError `NoSuchBucket`. */
export async function mustExist({ store, bucket }: DoorCall): Promise<void> {
  if ((await store.presence(bucket)) === "missing") throw noSuchBucket();
}

export function noSuchBucket(): BucketError {
  return new BucketError("NoSuchBucket", "The specified bucket does not exist");
}

export function noSuchKey(): BucketError {
  return new BucketError("NoSuchKey", "The specified key does not exist.");
}

export function notImplemented(what: string): BucketError {
  return new BucketError("NotImplemented", `The bucket door of Cairn does not implement ${what}.`);
}

/** S3 names an owner by a canonical id of 64 hex digits; ours is derived from the account and says nothing about it. */
export function ownerElement(name: string, caller: Caller, attributes = ""): string {
  const id = createHash("sha256").update(`canonical user ${caller.accountId}`).digest("hex");
  const content = [textElement("ID", id), textElement("DisplayName", caller.accountId)];
  return `<${name}${attributes}>${content.join("")}</${name}>`;
}

/** Who began an upload. */
export function initiatorElement(initiator: { readonly arn: string }): string {
  const name = initiator.arn.slice(initiator.arn.lastIndexOf("/") + 1);
  return element("Initiator", [textElement("ID", initiator.arn), textElement("DisplayName", name)]);
}

/** The owner may do everything; other access is decided by policies alone. */
export function aclAnswer(caller: Caller): BucketDoorResponse {
  const type = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"`;
  const grantee = ownerElement("Grantee", caller, type);
  const grant = element("Grant", [grantee, textElement("Permission", "FULL_CONTROL")]);
  return xmlAnswer("AccessControlPolicy", [
    ownerElement("Owner", caller),
    element("AccessControlList", [grant]),
  ]);
}

/** The answer to a request that failed; HEAD answers have no body. */
export function errorAnswer(error: BucketError, request: BucketDoorRequest): BucketDoorResponse {
  const status = statuses[error.code] ?? 400;
  const fields = {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: request.path,
    RequestId: request.requestId,
  };
  if (request.method === "HEAD") return emptyAnswer(status);
  return { status, headers: { "content-type": "application/xml" }, body: errorDocument(fields) };
}

/** Codes that are not 400. */
const statuses: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NoSuchWebsiteConfiguration: 404,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  ReplicationConfigurationNotFoundError: 404,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  MethodNotAllowed: 405,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  PreconditionFailed: 412,
  InvalidPartNumber: 416,
  InvalidRange: 416,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  SlowDown: 503,
};
