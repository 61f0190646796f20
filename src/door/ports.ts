// What the door needs from the rest of the house; server.ts joins it. Types only.
import type { BucketDoor } from "../bucket/s3-door-types.ts";
import type { AccountId } from "../model/arn.ts";
import type { Call, Caller } from "../model/call.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { OperationName, Operations } from "../model/operations.ts";
import type { PolicyDocument } from "../model/policy.ts";
import type { Region } from "../model/regions.ts";

/** What the configuration knows of one access key. */
export interface SigningIdentity {
  readonly caller: Caller;
  readonly secretAccessKey: string;
  /** Temporary credentials: the token every request must carry, and when they end. */
  readonly sessionToken?: string;
  readonly expiresMs?: number;
  readonly policies: readonly PolicyDocument[];
}

export interface DoorLimits {
  /** Largest body of a CloudTrail call, plain bytes. */
  readonly callBodyBytesMax: number;
  /** Largest body of the events door and the bucket door, before and after gunzip. */
  readonly eventsBodyBytesMax: number;
  /** Plain and inflated bytes in flight over all requests; beyond it new bodies are answered 503 with Retry-After. */
  readonly bytesInFlightMax: number;
  readonly headerBytesMax: number;
  readonly connectionsMax: number;
  /** Headers, and then the whole request, must arrive within these. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export interface DoorConfiguration {
  readonly auth: "on" | "off";
  /** With auth off: the account of every key that is not 12 digits. */
  readonly defaultAccount: AccountId;
  readonly regions: readonly Region[];
  /** Region of unsigned requests. */
  readonly defaultRegion: Region;
  /** Host names (without port) a request may name, beside loopback names and the bound address. */
  readonly hosts: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Bearer token for /metrics; without it /metrics answers loopback clients only. */
  readonly metricsToken?: string;
  readonly clockSkewMsMax: number;
  readonly limits: DoorLimits;
  /** For the minimal DescribeOrganization answer. */
  readonly organization?: {
    readonly id: string;
    readonly managementAccount: AccountId;
    readonly members: readonly AccountId[];
  };
}

/** A PutAuditEvents call (api.md §1.8), its body not yet read. */
export interface PutAuditEventsInput {
  /** ARN or id, as given. */
  readonly channelArn: string;
  readonly externalId?: string;
  readonly body: Uint8Array;
}

export interface PutAuditEventsOutput {
  readonly successful: readonly { readonly id: string; readonly eventID: string }[];
  readonly failed: readonly {
    readonly id: string;
    readonly errorCode: string;
    readonly errorMessage: string;
  }[];
}

/** Every operation of the API, PutAuditEvents of cloudtrail-data among them. */
export type DoorOperations = Operations & {
  readonly PutAuditEvents: (input: PutAuditEventsInput, call: Call) => Promise<PutAuditEventsOutput>;
};

/** One finished CloudTrail API call, as its record tells it. */
export interface CallAttempt {
  readonly call: Call;
  readonly operation: OperationName;
  /** The decoded input as JSON; undefined when the call failed before it could be read. */
  readonly input?: unknown;
  /** The encoded output of a call that succeeded. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Room in the journal for the record of a call that will change something. */
export interface CallReservation {
  release(): void;
}

/** Every API call to Cairn is itself an event: journaled before its answer. */
export interface CallRecorder {
  /** Undefined when the journal has no room even for own calls: nothing may be changed then. */
  reserve(): CallReservation | undefined;
  /** Resolves to true when the record is durable. */
  record(attempt: CallAttempt, reservation?: CallReservation): Promise<boolean>;
}

export interface Rejection {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

export type IntakeAnswer =
  | { readonly kind: "answered"; readonly accepted: number; readonly rejected: readonly Rejection[] }
  /** The body is none of the three forms. */
  | { readonly kind: "malformed"; readonly message: string }
  /** The journal takes nothing more just now. */
  | { readonly kind: "busy"; readonly message: string; readonly retryAfterSeconds: number };

export interface EventBatch {
  /** NDJSON, a JSON array, or {"Records":[…]}; already inflated. */
  readonly bytes: Uint8Array;
  readonly caller: Caller;
  /** Whether the caller may put records of this account (`cairn:PutEvents`). */
  readonly mayPut: (account: AccountId) => boolean;
}

export interface EventIntake {
  accept(batch: EventBatch): Promise<IntakeAnswer>;
}

export type { BucketDoor, BucketDoorRequest, BucketDoorResponse } from "../bucket/s3-door-types.ts";

export interface Health {
  readonly ready: boolean;
  /** One line per part: journal, state, delivery. */
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

export interface DoorPorts {
  readonly configuration: () => DoorConfiguration;
  /** The identity of an access key id; undefined when unknown. */
  readonly identity: (accessKeyId: string) => SigningIdentity | undefined;
  readonly operations: DoorOperations;
  readonly calls: CallRecorder;
  readonly events: EventIntake;
  /** Absent when an S3 endpoint is configured. */
  readonly bucketDoor?: BucketDoor;
  readonly health: () => Health;
  readonly metricsText: () => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
