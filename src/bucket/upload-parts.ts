// The rules of completing a multipart upload: which parts, in which order, how large, with which ETag and checksum. No I/O.
import { createHash } from "node:crypto";
import { BucketError } from "./contract.ts";
import { checksumBytes } from "./content-digest.ts";
import type {
  ChecksumAlgorithm,
  Completion,
  ObjectChecksum,
  PartedTraits,
  StoredPart,
  UploadDescription,
  WantedPart,
} from "./object-contract.ts";

/** The stored part that is meant. Throws BucketError `InvalidPart`. */
export function matchedPart(
  wanted: WantedPart,
  stored: StoredPart | undefined,
  uploadId: string,
): StoredPart {
  const sum = wanted.checksum;
  const isSame =
    stored?.etag === wanted.etag &&
    (sum === undefined || stored.checksum === undefined || sum.value === stored.checksum.value);
  if (stored && isSame) return stored;
  throw new BucketError(
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: uploadId, PartNumber: String(wanted.number), ETag: wanted.etag },
  );
}

/** All but the last have the least size. Throws BucketError `EntityTooSmall`. */
export function checkPartSizes(parts: readonly StoredPart[], partBytesMin: number): void {
  const small = parts.slice(0, -1).find(({ sizeBytes }) => sizeBytes < partBytesMin);
  if (!small) return;
  throw new BucketError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
    ProposedSize: String(small.sizeBytes),
    MinSizeAllowed: String(partBytesMin),
    PartNumber: String(small.number),
    ETag: small.etag,
  });
}

/** Throws BucketError `InvalidRequest` when the client counted other bytes than there are. */
export function checkSaidSize(parts: readonly StoredPart[], said: number | undefined): void {
  const computed = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (said === undefined || said === computed) return;
  throw new BucketError(
    "InvalidRequest",
    `The provided 'x-amz-mp-object-size' header value ${said} does not match what was computed: ${computed}`,
  );
}

/** The MD5 of the parts' MD5s, and how many they are. */
export function compositeEtag(etags: readonly string[]): string {
  const md5 = createHash("md5");
  for (const etag of etags) md5.update(Buffer.from(etag, "hex"));
  return `${md5.digest("hex")}-${etags.length}`;
}

/** `[[count, size], …]` of parts that follow each other. */
export function runsOfSizes(parts: readonly StoredPart[]): NonNullable<PartedTraits["parts"]> {
  const runs: [number, number][] = [];
  for (const { sizeBytes } of parts) {
    const last = runs.at(-1);
    if (last && last[1] === sizeBytes) last[0] += 1;
    else runs.push([1, sizeBytes]);
  }
  return runs;
}

/**
 * The checksum of the completed object, if its upload asked for one. `whole` is the one of all bytes, for uploads of the
 * type FULL_OBJECT. Throws BucketError when it is not what the client says.
 */
export async function completedChecksum(
  upload: UploadDescription,
  parts: readonly StoredPart[],
  completion: Completion & { readonly whole?: string },
): Promise<ObjectChecksum | undefined> {
  const { algorithm, type } = upload.checksum ?? {};
  if (algorithm === undefined || type === undefined) return undefined;
  const value = type === "FULL_OBJECT" ? completion.whole : await compositeChecksum(algorithm, parts);
  if (value === undefined) return undefined;
  const said = completion.checksum;
  const suffix = type === "COMPOSITE" ? `-${parts.length}` : "";
  if (said && said.algorithm === algorithm && ![value, value.slice(0, -suffix.length)].includes(said.value)) {
    throw new BucketError(
      "BadDigest",
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
  }
  return { algorithm, type, value };
}

async function compositeChecksum(
  algorithm: ChecksumAlgorithm,
  parts: readonly StoredPart[],
): Promise<string | undefined> {
  const values = parts.flatMap(({ checksum }) =>
    checksum?.algorithm === algorithm ? [Buffer.from(checksum.value, "base64")] : [],
  );
  if (values.length !== parts.length) return undefined;
  const bytes = await checksumBytes(algorithm, Buffer.concat(values));
  return `${Buffer.from(bytes).toString("base64")}-${parts.length}`;
}
