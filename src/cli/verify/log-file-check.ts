// One log file against what a digest says of it (formats.md §3.6).
import type { DigestLogFile } from "../../model/digest.ts";
import { afterwards, type AtOnce } from "./at-once.ts";
import type { Evidence, EvidenceObject } from "./evidence.ts";
import type { FileFinding } from "./findings.ts";
import { type Inflated, inflateMember } from "./gzip-member.ts";

/** What a digest says of a log file, as far as it is checked. */
export type NamedLogFile = Pick<DigestLogFile, "s3Bucket" | "s3Object" | "hashValue">;

/** Log files have at most 50 MB; this one is read to its end no more. */
const inflatedBytesMax = 1024 * 1024 * 1024;

/** `trust` is that of the digest which names the file; a file can be no better proven than that. */
export function checkLogFile(
  evidence: Evidence,
  logFile: NamedLogFile,
  trust: "signed" | "unproven",
): AtOnce<FileFinding> {
  const object = evidence.get(logFile.s3Bucket, logFile.s3Object);
  return afterwards(object, (found) => checkObject(found, logFile, trust));
}

function checkObject(
  object: EvidenceObject,
  logFile: NamedLogFile,
  trust: "signed" | "unproven",
): AtOnce<FileFinding> {
  const file = { kind: "log-file", bucket: logFile.s3Bucket, key: logFile.s3Object } as const;
  if (object.kind === "absent") return { ...file, status: "missing", weight: "bad", reason: object.reason };
  if (object.kind === "elsewhere") {
    return { ...file, status: "unproven", weight: "open", reason: "in another bucket, not checked" };
  }
  const inflated = inflateMember(object.content, { bytesMax: inflatedBytesMax, content: "drop" });
  return afterwards(inflated, (member) => ({ ...file, ...judge(member, logFile, trust) }));
}

function judge(
  member: Inflated,
  { hashValue }: NamedLogFile,
  trust: "signed" | "unproven",
): Pick<FileFinding, "status" | "weight" | "reason"> {
  if (member.kind === "broken") return { status: "changed", weight: "bad", reason: member.reason };
  if (member.hash !== hashValue.toLowerCase()) {
    return { status: "changed", weight: "bad", reason: "hash value doesn't match" };
  }
  if (trust === "signed") return { status: "valid", weight: "good" };
  const reason = "as its digest file says, whose signature is not in the copy";
  return { status: "unproven", weight: "open", reason };
}
