// What the API shows of selectors that were put (api.md §5.6, §5.8).
import { describe, expect, test } from "vitest";
import {
  put,
  data,
  management,
  objects,
  stored,
  otherBasic,
  one,
  resource,
  advanced,
  long,
} from "./choose-selectors.test-support.ts";
import { defaultSelectors, type TrailSelectors } from "./selectors.ts";
import { hasCustomEventSelectors, selectorsToOutput } from "./selectors-output.ts";

describe("what the API shows (§5.6)", () => {
  test("a basic selector comes with all four members, nothing merged or sorted", () => {
    const Values = ["arn:aws:s3:::b-2/", "arn:aws:s3:::", "arn:aws:s3:::b-2/"];
    const input = {
      EventSelectors: [
        {},
        { DataResources: [{ Type: "AWS::S3::Object", Values }, { Type: "AWS::S3::Object" }] },
      ],
    };
    expect(selectorsToOutput(put(input))).toEqual({
      EventSelectors: [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [],
          ExcludeManagementEventSources: [],
        },
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [
            { Type: "AWS::S3::Object", Values },
            { Type: "AWS::S3::Object", Values: [] },
          ],
          ExcludeManagementEventSources: [],
        },
      ],
    });
  });

  test.each([
    ["given", { Name: "My selector" }, { Name: "My selector" }],
    ["of 1000 characters", { Name: long(1000) }, { Name: long(1000) }],
    ["empty", { Name: "" }, {}],
    ["absent", {}, {}],
    ["null", { Name: null }, {}],
  ])("a name that is %s", (_name, given, shown) => {
    const input = { AdvancedEventSelectors: [{ ...given, FieldSelectors: [management] }] };
    expect(selectorsToOutput(put(input))).toEqual({
      AdvancedEventSelectors: [{ ...shown, FieldSelectors: [management] }],
    });
  });

  test("only operators that were given, fields in their order", () => {
    const given = [
      { Field: "eventName", NotEquals: ["b", "a"], Equals: [] },
      objects,
      { ...data, StartsWith: [], EndsWith: null },
    ];
    expect(selectorsToOutput(put(advanced(...given)))).toEqual({
      AdvancedEventSelectors: [
        { FieldSelectors: [{ Field: "eventName", NotEquals: ["b", "a"] }, objects, data] },
      ],
    });
  });

  test("the worked examples of the guide (§8)", () => {
    const selector = {
      ReadWriteType: "All",
      IncludeManagementEvents: true,
      DataResources: [
        {
          Type: "AWS::S3::Object",
          Values: ["arn:aws:s3:::mybucket/prefix", "arn:aws:s3:::mybucket2/prefix2"],
        },
        {
          Type: "AWS::Lambda::Function",
          Values: ["arn:aws:lambda:us-west-2:999999999999:function:hello-world-python-function"],
        },
      ],
    };
    expect(selectorsToOutput(put(one(selector)))).toEqual({
      EventSelectors: [{ ...selector, ExcludeManagementEventSources: [] }],
    });
    const withoutKms = {
      Name: "Log all management events except KMS events",
      FieldSelectors: [management, { Field: "eventSource", NotEquals: ["kms.amazonaws.com"] }],
    };
    expect(selectorsToOutput(put({ AdvancedEventSelectors: [withoutKms] }))).toEqual({
      AdvancedEventSelectors: [withoutKms],
    });
  });

  test.each<readonly [string, TrailSelectors, boolean]>([
    ["never put", defaultSelectors, false],
    ["the default put back", put(one({ ReadWriteType: "All" })), false],
    ["reads only", otherBasic, true],
    [
      "without management events",
      put(one({ ...resource("AWS::S3::Object"), IncludeManagementEvents: false })),
      true,
    ],
    ["data resources", put(one(resource("AWS::S3::Object", "arn:aws:s3"))), true],
    ["an exclusion", put(one({ ExcludeManagementEventSources: ["kms.amazonaws.com"] })), true],
    ["the default twice", put({ EventSelectors: [{}, {}] }), true],
    ["advanced that selects all management events", stored, true],
  ])("HasCustomEventSelectors (§5.8): %s", (_name, selectors, expected) => {
    expect(hasCustomEventSelectors(selectors)).toBe(expected);
  });
});
