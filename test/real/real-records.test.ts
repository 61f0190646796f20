// Every record of the shared collection of real ones, when it is there: scanned, validated, and selected as the naive
// matcher selects them. The counts are those of the collection: a record more or less refused fails.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../../src/event/record.ts";
import { missingMember } from "../../src/event/required.ts";
import { eventTimeOf } from "../../src/event/event-time.ts";
import { compactRecord, scanBatch, type ScannedRecord } from "../../src/event/scan.ts";
import { parseAccountId } from "../../src/model/arn.ts";
import { compileSelectors } from "../../src/selector/compile.ts";
import { naiveMatches } from "../../src/selector/naive-matcher.test-support.ts";
import type { FieldSelector, TrailSelectors } from "../../src/selector/selectors.ts";
import { differenceOf, nothingSeen } from "../fuzz/scanner-differences.ts";

const folder = fileURLToPath(new URL("../../../shared/data/events/", import.meta.url));
const isThere = existsSync(folder);
if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");

interface EventFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function eventFiles(): EventFile[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gz"))
    .toSorted()
    .map((name) => ({ name, bytes: new Uint8Array(gunzipSync(readFileSync(`${folder}${name}`))) }));
}

/** The records as JSON.parse gives them. */
function parsedRecords({ name, bytes }: EventFile): Record<string, unknown>[] {
  const text = new TextDecoder().decode(bytes);
  if (name.endsWith(".json.gz")) return (JSON.parse(text) as { Records: Record<string, unknown>[] }).Records;
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function scannedRecords({ name, bytes }: EventFile): readonly ScannedRecord[] {
  const scan = scanBatch(bytes);
  if (scan.kind === "malformed") throw new Error(`${name}: ${scan.message}`);
  return scan.records;
}

/** The fields of a record said a second time, from the parsed object. */
function expectedFields(record: Record<string, unknown>): Record<string, unknown> {
  const names = [
    ...["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "eventID", "eventType"],
    ...["eventCategory", "recipientAccountId", "readOnly", "managementEvent", "errorCode", "vpcEndpointId"],
    "sessionCredentialFromConsole",
  ];
  const identity = record["userIdentity"] as { arn?: unknown } | undefined;
  const details = record["insightDetails"] as { insightType?: unknown } | undefined;
  const resources = (record["resources"] ?? []) as { type?: string; ARN?: string; ARNPrefix?: string }[];
  const all: Record<string, unknown> = {
    ...Object.fromEntries(names.map((name) => [name, record[name]])),
    userIdentityArn: identity?.arn,
    insightType: details?.insightType,
    hasUserIdentity: "userIdentity" in record,
    resources: resources.map(({ type, ARN, ARNPrefix }) => ({ type, arn: ARN ?? ARNPrefix })),
  };
  return all;
}

function countBy<Value>(values: readonly Value[], name: (value: Value) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[name(value)] = (counts[name(value)] ?? 0) + 1;
  return counts;
}

/** Why intake would refuse the record, whatever Regions are configured; "accepted" otherwise. */
function verdict(record: ScannedRecord): string {
  if ("problem" in record) return record.problem;
  const { recipientAccountId } = record.fields;
  const missing = missingMember(record.fields);
  if (missing !== undefined) return missing;
  const isAccount = recipientAccountId === undefined || parseAccountId(recipientAccountId) !== undefined;
  return isAccount ? "accepted" : "recipientAccountId is no account";
}

const data: FieldSelector = { field: "eventCategory", Equals: ["Data"] };
const management: FieldSelector = { field: "eventCategory", Equals: ["Management"] };
const objects: FieldSelector = { field: "resources.type", Equals: ["AWS::S3::Object"] };
const advanced = (...fieldSelectors: FieldSelector[]): TrailSelectors => ({
  kind: "advanced",
  selectors: [{ fieldSelectors }],
});
const every = {
  readWriteType: "All",
  includeManagementEvents: true,
  dataResources: [],
  excludeManagementEventSources: [],
} as const;
const s3 = (...values: string[]) => [{ type: "AWS::S3::Object", values }];
const onlyS3 = (...values: string[]): TrailSelectors => ({
  kind: "basic",
  selectors: [{ ...every, includeManagementEvents: false, dataResources: s3(...values) }],
});
const bucket = "arn:aws:s3:::falsimentis-";

const selectorSets: readonly TrailSelectors[] = [
  { kind: "basic", selectors: [every] },
  { kind: "basic", selectors: [{ ...every, readWriteType: "ReadOnly" }] },
  { kind: "basic", selectors: [{ ...every, readWriteType: "WriteOnly" }] },
  { kind: "basic", selectors: [{ ...every, excludeManagementEventSources: ["kms.amazonaws.com"] }] },
  { kind: "basic", selectors: [{ ...every, dataResources: s3("arn:aws:s3") }] },
  onlyS3("arn:aws:s3:::"),
  onlyS3(`${bucket}log/`),
  onlyS3("arn:aws:s3:::f"),
  {
    kind: "basic",
    selectors: [
      { ...every, readWriteType: "ReadOnly", dataResources: s3("arn:aws:s3") },
      {
        ...every,
        readWriteType: "WriteOnly",
        includeManagementEvents: false,
        dataResources: s3("arn:aws:s3"),
      },
    ],
  },
  {
    kind: "basic",
    selectors: [
      {
        ...every,
        includeManagementEvents: false,
        dataResources: [{ type: "AWS::DynamoDB::Table", values: ["arn:aws:dynamodb"] }],
      },
    ],
  },
  {
    kind: "basic",
    selectors: [
      {
        ...every,
        includeManagementEvents: false,
        dataResources: [{ type: "AWS::Lambda::Function", values: ["arn:aws:lambda"] }],
      },
    ],
  },
  advanced(management),
  advanced(management, { field: "readOnly", Equals: ["true"] }),
  advanced(management, { field: "readOnly", Equals: ["false"] }),
  advanced(management, { field: "eventSource", NotEquals: ["kms.amazonaws.com", "rdsdata.amazonaws.com"] }),
  advanced(data, objects),
  advanced(data, objects, { field: "readOnly", Equals: ["false"] }),
  advanced(data, objects, { field: "eventName", Equals: ["PutObject", "DeleteObject"] }),
  advanced(data, objects, { field: "eventName", StartsWith: ["Get", "Head"], NotEndsWith: ["Acl"] }),
  advanced(data, objects, { field: "eventName", NotStartsWith: ["Get"] }),
  advanced(data, objects, { field: "resources.ARN", StartsWith: [bucket] }),
  advanced(data, objects, { field: "resources.ARN", NotStartsWith: [bucket] }),
  advanced(data, objects, { field: "resources.ARN", EndsWith: ["/", ".txt", ".csv"] }),
  advanced(data, objects, { field: "userIdentity.arn", EndsWith: ["user/FalsimentisRoot", "_cli"] }),
  advanced(data, objects, { field: "userIdentity.arn", NotStartsWith: ["arn:aws:iam::"] }),
  advanced(data, objects, { field: "eventType", NotEquals: ["AwsApiCall"] }),
  advanced(data, objects, { field: "sessionCredentialFromConsole", NotEquals: ["true"] }),
  advanced(data, objects, { field: "sessionCredentialFromConsole", Equals: ["true"] }),
  advanced(
    data,
    { field: "resources.type", Equals: ["AWS::DynamoDB::Table"] },
    { field: "eventSource", EndsWith: [".amazonaws.com"] },
  ),
  advanced(
    { field: "eventCategory", Equals: ["NetworkActivity"] },
    { field: "eventSource", Equals: ["s3.amazonaws.com"] },
  ),
  {
    kind: "advanced",
    selectors: [
      { fieldSelectors: [management, { field: "readOnly", Equals: ["false"] }] },
      { fieldSelectors: [data, objects] },
    ],
  },
];

/** How many records of the collection each set selects. */
const matchCounts = [
  ...[
    5367, 4052, 1315, 3785, 6931, 1564, 1552, 1552, 5616, 7, 0, 5367, 4052, 1315, 3785, 1564, 372, 371, 1183,
  ],
  ...[393, 1552, 12, 23, 1171, 392, 0, 1564, 0, 7, 2, 2879],
];

describe.skipIf(!isThere)("the real records", () => {
  const files = isThere ? eventFiles() : [];

  test("are all there", () => {
    expect(files.length).toBe(163);
    expect(files.flatMap(scannedRecords).length).toBe(6968);
  });

  test("have the fields and the bytes they came with", () => {
    for (const file of files) {
      const parsed = parsedRecords(file);
      const scanned = scannedRecords(file);
      expect(scanned.length).toBe(parsed.length);
      for (const [index, record] of scanned.entries()) {
        const bytes = file.bytes.subarray(record.start, record.end);
        expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(parsed[index]);
        expect(compactRecord(bytes)).toBe(bytes);
        // toEqual takes members that are undefined for absent ones.
        if ("fields" in record) expect(record.fields).toEqual(expectedFields(parsed[index] ?? {}));
      }
    }
  });

  test("are read in place, as JSON.parse reads them, in every form", () => {
    const seen = nothingSeen();
    for (const file of files) {
      const parsed = parsedRecords(file);
      const forms = [JSON.stringify(parsed), JSON.stringify({ Records: parsed }, null, 2)];
      for (const bytes of [file.bytes, ...forms.map((form) => Buffer.from(form))]) {
        expect(differenceOf(bytes, seen), file.name).toBeUndefined();
      }
      for (const record of scannedRecords(file)) {
        if (!("fields" in record)) continue;
        expect(eventTimeOf(file.bytes.subarray(record.start, record.end))).toBe(record.fields.eventTime);
      }
    }
    expect(seen.records).toBe(3 * 6968);
    // All but those that are refused.
    expect(seen.affirmed).toBe(seen.records - seen.problems);
  });

  test.each([
    // Seven records whose account ids were shortened or lengthened when their publisher replaced them.
    ["real/", { accepted: 6452, "recipientAccountId is no account": 7 }],
    // Examples that print an id such as 234f004b-EXAMPLE.
    ["docs-examples/", { accepted: 142, eventID: 7 }],
    [
      "fixtures/",
      {
        accepted: 151,
        eventID: 127,
        eventTime: 45,
        userIdentity: 3,
        "recipientAccountId is no account": 13,
        "The member sessionCredentialFromConsole must be a string.": 21,
      },
    ],
  ])("of %s are accepted or refused with a reason", (prefix, expected) => {
    const records = files.filter(({ name }) => name.startsWith(prefix)).flatMap(scannedRecords);
    expect(countBy(records, verdict)).toEqual(expected);
  });

  test("are selected as the naive matcher selects them", () => {
    const fields = files
      .flatMap(scannedRecords)
      .flatMap((record) => ("fields" in record ? [record.fields] : []));
    const counts = selectorSets.map((selectors) => {
      const matches = compileSelectors(selectors);
      const differing = fields.filter(
        (event: RecordFields) => matches(event) !== naiveMatches(selectors, event),
      );
      expect(differing).toEqual([]);
      return fields.filter(matches).length;
    });
    // The collection has 5367 management events, 1564 data events of S3 objects and 8 of DynamoDB (one without resources),
    // two of network activity, six Insights, and 21 records that the scanner refuses.
    expect(counts).toEqual(matchCounts);
  });
});
