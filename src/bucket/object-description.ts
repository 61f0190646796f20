// What a side file says of an object: its ETag, time and metadata. Pure: bytes in, bytes out.
//
// A side file holds up to two descriptions: of the object that is being put, and of the one it replaces. It is
// durable before the object is renamed into place, so whichever object a crash leaves behind is described. A
// description is of an object when the size fits and, where that leaves a choice, the MD5 does.
import type { ObjectMetadata } from "./contract.ts";

export interface ObjectDescription {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  readonly metadata: ObjectMetadata;
}

const formatVersion = 1;

export function encodeDescriptions(key: string, descriptions: readonly ObjectDescription[]): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version: formatVersion, key, descriptions })}\n`, "utf8");
}

/** Undefined when the bytes are not a side file of this version. */
export function decodeDescriptions(bytes: Uint8Array): readonly ObjectDescription[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["version"] !== formatVersion) return undefined;
  const list = value["descriptions"];
  return Array.isArray(list) ? list.map(readDescription).filter((read) => read !== undefined) : undefined;
}

/** What is said of a file that nobody described: a log file by its name, else bytes (formats.md §2.3). */
export function defaultMetadata(key: string): ObjectMetadata {
  if (key.endsWith(".json.gz")) return { contentType: "application/json", contentEncoding: "gzip" };
  if (key.endsWith(".json")) return { contentType: "application/json" };
  return { contentType: "binary/octet-stream" };
}

function readDescription(value: unknown): ObjectDescription | undefined {
  if (!isRecord(value)) return undefined;
  const { etag, sizeBytes, lastModifiedMs, metadata } = value;
  if (typeof etag !== "string" || typeof sizeBytes !== "number" || typeof lastModifiedMs !== "number") {
    return undefined;
  }
  return { etag, sizeBytes, lastModifiedMs, metadata: readMetadata(metadata) };
}

function readMetadata(value: unknown): ObjectMetadata {
  if (!isRecord(value)) return {};
  const { contentType, contentEncoding, cacheControl, contentDisposition, user } = value;
  const encryption = readEncryption(value["encryption"]);
  return {
    ...(typeof contentType === "string" && { contentType }),
    ...(typeof contentEncoding === "string" && { contentEncoding }),
    ...(typeof cacheControl === "string" && { cacheControl }),
    ...(typeof contentDisposition === "string" && { contentDisposition }),
    ...(isRecord(user) && { user: readUser(user) }),
    ...(encryption && { encryption }),
  };
}

function readUser(value: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
  );
}

function readEncryption(value: unknown): ObjectMetadata["encryption"] {
  if (!isRecord(value)) return undefined;
  const { algorithm, keyArn } = value;
  if (algorithm === "AES256") return { algorithm };
  return algorithm === "aws:kms" && typeof keyArn === "string" ? { algorithm, keyArn } : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
