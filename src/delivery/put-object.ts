// One try to put an object of a trail (log file or digest) into its bucket, bounded in time.
// Must not: retry, or know what is in the object.
import type { BucketStore, PutOutcome } from "../bucket/contract.ts";
import type { Clock } from "../model/environment.ts";
import { answerWithin } from "./service-call.ts";

export interface ObjectToPut {
  readonly bucket: string;
  readonly key: string;
  /** Gzip bytes. */
  readonly body: Uint8Array;
  /** SSE-KMS with this key; without one SSE-S3 (formats.md §2.3). */
  readonly kmsKeyArn?: string | undefined;
  /** User metadata, without `x-amz-meta-`. */
  readonly user?: Readonly<Record<string, string>>;
}

export interface PutLimits {
  readonly timeoutMs: number;
  /** Ends the waiting: the outcome is then `unknown`. */
  readonly signal: AbortSignal;
}

/** Puts it with the headers of formats.md §2.3. Never rejects; no answer in time is `unknown`. */
export async function putObject(
  { bucket: store, clock }: { readonly bucket: BucketStore; readonly clock: Clock },
  { bucket, key, body, kmsKeyArn, user }: ObjectToPut,
  { timeoutMs, signal }: PutLimits,
): Promise<PutOutcome> {
  const encryption =
    kmsKeyArn === undefined
      ? ({ algorithm: "AES256" } as const)
      : ({ algorithm: "aws:kms", keyArn: kmsKeyArn } as const);
  return answerWithin({ clock, callMsMax: timeoutMs, signal }, async (abandoned) =>
    store.put({
      ...{ bucket, key, body },
      metadata: {
        contentType: "application/json",
        contentEncoding: "gzip",
        encryption,
        ...(user && { user }),
      },
      acl: "bucket-owner-full-control",
      signal: abandoned,
    }),
  );
}
