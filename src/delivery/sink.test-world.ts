// What the tests of the sinks share: plans, composed files, and what a world keeps of a sink's log and counters.
import { gzipSync } from "node:zlib";
import { CountingMetrics, KeptLog, ManualClock } from "../../test/sim/delivery-world.ts";
import { parsePlan, type Plan, type Target } from "./plan.ts";

/** A plan of any length: `jsonBytes` is only what its file may inflate to. */
export function planFor(target: Target, id = "0-7-3"): Plan {
  return parsePlan({
    ...{ id, partition: "0", cutSeq: 7, n: 3, incarnation: "i", trail: "arn", account: "123456789012" },
    ...{
      region: "eu-west-1",
      folder: "CloudTrail",
      from: 5,
      to: 9,
      jsonBytes: 50 * 1024 * 1024,
      recordCount: 2,
    },
    ...{ cornerBytes: 90, target, labelMs: 1, unique: "h3Jx0QvT9bLm2RkZ", createdMs: 1, attempts: 0 },
    ...{ backing: { kind: "journal" }, outcome: "none" },
  });
}

/** The bytes of a log file that holds these records. */
export function fileOf(records: readonly string[]): Uint8Array {
  return gzipSync(`{"Records":[${records.join(",")}]}`);
}

export interface SinkWorld {
  readonly clock: ManualClock;
  readonly log: KeptLog;
  readonly metrics: CountingMetrics;
  readonly callMsMax: number;
}

export function sinkWorld(): SinkWorld {
  return {
    clock: new ManualClock(),
    log: new KeptLog(),
    metrics: new CountingMetrics(),
    callMsMax: 10_000,
  };
}

export const noSignal = new AbortController().signal;
