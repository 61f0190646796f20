// What HTTP means for an object: dates, ranges, preconditions and checksums of bodies. Pure.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { BucketError, type ObjectHead } from "./contract.ts";
import type { ByteRange } from "./directory-reader.ts";

type Headers = Readonly<Record<string, string>>;

/** `2026-01-10T09:25:13.000Z`, as in listings. */
export function isoDate(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(epochMs).toISOString();
}

/** `Sat, 10 Jan 2026 09:25:13 GMT`, as in headers. */
export function httpDate(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  return new Date(epochMs).toUTCString();
}

function parseHttpDate(text: string): number | undefined {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/**
 * The bytes a Range header asks for: undefined when there is none or it is not one plain range (RFC 9110 §14.2 lets
 * a server ignore it). Throws BucketError `InvalidRange` when nothing of it lies in the object.
 */
export function requestedRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const [, from = "", to = ""] = match ?? [];
  if (!match || (from === "" && to === "")) return undefined;
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  const first = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === "" || to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (first >= sizeBytes) throw new BucketError("InvalidRange", "The requested range is not satisfiable");
  return { first, last };
}

export type Precondition = "holds" | "notModified" | "failed";

/** Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, whose names may begin with `prefix`. */
export function precondition(headers: Headers, head: ObjectHead, prefix = ""): Precondition {
  const [match, unmodified] = [headers[`${prefix}if-match`], headers[`${prefix}if-unmodified-since`]];
  const [noneMatch, modified] = [headers[`${prefix}if-none-match`], headers[`${prefix}if-modified-since`]];
  const changedSeconds = Math.floor(head.lastModifiedMs / 1000);
  const seconds = (text: string) => (parseHttpDate(text) ?? Number.NaN) / 1000;
  if (match !== undefined) {
    if (!namesEtag(match, head.etag)) return "failed";
  } else if (unmodified !== undefined && changedSeconds > seconds(unmodified)) return "failed";
  if (noneMatch !== undefined) return namesEtag(noneMatch, head.etag) ? "notModified" : "holds";
  return modified !== undefined && changedSeconds <= seconds(modified) ? "notModified" : "holds";
}

function namesEtag(header: string, etag: string): boolean {
  const tags = header.split(",").map((tag) =>
    tag
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1"),
  );
  return tags.includes("*") || tags.includes(etag);
}

/** Compares a body with every digest the request gives for it. Throws BucketError `InvalidDigest` or `BadDigest`. */
export function checkBody(body: Uint8Array, headers: Headers): void {
  const md5 = headers["content-md5"];
  if (md5 !== undefined) {
    if (!/^[A-Za-z0-9+/]{22}==$/.test(md5)) {
      throw new BucketError("InvalidDigest", "The Content-MD5 you specified was invalid.");
    }
    if (digest("md5", body) !== md5) {
      throw new BucketError("BadDigest", "The Content-MD5 you specified did not match what we received.");
    }
  }
  for (const [name, compute] of checksums) {
    const said = headers[`x-amz-checksum-${name}`];
    if (said !== undefined && compute(body) !== said) {
      throw new BucketError(
        "BadDigest",
        `The ${name.toUpperCase()} you specified did not match the calculated checksum.`,
      );
    }
  }
}

// CRC32C and CRC64NVME are taken as given: node has no fast form of them, and the transport has checksums of its own.
const checksums: readonly (readonly [string, (body: Uint8Array) => string])[] = [
  ["crc32", crc32Base64],
  ["sha1", (body) => digest("sha1", body)],
  ["sha256", (body) => digest("sha256", body)],
];

function crc32Base64(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString("base64");
}

function digest(algorithm: string, body: Uint8Array): string {
  return createHash(algorithm).update(body).digest("base64");
}
