// Buckets in any S3 or S3-compatible store, by the AWS SDK. One attempt per call: retrying is the caller's business.
//
// What older or smaller stores lack is left out after they have said so: the canned ACL (`AccessControlListNotSupported`)
// and the explicit `AES256` (`NotImplemented`), remembered per bucket. Must not: log, since requests carry credentials.
import { createHash } from "node:crypto";
import type * as S3Sdk from "@aws-sdk/client-s3";
import type {
  BucketPresence,
  BucketStore,
  ListPage,
  ListRequest,
  ObjectBody,
  ObjectHead,
  ObjectMetadata,
  PolicyAnswer,
  PutOutcome,
  PutRequest,
} from "./contract.ts";
import type { ByteRange } from "./object-contract.ts";
import { keyProblem } from "../model/key-path.ts";
import { failureOf, refusalOrUnknown, thrownFor } from "./s3-failure.ts";

export interface S3BucketsOptions {
  /** Without it: AWS's own endpoint of the Region. */
  readonly endpoint?: string;
  readonly region: string;
  /** `bucket` in the path instead of the host name; what most S3-compatible stores want. */
  readonly forcePathStyle: boolean;
  /** Without it: the SDK's usual chain (environment, profile, role). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Goes into the user agent: how Cairn knows its own requests. */
  readonly appId?: () => Promise<string>;
}

export interface S3Buckets extends BucketStore {
  /** Closes idle connections. */
  close(): void;
}

type Sdk = typeof S3Sdk;

const connectMsMax = 5_000;
/** A connection on which nothing moves for so long is given up. */
const silenceMsMax = 60_000;
const rememberedBucketsMax = 10_000;
/** After every key that begins with a common prefix, and before anything else. */
const lastCharacter = "\u{10FFFF}";

/** Loads the SDK (which is large, so only when it is needed) and opens the store; no request is made. */
export async function openS3Buckets(options: S3BucketsOptions): Promise<S3Buckets> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    maxAttempts: 1,
    // Newer default checksums come as trailers, which many S3-compatible stores refuse; Content-MD5 guards our puts.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: connectMsMax, socketTimeout: silenceMsMax },
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    ...(options.appId && { userAgentAppId: options.appId }),
  });
  return new SdkBuckets(sdk, client);
}

/** What a bucket has refused to understand. */
interface Lacks {
  readonly acl?: true;
  readonly aes256?: true;
}

class SdkBuckets implements S3Buckets {
  private readonly sdk: Sdk;
  private readonly client: S3Sdk.S3Client;
  private readonly lacks = new Map<string, Lacks>();

  constructor(sdk: Sdk, client: S3Sdk.S3Client) {
    this.sdk = sdk;
    this.client = client;
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    const problem = keyProblem(request.key);
    if (problem) return { kind: "refused", ...problem };
    // At most two features are left out, so at most three attempts, each answered with a refusal before the next.
    for (;;) {
      const lacks = this.lacks.get(request.bucket) ?? {};
      const outcome = await this.putOnce(request, lacks);
      const lacksNow = outcome.kind === "refused" && leftOutFor(outcome.code, request, lacks);
      if (!lacksNow) return outcome;
      this.remember(request.bucket, lacksNow);
    }
  }

