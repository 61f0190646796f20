// Asks the store whether a trail's bucket is there and lets CloudTrail write (api.md §2.6). The answer is waited for
// a bounded time; a check that cannot be made is skipped, never failed.
import { type DeliveryPermission, letsCloudTrailWrite } from "../model/delivery-policy.ts";
import { apiError } from "../model/errors.ts";
import { inTime } from "../model/in-time.ts";
import type { TrailPorts } from "./ports.ts";
import type { Trail } from "./trail.ts";

/** Both questions together may take this long. */
const bucketCheckMsMax = 10_000;

/** The parts of a trail on which the answers of its destinations depend. */
export type CheckedTrail = Pick<
  Trail,
  "arn" | "owner" | "homeRegion" | "organizationId" | "settings" | "insightSelectors"
>;

/** Throws S3BucketDoesNotExistException or InsufficientS3BucketPolicyException. */
export async function checkBucket(ports: TrailPorts, trail: CheckedTrail): Promise<void> {
  const { clock, log } = ports;
  const { bucket } = trail.settings;
  const question = new AbortController();
  const answer = askBucket(ports, trail, question.signal).catch((error: unknown) => {
    log.warn({ bucket, error }, "The bucket of a trail could not be checked; the check is skipped.");
    return "skipped" as const;
  });
  const verdict = await inTime(answer, bucketCheckMsMax, clock);
  question.abort();
  switch (verdict) {
    case "missing":
      throw apiError("S3BucketDoesNotExistException", { bucket });
    case "refuses":
      throw apiError("InsufficientS3BucketPolicyException", { bucket });
    case "late":
      log.warn(
        { bucket },
        "The store did not answer about the bucket of a trail in time; the check is skipped.",
      );
      break;
    case "skipped":
    case "fine":
      break;
  }
}

/** Whether a check of one says all about the other. */
export function needsSameBucket(a: CheckedTrail, b: CheckedTrail): boolean {
  return JSON.stringify(permissionOf(a)) === JSON.stringify(permissionOf(b));
}

async function askBucket(
  ports: TrailPorts,
  trail: CheckedTrail,
  signal: AbortSignal,
): Promise<"missing" | "refuses" | "fine"> {
  const { bucket } = trail.settings;
  if ((await ports.bucket.presence(bucket, signal)) === "missing") return "missing";
  const mode = ports.configuration().bucketPolicyCheck;
  if (mode === "off") return "fine";
  const policy = await ports.bucket.policy(bucket, signal);
  if (policy.kind === "unreadable") {
    ports.log.warn(
      { bucket, reason: policy.message },
      "The policy of a trail's bucket cannot be read; the check is skipped.",
    );
    return "fine";
  }
  if (policy.kind === "none") return mode === "strict" ? "refuses" : "fine";
  return letsCloudTrailWrite(policy.text, permissionOf(trail)) ? "fine" : "refuses";
}

function permissionOf(trail: CheckedTrail): DeliveryPermission {
  const { bucket, keyPrefix, kmsKeyArn, logFileValidation } = trail.settings;
  const folders = ["CloudTrail"];
  if (logFileValidation) folders.push("CloudTrail-Digest");
  if (trail.insightSelectors.length > 0) folders.push("CloudTrail-Insight");
  return {
    trailArn: trail.arn,
    bucket,
    owner: trail.owner,
    folders,
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(trail.organizationId !== undefined && { organizationId: trail.organizationId }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
  };
}
