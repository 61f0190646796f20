// Asks KMS whether a trail's key is there and lets CloudTrail encrypt with it, and which key an alias means
// (api.md §2.6, formats.md §2.6). The key is asked for in the Region that its ARN names.
import type { KeyDescription } from "../aws/contract.ts";
import { type ApiError, apiError } from "../model/errors.ts";
import { askService } from "./ask-service.ts";
import type { CheckedTrail } from "./bucket-check.ts";
import type { TrailPorts } from "./ports.ts";

export interface KeyFinding {
  /** ARN of the key itself; of the alias when KMS could not be asked. */
  readonly keyArn: string;
  /** KmsKeyNotFoundException, KmsException or InsufficientEncryptionPolicyException. */
  readonly problem?: ApiError;
}

/** Never throws, so that the caller can look at the bucket first and still know the key. */
export async function lookAtKey(ports: TrailPorts, trail: CheckedTrail, keyArn: string): Promise<KeyFinding> {
  const { bucket } = trail.settings;
  const keys = ports.services?.keys;
  const answer = await askService(ports, {
    subject: "KMS key",
    fields: { trail: trail.arn, keyArn },
    ask: keys && (async (signal) => keys.describe(keyArn, signal)),
  });
  if (answer.kind === "unknown") return { keyArn };
  if (answer.kind === "missing") {
    return { keyArn, problem: apiError("KmsKeyNotFoundException", { keyArn, bucket }) };
  }
  if (answer.kind === "refused") return { keyArn, problem: refusedKey(answer.code, { keyArn, bucket }) };
  const { key } = answer;
  const problem = useless(key) ?? (await probeKey(ports, trail, key.arn));
  return { keyArn: key.arn, ...(problem && { problem }) };
}

function useless({ arn: keyArn, isEnabled, isUsable }: KeyDescription): ApiError | undefined {
  if (!isEnabled) {
    return apiError("KmsException", { keyArn, detail: "it is disabled or waits for its deletion." });
  }
  if (!isUsable) return apiError("KmsException", { keyArn, detail: "it is no symmetric encryption key." });
  return undefined;
}

async function probeKey(
  ports: TrailPorts,
  trail: CheckedTrail,
  keyArn: string,
): Promise<ApiError | undefined> {
  const keys = ports.services?.keys;
  const answer = await askService(ports, {
    subject: "KMS key",
    fields: { trail: trail.arn, keyArn },
    ask: keys && (async (signal) => keys.probe(keyArn, trail.arn, signal)),
  });
  if (answer.kind !== "refused") return undefined;
  return refusedKey(answer.code, { keyArn, bucket: trail.settings.bucket });
}

function refusedKey(code: string, of: { readonly keyArn: string; readonly bucket: string }): ApiError {
  if (code.startsWith("AccessDenied")) return apiError("InsufficientEncryptionPolicyException", of);
  if (code === "NotFoundException") return apiError("KmsKeyNotFoundException", of);
  return apiError("KmsException", { keyArn: of.keyArn, detail: `KMS answers ${code}.` });
}
