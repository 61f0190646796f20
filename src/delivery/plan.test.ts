// Plans as documents, and where the next try of a plan goes.
import { expect, test } from "vitest";
import { TestPlaces } from "../../test/sim/delivery-world.ts";
import { parseCutPosition, parsePlan, type Plan, planKey, type Target, targetOf } from "./plan.ts";

const document = {
  ...{
    id: "0-7-3",
    partition: "0",
    cutSeq: 7,
    n: 3,
    incarnation: "i",
    trail: "arn",
    account: "123456789012",
  },
  ...{ region: "us-east-1", folder: "CloudTrail", from: 5, to: 9, jsonBytes: 100, recordCount: 2 },
  ...{ cornerBytes: 90, labelMs: Date.UTC(2026, 0, 10, 9, 25), unique: "h3Jx0QvT9bLm2RkZ" },
  target: {
    kind: "bucket",
    bucket: "old",
    key: "AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/10/123456789012_CloudTrail_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
  },
  ...{ createdMs: 1, backing: { kind: "journal" }, attempts: 0, outcome: "none" },
} as const;
const inOutbox = { backing: { kind: "outbox", sizeBytes: 3, sha256: "00" } } as const;

test("a plan comes back from its document as it was", () => {
  const plan = parsePlan({
    ...document,
    ...inOutbox,
    kmsKeyArn: "arn:aws:kms:x",
    firstFailedMs: 4,
    code: "AccessDenied",
  });
  expect(parsePlan(JSON.parse(JSON.stringify(plan)) as typeof document)).toEqual(plan);
  expect(planKey(plan)).toBe("delivery/plan/0/000000000007/000003");
});

test("a document of the first form, with bucket and key, is still a plan", () => {
  const { target, ...rest } = document;
  expect(parsePlan({ ...rest, bucket: target.bucket, key: target.key })).toEqual(parsePlan(document));
});

test.each([
  ["account", "12345"],
  ["region", "nowhere"],
  ["folder", "Elsewhere"],
  ["to", -1],
  ["backing", { kind: "cloud" }],
  ["outcome", "fine"],
  ["target", { kind: "paper" }],
])("a document with a bad %s is refused", (name, value) => {
  expect(() => parsePlan({ ...document, [name]: value })).toThrow(name);
});

test("a cut position is checked too", () => {
  expect(parseCutPosition({ seq: 1, to: 2 })).toEqual({ seq: 1, to: 2 });
  expect(() => parseCutPosition({ seq: 1 })).toThrow("to");
});

const { key } = document.target;
const moved = `fresh/AWSLogs/${key.slice("AWSLogs/".length)}`;
const inBucket = (bucket: string, at: string): Target => ({ kind: "bucket", bucket, key: at });
const cases: readonly (readonly [string, Partial<Plan>, Target])[] = [
  ["never tried, in the journal: stays", {}, inBucket("old", key)],
  ["never tried, in the outbox: moves", inOutbox, inBucket("new", moved)],
  ["refused: moves", { ...inOutbox, outcome: "refused" }, inBucket("new", moved)],
  ["refused, in the journal: moves", { outcome: "refused" }, inBucket("new", moved)],
  ["unknown: stays", { ...inOutbox, outcome: "unknown" }, inBucket("old", key)],
];
test.each(cases)("a plan whose trail got another place, %s", (_name, changes, target) => {
  const places = new TestPlaces();
  places.set("i", { bucket: "new", keyPrefix: "fresh" });
  expect(targetOf({ ...parsePlan(document), ...changes }, places.place("i"))).toEqual(target);
});

test("without a place a plan stays where it was", () => {
  expect(targetOf(parsePlan({ ...document, outcome: "refused" }), undefined)).toEqual(document.target);
});

const logPlan = (changes: Partial<Plan>): Plan => ({
  ...parsePlan(document),
  target: { kind: "log-group", arn: "old:*", roleArn: "role", stream: "123456789012_CloudTrail_us-east-1" },
  ...changes,
});

test("an undelivered plan for a log group follows its trail, and stays when the trail has none any more", () => {
  const places = new TestPlaces();
  places.set("i", { bucket: "new", logGroupArn: "new:*", roleArn: "role-2", organizationId: "o-a" });
  const moved = targetOf(logPlan({ outcome: "refused" }), places.place("i"));
  const stream = "org_123456789012_CloudTrail_us-east-1";
  expect(moved).toEqual({ kind: "log-group", arn: "new:*", roleArn: "role-2", stream });
  places.set("i", { bucket: "new" });
  const stays = targetOf(logPlan({ outcome: "refused" }), places.place("i"));
  expect(stays).toEqual(logPlan({}).target);
});
