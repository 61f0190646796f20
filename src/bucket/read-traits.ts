// Reads from stored JSON what describes an object or an upload beyond its metadata. Pure. What does not fit is left out.
import type {
  ChecksumAlgorithm,
  ChecksumType,
  ObjectChecksum,
  ObjectTraits,
  PartedTraits,
  Tag,
} from "./object-contract.ts";

type Members = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON of a file of our own; undefined when it is none. */
export function parseRecord(bytes: Uint8Array): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function readTraits(value: Members): ObjectTraits {
  const tags = readTags(value["tags"]);
  const checksum = readChecksum(value["checksum"]);
  const { otherHeaders } = value;
  return {
    ...(tags && { tags }),
    ...(checksum && { checksum }),
    ...(isRecord(otherHeaders) && { otherHeaders: readTexts(otherHeaders) }),
  };
}

/** The members that are texts. */
export function readTexts(value: Members): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
  );
}

export function readTags(value: unknown): readonly Tag[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((tag: unknown) => {
    if (!isRecord(tag)) return [];
    const { key, value: text } = tag;
    return typeof key === "string" && typeof text === "string" ? [{ key, value: text }] : [];
  });
}

export function readParts(value: unknown): PartedTraits["parts"] {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((run: unknown) => {
    const [count, sizeBytes]: unknown[] = Array.isArray(run) ? run : [];
    return typeof count === "number" && typeof sizeBytes === "number" ? [[count, sizeBytes] as const] : [];
  });
}

export function readAlgorithm(value: unknown): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === value);
}

export function readChecksumType(value: unknown): ChecksumType | undefined {
  return value === "COMPOSITE" || value === "FULL_OBJECT" ? value : undefined;
}

export const checksumAlgorithms: readonly ChecksumAlgorithm[] = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
];

function readChecksum(value: unknown): ObjectChecksum | undefined {
  if (!isRecord(value)) return undefined;
  const algorithm = readAlgorithm(value["algorithm"]);
  const type = readChecksumType(value["type"]);
  const text = value["value"];
  return algorithm && type && typeof text === "string" ? { algorithm, type, value: text } : undefined;
}
