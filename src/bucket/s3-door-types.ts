// What the listener and the bucket door say to each other. Types only.
import type { Caller } from "../model/call.ts";

/** A request for the bucket door, already authenticated. Header names in lower case. */
export interface BucketDoorRequest {
  readonly method: string;
  /** Percent-encoded path as sent, without query. */
  readonly path: string;
  /** As the client sees it, without query; absent when nobody says. */
  readonly url?: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly caller: Caller;
  readonly requestId: string;
  /** Whether the caller may do `s3:Action` on `arn:aws:s3:::…`. */
  readonly may: (action: string, resource: string) => boolean;
}

export interface BucketDoorResponse {
  readonly status: number;
  /** Names in lower case. A HEAD answer has the `content-length` that GET would have, and no body. */
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces of a large object; its iterator is to be ended, by reading on or by `return()`. Its length is in the headers. */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

export type BucketDoor = (request: BucketDoorRequest) => Promise<BucketDoorResponse>;
