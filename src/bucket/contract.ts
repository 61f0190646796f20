// Where objects go: what a bucket store promises. Types only. Implementations: directory.ts, s3.ts.
//
// - `put` is atomic: a reader sees the old object or the new one, never a part. Its outcome is `stored`,
//   `refused` (the store answered with an error code: nothing was written) or `unknown` (no usable answer:
//   it may have been written; putting the same bytes to the same key again is safe).
// - Keys `a` and `a/b` coexist. No key escapes its bucket. Keys are 1-1024 bytes of UTF-8, any characters.

export interface ObjectMetadata {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  /** User metadata, names in lower case without the `x-amz-meta-` prefix. */
  readonly user?: Readonly<Record<string, string>>;
  readonly encryption?:
    | { readonly algorithm: "AES256" }
    | { readonly algorithm: "aws:kms"; readonly keyArn: string };
}

export interface PutRequest {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly metadata: ObjectMetadata;
  /** Canned ACL; log files use `bucket-owner-full-control` (formats.md §2.3). */
  readonly acl?: string;
  /** Refused with `PreconditionFailed` when the key holds an object already. */
  readonly ifAbsent?: true;
  readonly signal?: AbortSignal;
}

export type PutOutcome =
  | { readonly kind: "stored"; readonly etag: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

export interface ObjectHead {
  readonly key: string;
  readonly sizeBytes: number;
  /** Hex MD5 without quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly metadata: ObjectMetadata;
}

export interface ObjectBody {
  readonly head: ObjectHead;
  readonly body: Uint8Array;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix?: string;
  readonly delimiter?: string;
  /** Return keys after this one, in UTF-8 byte order. */
  readonly startAfter?: string;
  /** 1-1000, default 1000. */
  readonly keysMax?: number;
}

export interface ObjectSummary {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export interface ListPage {
  readonly objects: readonly ObjectSummary[];
  readonly commonPrefixes: readonly string[];
  /** Set when more follows: pass it as `startAfter`. */
  readonly nextStartAfter?: string;
}

export interface BucketInfo {
  readonly name: string;
  readonly createdMs: number;
  /** The Region the bucket was made in; absent when nobody said. */
  readonly region?: string;
}

export type BucketPresence = "exists" | "missing" | "unknown";

/** `none`: the bucket has no policy. `unreadable`: the store would not say (no permission, no such feature, no answer). */
export type PolicyAnswer =
  | { readonly kind: "policy"; readonly text: string }
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly message: string };

/** A failure that the store itself reported, with its S3 error code (`NoSuchBucket`, `BucketNotEmpty` …). */
export class BucketError extends Error {
  readonly code: string;
  /** Further elements of the error document, such as `UploadId`. */
  readonly details: Readonly<Record<string, string>>;
  constructor(code: string, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "BucketError";
    this.code = code;
    this.details = details;
  }
}

/** What delivery and the trail operations need of any store. */
export interface BucketStore {
  put(request: PutRequest): Promise<PutOutcome>;
  /** Undefined when the object does not exist. Throws BucketError for a missing bucket. `range` is inclusive. */
  get(
    bucket: string,
    key: string,
    range?: { readonly first: number; readonly last: number },
  ): Promise<ObjectBody | undefined>;
  /** Undefined when the object or the bucket does not exist: a HEAD answer cannot tell them apart. */
  head(bucket: string, key: string): Promise<ObjectHead | undefined>;
  /**
   * Keys and common prefixes after `startAfter`, in UTF-8 byte order, at most `keysMax` of both together.
   * Throws BucketError for a missing bucket.
   */
  list(request: ListRequest): Promise<ListPage>;
  /** `signal` bounds the wait. */
  presence(bucket: string, signal?: AbortSignal): Promise<BucketPresence>;
  policy(bucket: string, signal?: AbortSignal): Promise<PolicyAnswer>;
}

/** What the bucket door adds over the directory. All throw BucketError with the S3 code. */
export interface BucketAdministration {
  create(bucket: string, attributes?: { readonly region?: string }): Promise<"created" | "existed">;
  /** Undefined when the bucket does not exist. */
  info(bucket: string): Promise<BucketInfo | undefined>;
  remove(bucket: string): Promise<void>;
  buckets(): Promise<readonly BucketInfo[]>;
  /** `ifMatch`: only when the object that is there has this ETag (`*`: any). */
  deleteObject(bucket: string, key: string, ifMatch?: string): Promise<void>;
  putPolicy(bucket: string, text: string): Promise<void>;
  deletePolicy(bucket: string): Promise<void>;
}
