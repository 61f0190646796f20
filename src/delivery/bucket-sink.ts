// Puts log files into their buckets (formats.md §2.3). Must not: retry, choose keys.
import type { BucketStore } from "../bucket/contract.ts";
import { assert } from "../model/assert.ts";
import type { Clock } from "../model/environment.ts";
import type { Plan } from "./plan.ts";
import type { Places } from "./ports.ts";
import { putObject } from "./put-object.ts";
import type { Sink } from "./sink.ts";

interface BucketSinkParts {
  readonly bucket: BucketStore;
  readonly clock: Clock;
  readonly places: Places;
  /** One try may take this long. */
  readonly timeoutMs: number;
}

export function bucketSink(parts: BucketSinkParts): Sink {
  const { places, timeoutMs } = parts;
  return {
    send(plan, body, signal) {
      const { target } = plan;
      assert(target.kind === "bucket", "the bucket sink gets log files");
      const { bucket, key } = target;
      return putObject(
        parts,
        { bucket, key, body, kmsKeyArn: keyFor(plan, bucket, places) },
        { timeoutMs, signal },
      );
    },
  };
}

/** A KMS key belongs to its bucket: an old bucket keeps the key of its time. */
function keyFor(plan: Plan, bucket: string, places: Places): string | undefined {
  const place = places.place(plan.incarnation);
  return place?.bucket === bucket ? place.kmsKeyArn : plan.kmsKeyArn;
}
