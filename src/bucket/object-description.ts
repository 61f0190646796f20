// What a side file says of an object: its ETag, time and metadata. Pure: bytes in, bytes out.
//
// A side file holds up to two descriptions: of the object that is being put, and of the one it replaces. It is
// durable before the object is renamed into place, so whichever object a crash leaves behind is described. A
// description is of an object when the size fits and, where that leaves a choice, the MD5 does.
//
// A side file that says of a new object no more than its name does (`isDefault`) saves the reader its MD5 and nothing else:
// it is not synced. Hence the check at the end of every side file: what a crash left of one is told from a whole one.
import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import type { ObjectMetadata } from "./contract.ts";
import type { ObjectTraits, PartedTraits } from "./object-contract.ts";
import { isRecord, readParts, readTexts, readTraits } from "./read-traits.ts";

export interface ObjectDescription extends ObjectTraits, PartedTraits {
  readonly etag: string;
  /** Of an object that came in parts: its ETag is no MD5 of its content. */
  readonly contentMd5?: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  readonly metadata: ObjectMetadata;
}

/** Hex MD5 of the content that is described. */
export function contentMd5Of({ etag, contentMd5 }: ObjectDescription): string {
  return contentMd5 ?? etag;
}

const formatVersion = 1;
const checkMark = ',"check":';

export function encodeDescriptions(key: string, descriptions: readonly ObjectDescription[]): Uint8Array {
  const said = JSON.stringify({ version: formatVersion, key, descriptions }).slice(0, -1);
  return Buffer.from(`${said}${checkMark}${crc32(said)}}\n`, "utf8");
}

/** Undefined when the bytes are not a side file of this version. */
export function decodeDescriptions(bytes: Uint8Array): readonly ObjectDescription[] | undefined {
  const text = Buffer.from(bytes).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { version, check } = value;
  // The first side files have no check: all of them were synced.
  const isWhole = check === undefined || check === crc32(text.slice(0, text.lastIndexOf(checkMark)));
  if (version !== formatVersion || !isWhole) return undefined;
  const list = value["descriptions"];
  return Array.isArray(list) ? list.map(readDescription).filter((read) => read !== undefined) : undefined;
}

/** What is said of a file that nobody described: a log file by its name, else bytes (formats.md §2.3); encrypted as S3 does it unasked. */
export function defaultMetadata(key: string): ObjectMetadata {
  const encryption = { algorithm: "AES256" } as const;
  if (key.endsWith(".json.gz"))
    return { contentType: "application/json", contentEncoding: "gzip", encryption };
  if (key.endsWith(".json")) return { contentType: "application/json", encryption };
  return { contentType: "binary/octet-stream", encryption };
}

/** Whether a description says of an object what would be said without one, but for its MD5 and its time. */
export function isDefault(key: string, description: ObjectDescription): boolean {
  const {
    etag: _etag,
    sizeBytes: _sizeBytes,
    lastModifiedMs: _lastModifiedMs,
    metadata,
    ...others
  } = description;
  return Object.keys(others).length === 0 && isDeepStrictEqual({ ...metadata }, defaultMetadata(key));
}

function readDescription(value: unknown): ObjectDescription | undefined {
  if (!isRecord(value)) return undefined;
  const { etag, sizeBytes, lastModifiedMs, metadata } = value;
  if (typeof etag !== "string" || typeof sizeBytes !== "number" || typeof lastModifiedMs !== "number") {
    return undefined;
  }
  const { contentMd5, uploadId } = value;
  const parts = readParts(value["parts"]);
  return {
    ...{ etag, sizeBytes, lastModifiedMs, metadata: readMetadata(metadata) },
    ...readTraits(value),
    ...(typeof contentMd5 === "string" && { contentMd5 }),
    ...(typeof uploadId === "string" && { uploadId }),
    ...(parts && { parts }),
  };
}

export function readMetadata(value: unknown): ObjectMetadata {
  if (!isRecord(value)) return {};
  const { contentType, contentEncoding, cacheControl, contentDisposition, user } = value;
  const encryption = readEncryption(value["encryption"]);
  return {
    ...(typeof contentType === "string" && { contentType }),
    ...(typeof contentEncoding === "string" && { contentEncoding }),
    ...(typeof cacheControl === "string" && { cacheControl }),
    ...(typeof contentDisposition === "string" && { contentDisposition }),
    ...(isRecord(user) && { user: readTexts(user) }),
    ...(encryption && { encryption }),
  };
}

function readEncryption(value: unknown): ObjectMetadata["encryption"] {
  if (!isRecord(value)) return undefined;
  const { algorithm, keyArn } = value;
  if (algorithm === "AES256") return { algorithm };
  return algorithm === "aws:kms" && typeof keyArn === "string" ? { algorithm, keyArn } : undefined;
}
