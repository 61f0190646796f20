// What the parts of the recorder say to each other: a call that passed, what it was, who made it. Types only.
//
//   forward (or the bucket door, or a webhook) → PassedCall
//     → ServiceBook: what the call was (operation, parameters, resources, error)      service-book.ts
//     → IdentityBook: who made it                                                     identity-book.ts
//     → record text → intake → journal                                                record-calls.ts
import type { AccountId } from "../model/arn.ts";
import type { Caller, TlsDetails } from "../model/call.ts";
import type { RequestHeaders } from "../model/headers.ts";
import type { JsonObject } from "../model/json.ts";
import type { Region } from "../model/regions.ts";

/** The head of a request for a service: all that is known before its body. */
export interface PassingHead {
  /** SigV4's service name, of the credential scope: `s3`, `dynamodb`, `monitoring`. */
  readonly service: string;
  readonly region: Region;
  readonly method: string;
  /** Percent-encoded as sent, without the query. For a virtual-host style S3 request without the bucket. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** The bucket that the host name says (virtual-host style S3). */
  readonly hostBucket?: string;
}

/** What was kept of a body on its way through: bytes as sent, no encoding undone but `aws-chunked`. */
export type CapturedBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  /** Larger than what was asked for: its beginning. */
  | { readonly kind: "cut"; readonly bytes: Uint8Array };

/** A call that was answered, by a service behind Cairn, by the embedded bucket, or by Cairn itself in its place. */
export interface PassedCall {
  readonly head: PassingHead;
  readonly request: CapturedBody;
  /** Bytes of the request's body and of the answer's, as they passed. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly answer: {
    readonly status: number;
    readonly headers: RequestHeaders;
    readonly body: CapturedBody;
  };
  /** Cairn refused the call, or nobody behind it answered: the error that the client got. */
  readonly failure?: { readonly code: string; readonly message: string };
  readonly caller: PassedCaller;
  readonly startedMs: number;
  /** When the answer was complete. */
  readonly finishedMs: number;
  /** Cairn's own id of the request; stands in the record when the service gave none. */
  readonly requestId: string;
  /** The record's id, where whoever reports the call may report it again; else a new one is drawn. */
  readonly eventId?: string;
}

/** What the door knows of who made a call. */
export interface PassedCaller {
  /** Verified here (auth on, `resign`, the bucket door); absent when the signature was only passed on. */
  readonly verified?: Caller;
  /** As sent; absent for unsigned requests. */
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  /** How the request was signed. */
  readonly signature: {
    readonly version: "SigV4" | "SigV4A" | "SigV2" | "none";
    readonly method: "AuthHeader" | "QueryString" | "none";
  };
  /** Behind trusted proxies the address that they report, else the socket's. */
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly tls?: TlsDetails;
  /** The listener it came in by is mapped to this endpoint. */
  readonly vpcEndpointId?: string;
}

/** 0 where a body is an object or a stream: those are never kept. */
export interface WantedBytes {
  readonly requestBytes: number;
  /** Of an answer with a status below 400. */
  readonly answerBytes: number;
  /** Of an answer with a status of 400 or more: S3 says there why an object could not be read. */
  readonly errorBytes: number;
}

/** What a service's tables know of one operation's request. */
export interface UnderstoodHead {
  /** How much of the bodies `describe` wants to see. */
  readonly capture: WantedBytes;
  /** What the call was. Never throws: what cannot be read is left out. */
  describe(call: PassedCall, account: AccountId): CallDescription;
  /** The service's own action and the resource it is about, for policies; needs the body where the operation stands in it. */
  deedOf(request: CapturedBody, account: AccountId): ServiceDeed;
  /** An error in the form that clients of this service and protocol read. */
  errorAnswer(error: ServiceError): ServiceErrorAnswer;
}

/** What a policy must allow. An action like `dynamodb:*` stands for several, or for one that cannot be told. */
export interface ServiceDeed {
  readonly action: string;
  /** An ARN; `*` where an operation has none, or several. */
  readonly resource: string;
  /** `resource` is a pattern: which of them it is about cannot be told. */
  readonly isUntold?: true;
  /** All of them, when there are several: each must be allowed, in place of `resource`. */
  readonly among?: readonly string[];
}

export interface ServiceError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
}

