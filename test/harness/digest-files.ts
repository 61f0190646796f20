// Digest files of a bucket directory, read as plain files, and when a trail's chains are surely complete. Signatures are
// metadata: they are not read here. Must not: judge a chain (digest-checker.ts does).
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type DigestDocument, parseDigest } from "../../src/model/digest.ts";
import { parseDigestKey } from "../../src/model/digest-key.ts";
import { gzipFilesBelow, type LogFile } from "./log-files.ts";

export interface DigestFile {
  readonly bucket: string;
  readonly key: string;
  readonly text: string;
  /** Lower-case hex SHA-256 of the text. */
  readonly hash: string;
  readonly digest: DigestDocument;
  /** As its key says. */
  readonly account: string;
  readonly region: string;
}

/** What a bucket holds. */
export interface Delivered {
  /** By end time, then key. */
  readonly digests: readonly DigestFile[];
  readonly logFiles: readonly (LogFile & { readonly bucket: string })[];
}

/** What these buckets of a server's data directory hold. */
export function delivered(dataDir: string, buckets: readonly string[]): Delivered {
  return deliveredBelow(buckets.map((bucket) => ({ bucket, root: join(dataDir, "buckets", bucket) })));
}

/** The same of any folders that hold keys as paths. Throws when a digest's name or text is none. */
export function deliveredBelow(buckets: readonly { bucket: string; root: string }[]): Delivered {
  const files = buckets.flatMap(({ bucket, root }) =>
    gzipFilesBelow(root).map((file) => ({ ...file, bucket })),
  );
  const isDigest = ({ key }: LogFile) => key.includes("/CloudTrail-Digest/");
  const digests = files.filter(isDigest).map(({ bucket, key, text }) => {
    const digest = parseDigest(text);
    const name = parseDigestKey(key);
    if (!digest || !name) throw new Error(`s3://${bucket}/${key} is no digest: ${text.slice(0, 1_000)}`);
    const hash = createHash("sha256").update(text).digest("hex");
    return { bucket, key, text, hash, digest, account: name.account, region: name.region };
  });
  return {
    digests: digests.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
    logFiles: files.filter((file) => !isDigest(file)),
  };
}

/** `s3://bucket/key` of every log file that a digest names; one that is named twice stands twice. */
export function namedFiles(digests: readonly DigestFile[]): readonly string[] {
  return digests.flatMap(({ digest }) =>
    digest.logFiles.map(({ s3Bucket, s3Object }) => `s3://${s3Bucket}/${s3Object}`),
  );
}

/** The digests of each account and Region, by `account/region`. */
export function chainsOf(digests: readonly DigestFile[]): ReadonlyMap<string, readonly DigestFile[]> {
  const chains = new Map<string, DigestFile[]>();
  for (const file of digests) {
    const name = `${file.account}/${file.region}`;
    chains.set(name, [...(chains.get(name) ?? []), file]);
  }
  return chains;
}

/**
 * Whether the last digests of a stopped trail are written: every chain reaches the second of the stop, the record of
 * the last of `stops` StopLogging calls is delivered, and every log file is named. Everything posted before must have
 * been delivered when this is first asked.
 */
export function isComplete({ digests, logFiles: files }: Delivered, stop: Stop): boolean {
  const chains = [...chainsOf(digests).values()];
  const named = new Set(namedFiles(digests));
  const stops = files
    .flatMap(({ records }) => records)
    .filter(({ eventName, errorCode }) => eventName === "StopLogging" && errorCode === undefined);
  return (
    chains.length > 0 &&
    chains.every((chain) => Date.parse(chain.at(-1)?.digest.digestEndTime ?? "") >= stop.untilMs) &&
    stops.length >= stop.count &&
    files.every(({ bucket, key }) => named.has(`s3://${bucket}/${key}`))
  );
}

export interface Stop {
  /** When logging stopped, whole seconds, milliseconds since the epoch. */
  readonly untilMs: number;
  /** How often the trail was stopped so far. */
  readonly count: number;
}

function orderOf({ digest, key }: DigestFile): string {
  return `${digest.digestEndTime} ${key}`;
}
