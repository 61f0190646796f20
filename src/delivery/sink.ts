// Where composed records go: a bucket, a log group or the event bus. Types only. Implementations: bucket-sink.ts,
// log-group-sink.ts, event-bus-sink.ts. Retrying, pausing and putting aside are the writer's business.
import type { Plan } from "./plan.ts";

/**
 * `stored`: all of it is there. `refused`: the destination answered with an error code. `unknown`: no usable answer, it
 * may be there in whole or in part. Sending the same plan again is safe for a bucket, and at least once for the others.
 */
export type SendOutcome =
  | { readonly kind: "stored" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

export interface Sink {
  /** One try to bring the composed file of a plan to the plan's target; `body` is its gzip bytes. Never rejects. */
  send(plan: Plan, body: Uint8Array, signal: AbortSignal): Promise<SendOutcome>;
  /** The plan is over, delivered or given up: what the sink remembered of it can go. */
  forget?(planId: string): void;
}
