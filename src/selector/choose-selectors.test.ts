// PutEventSelectors' rules for its lists and for basic selectors, each with its exact text and its place in the order
// (api.md §5.1, §5.2).
import { describe, expect, test } from "vitest";
import {
  type Wire,
  copies,
  put,
  refusal,
  both,
  count,
  noData,
  noExclude,
  tooManyValues,
  broken,
  advancedList,
  stored,
  otherBasic,
  one,
  resource,
  badValue,
  values,
} from "./choose-selectors.test-support.ts";
import { defaultSelectors, type TrailSelectors } from "./selectors.ts";
import { selectorsToOutput } from "./selectors-output.ts";

describe("which list is given (§5.1)", () => {
  test.each<readonly [string, Wire, string]>([
    ["both", { EventSelectors: [{}], AdvancedEventSelectors: advancedList }, both],
    [
      "both comes before their contents",
      { EventSelectors: [{ ReadWriteType: "x" }], AdvancedEventSelectors: [{}] },
      both,
    ],
    [
      "both comes before the number",
      { EventSelectors: copies(6, {}), AdvancedEventSelectors: advancedList },
      both,
    ],
    ["basic empty", { EventSelectors: [] }, count],
    ["basic empty, advanced empty", { EventSelectors: [], AdvancedEventSelectors: [] }, count],
    ["six basic", { EventSelectors: copies(6, {}) }, count],
    ["six basic, advanced empty", { EventSelectors: copies(6, {}), AdvancedEventSelectors: [] }, count],
    ["the number comes before the contents", { EventSelectors: copies(6, { ReadWriteType: "x" }) }, count],
    ["nothing", {}, count],
  ])("%s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  test.each<readonly [string, Wire, TrailSelectors, TrailSelectors]>([
    ["one basic", { EventSelectors: [{}] }, stored, defaultSelectors],
    [
      "basic beside an empty advanced list",
      { EventSelectors: [{}], AdvancedEventSelectors: [] },
      stored,
      defaultSelectors,
    ],
    ["advanced", { AdvancedEventSelectors: advancedList }, defaultSelectors, stored],
    [
      "advanced beside an empty basic list",
      { EventSelectors: [], AdvancedEventSelectors: advancedList },
      defaultSelectors,
      stored,
    ],
    [
      "an empty advanced list over advanced selectors",
      { AdvancedEventSelectors: [] },
      stored,
      defaultSelectors,
    ],
    ["an empty advanced list over basic selectors", { AdvancedEventSelectors: [] }, otherBasic, otherBasic],
  ])("%s", (_name, input, current, expected) => {
    expect(put(input, current)).toEqual(expected);
  });

  test("five basic selectors are accepted", () => {
    expect(put({ EventSelectors: copies(5, {}) }).selectors).toHaveLength(5);
  });
});

