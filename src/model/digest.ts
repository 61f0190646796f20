// A digest file: its members in their order, its text, the string that is signed (formats.md §3.2, §3.3). Pure.
import { z } from "zod";

export const digestSignatureAlgorithm = "SHA256withRSA";
export const digestHashAlgorithm = "SHA-256";

/** Names of the user metadata that carry a digest's signature, without `x-amz-meta-`. */
export const signatureMetadata = { signature: "signature", algorithm: "signature-algorithm" } as const;

const logFileSchema = z.object({
  s3Bucket: z.string(),
  s3Object: z.string(),
  /** Lower-case hex SHA-256 of the uncompressed log file. */
  hashValue: z.string(),
  hashAlgorithm: z.string(),
  newestEventTime: z.string().nullish(),
  oldestEventTime: z.string().nullish(),
});

const documentSchema = z.object({
  awsAccountId: z.string(),
  /** `YYYY-MM-DDTHH:MM:SSZ`; the end of one digest is the start of the next. */
  digestStartTime: z.string(),
  digestEndTime: z.string(),
  /** Where this very digest lies. */
  digestS3Bucket: z.string(),
  digestS3Object: z.string(),
  digestPublicKeyFingerprint: z.string(),
  digestSignatureAlgorithm: z.string(),
  newestEventTime: z.string().nullable(),
  oldestEventTime: z.string().nullable(),
  previousDigestS3Bucket: z.string().nullable(),
  previousDigestS3Object: z.string().nullable(),
  /** Lower-case hex SHA-256 of the previous digest's uncompressed bytes. */
  previousDigestHashValue: z.string().nullable(),
  previousDigestHashAlgorithm: z.string().nullable(),
  /** Lower-case hex. */
  previousDigestSignature: z.string().nullable(),
  logFiles: z.array(logFileSchema),
});

export type DigestLogFile = Readonly<z.infer<typeof logFileSchema>>;
export type DigestDocument = Readonly<z.infer<typeof documentSchema>>;

/** The digest before: what the next one says of it. */
export interface PreviousDigest {
  readonly bucket: string;
  readonly key: string;
  /** Lower-case hex. */
  readonly hash: string;
  readonly signature: string;
}

export interface DigestParts {
  readonly account: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly bucket: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Absent in a starting digest. */
  readonly previous?: PreviousDigest;
  readonly logFiles: readonly DigestLogFile[];
}

/** The digest of these parts, its members in the order of formats.md §3.2. */
export function digestDocument(parts: DigestParts): DigestDocument {
  const { previous, logFiles } = parts;
  return {
    awsAccountId: parts.account,
    digestStartTime: parts.startTime,
    digestEndTime: parts.endTime,
    digestS3Bucket: parts.bucket,
    digestS3Object: parts.key,
    digestPublicKeyFingerprint: parts.fingerprint,
    digestSignatureAlgorithm,
    newestEventTime: latest(logFiles.map((file) => file.newestEventTime)),
    oldestEventTime: earliest(logFiles.map((file) => file.oldestEventTime)),
    previousDigestS3Bucket: previous?.bucket ?? null,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous ? digestHashAlgorithm : null,
    previousDigestSignature: previous?.signature ?? null,
    logFiles: [...logFiles],
  };
}

/** The text whose gzip lies in the bucket: compact JSON, one line. */
export function digestText(document: DigestDocument): string {
  return JSON.stringify(document);
}

/** What is signed (formats.md §3.3); `hash` is the hex SHA-256 of the digest's uncompressed bytes. */
export function stringToSign(
  digest: Pick<
    DigestDocument,
    "digestEndTime" | "digestS3Bucket" | "digestS3Object" | "previousDigestSignature"
  >,
  hash: string,
): string {
  const { digestEndTime, digestS3Bucket, digestS3Object, previousDigestSignature } = digest;
  const place = `${digestS3Bucket}/${digestS3Object}`;
  return [digestEndTime, place, hash, previousDigestSignature ?? "null"].join("\n");
}

/** The digest of a text; undefined when the text is none. Members that no digest has are ignored. */
export function parseDigest(text: string): DigestDocument | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return documentSchema.safeParse(value).data;
}

// Times of one form and zone: their text order is their time order.
function latest(times: readonly (string | null | undefined)[]): string | null {
  return present(times).reduce<string | null>((a, b) => (a === null || b > a ? b : a), null);
}

function earliest(times: readonly (string | null | undefined)[]): string | null {
  return present(times).reduce<string | null>((a, b) => (a === null || b < a ? b : a), null);
}

function present(times: readonly (string | null | undefined)[]): readonly string[] {
  return times.filter((time) => time !== null && time !== undefined);
}
