// What the load generator's process and its parent say to each other. Types only.
import type { Profile } from "../records/generated-records.ts";

/** Makes records ahead; the bodies of later runs are cut from them. */
export interface Preparation {
  readonly kind: "prepare";
  readonly count: number;
  readonly profile: Profile;
}

export interface PreparedRequest {
  /** `POST` unless it says otherwise. */
  readonly method?: string;
  /** `/` unless it says otherwise. */
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Run {
  readonly kind: "run";
  readonly url: string;
  readonly connections: number;
  readonly load:
    | {
        readonly kind: "events";
        /** The prepared records from `first` on, `count` of them; taken from the start again beyond their end. */
        readonly first: number;
        readonly count: number;
        readonly perBody: number;
      }
    /** Each request `times` times, one after the other. */
    | { readonly kind: "calls"; readonly requests: readonly PreparedRequest[]; readonly times: number };
  /** Sends at this pace whatever the answers do; latency counts from when a request was due. Else: as fast as answered. */
  readonly requestsPerSecond?: number;
}

export interface LoadResult {
  readonly seconds: number;
  /** CPU of the load generator itself. */
  readonly cpuSeconds: number;
  readonly requests: number;
  /** Sum of `accepted` in the answers of the events door. */
  readonly accepted: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly latenciesMs: Float64Array;
  /** Wall clock of the answers, by the order of the requests, milliseconds since the epoch. */
  readonly answeredMs: Float64Array;
  /** What was said in the first answer that was not 200. */
  readonly firstFailure?: string;
}

export type Order = Preparation | Run;
export type Reply =
  | { readonly kind: "prepared" }
  | { readonly kind: "done"; readonly result: LoadResult }
  | { readonly kind: "failed"; readonly message: string };
