// What the bucket directory offers the bucket door beyond contract.ts: objects as streams, their tags and checksums, copies
// on disk, multipart uploads. Types only. A store that speaks S3 to somebody else has none of it.
import type {
  BucketAdministration,
  BucketStore,
  ObjectHead,
  ObjectMetadata,
  PutOutcome,
  PutRequest,
} from "./contract.ts";

export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

/** `COMPOSITE`: the checksum of the parts' checksums, with `-{count}` at its end. */
export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64. */
  readonly value: string;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What describes an object beyond its metadata. */
export interface ObjectTraits {
  readonly tags?: readonly Tag[];
  readonly checksum?: ObjectChecksum;
  /** Headers that are kept and given back, by lower-case name: `content-language`, `expires`. */
  readonly otherHeaders?: Readonly<Record<string, string>>;
}

/** What only an object has that came in parts. */
export interface PartedTraits {
  /** The upload it was completed from: a repeated completion is known by it. */
  readonly uploadId?: string;
  /** How many parts of which size follow each other: `[[12, 8388608], [1, 77]]`. */
  readonly parts?: readonly (readonly [count: number, sizeBytes: number])[];
}

export type StoredObject = ObjectHead & ObjectTraits & PartedTraits;

/** Both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** An object held open: what is read of it is what `head` describes, whatever happens to its key meanwhile. */
export interface OpenObject {
  readonly head: StoredObject;
  /** The bytes of a range that lies within the object, piece by piece; may be asked for once at a time. */
  pieces(range: ByteRange): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** What must hold of the key at the moment of the write. */
export interface WriteConditions {
  readonly ifAbsent?: true;
  /** An ETag without quotes, or `*`. Refused with `NoSuchKey` when there is no object. */
  readonly ifMatch?: string;
}

export interface DescribedPut extends PutRequest, ObjectTraits, WriteConditions {
  /** The MD5 of the body, where it is known already. */
  readonly md5Hex?: string;
  readonly ifAbsent?: true;
}

export interface CopyRequest extends ObjectTraits, WriteConditions {
  readonly source: OpenObject;
  readonly bucket: string;
  readonly key: string;
  readonly metadata: ObjectMetadata;
  /** Of the whole object; computed while it is copied. */
  readonly checksumAlgorithm?: ChecksumAlgorithm;
}

/** All throw BucketError with the S3 code; NoSuchBucket when the bucket is missing. */
export interface ObjectAdministration {
  /** The object's description alone; undefined when there is none. */
  describe(bucket: string, key: string): Promise<StoredObject | undefined>;
  /** To be closed by the caller. Undefined when there is none. */
  open(bucket: string, key: string): Promise<OpenObject | undefined>;
  putObject(request: DescribedPut): Promise<PutOutcome>;
  /** Leaves `source` open. */
  copy(request: CopyRequest): Promise<StoredObject>;
  /** False when there is no such object. */
  setTags(bucket: string, key: string, tags: readonly Tag[]): Promise<boolean>;
  bucketTags(bucket: string): Promise<readonly Tag[]>;
  setBucketTags(bucket: string, tags: readonly Tag[]): Promise<void>;
  readonly uploads: MultipartUploads;
}

/** All that a directory of buckets can do. */
export type DirectoryStore = BucketStore & BucketAdministration & ObjectAdministration;

export interface UploadName {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

export interface UploadDescription extends UploadName {
  readonly initiatedMs: number;
  /** Who began it: the account, and the ARN of the caller. */
  readonly initiator: { readonly account: string; readonly arn: string };
  readonly metadata: ObjectMetadata;
  readonly tags?: readonly Tag[];
  readonly otherHeaders?: Readonly<Record<string, string>>;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

export interface StoredPart {
  readonly number: number;
  /** Hex MD5. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
}

export interface PartRequest {
  readonly number: number;
  readonly pieces: AsyncIterable<Uint8Array> | Uint8Array;
  /** Computed and kept beside the part. */
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  /** Throws when the content is not what it should be; then there is no such part. */
  readonly verify?: (content: PartContent) => void;
}

export interface PartContent {
  readonly md5Hex: string;
  readonly sizeBytes: number;
  readonly checksum?: string;
}

/** One part as CompleteMultipartUpload names it. */
export interface WantedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
}

export interface Completion extends WriteConditions {
  /** In ascending order, at least one. */
  readonly parts: readonly WantedPart[];
  /** What the client says the object's checksum is. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  /** What the client says the object's size is. */
  readonly sizeBytes?: number;
}

/** All throw BucketError with the S3 code: `NoSuchUpload`, `InvalidPart`, `EntityTooSmall` … */
export interface MultipartUploads {
  create(upload: Omit<UploadDescription, "initiatedMs" | "uploadId">, unique: string): Promise<string>;
  find(upload: UploadName): Promise<UploadDescription>;
  putPart(upload: UploadName, part: PartRequest): Promise<StoredPart>;
  /** By number, those after `after`, at most `count`. */
  parts(
    upload: UploadName,
    page: { readonly after: number; readonly count: number },
  ): Promise<readonly StoredPart[]>;
  /** All uploads of a bucket that are under way, by key and then by age. */
  list(bucket: string): Promise<readonly UploadDescription[]>;
  /** The object that the parts make; the same again when it was completed before. */
  complete(upload: UploadName, completion: Completion): Promise<StoredObject>;
  abort(upload: UploadName): Promise<void>;
}