  async get(bucket: string, key: string, range?: ByteRange): Promise<ObjectBody | undefined> {
    const { GetObjectCommand } = this.sdk;
    if (keyProblem(key)) return undefined;
    const Range = range && `bytes=${range.first}-${range.last}`;
    try {
      const answer = await this.client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...(Range !== undefined && { Range }) }),
      );
      const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
      const total = /\/(\d+)$/.exec(answer.ContentRange ?? "")?.[1];
      return { head: headOf(key, total === undefined ? body.length : Number(total), answer), body };
    } catch (error) {
      if (failureOf(error).code === "NoSuchKey") return undefined;
      throw thrownFor(error);
    }
  }

  async head(bucket: string, key: string): Promise<ObjectHead | undefined> {
    const { HeadObjectCommand } = this.sdk;
    if (keyProblem(key)) return undefined;
    try {
      const answer = await this.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return headOf(key, answer.ContentLength ?? 0, answer);
    } catch (error) {
      if (failureOf(error).status === 404) return undefined;
      throw thrownFor(error);
    }
  }

  async list(request: ListRequest): Promise<ListPage> {
    const { ListObjectsV2Command } = this.sdk;
    const { bucket, prefix, delimiter, startAfter, keysMax } = request;
    try {
      const answer = await this.client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          // Control characters in keys are not XML; encoded they survive.
          EncodingType: "url",
          ...(prefix !== undefined && prefix !== "" && { Prefix: prefix }),
          ...(delimiter !== undefined && delimiter !== "" && { Delimiter: delimiter }),
          ...(startAfter !== undefined && startAfter !== "" && { StartAfter: startAfter }),
          ...(keysMax !== undefined && { MaxKeys: keysMax }),
        }),
      );
      return pageOf(answer);
    } catch (error) {
      throw thrownFor(error);
    }
  }

  async presence(bucket: string, signal?: AbortSignal): Promise<BucketPresence> {
    const { HeadBucketCommand } = this.sdk;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: bucket }), abortBy(signal));
      return "exists";
    } catch (error) {
      const { status } = failureOf(error);
      if (status === 404) return "missing";
      // Somebody else's, or in another Region: it is there.
      return status === 403 || status === 301 ? "exists" : "unknown";
    }
  }

  async policy(bucket: string, signal?: AbortSignal): Promise<PolicyAnswer> {
    const { GetBucketPolicyCommand } = this.sdk;
    try {
      const answer = await this.client.send(new GetBucketPolicyCommand({ Bucket: bucket }), abortBy(signal));
      return answer.Policy ? { kind: "policy", text: answer.Policy } : { kind: "none" };
    } catch (error) {
      const { code, message } = failureOf(error);
      if (code === "NoSuchBucketPolicy") return { kind: "none" };
      return { kind: "unreadable", message: code === undefined ? message : `${code}: ${message}` };
    }
  }

  close(): void {
    this.client.destroy();
  }

  private async putOnce(request: PutRequest, lacks: Lacks): Promise<PutOutcome> {
    const { PutObjectCommand } = this.sdk;
    const { bucket, key, body, metadata } = request;
    const acl = lacks.acl ? undefined : cannedAcl(request.acl);
    try {
      const answer = await this.client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentLength: body.length,
          ContentMD5: createHash("md5").update(body).digest("base64"),
          ...headersOf(metadata, lacks),
          ...(acl && { ACL: acl }),
          ...(request.ifAbsent && { IfNoneMatch: "*" }),
        }),
        abortBy(request.signal),
      );
      return { kind: "stored", etag: withoutQuotes(answer.ETag) };
    } catch (error) {
      return refusalOrUnknown(error);
    }
  }

  private remember(bucket: string, lacks: Lacks): void {
    this.lacks.delete(bucket);
    this.lacks.set(bucket, lacks);
    const [oldest] = this.lacks.keys();
    if (this.lacks.size > rememberedBucketsMax && oldest !== undefined) this.lacks.delete(oldest);
  }
}

/** What to leave out from now on after a refusal; undefined when nothing would help. */
function leftOutFor(code: string, request: PutRequest, lacks: Lacks): Lacks | undefined {
  const sentAcl = request.acl !== undefined && !lacks.acl;
  const sentAes256 = request.metadata.encryption?.algorithm === "AES256" && !lacks.aes256;
  if (code === "AccessControlListNotSupported" && sentAcl) return { ...lacks, acl: true };
  if (code !== "NotImplemented") return undefined;
  if (sentAes256) return { ...lacks, aes256: true };
  return sentAcl ? { ...lacks, acl: true } : undefined;
}

