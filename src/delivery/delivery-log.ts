// The log lines and measurements of each delivery and each failure. Must not: change anything.
import { unreachable } from "../model/assert.ts";
import type { Clock, Log, Metrics } from "../model/environment.ts";
import type { Plan, Target } from "./plan.ts";
import type { SendOutcome } from "./sink.ts";

interface TellPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** `bytes`: as composed; `elapsedMs`: of the try that did it. */
export function tellDelivered(
  { clock, log, metrics }: TellPorts,
  plan: Plan,
  file: { readonly bytes: number; readonly elapsedMs: number },
): void {
  const { trail, target, recordCount, attempts, createdMs } = plan;
  const labels = { target: target.kind };
  metrics.count("log_files_delivered_total", labels);
  metrics.count("log_file_records_total", labels, recordCount);
  metrics.count("log_file_bytes_total", labels, file.bytes);
  metrics.observe("delivery_delay_seconds", Math.max(0, clock.nowMs() - createdMs) / 1000);
  log.info(
    { trail, ...targetFields(target), eventCount: recordCount, attempts: attempts + 1, ...file },
    target.kind === "bucket" ? "Log file delivered." : "Events delivered.",
  );
}

export function tellFailed(
  { log, metrics }: TellPorts,
  { trail, target }: Plan,
  {
    outcome,
    attempts,
  }: { readonly outcome: Exclude<SendOutcome, { readonly kind: "stored" }>; readonly attempts: number },
): void {
  const code = outcome.kind === "refused" ? outcome.code : "no-answer";
  metrics.count("delivery_failures_total", { code, target: target.kind });
  log.warn(
    { trail, ...targetFields(target), attempts, code, error: outcome.message },
    "A log file could not be delivered; it is tried again.",
  );
}

/** A target as log lines name it. */
export function targetFields(target: Target): Readonly<Record<string, string>> {
  switch (target.kind) {
    case "bucket":
      return { bucket: target.bucket, objectKey: target.key };
    case "log-group":
      return { logGroup: target.arn, logStream: target.stream };
    case "event-bus":
      return { to: "event-bus" };
    default:
      return unreachable(target);
  }
}
