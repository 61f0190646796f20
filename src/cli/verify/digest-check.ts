// One digest file by itself: its content, its place, its key and its signature (formats.md §3.2, §3.3, §3.6).
// How it fits the digests around it is chain.ts's.
import { type KeyObject, verify } from "node:crypto";
import { type DigestDocument, parseDigest, stringToSign } from "../../model/digest.ts";
import type { Evidence } from "./evidence.ts";
import type { FileStatus } from "./findings.ts";
import { inflateMember } from "./gzip-member.ts";
import { parseIsoMs } from "./log-file-name.ts";
import type { PublicKeyBook } from "./public-key-book.ts";

/** A digest of 70,000 log files; a larger one is no digest. */
const digestBytesMax = 32 * 1024 * 1024;
const signatureDigitsMax = 4096;
const backfillStamp = "backfill-generation-timestamp";

/** What was read under a digest's key; not yet judged. */
export type ReadDigest =
  | { readonly kind: "absent"; readonly status: FileStatus; readonly reason: string }
  | { readonly kind: "elsewhere" }
  | {
      readonly kind: "read";
      readonly bytes: Uint8Array;
      /** Lower-case hex SHA-256 of `bytes`. */
      readonly hash: string;
      readonly metadata: Readonly<Record<string, string>> | undefined;
    };

export interface DigestVerdict {
  readonly status: FileStatus;
  readonly reason: string | undefined;
  /** `signed`: the signature is right; `unproven`: there is no signature to be had; `no`: do not rely on it. */
  readonly trust: "signed" | "unproven" | "no";
  /** Present when the text is a digest, whoever wrote it. */
  readonly document: DigestDocument | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly hash: string | undefined;
  /** Of the metadata. */
  readonly signature: string | undefined;
}

export interface JudgeOptions {
  readonly key: string;
  readonly kind: "digest" | "backfill-digest";
  readonly region: string;
  /** What the digest after it says its signature is, where the copy has no metadata. Proves itself. */
  readonly signatureAfter: string | undefined;
  readonly book: PublicKeyBook;
  /** The bucket's name, as far as it is known. */
  readonly bucket: string | undefined;
}

/** Reads and inflates; throws when the store fails. */
export async function readDigest(
  evidence: Evidence,
  key: string,
  bucket = evidence.bucket,
): Promise<ReadDigest> {
  const object = await evidence.get(bucket, key);
  if (object.kind === "elsewhere") return object;
  if (object.kind === "absent") return { kind: "absent", status: "missing", reason: object.reason };
  const inflated = await inflateMember(object.content, { bytesMax: digestBytesMax, content: "keep" });
  if (inflated.kind === "broken") return { kind: "absent", status: "changed", reason: inflated.reason };
  const { hash, bytes = new Uint8Array() } = inflated;
  return { kind: "read", bytes, hash, metadata: await object.metadata() };
}

/** The checks in the order of validate-logs. */
export async function judgeDigest(
  read: Extract<ReadDigest, { kind: "read" }>,
  options: JudgeOptions,
): Promise<DigestVerdict> {
  const document = parseDigest(Buffer.from(read.bytes).toString("utf8"));
  const startMs = parseIsoMs(document?.digestStartTime ?? "");
  const endMs = parseIsoMs(document?.digestEndTime ?? "");
  if (!document || startMs === undefined || endMs === undefined || startMs > endMs) {
    return unusable("changed", "invalid format");
  }
  const signature = read.metadata?.["signature"];
  const about = { document, startMs, endMs, hash: read.hash, signature };
  const bad = (status: FileStatus, reason: string) => ({ ...about, status, reason, trust: "no" as const });
  const isBackfill = options.kind === "backfill-digest";
  if (isBackfill && read.metadata && read.metadata[backfillStamp] === undefined) {
    return bad("changed", "invalid format");
  }
  const isInPlace =
    document.digestS3Object === options.key &&
    (options.bucket === undefined || document.digestS3Bucket === options.bucket);
  if (!isInPlace) return bad("moved", "has been moved from its original location");
  const fingerprint = document.digestPublicKeyFingerprint;
  const key = await options.book.find(options.region, fingerprint);
  if (!key) {
    const where = `in region ${options.region} for fingerprint ${fingerprint}`;
    return bad("invalid", `public key not found ${where}`);
  }
  // The copy kept metadata, and this digest has no signature in it.
  const isStripped = read.metadata !== undefined && read.metadata["signature-algorithm"] === undefined;
  const found = read.metadata ? signature : options.signatureAfter;
  if (found === undefined && !read.metadata) {
    return { ...about, status: "unproven", reason: "signature not in the copy", trust: "unproven" };
  }
  const text = stringToSign(document, read.hash);
  if (isStripped || found === undefined || !isSignature(found, text, key)) {
    return bad("changed", "signature verification failed");
  }
  return { ...about, status: "valid", reason: undefined, trust: "signed" };
}

/** Of a digest that could not be read. */
export function unusable(status: FileStatus, reason: string): DigestVerdict {
  const nothing = { document: undefined, hash: undefined, signature: undefined };
  return { ...nothing, status, reason, trust: "no", startMs: Number.NaN, endMs: Number.NaN };
}

/** RSA, PKCS #1 v1.5, SHA-256. */
function isSignature(hex: string, text: string, key: KeyObject): boolean {
  if (hex.length > signatureDigitsMax || !/^(?:[0-9a-f]{2})+$/i.test(hex)) return false;
  return verify("sha256", Buffer.from(text, "utf8"), key, Buffer.from(hex, "hex"));
}
