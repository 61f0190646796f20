// What the door needs from the rest of the house; server.ts joins it. Types only.
import type { BucketDoor } from "../bucket/s3-door-types.ts";
import type { CallRecorder } from "../intake/call-recorder.ts";
import type { EventIntake } from "../intake/event-intake.ts";
import type { AccountId } from "../model/arn.ts";
import type { Call, Caller } from "../model/call.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { Operations } from "../model/operations.ts";
import type { PolicyDocument } from "../model/policy.ts";
import type { Region } from "../model/regions.ts";
import type { MinioAudit } from "../recorder/minio-audit.ts";
import type { AnsweredCalls } from "../recorder/answered-calls.ts";
import type { Recorder } from "../recorder/recorder.ts";
import type { Tails } from "../tail/tails.ts";
import type { TrailExplainer } from "../trail/explain-events.ts";
import type { TrustedProxies } from "./source-address.ts";

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
  /** Domains whose subdomains are buckets (virtual-host style S3); requests may name them like `hosts`. */
  readonly s3Domains?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Bearer token for /metrics and /statusz; without it they answer loopback clients only. */
  readonly metricsToken?: string;
  /** Bearer token for MinIO's audit webhook; without it only loopback clients may post. */
  readonly auditWebhookToken?: string;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies?: TrustedProxies;
  /** More addresses to listen on, each standing for a VPC endpoint. */
  readonly vpcEndpoints?: readonly { readonly id: string; readonly host: string; readonly port: number }[];
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

export type { BucketDoor, BucketDoorRequest, BucketDoorResponse } from "../bucket/s3-door-types.ts";

export interface Health {
  readonly ready: boolean;
  /** One line per part: journal, state, delivery. */
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** What `cairn status` shows, and GET /statusz answers. Times in milliseconds since the epoch, by the server's clock. */
export interface StatusReport {
  /** When this process started; what is counted since then says so. */
  readonly startedMs: number;
  readonly nowMs: number;
  readonly health: Health;
  readonly journal: { readonly bytes: number; readonly bytesMax: number };
  /** In an order that stays; may be made one by one while it is read. The door takes as many as it lists. */
  readonly trails: Iterable<TrailReport>;
}

export interface TrailReport {
  readonly arn: string;
  readonly isLogging: boolean;
  /** Deleted trails are listed by the door while something waits, fails or was given up. */
  readonly isDeleted: boolean;
  readonly destinations: readonly DestinationReport[];
}

export interface DestinationReport {
  readonly kind: "bucket" | "digest" | "notification" | "log-group" | "event-bus";
  /** `s3://bucket/prefix`, or the ARN of the topic, log group or bus. */
  readonly target: string;
  /** The last success over all Regions. */
  readonly delivered?: { readonly latestMs: number };
  /** Present while the last attempt failed. */
  readonly failing?: FailureReport;
  /** What is cut and not yet taken; a digest or notification counts as a file without records. */
  readonly waiting: {
    readonly files: number;
    readonly records: number;
    /** As composed where that is known, else 0. */
    readonly bytes: number;
    /** Since when the oldest of them waits. */
    readonly oldestMs?: number;
  };
  /** What will never be delivered, counted since `startedMs`. */
  readonly givenUp: { readonly files: number; readonly records: number; readonly latestMs?: number };
  /** Something else worth knowing, as a sentence: why nothing is sent, for example. */
  readonly note?: string;
  /** Regions in which something was delivered or fails, when there is more than one. */
  readonly regions?: readonly {
    readonly region: Region;
    readonly latestMs?: number;
    readonly latestError?: string;
  }[];
}

interface FailureReport {
  readonly sinceMs: number;
  /** The code of the other side, or `Unknown` when there was no usable answer. */
  readonly code: string;
  readonly message?: string;
  /** Attempts since `sinceMs`. */
  readonly attempts: number;
  /** Absent while an attempt is under way. */
  readonly nextTryMs?: number;
}

export interface DoorPorts {
  readonly configuration: () => DoorConfiguration;
  /** The identity of an access key id; undefined when unknown. */
  readonly identity: (accessKeyId: string) => SigningIdentity | undefined;
  readonly operations: DoorOperations;
  readonly calls: CallRecorder;
  readonly events: EventIntake;
  /** Absent when nothing is recorded. */
  readonly minioAudit?: MinioAudit;
  readonly tails: Tails;
  readonly explainer: TrailExplainer;
  /** Absent when an S3 endpoint is configured. */
  readonly bucketDoor?: BucketDoor;
  /** Makes records of the bucket door's calls. */
  readonly bucketCalls?: AnsweredCalls;
  /** Absent when nothing lies behind Cairn. */
  readonly recorder?: Recorder;
  readonly health: () => Health;
  readonly metricsText: () => Promise<string>;
  readonly status: () => StatusReport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
