// The segment in memory: what the door noted of a record is as good as reading the record again.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LookupScan } from "../event/lookup-scan.ts";
import { noteOf } from "../event/record-note.ts";
import { scanBatch } from "../event/scan.ts";
import type { FrameRecord } from "../journal/contract.ts";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import { OpenSegment } from "./open-segment.ts";

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

/** As the door scans them: together. */
function noted(lines: readonly string[]): FrameRecord[] {
  const body = Buffer.from(lines.join("\n"));
  const scan = scanBatch(body);
  if (scan.kind !== "records") throw new Error(scan.message);
  return scan.records.map((record) => {
    if (!("inPlace" in record)) throw new Error(record.problem);
    const bytes = body.subarray(record.start, record.end);
    return { bytes, matchSet, note: noteOf(record.inPlace, record.start) };
  });
}

function indexed(records: readonly FrameRecord[]): unknown {
  const segment = new OpenSegment(7, 4096, new LookupScan());
  for (const record of records) segment.take(record);
  segment.look();
  const rows = Array.from({ length: segment.rows }, (_, row) => ({
    seconds: segment.seconds.at(row),
    idHash: segment.idHashes.at(row),
    record: segment.blocks.recordAt(segment.places.at(row)).toString(),
    terms: new Set<unknown>(),
  }));
  for (let pair = 0; pair < segment.pairs.length; pair += 1) {
    rows[segment.pairs.rowOf(pair)]?.terms.add(segment.terms[segment.pairs.termOf(pair)]);
  }
  return rows;
}

test("records with notes are indexed as records without, in the same order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.boolean()), { minLength: 1, maxLength: 30 }), (events) => {
      const lines = events.map(([event]) => lineOf(event));
      const all = noted(lines);
      const plain = indexed(all.map(({ bytes }) => ({ bytes, matchSet })));
      expect(indexed(all)).toEqual(plain);
      // Own calls come between them, which nobody scanned.
      expect(
        indexed(all.map((record, at) => (events[at]?.[1] ? record : { bytes: record.bytes, matchSet }))),
      ).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});

test("most records have a note that tells all", () => {
  const event = {
    call: ["iam.amazonaws.com", "CreateUser"],
    category: "Management",
    isRead: false,
    second: 1,
    spaces: 0,
  };
  const rest = {
    eventID: "01234567-89ab-cdef-0123-456789abcdef",
    identity: {},
    parameters: null,
    resources: [],
  };
  const [management] = noted([lineOf({ ...event, ...rest } as never)]);
  expect(management?.note).toMatchObject({
    eventSource: "iam.amazonaws.com",
    eventName: "CreateUser",
    readOnly: false,
  });
  const [data] = noted([lineOf({ ...event, ...rest, category: "Data" } as never)]);
  expect(data?.note).toBe("not looked up");
});