const cannedAcls = ["private", "public-read", "bucket-owner-read", "bucket-owner-full-control"] as const;

function cannedAcl(acl: string | undefined): (typeof cannedAcls)[number] | undefined {
  return cannedAcls.find((known) => known === acl);
}

function headersOf(metadata: ObjectMetadata, lacks: Lacks) {
  const { contentType, contentEncoding, cacheControl, contentDisposition, user, encryption } = metadata;
  return {
    ...(contentType !== undefined && { ContentType: contentType }),
    ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
    ...(cacheControl !== undefined && { CacheControl: cacheControl }),
    ...(contentDisposition !== undefined && { ContentDisposition: contentDisposition }),
    ...(user && { Metadata: { ...user } }),
    ...(encryption?.algorithm === "AES256" && !lacks.aes256 && { ServerSideEncryption: "AES256" as const }),
    ...(encryption?.algorithm === "aws:kms" && {
      ServerSideEncryption: "aws:kms" as const,
      SSEKMSKeyId: encryption.keyArn,
    }),
  };
}

type Described = Pick<
  S3Sdk.GetObjectCommandOutput,
  | "ETag"
  | "LastModified"
  | "ContentType"
  | "ContentEncoding"
  | "CacheControl"
  | "ContentDisposition"
  | "Metadata"
  | "ServerSideEncryption"
  | "SSEKMSKeyId"
>;

function headOf(key: string, sizeBytes: number, answer: Described): ObjectHead {
  const { ContentType, ContentEncoding, CacheControl, ContentDisposition, Metadata } = answer;
  const encryption = encryptionOf(answer);
  const hasUser = Metadata && Object.keys(Metadata).length > 0;
  const metadata: ObjectMetadata = {
    ...(ContentType !== undefined && { contentType: ContentType }),
    ...(ContentEncoding && { contentEncoding: ContentEncoding }),
    ...(CacheControl !== undefined && { cacheControl: CacheControl }),
    ...(ContentDisposition !== undefined && { contentDisposition: ContentDisposition }),
    ...(hasUser && { user: Metadata }),
    ...(encryption && { encryption }),
  };
  const lastModifiedMs = answer.LastModified?.getTime() ?? 0;
  return { key, sizeBytes, etag: withoutQuotes(answer.ETag), lastModifiedMs, metadata };
}

function encryptionOf({ ServerSideEncryption, SSEKMSKeyId }: Described): ObjectMetadata["encryption"] {
  if (ServerSideEncryption === "AES256") return { algorithm: "AES256" };
  if (ServerSideEncryption !== "aws:kms" || SSEKMSKeyId === undefined) return undefined;
  return { algorithm: "aws:kms", keyArn: SSEKMSKeyId };
}

function pageOf(answer: S3Sdk.ListObjectsV2CommandOutput): ListPage {
  const decode = (text = "") =>
    answer.EncodingType === "url" ? decodeURIComponent(text.replaceAll("+", "%20")) : text;
  const objects = (answer.Contents ?? []).map(({ Key, Size, ETag, LastModified }) => ({
    key: decode(Key),
    sizeBytes: Size ?? 0,
    etag: withoutQuotes(ETag),
    lastModifiedMs: LastModified?.getTime() ?? 0,
  }));
  const commonPrefixes = (answer.CommonPrefixes ?? []).map(({ Prefix }) => decode(Prefix));
  const ends = [objects.at(-1)?.key, commonPrefixes.at(-1)].filter((end) => end !== undefined);
  const last = ends.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))).at(-1);
  if (!answer.IsTruncated || last === undefined) return { objects, commonPrefixes };
  // Stores differ in whether they give a common prefix again that equals `start-after`; none does so beyond its keys.
  const nextStartAfter = last === commonPrefixes.at(-1) ? last + lastCharacter : last;
  return { objects, commonPrefixes, nextStartAfter };
}

function abortBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

function withoutQuotes(etag = ""): string {
  return etag.replace(/^"(.*)"$/, "$1");
}
