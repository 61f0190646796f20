// The segment in memory: records are indexed by what they say, with what the door noted of them or without, and come back as
// they were.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lookupFieldsOf } from "../event/lookup-fields.ts";
import { LookupScan } from "../event/lookup-scan.ts";
import { callOfNote, noteWords, notLookedUp, writeNote } from "../event/record-notes.ts";
import { scanBatch } from "../event/scan.ts";
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

/** Each by its line, and whether its note comes with it. */
function indexed(events: readonly (readonly [line: string, isNoted: boolean])[]): unknown {
  const segment = new OpenSegment(7, 4096, new LookupScan());
  const notes = notesOf(events.map(([line]) => line));
  for (const [index, [line, isNoted]] of events.entries()) {
    const record = { bytes: Buffer.from(line), matchSet };
    const note = { words: isNoted ? notes : new Int32Array(), at: index * noteWords };
    if (note.words[note.at] === notLookedUp || segment.takeNoted(record, note)) continue;
    segment.take(record);
  }
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

/** As the door makes them: it scans records together. */
function notesOf(lines: readonly string[]): Int32Array {
  const notes = new Int32Array(lines.length * noteWords);
  const scan = scanBatch(Buffer.from(lines.join("\n")));
  if (scan.kind !== "records") throw new Error(scan.message);
  for (const [index, record] of scan.records.entries()) {
    if ("problem" in record) throw new Error(record.problem);
    writeNote(notes, index * noteWords, { fields: record.inPlace, start: record.start });
  }
  return notes;
}

test("management events are rows, in order, with all they are looked up by", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.boolean()), { minLength: 1, maxLength: 30 }), (drawn) => {
      const events = drawn.map(([event]) => event);
      const expected = events
        .filter(({ category }) => category === "Management")
        .map((event) => ({ line: lineOf(event), second: event.second }));
      expect(indexed(drawn.map(([event, isNoted]) => [lineOf(event), isNoted]))).toEqual(
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

test("what most events are is noted", () => {
  const plain = {
    call: ["iam.amazonaws.com", "CreateUser"],
    category: "Management",
    isRead: false,
    second: 1,
  } as const;
  const rest: Pick<AnyEvent, "eventID" | "parameters" | "resources" | "spaces"> = {
    eventID: "01234567-89ab-cdef-0123-456789abcdef",
    parameters: null,
    resources: [],
    spaces: 0,
  };
  const identity = { type: "IAMUser" as const, userName: "mary", principalId: "", accessKeyId: "" };
  const event: AnyEvent = { ...plain, ...rest, call: ["iam.amazonaws.com", "CreateUser"], identity };
  const [what = 0] = notesOf([lineOf(event)]);
  expect(callOfNote(what)).toMatchObject({
    ...{ eventSource: "iam.amazonaws.com", eventName: "CreateUser", isRead: false },
  });
  expect([...notesOf([lineOf({ ...event, category: "Data" })])]).toEqual([notLookedUp, 0, 0, 0, 0, 0, 0]);
});
