// A delivery plan: which records go into one file, and where that file goes: to a bucket as a log file, to a log
// group, or to the event bus. Decided once, at the cut, and stored before anything is written, so that every retry
// sends the same records to the same place.
// Lives here: the plan, its document in the state store, and the cut document. Must not: do I/O.
//
// State keys (numbers are padded so that byte order is age order):
//   delivery/cut/{partition}                 {seq, to, ahead}: the last committed cut, the first frame that is not cut
//                                            for everything, and where it is already cut further
//   delivery/plan/{partition}/{seq}/{n}      one plan; valid only when seq ≤ the committed cut
import { z } from "zod";
import { logStreamName } from "../aws/log-stream-name.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import { parseAccountId } from "../model/arn.ts";
import { unreachable } from "../model/assert.ts";
import { parseRegion } from "../model/regions.ts";
import type { Json } from "../state/contract.ts";
import { objectKey } from "./object-key.ts";

const accountSchema = z.string().transform((text, context) => {
  const account = parseAccountId(text);
  if (account) return account;
  context.addIssue({ code: "custom", message: "not an account id" });
  return z.NEVER;
});
const regionSchema = z.string().transform((text, context) => {
  const region = parseRegion(text);
  if (region) return region;
  context.addIssue({ code: "custom", message: "not a Region" });
  return z.NEVER;
});
const countSchema = z.number().int().nonnegative();
/** Milliseconds since the epoch; a clock may give fractions. */
const timeSchema = z.number().nonnegative();

const targetSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bucket"), bucket: z.string(), key: z.string() }),
  /** `arn` ends in `:*`, as the trail has it. */
  z.object({ kind: z.literal("log-group"), arn: z.string(), roleArn: z.string(), stream: z.string() }),
  z.object({ kind: z.literal("event-bus") }),
]);

/** Where a plan's records go. */
export type Target = Readonly<z.infer<typeof targetSchema>>;
export type TargetKind = Target["kind"];

const planFields = z.object({
  /** `{partition}-{cutSeq}-{n}`: also the name of its outbox file. */
  id: z.string(),
  partition: z.string(),
  cutSeq: countSchema,
  n: countSchema,
  incarnation: z.string(),
  /** ARN of the trail at the cut, for the log. */
  trail: z.string(),
  account: accountSchema,
  region: regionSchema,
  folder: z.enum(["CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated"]),
  /** The frames whose records it holds: `from` up to, not including, `to`. */
  from: countSchema,
  to: countSchema,
  /** Length of the uncompressed text, and its records: checked when the file is composed. */
  jsonBytes: countSchema,
  recordCount: countSchema,
  /** Record bytes of the same account, Region and folder in these frames for all destinations together. */
  cornerBytes: countSchema,
  target: targetSchema,
  /** Of the bucket at the cut. */
  kmsKeyArn: z.string().exactOptional(),
  labelMs: timeSchema,
  unique: z.string(),
  createdMs: timeSchema,
  /** Where the records are safe: still in the journal, or composed in an outbox file of this size and hash. */
  backing: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("journal") }),
    z.object({ kind: z.literal("outbox"), sizeBytes: countSchema, sha256: z.string() }),
  ]),
  attempts: countSchema,
  firstFailedMs: timeSchema.exactOptional(),
  /** What the digest will say of it; kept here while its bytes lie in the outbox. */
  evidence: z
    .object({
      sha256: z.string(),
      oldestEventTime: z.string().exactOptional(),
      newestEventTime: z.string().exactOptional(),
    })
    .exactOptional(),
  /**
   * What is known of this file at its target. `none`: nobody tried. `refused`: every try was refused, it is not
   * there. `unknown`: some try may have written it. Once unknown it stays so.
   */
  outcome: z.enum(["none", "refused", "unknown"]),
  /** Error code of the last refusal. */
  code: z.string().exactOptional(),
});

/** Before there were other targets a plan had `bucket` and `key`. */
const planSchema = z.preprocess((document) => {
  if (typeof document !== "object" || document === null) return document;
  if (!("bucket" in document && "key" in document)) return document;
  const { bucket, key, ...rest } = document;
  return { ...rest, target: { kind: "bucket", bucket, key } };
}, planFields);

export type Plan = Readonly<z.infer<typeof planFields>>;

const cutSchema = z.object({
  seq: countSchema,
  to: countSchema,
  /** By corner (slots.ts). */
  ahead: z.record(z.string(), countSchema).exactOptional(),
});
/**
 * The committed cut of one partition: `to` is the first frame that plans do not cover yet. Those of a corner in
 * `ahead` are covered up to the frame that it names, which lies behind `to`.
 */
export type CutPosition = Readonly<z.infer<typeof cutSchema>>;

export const planKeyPrefix = (partition: string): string => `delivery/plan/${partition}/`;
export const cutKey = (partition: string): string => `delivery/cut/${partition}`;

export function planKey(plan: Pick<Plan, "partition" | "cutSeq" | "n">): string {
  const { partition, cutSeq, n } = plan;
  return `${planKeyPrefix(partition)}${String(cutSeq).padStart(12, "0")}/${String(n).padStart(6, "0")}`;
}

/** Reads a stored plan; throws when the document is not one. */
export function parsePlan(document: Json): Plan {
  return planSchema.parse(document);
}

/** Reads a stored cut position; throws when the document is not one. */
export function parseCutPosition(document: Json): CutPosition {
  return cutSchema.parse(document);
}

/** Age order: older plans are delivered first. */
export function compareAge(a: Plan, b: Plan): number {
  return a.createdMs - b.createdMs || a.cutSeq - b.cutSeq || a.n - b.n;
}

/**
 * Where the next try goes. A plan that surely stands nowhere yet (refused, or put into the outbox untried) follows
 * its trail to the place UpdateTrail gave it, under the same file name; any other stays where it was planned.
 */
export function targetOf(plan: Plan, place: DeliveryPlace | undefined): Target {
  const { target } = plan;
  const isNowhere = plan.outcome === "refused" || (plan.outcome === "none" && plan.backing.kind === "outbox");
  if (!isNowhere || !place) return target;
  switch (target.kind) {
    case "bucket":
      return { kind: "bucket", bucket: place.bucket, key: objectKey(plan, place) };
    case "log-group":
      return logGroupTarget(plan, place) ?? target;
    case "event-bus":
      return target;
    default:
      return unreachable(target);
  }
}

/** Undefined when the trail has no log group. */
export function logGroupTarget(
  of: Pick<Plan, "account" | "region">,
  place: DeliveryPlace,
): (Target & { readonly kind: "log-group" }) | undefined {
  const { logGroupArn, roleArn } = place;
  if (logGroupArn === undefined || roleArn === undefined) return undefined;
  const { account, region } = of;
  const { organizationId } = place;
  const stream = logStreamName({ account, region, ...(organizationId !== undefined && { organizationId }) });
  return { kind: "log-group", arn: logGroupArn, roleArn, stream };
}

/** What fails together: the bucket, the log group or the bus. Names a lane, together with its destination. */
export function addressOf(target: Target): string {
  switch (target.kind) {
    case "bucket":
      return target.bucket;
    case "log-group":
      return target.arn;
    case "event-bus":
      return "event-bus";
    default:
      return unreachable(target);
  }
}

/** One word for logs and comparisons: `bucket/key`, `log group/stream`. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case "bucket":
      return `${target.bucket}/${target.key}`;
    case "log-group":
      return `${target.arn}/${target.stream}`;
    case "event-bus":
      return "event-bus";
    default:
      return unreachable(target);
  }
}
