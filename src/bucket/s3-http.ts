// What HTTP means for an object: dates, ranges and preconditions. Pure.
import { BucketError, type ObjectHead } from "./contract.ts";
import type { ByteRange, StoredObject } from "./object-contract.ts";

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

/** Nothing here has versions: `null` is the only one. */
export function refuseVersions(query: URLSearchParams): void {
  const version = query.get("versionId") ?? "null";
  if (version !== "null") throw new BucketError("NoSuchVersion", "The specified version does not exist.");
}

export function preconditionFailed(): BucketError {
  return new BucketError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
  );
}

/** Only the bytes of one part are asked for: which, and how many parts there are. */
export interface RequestedPart {
  readonly range: ByteRange;
  /** Absent for an object that did not come in parts. */
  readonly count?: number;
}

/** The bytes that `?partNumber=` asks for. Throws BucketError `InvalidPartNumber` for a part that is not there. */
export function requestedPart(
  text: string | null,
  { sizeBytes, parts = [] }: StoredObject,
): RequestedPart | undefined {
  if (text === null) return undefined;
  const number = partNumber(text);
  const count = parts.reduce((sum, [times]) => sum + times, 0);
  if (count === 0 && number === 1) return { range: { first: 0, last: sizeBytes - 1 } };
  let before = 0;
  let first = 0;
  for (const [times, bytes] of parts) {
    if (number <= before + times) {
      const start = first + (number - before - 1) * bytes;
      return { range: { first: start, last: start + bytes - 1 }, count };
    }
    before += times;
    first += times * bytes;
  }
  throw new BucketError("InvalidPartNumber", "The requested partnumber is not satisfiable", {
    PartNumberRequested: text,
    ActualPartCount: String(Math.max(1, count)),
  });
}

/** Throws BucketError `InvalidArgument`. */
export function partNumber(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 10_000) return number;
  throw new BucketError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", {
    ArgumentName: "partNumber",
    ArgumentValue: text,
  });
}
