// What the recorder needs from the rest of the house, and what the door hands it. Types only.
// `server.ts` joins the first; door/recorder-door.ts makes the second of each request.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccountId } from "../model/arn.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type {
  CallBook,
  CallRoom,
  PassedCaller,
  PassingHead,
  ServiceBook,
  ServiceDeed,
  ServiceErrorAnswer,
} from "./contract.ts";

export interface RecorderPorts {
  readonly services: ServiceBook;
  readonly calls: CallBook;
  readonly configuration: () => RecorderConfiguration;
  /** This installation's own name in `Via`, the same over restarts. */
  readonly installationId: string;
  /** Whether these headers are those of Cairn's own delivery. */
  readonly isOwnDelivery: (headers: PassingHead["headers"]) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RecorderConfiguration {
  readonly policy: RecorderPolicy;
  /** By SigV4's service name; `default` stands for every service that has none of its own. */
  readonly endpoints: ReadonlyMap<string, ServiceEndpoint>;
  /** How long a service may be silent before it is given up. */
  readonly upstreamTimeoutMs: number;
  /** How long a client may be silent while its turn is. */
  readonly clientTimeoutMs: number;
  /** Largest body that is read whole because it must be signed again. */
  readonly resignedBodyBytesMax: number;
  /** S3 has a door here: calls to it go nowhere else, whatever the default endpoint. */
  readonly withEmbeddedBuckets: boolean;
}

/** `pass-and-count`: a call whose record is refused passes and is counted. `record-or-refuse`: it does not pass. */
export type RecorderPolicy = "pass-and-count" | "record-or-refuse";

/** Where calls to a service go. */
export interface ServiceEndpoint {
  readonly target: { readonly kind: "url"; readonly url: string } | { readonly kind: "aws" };
  /** Present: callers are verified here and their requests are signed again with these. */
  readonly resign?: ResignCredentials;
}

export interface ResignCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Instead of the Region that the caller signed for. */
  readonly region?: string;
}

/** A request for a service behind Cairn: its head is known, its body still streams. */
export interface Passing {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly head: PassingHead;
  readonly caller: PassedCaller;
  readonly requestId: string;
  /** Counts what is kept in memory against the budget of all requests; false when there is no room. */
  take(bytes: number): boolean;
  /** Writes an answer that was made here. */
  answer(answer: ServiceErrorAnswer): void;
  /** The connection shall serve no further request: the server is closing. */
  isLast(): boolean;
  /** Ends the answer that was passed on; a body that still comes is received for a moment first. */
  end(): void;
  /** Made when it is needed. */
  signer(): Resigner;
}

/** Verifies who calls and signs again; door/resign.ts, because the door knows keys and policies. */
export interface Resigner {
  /** Throws an ApiError when the signature is not right. The body is absent where the signature need not cover it. */
  admit(body: Uint8Array | undefined): Admitted;
  /** The headers and the target with a signature of these credentials in place of the caller's. */
  sign(request: ResignRequest, credentials: ResignCredentials): SignedRequest;
}

export interface Admitted {
  readonly caller: NonNullable<PassedCaller["verified"]>;
  readonly account: AccountId;
  /** Throws an ApiError (AccessDeniedException) unless the caller's policies allow it. Does not look at `among`. */
  authorize(deed: ServiceDeed): void;
  /** Checks the chain of signatures of a streamed S3 body, chunk by chunk; absent when its chunks bear none. */
  readonly chunks?: ChunkChain;
}

export interface ChunkChain {
  /** Takes the next chunk's SHA-256 in hexadecimal; false when its signature is not right. */
  isNext(kind: "PAYLOAD" | "TRAILER", contentHash: string, signature: string): boolean;
}

export interface ResignRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Name, value, name, value … without those of the connection. */
  readonly headers: readonly string[];
  readonly host: string;
  readonly service: string;
  readonly region: string;
  /** Hexadecimal SHA-256, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  readonly payloadHash: string;
}

export interface SignedRequest {
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly string[];
}

/** The road into the journal for the records that are made here. */
export interface RecordedCallsPort {
  reserve(): CallRoom | undefined;
  /**
   * The records of one call, JSON texts: all of them or none. `inadmissible`: one is no record, and the room is still there;
   * else the room is used up.
   */
  accept(records: readonly string[], room?: CallRoom): Promise<"durable" | "refused" | "inadmissible">;
}
