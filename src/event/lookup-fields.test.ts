// What records are looked up by: the derivations of lake.md §1.4, and that reading them from bytes gives the same.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasAttribute, lookupFieldsOf } from "./lookup-fields.ts";
import { LookupScan } from "./lookup-scan.ts";
import { scanBatch } from "./scan.ts";
import { SurelyData } from "./surely-data.ts";

const record = (changes: object) => ({
  eventVersion: "1.11",
  userIdentity: { type: "IAMUser", userName: "mary", accessKeyId: "AKIA1" },
  eventTime: "2026-01-10T09:18:41Z",
  eventSource: "iam.amazonaws.com",
  eventName: "CreateUser",
  awsRegion: "us-east-1",
  requestParameters: null,
  responseElements: null,
  eventID: "11111111-2222-3333-4444-555555555555",
  readOnly: false,
  eventType: "AwsApiCall",
  managementEvent: true,
  recipientAccountId: "123456789012",
  eventCategory: "Management",
  ...changes,
});

describe("Username", () => {
  test.each([
    [{ type: "Root", userName: "alias" }, "root"],
    [{ type: "IAMUser", userName: "mary" }, "mary"],
    [{ type: "IAMUser", userName: "HIDDEN_DUE_TO_SECURITY_REASONS" }, "HIDDEN_DUE_TO_SECURITY_REASONS"],
    [
      { type: "AssumedRole", principalId: "AROA1:i-0123", arn: "arn:aws:sts::1:assumed-role/r/i-0123" },
      "i-0123",
    ],
    [{ type: "AssumedRole", arn: "arn:aws:sts::1:assumed-role/r/s" }, "s"],
    [{ type: "FederatedUser", principalId: "123456789012:bob", userName: "no" }, "bob"],
    [{ type: "WebIdentityUser", userName: "carol" }, "carol"],
    [{ type: "IdentityCenterUser" }, undefined],
    [{ type: "AWSService", invokedBy: "ec2.amazonaws.com" }, undefined],
    [{ type: "AWSAccount", principalId: "AIDA:x", accountId: "1" }, undefined],
    [{ invokedBy: "ec2.amazonaws.com" }, undefined],
  ])("of %j is %s", (userIdentity, username) => {
    expect(lookupFieldsOf(record({ userIdentity })).username).toBe(username);
  });
});

describe("Resources", () => {
  test.each([
    [{ requestParameters: { userName: "bob" } }, ["AWS::IAM::User bob"]],
    [{ readOnly: true, eventName: "GetUser", requestParameters: { userName: "bob" } }, []],
    [
      {
        eventSource: "ec2.amazonaws.com",
        eventName: "RunInstances",
        responseElements: {
          instancesSet: {
            items: [
              { instanceId: "i-1", imageId: "ami-1" },
              { instanceId: "i-2", imageId: "ami-1" },
            ],
          },
        },
      },
      ["AWS::EC2::Instance i-1", "AWS::EC2::Instance i-2", "AWS::EC2::Ami ami-1"],
    ],
    [
      {
        readOnly: true,
        eventSource: "kms.amazonaws.com",
        eventName: "Decrypt",
        resources: [
          { ARN: "arn:aws:kms:us-east-1:1:key/k", type: "AWS::KMS::Key" },
          { ARNPrefix: "arn:aws:s3:::b/" },
        ],
      },
      ["AWS::KMS::Key arn:aws:kms:us-east-1:1:key/k", "AWS::KMS::Key k", "undefined arn:aws:s3:::b/"],
    ],
    [{ eventSource: "constructor", eventName: "toString", requestParameters: { name: "x" } }, []],
  ])("of %j", (changes, expected) => {
    const { resources } = lookupFieldsOf(record(changes));
    expect(resources.map(({ type, name }) => `${String(type)} ${name}`)).toEqual(expected);
  });

  test("are bounded", () => {
    const items = Array.from({ length: 5_000 }, (_, at) => ({ instanceId: `i-${at}` }));
    const { resources } = lookupFieldsOf(
      record({ eventSource: "ec2.amazonaws.com", responseElements: { instancesSet: { items } } }),
    );
    expect(resources).toHaveLength(100);
  });
});

test("attributes are compared exactly", () => {
  const fields = lookupFieldsOf(record({ requestParameters: { userName: "bob" } }));
  expect(hasAttribute(fields, "ResourceName", "bob")).toBe(true);
  expect(hasAttribute(fields, "ResourceName", "Bob")).toBe(false);
  expect(hasAttribute(fields, "ReadOnly", "false")).toBe(true);
  expect(hasAttribute(lookupFieldsOf(record({ readOnly: null })), "ReadOnly", "false")).toBe(false);
});

