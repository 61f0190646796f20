// What the files of a multipart upload say: its description, its parts, its id. Pure: bytes and texts in and out.
//
// A part's file is its bytes, and then `trailerBytes` of JSON padded with spaces that say what the bytes are: so that one
// rename puts both in place. An upload's id begins with the time it was begun: its age is known by its name.
import { readMetadata } from "./object-description.ts";
import type { StoredPart, UploadDescription, UploadName } from "./object-contract.ts";
import { isRecord, parseRecord, readAlgorithm, readChecksumType, readTraits } from "./read-traits.ts";

export const trailerBytes = 256;
export const uploadFile = "upload.json";

const formatVersion = 1;
const timeDigits = 9;

export function makeUploadId(initiatedMs: number, unique: string): string {
  const rest = unique.toLowerCase().replace(/[^0-9a-z]/g, "");
  return initiatedMs.toString(36).padStart(timeDigits, "0") + rest.slice(0, 32).padStart(32, "0");
}

/** When the upload was begun; undefined for what is no id of ours. What is accepted is safe as a folder name. */
export function uploadTimeMs(uploadId: string): number | undefined {
  return /^[0-9a-z]{41}$/.test(uploadId) ? Number.parseInt(uploadId.slice(0, timeDigits), 36) : undefined;
}

export function partFileName(number: number): string {
  return String(number).padStart(5, "0");
}

/** Undefined for the name of anything else. */
export function partNumberOf(fileName: string): number | undefined {
  return /^\d{5}$/.test(fileName) ? Number(fileName) : undefined;
}

export function encodeUpload(upload: Omit<UploadDescription, "uploadId">): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version: formatVersion, ...upload })}\n`, "utf8");
}

/** Undefined when the bytes are no description of an upload of this version. */
export function decodeUpload(bytes: Uint8Array, uploadId: string): UploadDescription | undefined {
  const value = parseRecord(bytes);
  if (!value || value["version"] !== formatVersion) return undefined;
  const { bucket, key, initiatedMs, initiator, checksum } = value;
  if (typeof bucket !== "string" || typeof key !== "string" || typeof initiatedMs !== "number") {
    return undefined;
  }
  const [algorithm, type] = isRecord(checksum)
    ? [readAlgorithm(checksum["algorithm"]), readChecksumType(checksum["type"])]
    : [];
  const { tags, otherHeaders } = readTraits(value);
  return {
    ...{ bucket, key, uploadId, initiatedMs, metadata: readMetadata(value["metadata"]) },
    initiator: readInitiator(initiator),
    ...(tags && { tags }),
    ...(otherHeaders && { otherHeaders }),
    ...(algorithm && type && { checksum: { algorithm, type } }),
  };
}

function readInitiator(value: unknown): UploadDescription["initiator"] {
  const { account, arn } = isRecord(value) ? value : {};
  return {
    account: typeof account === "string" ? account : "",
    arn: typeof arn === "string" ? arn : "",
  };
}

export function encodePartTrailer(part: Omit<StoredPart, "number">): Uint8Array {
  const text = JSON.stringify(part);
  if (text.length >= trailerBytes) throw new Error("A part's trailer has no room for its description.");
  return Buffer.from(`${text.padEnd(trailerBytes - 1)}\n`, "latin1");
}

/** Undefined when these bytes at the end of a file do not describe the `sizeBytes` before them. */
export function decodePartTrailer(
  bytes: Uint8Array,
  file: { readonly number: number; readonly sizeBytes: number },
): StoredPart | undefined {
  const value = parseRecord(bytes);
  if (!value || value["sizeBytes"] !== file.sizeBytes) return undefined;
  const { etag, lastModifiedMs, checksum } = value;
  if (typeof etag !== "string" || typeof lastModifiedMs !== "number") return undefined;
  const algorithm = isRecord(checksum) ? readAlgorithm(checksum["algorithm"]) : undefined;
  const text = isRecord(checksum) ? checksum["value"] : undefined;
  return {
    ...{ number: file.number, etag, sizeBytes: file.sizeBytes, lastModifiedMs },
    ...(algorithm && typeof text === "string" && { checksum: { algorithm, value: text } }),
  };
}

/** By key in UTF-8 byte order, then by age. */
export function inUploadOrder(left: UploadName, right: UploadName): number {
  const byKey = Buffer.compare(Buffer.from(left.key, "utf8"), Buffer.from(right.key, "utf8"));
  if (byKey !== 0) return byKey;
  return left.uploadId < right.uploadId ? -1 : left.uploadId > right.uploadId ? 1 : 0;
}
