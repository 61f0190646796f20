// One log file against what a digest says of it (formats.md §3.6).
import type { DigestLogFile } from "../../model/digest.ts";
import type { Evidence } from "./evidence.ts";
import type { FileFinding } from "./findings.ts";
import { inflateMember } from "./gzip-member.ts";

/** Log files have at most 50 MB; this one is read to its end no more. */
const inflatedBytesMax = 1024 * 1024 * 1024;

/** `trust` is that of the digest which names the file; a file can be no better proven than that. */
export async function checkLogFile(
  evidence: Evidence,
  { s3Bucket: bucket, s3Object: key, hashValue }: DigestLogFile,
  trust: "signed" | "unproven",
): Promise<FileFinding> {
  const file = { kind: "log-file", bucket, key } as const;
  const object = await evidence.get(bucket, key);
  if (object.kind === "absent") return { ...file, status: "missing", weight: "bad", reason: object.reason };
  if (object.kind === "elsewhere") {
    return { ...file, status: "unproven", weight: "open", reason: "in another bucket, not checked" };
  }
  const inflated = await inflateMember(object.content, { bytesMax: inflatedBytesMax, content: "drop" });
  if (inflated.kind === "broken") {
    return { ...file, status: "changed", weight: "bad", reason: inflated.reason };
  }
  if (inflated.hash !== hashValue.toLowerCase()) {
    return { ...file, status: "changed", weight: "bad", reason: "hash value doesn't match" };
  }
  if (trust === "signed") return { ...file, status: "valid", weight: "good" };
  const reason = "as its digest file says, whose signature is not in the copy";
  return { ...file, status: "unproven", weight: "open", reason };
}
