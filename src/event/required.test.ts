// Required members: what each category must have, and the name of what is missing first.
import { describe, expect, test } from "vitest";
import type { RecordFields } from "./record.ts";
import { missingMember } from "./required.ts";

const complete: RecordFields = {
  eventVersion: "1.11",
  eventTime: "2026-01-10T09:18:41Z",
  eventSource: "ec2.amazonaws.com",
  eventName: "RunInstances",
  awsRegion: "us-east-1",
  eventID: "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77",
  eventType: "AwsApiCall",
  eventCategory: "Management",
  recipientAccountId: "123456789012",
  hasUserIdentity: true,
  resources: [],
};

type Name = keyof RecordFields;

function missing(changes: Partial<RecordFields>, ...without: Name[]): string | undefined {
  const fields = { ...complete, ...changes };
  for (const name of without) delete fields[name];
  return missingMember(fields);
}

const ofCalls = ["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion"] as const;
const spliced = ["eventID", "eventType", "eventCategory", "recipientAccountId"] as const;

describe("missingMember", () => {
  test.each(["Management", "Data", "NetworkActivity"])(
    "%s events need all members of a call",
    (eventCategory) => {
      expect(missing({ eventCategory })).toBeUndefined();
      for (const name of ofCalls) {
        expect(missing({ eventCategory }, name)).toBe(name);
        expect(missing({ eventCategory, [name]: "" })).toBe(name);
      }
      expect(missing({ eventCategory, hasUserIdentity: false })).toBe("userIdentity");
    },
  );

  test.each([
    ["Insight", ["eventVersion", "eventTime", "awsRegion"], ["eventSource", "eventName"]],
    ["ActivityAuditLog", ["eventVersion", "eventTime", "awsRegion"], ["eventSource", "eventName"]],
    ["Aggregated", ["eventVersion", "eventSource", "awsRegion"], ["eventTime", "eventName"]],
  ] satisfies [string, Name[], Name[]][])(
    "%s events need %j, not %j nor userIdentity",
    (eventCategory, needed, free) => {
      const changes = { eventCategory, hasUserIdentity: false };
      expect(missing(changes, ...free)).toBeUndefined();
      for (const name of needed) expect(missing(changes, ...free, name)).toBe(name);
    },
  );

  test("what is spliced in may be absent, before or after", () => {
    expect(missing({}, ...spliced)).toBeUndefined();
    expect(missing({ managementEvent: false }, ...spliced)).toBeUndefined();
  });

  test("names the first one", () => {
    expect(missing({}, "awsRegion", "eventName", "eventVersion")).toBe("eventVersion");
    expect(missing({ hasUserIdentity: false }, "eventTime")).toBe("userIdentity");
    expect(missing({ eventTime: "now", eventID: "x" })).toBe("eventTime");
  });

  test.each([
    ["eventCategory", "", "eventCategory"],
    ["eventCategory", "management", "eventCategory"],
    ["eventCategory", "ConfigurationItem", "eventCategory"],
    ["eventCategory", "constructor", "eventCategory"],
    ["eventType", "", "eventType"],
    ["recipientAccountId", "", "recipientAccountId"],
    ["eventID", "", "eventID"],
    ["eventID", "12345", "eventID"],
    ["eventID", "0c1f6d1e7a3c4f5d9d503f8e2b1a9c77", "eventID"],
    ["eventID", "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77x", "eventID"],
    ["eventID", "0C1F6D1E-7A3C-4F5D-9D50-3F8E2B1A9C77", undefined],
    ["eventID", "4d293154-a15b-4c33-9e0a-ff5eeEXAMPLE", undefined],
    ["eventTime", "2026-01-10T09:18:41.000Z", "eventTime"],
    ["eventTime", "2026-01-10T09:18:41+00:00", "eventTime"],
    ["eventTime", "2026-01-10 09:18:41", "eventTime"],
    ["eventTime", "2026-01-10T09:18:41", "eventTime"],
    ["eventTime", "2026-01-10T09:18:41Z ", "eventTime"],
    ["eventTime", "2026-13-10T09:18:41Z", "eventTime"],
    ["eventTime", "2024-13-29T09:18:41Z", "eventTime"],
    ["eventTime", "2026-00-10T09:18:41Z", "eventTime"],
    ["eventTime", "2026-02-29T09:18:41Z", "eventTime"],
    ["eventTime", "1900-02-29T09:18:41Z", "eventTime"],
    ["eventTime", "2026-04-31T09:18:41Z", "eventTime"],
    ["eventTime", "2026-04-00T09:18:41Z", "eventTime"],
    ["eventTime", "2026-01-10T24:00:00Z", "eventTime"],
    ["eventTime", "2026-01-10T09:60:41Z", "eventTime"],
    ["eventTime", "2026-01-10T09:18:61Z", "eventTime"],
    ["eventTime", "2024-02-29T09:18:41Z", undefined],
    ["eventTime", "2000-02-29T00:00:00Z", undefined],
    ["eventTime", "2016-12-31T23:59:60Z", undefined],
  ])("%s %j → %s", (name, value, expected) => {
    expect(missing({ [name]: value })).toBe(expected);
  });

  test("an aggregated record may still not have a wrong time", () => {
    expect(missing({ eventCategory: "Aggregated", eventTime: "yesterday" })).toBe("eventTime");
  });
});