export interface ServiceErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Knows the services: their operations and where the members of each lie. Loads a service's table when it is first asked for. */
export interface ServiceBook {
  understand(head: PassingHead): Promise<UnderstoodHead>;
}

/** The part of a record that says what happened (formats.md §1). Secrets are already hidden; sizes are already capped. */
export interface CallDescription {
  readonly eventSource: string;
  readonly eventName: string;
  readonly apiVersion?: string;
  readonly readOnly: boolean;
  readonly eventCategory: "Management" | "Data";
  readonly resources: readonly DescribedResource[];
  readonly requestParameters: JsonObject | null;
  readonly responseElements: JsonObject | null;
  readonly additionalEventData?: JsonObject;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  /** The id that the service gave the request. */
  readonly requestID?: string;
  /** The objects of a DeleteObjects, each deleted or not. */
  readonly parts?: readonly DescribedPart[];
  /** Credentials that the answer handed out, for the identity book. Never in the record. */
  readonly issued?: IssuedCredentials;
}

/** Names one resource, or by `ARNPrefix` the many that a call is about (formats.md §1.10). */
/** What one call did to one of many things, where the service tells of each in a record of its own (formats.md §1.13). */
export interface DescribedPart {
  readonly eventName: string;
  readonly resources: readonly DescribedResource[];
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export interface DescribedResource {
  readonly accountId?: string;
  readonly type?: string;
  readonly ARN?: string;
  readonly ARNPrefix?: string;
}

/** What an answer of STS or IAM tells about a key: whose requests it will sign. No secrets. */
export interface IssuedCredentials {
  /** Empty for `self`: it is the caller's. */
  readonly accessKeyId: string;
  /** `self`: GetCallerIdentity says whose the key is that signed. */
  readonly kind:
    | "assumedRole"
    | "federatedUser"
    | "session"
    | "userKey"
    | "samlUser"
    | "webIdentityUser"
    | "self";
  /** `AssumedRoleUser.Arn`, `FederatedUser.Arn`, or the user's ARN where it is known. */
  readonly arn?: string;
  /** `AROA…:session`, `acct:name`. */
  readonly principalId?: string;
  readonly userName?: string;
  /** The role's ARN as asked for, with its path. */
  readonly roleArn?: string;
  readonly sourceIdentity?: string;
  readonly provider?: string;
  readonly mfaAuthenticated?: boolean;
  readonly expiresMs?: number;
}

/** Who made a call, as a record says it. */
export interface RecordedIdentity {
  readonly account: AccountId;
  /** The record's `userIdentity`. */
  readonly userIdentity: JsonObject;
  /** False: nobody checked the signature, neither here nor, by its answer, the service. */
  readonly isVerified: boolean;
}

/**
 * What an answer tells about the signature of its request. `accepted`: the service did the call, or refused it to somebody
 * whom it knows; `refused`: it did not believe the signature; `untold`: it was down, throttled, or gave up before looking.
 */
export type SignatureOutcome = "accepted" | "refused" | "untold";

/** Knows whose keys are whose: configured users, and the keys that passing answers handed out. */
export interface IdentityBook {
  identify(caller: PassedCaller, signature: SignatureOutcome): RecordedIdentity;
  /** Remembers, durably, whose key it is that an answer handed out. */
  learn(issued: IssuedCredentials, by: RecordedIdentity, nowMs: number): void;
  /** The key was deleted. */
  forget(accessKeyId: string): void;
  /** A user was made: keys made for it later are named by this. */
  learnUser(user: NamedUser): void;
  forgetUser(account: AccountId, userName: string): void;
}

/** Room in the journal for the record of one call (policy `record-or-refuse`). Releasing twice, or after `record`, is harmless. */
export interface CallRoom {
  release(): void;
}

/** What CreateUser's answer says. */
export interface NamedUser {
  readonly account: AccountId;
  readonly userName: string;
  /** With its path. */
  readonly arn: string;
  readonly principalId: string;
}

/** Turns passed calls into records. */
export interface CallBook {
  /** Keeps room for the record of a call that is about to be made; undefined while the journal takes nothing. */
  reserve(): CallRoom | undefined;
  /**
   * Resolves to true once the record (and its copies) is in the journal; false when the journal refused it. Never
   * rejects. Uses up the room when one is given.
   */
  record(call: PassedCall, understood: UnderstoodHead, room?: CallRoom): Promise<boolean>;
}
