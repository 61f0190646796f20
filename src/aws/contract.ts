// The other AWS services that a trail names: SNS topics, CloudWatch Logs groups, EventBridge buses, KMS keys. What
// this house needs of them. Types only. Implementations by the vendor's own clients: sns.ts, logs.ts, events.ts,
// kms.ts, opened by services.ts. Must not: know trails, plans or retries. One attempt per call.
import type { Region } from "../model/regions.ts";

/**
 * `done`; `refused`: the service answered with an error code, nothing happened; `unknown`: no usable answer, it may
 * have happened.
 */
export type ServiceOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

export interface Topics {
  /** Publishes one message without subject or attributes. `message` is at most 256 KiB of UTF-8. */
  publish(topicArn: string, message: string, signal?: AbortSignal): Promise<ServiceOutcome>;
}

/** One log group and the role that may write to it. */
export interface LogGroup {
  /** `arn:…:log-group:NAME:*` as the trail has it. */
  readonly arn: string;
  readonly roleArn: string;
}

export interface LogEvent {
  readonly timestampMs: number;
  readonly message: string;
}

export interface LogGroups {
  /** Makes the stream; one that exists is `done`. A role that cannot be assumed is refused with code `AssumeRole`. */
  createStream(group: LogGroup, stream: string, signal?: AbortSignal): Promise<ServiceOutcome>;
  /** One PutLogEvents; the caller keeps its limits (formats.md §5.1). A missing stream is `ResourceNotFoundException`. */
  putEvents(
    request: { readonly group: LogGroup; readonly stream: string; readonly events: readonly LogEvent[] },
    signal?: AbortSignal,
  ): Promise<ServiceOutcome>;
}

/** One entry of PutEvents (formats.md §5.2). */
export interface BusEvent {
  readonly source: string;
  readonly detailType: string;
  /** The whole record as JSON. */
  readonly detail: string;
  readonly timeMs: number;
  readonly resources: readonly string[];
}

export interface EventBuses {
  /**
   * One PutEvents of at most 10 entries to the configured bus, in the Region of the events. `done` carries for each
   * entry whether the bus took it, in order.
   */
  putEvents(
    region: Region,
    events: readonly BusEvent[],
    signal?: AbortSignal,
  ): Promise<
    | {
        readonly kind: "done";
        readonly entries: readonly (
          | { readonly isTaken: true }
          | { readonly isTaken: false; readonly code: string; readonly message: string }
        )[];
      }
    | Exclude<ServiceOutcome, { readonly kind: "done" }>
  >;
}

export interface KeyDescription {
  /** The full ARN of the key itself, never of an alias. */
  readonly arn: string;
  readonly isEnabled: boolean;
  /** Symmetric and made for encryption. */
  readonly isUsable: boolean;
}

export interface Keys {
  /** `keyId`: key ARN or alias ARN. `missing`: there is no such key in its Region. */
  describe(
    keyId: string,
    signal?: AbortSignal,
  ): Promise<
    | { readonly kind: "key"; readonly key: KeyDescription }
    | { readonly kind: "missing" }
    | Exclude<ServiceOutcome, { readonly kind: "done" }>
  >;
  /** Asks for a data key with the encryption context of a trail (formats.md §2.3), and throws it away. */
  probe(keyArn: string, trailArn: string, signal?: AbortSignal): Promise<ServiceOutcome>;
}

/** What is configured; a service without an endpoint is absent, and what needs it is skipped and said. */
export interface Services {
  readonly topics?: Topics;
  readonly logGroups?: LogGroups;
  readonly buses?: EventBuses;
  readonly keys?: Keys;
  /** Closes idle connections. */
  close(): void;
}