describe("basic selectors (§5.2)", () => {
  test.each<readonly [string, Wire, string]>([
    ["ReadWriteType", one({ ReadWriteType: "Read" }), "Value Read for ReadWriteType is invalid."],
    ["ReadWriteType in other case", one({ ReadWriteType: "all" }), "Value all for ReadWriteType is invalid."],
    ["no data resources", one({ IncludeManagementEvents: false }), noData],
    ["empty data resources", one({ IncludeManagementEvents: false, DataResources: [] }), noData],
    [
      "noData is per selector",
      { EventSelectors: [resource("AWS::S3::Object", "arn:aws:s3"), { IncludeManagementEvents: false }] },
      noData,
    ],
    ["type", one(resource("AWS::S3::Bucket")), "Value AWS::S3::Bucket for DataResources.Type is invalid."],
    [
      "type of advanced selectors",
      one(resource("AWS::SNS::Topic")),
      "Value AWS::SNS::Topic for DataResources.Type is invalid.",
    ],
    [
      "type missing",
      one({ DataResources: [{ Values: ["arn:aws:s3"] }] }),
      "Value null for DataResources.Type is invalid.",
    ],
    ["type null", one({ DataResources: [{ Type: null }] }), "Value null for DataResources.Type is invalid."],
    ["an entry null", one({ DataResources: [null] }), "Value null for DataResources.Type is invalid."],
    [
      "excluded source",
      one({ ExcludeManagementEventSources: ["s3.amazonaws.com"] }),
      "Value s3.amazonaws.com for ExcludeManagementEventSources is invalid.",
    ],
    [
      "excluded without management",
      one({
        ...resource("AWS::S3::Object", "arn:aws:s3"),
        IncludeManagementEvents: false,
        ExcludeManagementEventSources: ["kms.amazonaws.com"],
      }),
      noExclude,
    ],
    ["251 values", one(resource("AWS::S3::Object", ...values(251))), tooManyValues],
    [
      "251 values over five selectors",
      {
        EventSelectors: [51, 50, 50, 50, 50].map((number) => resource("AWS::S3::Object", ...values(number))),
      },
      tooManyValues,
    ],
    [
      "a selector null",
      { EventSelectors: [null] },
      `${broken}Value null at 'eventSelectors.1.member' failed to satisfy constraint: Member must not be null`,
    ],
  ])("%s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  // One selector that breaks every rule from one on: the earliest decides.
  const everything = {
    ReadWriteType: "x",
    IncludeManagementEvents: false,
    DataResources: [],
    ExcludeManagementEventSources: ["x"],
  };
  test.each<readonly [string, Wire, string]>([
    ["ReadWriteType first", one(everything), "Value x for ReadWriteType is invalid."],
    ["then the combination", one({ ...everything, ReadWriteType: "All" }), noData],
    [
      "then types",
      one({
        ...everything,
        ReadWriteType: "All",
        DataResources: [{ Type: "AWS::S3::Object", Values: ["x"] }, { Type: "x" }],
      }),
      "Value x for DataResources.Type is invalid.",
    ],
    [
      "then values",
      one({ ...everything, ReadWriteType: "All", ...resource("AWS::S3::Object", "arn:aws:s3", "v") }),
      badValue("v"),
    ],
    ["the first bad value", one(resource("AWS::S3::Object", "v1", "v2")), badValue("v1")],
    [
      "then excluded sources",
      one({ ...everything, ReadWriteType: "All", ...resource("AWS::S3::Object") }),
      "Value x for ExcludeManagementEventSources is invalid.",
    ],
    [
      "selector by selector",
      { EventSelectors: [resource("AWS::S3::Object", "v"), everything] },
      badValue("v"),
    ],
    [
      "the total last",
      { EventSelectors: [resource("AWS::S3::Object", ...values(251)), { ReadWriteType: "x" }] },
      "Value x for ReadWriteType is invalid.",
    ],
  ])("order: %s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  test.each([
    ["AWS::S3::Object", "arn:aws:s3:::bucket"],
    ["AWS::S3::Object", "arn:aws:s3:::*"],
    ["AWS::S3::Object", "arn:aws:s3:::*/*"],
    ["AWS::S3::Object", "arn:aws:s3:::/"],
    ["AWS::S3::Object", "bucket/"],
    ["AWS::S3::Object", "bucket/*"],
    ["AWS::S3::Object", "arn:aws:s3:::ab/"],
    ["AWS::S3::Object", `arn:aws:s3:::${"b".repeat(64)}/`],
    ["AWS::S3::Object", "arn:aws:s3:"],
    ["AWS::S3::Object", "arn:aws:s3:us-east-1:123456789012:bucket/"],
    ["AWS::S3::Object", "arn:s3:::bucket/"],
    ["AWS::S3::Object", " arn:aws:s3"],
    ["AWS::S3::Object", ""],
    ["AWS::S3::Object", "arn:aws:lambda"],
    ["AWS::Lambda::Function", "arn:aws:lambda:*"],
    ["AWS::Lambda::Function", "arn:aws:lambda:us-east-1:12345678901:function:f"],
    ["AWS::Lambda::Function", "arn:aws:lambda:nowhere:123456789012:function:f"],
    ["AWS::Lambda::Function", "arn:aws:lambda:us-east-1:123456789012:function:"],
    ["AWS::Lambda::Function", "arn:aws:lambda:us-east-1:123456789012:function:f:1:2"],
    ["AWS::Lambda::Function", "arn:aws:lambda:::"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/1"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:index/t"],
  ])("refuses the value %s %s", (type, value) => {
    expect(refusal(one(resource(type, value)))).toBe(badValue(value));
  });

  test.each([
    ["AWS::S3::Object", "arn:aws:s3"],
    ["AWS::S3::Object", "arn:aws:s3:::"],
    ["AWS::S3::Object", "arn:aws-us-gov:s3:::"],
    ["AWS::S3::Object", "arn:aws-iso-b:s3"],
    ["AWS::S3::Object", "arn:aws:s3:::abc/"],
    ["AWS::S3::Object", "arn:aws:s3:::My_bucket.x-1/"],
    ["AWS::S3::Object", "arn:aws:s3:::bucket/*"],
    ["AWS::S3::Object", "arn:aws:s3:::bucket/a/b c\nд"],
    ["AWS::Lambda::Function", "arn:aws:lambda"],
    ["AWS::Lambda::Function", "arn:aws-cn:lambda:cn-north-1:123456789012:function:my_f-1"],
    ["AWS::Lambda::Function", "arn:aws:lambda:us-west-2:999999999999:function:hello:$LATEST"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/My.table_1-x"],
  ])("accepts the value %s %s and gives it back", (type, value) => {
    const selectors = put(one(resource(type, value)));
    expect(selectorsToOutput(selectors)).toMatchObject({
      EventSelectors: [{ DataResources: [{ Type: type, Values: [value] }] }],
    });
  });

  test("250 values, and both sources that may be excluded, are accepted", () => {
    const selector = {
      ...resource("AWS::S3::Object", ...values(250)),
      ExcludeManagementEventSources: ["rdsdata.amazonaws.com", "kms.amazonaws.com"],
    };
    expect(selectorsToOutput(put(one(selector)))).toMatchObject({ EventSelectors: [selector] });
  });
});
