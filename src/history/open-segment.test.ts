// The segment in memory: records are indexed by what they say, and come back as they were.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lookupFieldsOf } from "../event/lookup-fields.ts";
import { LookupScan } from "../event/lookup-scan.ts";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import { OpenSegment } from "./open-segment.ts";
import { termKinds } from "./terms.ts";

const account = parseAccountId("123456789012");
const region = parseRegion("us-east-1");
if (!account || !region) throw new Error("There are no such names.");
const matchSet = { account, region, folder: "CloudTrail", destinations: [] } as const;

const text = fc.oneof(fc.constantFrom("a", "é", 'x"y', "role/session"), fc.string({ maxLength: 60 }));
const call = fc.constantFrom(
  ["iam.amazonaws.com", "CreateUser"],
  ["sts.amazonaws.com", "AssumeRole"],
  ["ec2.amazonaws.com", "RunInstances"],
  // Of one name, and two sources.
  ["sns.amazonaws.com", "CreateUser"],
);
const anyEvent = fc.record({
  call,
  category: fc.constantFrom("Management", "Management", "Data", "NetworkActivity", undefined),
  isRead: fc.option(fc.boolean(), { nil: undefined }),
  second: fc.integer({ min: 0, max: 59 }),
  eventID: fc.oneof(fc.uuid(), fc.constant("short")),
  identity: fc.record({
    type: fc.constantFrom("IAMUser", "AssumedRole"),
    userName: text,
    principalId: text,
    accessKeyId: text,
  }),
  parameters: fc.option(
    fc.record({ userName: text, roleArn: text, roleSessionName: text, instanceId: text }),
  ),
  resources: fc.array(fc.record({ ARN: text, type: text }), { maxLength: 2 }),
  spaces: fc.constantFrom(0, 1),
});

type AnyEvent = typeof anyEvent extends fc.Arbitrary<infer Value> ? Value : never;

function lineOf({
  call: [eventSource, eventName],
  category,
  isRead,
  second,
  spaces,
  ...event
}: AnyEvent): string {
  const record = {
    eventVersion: "1.11",
    userIdentity: event.identity,
    eventTime: `2026-01-10T09:18:${String(second).padStart(2, "0")}Z`,
    ...{ eventSource, eventName, awsRegion: region },
    ...(event.parameters && { requestParameters: event.parameters }),
    ...(event.resources.length > 0 && { resources: event.resources }),
    ...(isRead !== undefined && { readOnly: isRead }),
    ...(category === undefined ? { managementEvent: false } : { eventCategory: category }),
    ...{ eventID: event.eventID, eventType: "AwsApiCall", recipientAccountId: account },
  };
  return spaces === 0 ? JSON.stringify(record) : JSON.stringify(record, null, 1).replaceAll("\n", " ");
}

/** By kind and value, as terms are. */
function expectedTerms(line: string): Set<string> {
  const fields = lookupFieldsOf(JSON.parse(line) as Record<string, unknown>);
  const named = [
    [termKinds.All, ""],
    [termKinds.EventName, fields.eventName],
    [termKinds.EventSource, fields.eventSource],
    [termKinds.ReadOnly, fields.readOnly],
    [termKinds.Username, fields.username],
    [termKinds.AccessKeyId, fields.accessKeyId],
    ...fields.resources.flatMap(({ type, name }) => [
      [termKinds.ResourceName, name],
      [termKinds.ResourceType, type],
    ]),
  ];
  return new Set(named.filter(([, value]) => value !== undefined).map(([kind, value]) => `${kind} ${value}`));
}

function indexed(lines: readonly string[]): unknown {
  const segment = new OpenSegment(7, 4096, new LookupScan());
  for (const line of lines) segment.take({ bytes: Buffer.from(line), matchSet });
  segment.look();
  const rows = Array.from({ length: segment.rows }, (_, row) => ({
    seconds: segment.seconds.at(row),
    record: segment.blocks.recordAt(segment.places.at(row)).toString(),
    terms: new Set<string>(),
  }));
  for (let pair = 0; pair < segment.pairs.length; pair += 1) {
    const term = segment.terms[segment.pairs.termOf(pair)];
    rows[segment.pairs.rowOf(pair)]?.terms.add(`${term?.kind} ${term?.value}`);
  }
  return rows;
}

test("management events are rows, in order, with all they are looked up by", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 30 }), (events) => {
      const expected = events
        .filter(({ category }) => category === "Management")
        .map((event) => ({ line: lineOf(event), second: event.second }));
      expect(indexed(events.map(lineOf))).toEqual(
        expected.map(({ line, second }) => ({
          seconds: Date.UTC(2026, 0, 10, 9, 18, second) / 1000,
          record: line,
          terms: expectedTerms(line),
        })),
      );
    }),
    { numRuns: 500 },
  );
});