const names = ["type", "userName", "principalId", "accessKeyId", "arn", "x"];
const text = fc.oneof(
  fc.constantFrom("IAMUser", "AssumedRole", "a:b", "", 'é"\\u', "}{", "a/b\n"),
  fc.string(),
  // Longer than what is searched byte by byte.
  fc.string({ unit: fc.constantFrom("\\", '"', "a"), maxLength: 150 }),
);
const identity = fc.dictionary(
  fc.constantFrom(...names),
  fc.oneof(text, fc.constant(null), fc.constant({ type: "Root" })),
);
const parameters = fc.oneof(
  fc.constant(null),
  fc.dictionary(
    fc.constantFrom("userName", "roleName", "name", "requestParameters", "instancesSet", "names", "z"),
    fc.oneof(text, fc.constant(7), fc.constant({ items: [{ instanceId: "i" }, null, "]"] }), fc.array(text)),
  ),
);
const anyRecord = fc
  .record({
    userIdentity: identity,
    requestParameters: parameters,
    responseElements: parameters,
    readOnly: fc.boolean(),
    eventSource: fc.constantFrom("iam.amazonaws.com", "ec2.amazonaws.com", "ssm.amazonaws.com", "none"),
    eventName: fc.constantFrom("DeleteParameters", "PutParameter", "RunInstances", "__proto__"),
    resources: fc.array(fc.record({ ARN: text, type: fc.constantFrom("T", null) }), { maxLength: 3 }),
    spaces: fc.constantFrom(0, 1),
    isUsual: fc.boolean(),
  })
  .map(({ spaces, isUsual, ...changes }) => {
    const whole = record(changes);
    const shown = isUsual ? whole : Object.fromEntries(Object.entries(whole).toReversed());
    const written = JSON.stringify(shown, null, spaces);
    return { whole, bytes: Buffer.from(spaces === 0 ? written : written.replaceAll("\n", " ")) };
  });

test("read from bytes, they are the same", () => {
  const scan = new LookupScan();
  fc.assert(
    fc.property(anyRecord, ({ whole, bytes }) => {
      const scanned = scanBatch(bytes);
      const [found] = scanned.kind === "records" ? scanned.records : [];
      if (!found || !("inPlace" in found)) return;
      const range = { body: bytes, start: found.start, end: found.end };
      expect(scan.lookupFieldsOf(range, found.inPlace)).toEqual(lookupFieldsOf(whole));
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['{"userName":"a","userName":"b"}', ["b"]],
  ['{"userName":"a","x":{"userName":"c"},"userName":null}', []],
  ['{"userName":["a"]}', []],
  ['{ "userName" : "a" , "roleName":"b"}', ["a", "b"]],
])("in %s those that count are named", (parameters, expected) => {
  const text = JSON.stringify(record({ requestParameters: "here" })).replace('"here"', parameters);
  const scanned = scanBatch(Buffer.from(text));
  const [found] = scanned.kind === "records" ? scanned.records : [];
  const fields = found && "inPlace" in found ? found.inPlace : undefined;
  if (!fields) throw new Error("The record was not scanned.");
  const range = { body: Buffer.from(text), start: 0, end: text.length };
  const { resources } = new LookupScan().derivedFieldsOf(range, fields);
  expect(resources.map(({ name }) => name)).toEqual(expected);
  expect(resources).toEqual(lookupFieldsOf(JSON.parse(text) as Record<string, unknown>).resources);
});

describe("data and network events", () => {
  const surelyData = new SurelyData();
  const told = (category: string, tail: object = {}) =>
    surelyData.is(Buffer.from(JSON.stringify({ ...record({}), eventCategory: category, ...tail })));

  test("are told by their last members", () => {
    expect(told("Data")).toBe(true);
    expect(told("NetworkActivity", { tlsDetails: { tlsVersion: "}" } })).toBe(true);
    expect(told("Management")).toBe(false);
    expect(told("Management", { tlsDetails: {} })).toBe(false);
    expect(told("Insight")).toBe(false);
  });

  test("what stands inside says nothing", () => {
    const inside = { eventCategory: "Data" };
    expect(told("Management", { last: inside })).toBe(false);
    expect(told("Management", { last: [inside] })).toBe(false);
    expect(told("Management", { last: JSON.stringify(inside) })).toBe(false);
    expect(told("Management", { last: '"eventCategory":"Data"' })).toBe(false);
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, string) => {
        const bytes = Buffer.from(
          JSON.stringify({ ...record({}), a: JSON.parse(json) as unknown, b: [inside, string] }),
        );
        expect(surelyData.is(bytes)).toBe(false);
      }),
    );
  });
});
