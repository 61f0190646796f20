// Splicing: only absent members are added, every other byte stays, and the result says what it should.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "./record.ts";
import { scanBatch } from "./scan.ts";
import { type Fill, spliceMissing } from "./splice.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const newId = "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77";
const fill: Fill = { eventID: () => newId, recipientAccountId: "123456789012" };

function fieldsOf(record: string): RecordFields {
  const scan = scanBatch(encoder.encode(record));
  const [one] = scan.kind === "records" ? scan.records : [];
  if (!one || !("fields" in one)) throw new Error(`${record} is no record.`);
  return one.fields;
}

function spliced(record: string): string {
  const { bytes, fields } = spliceMissing(encoder.encode(record), fieldsOf(record), fill);
  const text = decoder.decode(bytes);
  expect(fields).toEqual(fieldsOf(text));
  return text;
}

const id = `"eventID":"${newId}"`;
const all = (type: string, category: string) =>
  `${id},"eventType":"${type}","recipientAccountId":"123456789012","eventCategory":"${category}"`;

describe("spliceMissing", () => {
  test.each([
    ["an empty object", "{}", `{${all("AwsApiCall", "Management")}}`],
    ["an empty object with a space", "{ }", `{ ${all("AwsApiCall", "Management")}}`],
    [
      "other members, in their own spelling",
      '{ "a" : {} }',
      `{ "a" : {} ,${all("AwsApiCall", "Management")}}`,
    ],
    [
      "a management event",
      '{"managementEvent":true}',
      `{"managementEvent":true,${all("AwsApiCall", "Management")}}`,
    ],
    ["a data event", '{"managementEvent":false}', `{"managementEvent":false,${all("AwsApiCall", "Data")}}`],
    [
      "only the type",
      `{"eventCategory":"NetworkActivity","recipientAccountId":"1",${id}}`,
      `{"eventCategory":"NetworkActivity","recipientAccountId":"1",${id},"eventType":"AwsVpceEvent"}`,
    ],
    [
      "Insight",
      `{"eventCategory":"Insight","recipientAccountId":"1",${id}}`,
      `{"eventCategory":"Insight","recipientAccountId":"1",${id},"eventType":"AwsCloudTrailInsight"}`,
    ],
    [
      "ActivityAuditLog",
      `{"eventCategory":"ActivityAuditLog","recipientAccountId":"1",${id}}`,
      `{"eventCategory":"ActivityAuditLog","recipientAccountId":"1",${id},"eventType":"ActivityLog"}`,
    ],
    [
      "Aggregated",
      `{"eventCategory":"Aggregated","recipientAccountId":"1",${id}}`,
      `{"eventCategory":"Aggregated","recipientAccountId":"1",${id},"eventType":"AwsAggregatedEvent"}`,
    ],
    [
      "only the id",
      '{"eventCategory":"Data","recipientAccountId":"1","eventType":"AwsServiceEvent"}',
      `{"eventCategory":"Data","recipientAccountId":"1","eventType":"AwsServiceEvent",${id}}`,
    ],
    [
      "members inside other members do not count",
      `{"x":{"eventID":"1"}}`,
      `{"x":{"eventID":"1"},${all("AwsApiCall", "Management")}}`,
    ],
  ])("%s", (_name, record, expected) => {
    expect(spliced(record)).toBe(expected);
  });

  test("a complete record keeps its bytes, and no id is drawn", () => {
    const record = `{${all("AwsConsoleSignIn", "Management")}}`;
    const bytes = encoder.encode(record);
    const fields = fieldsOf(record);
    const refuse = (): string => {
      throw new Error("An id was drawn although the record has one.");
    };
    const result = spliceMissing(bytes, fields, { ...fill, eventID: refuse });
    expect(result.bytes).toBe(bytes);
    expect(result.fields).toBe(fields);
  });

  test("changes nothing else", () => {
    const names = ["eventID", "eventType", "eventCategory", "recipientAccountId"];
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.subarray(names), (extra, present) => {
        const own = Object.fromEntries(present.map((name) => [name, "Data"]));
        const others = Object.fromEntries(Object.entries(extra).filter(([key]) => key.startsWith("x")));
        const record = JSON.stringify({ ...others, ...own });
        const result: unknown = JSON.parse(spliced(record));
        expect(result).toMatchObject({ ...others, ...own });
        expect(Object.keys(result as object).toSorted()).toEqual(
          [...new Set([...Object.keys(others), ...names])].toSorted(),
        );
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});
