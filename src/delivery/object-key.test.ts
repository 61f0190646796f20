// Object keys of log files, letter by letter.
import { expect, test } from "vitest";
import { account, region } from "../../test/sim/delivery-world.ts";
import type { Folder } from "../selector/match-set.ts";
import { type KeyRoot, objectKey, timeLabelMs } from "./object-key.ts";

const cases: readonly (readonly [
  string,
  { account: string; region: string; folder: Folder },
  KeyRoot,
  string,
])[] = [
  [
    "plain",
    { account: "111122223333", region: "us-east-1", folder: "CloudTrail" },
    {},
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/10/111122223333_CloudTrail_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
  ],
  [
    "with prefix and organization",
    { account: "444455556666", region: "eu-west-1", folder: "CloudTrail" },
    { keyPrefix: "audit", organizationId: "o-exampleorgid" },
    "audit/AWSLogs/o-exampleorgid/444455556666/CloudTrail/eu-west-1/2026/01/10/444455556666_CloudTrail_eu-west-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
  ],
  [
    "Insights",
    { account: "111122223333", region: "us-east-1", folder: "CloudTrail-Insight" },
    {},
    "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/01/10/111122223333_CloudTrail-Insight_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
  ],
  [
    "network activity, a prefix with its own slash inside and one at its end",
    { account: "111122223333", region: "us-east-1", folder: "CloudTrail-NetworkActivity" },
    { keyPrefix: "a/b/" },
    "a/b//AWSLogs/111122223333/CloudTrail-NetworkActivity/us-east-1/2026/01/10/111122223333_CloudTrail-NetworkActivity_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz",
  ],
];

test.each(cases)("the key of a file: %s", (_name, of, root, key) => {
  const labelMs = timeLabelMs(Date.UTC(2026, 0, 10, 9, 29, 59, 999));
  const name = { ...of, account: account(of.account), region: region(of.region) };
  expect(objectKey({ ...name, labelMs, unique: "h3Jx0QvT9bLm2RkZ" }, root)).toBe(key);
});

test.each([
  ["2026-01-10T09:25:00.000Z", "2026-01-10T09:25:00.000Z"],
  ["2026-01-10T09:29:59.999Z", "2026-01-10T09:25:00.000Z"],
  ["2025-12-31T23:59:59.999Z", "2025-12-31T23:55:00.000Z"],
  ["2024-02-29T00:03:00.000Z", "2024-02-29T00:00:00.000Z"],
])("the label of %s is %s", (now, label) => {
  expect(new Date(timeLabelMs(Date.parse(now))).toISOString()).toBe(label);
});
