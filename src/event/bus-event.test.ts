// Records as entries of PutEvents: each row of the table of formats.md §5.2, the limit to the byte, and the examples of
// the specification where they are.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { busEntry, busEntryBytesMax } from "./bus-event.ts";

const record = {
  eventVersion: "1.11",
  userIdentity: { type: "Root" },
  eventTime: "2026-01-10T09:18:41Z",
  eventSource: "iam.amazonaws.com",
  eventName: "CreateUser",
  awsRegion: "us-east-1",
  eventType: "AwsApiCall",
  eventCategory: "Management",
  recipientAccountId: "123456789012",
};
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const entryOf = (value: unknown) => {
  const reading = busEntry(bytesOf(value));
  return reading.kind === "entry" ? reading.entry : reading.reason;
};

describe("an event of the bus", () => {
  const insight = {
    ...{ eventVersion: "1.11", eventTime: "2026-01-10T09:41:00Z", awsRegion: "us-east-1" },
    ...{ eventType: "AwsCloudTrailInsight", eventCategory: "Insight" },
  };
  test.each([
    [{}, "aws.iam", "AWS API Call via CloudTrail"],
    [{ eventCategory: "Data", eventSource: "s3.amazonaws.com" }, "aws.s3", "AWS API Call via CloudTrail"],
    [
      { eventType: "AwsConsoleSignIn", eventSource: "signin.amazonaws.com" },
      "aws.signin",
      "AWS Console Sign In via CloudTrail",
    ],
    [
      { eventType: "AwsConsoleAction", eventSource: "monitoring.amazonaws.com" },
      "aws.monitoring",
      "AWS Console Action via CloudTrail",
    ],
    [
      { eventType: "AwsServiceEvent", eventSource: "kms.amazonaws.com" },
      "aws.kms",
      "AWS Service Event via CloudTrail",
    ],
    [
      { eventType: "AwsVpceEvent", eventCategory: "NetworkActivity", eventSource: "ec2.amazonaws.com" },
      "aws.ec2",
      "AWS Network Activity Event via CloudTrail",
    ],
    [{ eventType: "AwsVpceEvents" }, "aws.iam", "AWS Network Activity Event via CloudTrail"],
    [{ eventType: undefined, eventVersion: "1.01" }, "aws.iam", "AWS API Call via CloudTrail"],
    [{ eventSource: "models.lex.amazonaws.com" }, "aws.models.lex", "AWS API Call via CloudTrail"],
    [{ eventSource: "orders.example.org" }, "aws.orders.example.org", "AWS API Call via CloudTrail"],
  ])("%j is %s, %s", (changes, source, detailType) => {
    expect(entryOf({ ...record, ...changes })).toEqual({
      ...{ source, detailType, timeMs: Date.UTC(2026, 0, 10, 9, 18, 41), resources: [] },
      detail: JSON.stringify({ ...record, ...changes }),
    });
  });

  test("an Insights record comes from CloudTrail itself", () => {
    expect(entryOf(insight)).toMatchObject({
      ...{ source: "aws.cloudtrail", detailType: "AWS Insight via CloudTrail" },
      timeMs: Date.UTC(2026, 0, 10, 9, 41),
    });
  });

  test("a leap second is the second before it", () => {
    expect(entryOf({ ...record, eventTime: "2016-12-31T23:59:60Z" })).toMatchObject({
      timeMs: Date.UTC(2016, 11, 31, 23, 59, 59),
    });
  });

  test.each([
    [{ eventType: "AwsAggregatedEvent" }, "event-type"],
    [{ eventType: "AwsSomethingNew" }, "event-type"],
    [{ eventTime: "yesterday" }, "unreadable"],
    [{ eventTime: "2026-13-10T09:18:41Z" }, "unreadable"],
    [{ eventType: 1 }, "unreadable"],
    [{ x: "y".repeat(2_000_000) }, "too-large"],
  ])("there is none of %j", (changes, reason) => {
    expect(entryOf({ ...record, ...changes })).toBe(reason);
  });

  test("keeps the record's bytes, numbers and escapes as they were", () => {
    const text = JSON.stringify({ ...record, note: "@" }).replace(
      '"@"',
      '[1.0, 12345678901234567890, "\\u00e9é"]',
    );
    const reading = busEntry(Buffer.from(text));
    expect(reading).toMatchObject({ entry: { detail: text } });
  });

  test.each([
    ["first", `{"eventContext":{"a":[1]},@}`],
    ["last", `{@,"eventContext":{"a":"}"}}`],
    ["in the middle, twice", `{"eventContext":1,@,"eventContext":{}}`],
    ["with an escape in its key", `{"event\\u0043ontext":{},@}`],
  ])("never has eventContext, standing %s", (_where, frame) => {
    const inner = JSON.stringify(record).slice(1, -1);
    expect(busEntry(Buffer.from(frame.replace("@", inner)))).toMatchObject({
      entry: { detail: JSON.stringify(record) },
    });
  });

  test("keeps the word eventContext elsewhere", () => {
    const changed = { ...record, requestParameters: { eventContext: "eventContext" } };
    expect(entryOf(changed)).toMatchObject({ detail: JSON.stringify(changed) });
  });

  test("is as large as the bus may take, and not a byte larger", () => {
    const padded = (length: number) => bytesOf({ ...record, pad: "é" + "x".repeat(length) });
    // What PutEvents counts: time, source, detail-type, detail.
    const around = 14 + "aws.iam".length + "AWS API Call via CloudTrail".length;
    const room = busEntryBytesMax - around - padded(0).length;
    expect(busEntry(padded(room))).toMatchObject({ kind: "entry", bytes: busEntryBytesMax });
    expect(busEntry(padded(room + 1))).toEqual({ kind: "none", reason: "too-large" });
  });
});

const examples = fileURLToPath(new URL("../../../shared/spec/examples/", import.meta.url));
const isThere = existsSync(examples);
if (!isThere) process.stdout.write("skipped: needs ../shared/spec/examples\n");

describe.skipIf(!isThere)("the examples of the specification", () => {
  interface Envelope extends Record<string, unknown> {
    readonly time: string;
    readonly detail: Record<string, unknown>;
  }
  const parsed = (path: string) => JSON.parse(readFileSync(`${examples}${path}`, "utf8")) as unknown;

  test.each(isThere ? readdirSync(`${examples}eventbridge`) : [])("eventbridge/%s", (name) => {
    const envelope = parsed(`eventbridge/${name}`) as Envelope;
    expect(entryOf(envelope.detail)).toEqual({
      source: envelope["source"],
      detailType: envelope["detail-type"],
      detail: JSON.stringify(envelope.detail),
      timeMs: Date.parse(envelope.time),
      resources: envelope["resources"],
    });
  });

  test("every record has its row; only aggregated ones have none", () => {
    const rows: Readonly<Record<string, string>> = {
      AwsApiCall: "AWS API Call via CloudTrail",
      AwsConsoleSignIn: "AWS Console Sign In via CloudTrail",
      AwsServiceEvent: "AWS Service Event via CloudTrail",
      AwsCloudTrailInsight: "AWS Insight via CloudTrail",
      AwsVpceEvent: "AWS Network Activity Event via CloudTrail",
    };
    const names = readdirSync(`${examples}records`);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const own = parsed(`records/${name}`) as Record<string, unknown>;
      const entry = entryOf(own);
      const detailType = rows[String(own["eventType"])];
      if (detailType === undefined) expect([name, entry]).toEqual([name, "event-type"]);
      else expect(entry, name).toMatchObject({ detailType });
    }
  });
});
