// Chains of digests and log files as a trail leaves them in a bucket, signed with keys made here. For tests and benches.
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  type DigestDocument,
  type DigestLogFile,
  digestDocument,
  digestText,
  stringToSign,
} from "../../model/digest.ts";
import { digestKey } from "../../model/digest-key.ts";
import { compactMinutes, dateFolders, isoSeconds } from "../../model/timestamp.ts";
import { cairnNames } from "./cairn-directory.ts";

export interface TestObject {
  readonly body: Uint8Array;
  /** User metadata, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
  /** As ListPublicKeys answers it, times as seconds. */
  readonly entry: Readonly<Record<string, string | number>>;
}

export interface ChainOptions {
  readonly bucket: string;
  readonly keyPrefix?: string;
  readonly organizationId?: string;
  readonly account: string;
  readonly region: string;
  readonly trailName: string;
  readonly homeRegion?: string;
  /** The instant of StartLogging: the end of the starting digest. */
  readonly startMs: number;
  readonly periodMs?: number;
  /** Log files of every digest after the starting one. */
  readonly filesPerDigest: readonly number[];
  readonly key: TestKey;
  /** The uncompressed text of the n-th log file of the chain. */
  readonly textOf?: (index: number) => string;
}

export interface TestChain {
  readonly objects: Map<string, TestObject>;
  /** Oldest first. */
  readonly digestKeys: readonly string[];
  readonly logKeys: readonly string[];
}

const hourMs = 3_600_000;

export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const der = publicKey.export({ type: "pkcs1", format: "der" });
  const fingerprint = createHash("md5").update(der).digest("hex");
  const entry = {
    Value: der.toString("base64"),
    ValidityStartTime: 1_700_000_000,
    ValidityEndTime: 1_900_000_000,
    Fingerprint: fingerprint,
  };
  return { privateKey, fingerprint, entry };
}

/** A starting digest, then one digest per entry of `filesPerDigest`, each linked to the one before. */
export function testChain(options: ChainOptions): TestChain {
  const { startMs, periodMs = hourMs, filesPerDigest, key } = options;
  const objects = new Map<string, TestObject>();
  const [digestKeys, logKeys]: [string[], string[]] = [[], []];
  let previous: { bucket: string; key: string; hash: string; signature: string } | undefined;
  for (let index = 0; index <= filesPerDigest.length; index += 1) {
    const endMs = startMs + index * periodMs;
    const windowMs = { startMs: endMs - periodMs, endMs };
    const logFiles = index === 0 ? [] : addLogFiles(options, windowMs, { objects, logKeys, digest: index });
    const own = digestKey(
      { homeRegion: options.region, ...options, endMs },
      {
        ...(options.keyPrefix !== undefined && { keyPrefix: options.keyPrefix }),
        ...(options.organizationId !== undefined && { organizationId: options.organizationId }),
      },
    );
    const document = digestDocument({
      account: options.account,
      startTime: isoSeconds(windowMs.startMs),
      endTime: isoSeconds(endMs),
      bucket: options.bucket,
      key: own,
      fingerprint: key.fingerprint,
      ...(previous && { previous }),
      logFiles,
    });
    const object = signedDigest(document, key);
    objects.set(own, object);
    digestKeys.push(own);
    const [hash, signature] = [sha256(digestText(document)), object.metadata["signature"] ?? ""];
    previous = { bucket: options.bucket, key: own, hash, signature };
  }
  return { objects, digestKeys, logKeys };
}

interface Made {
  readonly objects: Map<string, TestObject>;
  readonly logKeys: string[];
  readonly digest: number;
}

function addLogFiles(
  options: ChainOptions,
  { startMs, endMs }: { startMs: number; endMs: number },
  { objects, logKeys, digest }: Made,
): DigestLogFile[] {
  const count = options.filesPerDigest[digest - 1] ?? 0;
  return Array.from({ length: count }, (_none, index) => {
    const number = logKeys.length;
    const eventMs = startMs + Math.floor(((endMs - startMs) * (index + 0.5)) / count);
    const text = options.textOf?.(number) ?? `{"Records":[{"eventID":"${String(number)}"}]}`;
    const key = logKey(options, eventMs, number);
    objects.set(key, { body: gzipSync(text), metadata: {} });
    logKeys.push(key);
    const eventTime = isoSeconds(eventMs);
    const place = { s3Bucket: options.bucket, s3Object: key };
    const hash = { hashValue: sha256(text), hashAlgorithm: "SHA-256" };
    return { ...place, ...hash, newestEventTime: eventTime, oldestEventTime: eventTime };
  });
}

type LogPlace = Pick<ChainOptions, "account" | "region" | "keyPrefix" | "organizationId">;

/** The key of a log file delivered at an instant; `number` makes it unique. */
export function logKey(place: LogPlace, atMs: number, number: number): string {
  const { account, region, keyPrefix, organizationId } = place;
  const label = compactMinutes(Math.floor(atMs / 300_000) * 300_000);
  const unique = String(number).padStart(16, "0");
  const parts = ["AWSLogs", organizationId, account, "CloudTrail", region, dateFolders(atMs)];
  const file = `${account}_CloudTrail_${region}_${label}Z_${unique}.json.gz`;
  return [keyPrefix, ...parts, file].filter((part) => part !== undefined).join("/");
}

/** A digest as it lies in the bucket. */
export function signedDigest(document: DigestDocument, key: TestKey): TestObject {
  const text = digestText(document);
  const signature = sign("sha256", Buffer.from(stringToSign(document, sha256(text))), key.privateKey);
  return {
    body: gzipSync(text),
    metadata: { signature: signature.toString("hex"), "signature-algorithm": "SHA256withRSA" },
  };
}

/** Writes objects as `aws s3 sync` leaves them: a file per key, without metadata. */
export function writeCopy(folder: string, objects: ReadonlyMap<string, TestObject>): void {
  for (const [key, { body }] of objects) write(join(folder, key), body);
}

/** Writes objects as Cairn's directory buckets lie below `root` (bucket/directory.ts). */
export function writeCairnBucket(
  root: string,
  bucket: string,
  objects: ReadonlyMap<string, TestObject>,
): void {
  for (const [key, { body, metadata }] of objects) {
    const names = cairnNames(key);
    write(join(root, bucket, ...names), body);
    const etag = createHash("md5").update(body).digest("hex");
    const description = { etag, sizeBytes: body.length, lastModifiedMs: 1, metadata: { user: metadata } };
    const text = JSON.stringify({ version: 1, key, descriptions: [description] });
    write(`${join(root, ".cairn", "buckets", bucket, "objects", ...names)}%meta`, Buffer.from(text));
  }
}

function write(path: string, body: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, body);
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
