// Reading a call's body: every row of api.md §1.5, the types of §1.3, and that nothing but an ApiError comes out.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeInput } from "./decode.ts";
import { ApiError } from "./errors.ts";
import { operationShapes } from "./generated/shapes.ts";
import type { OperationName } from "./operations.ts";

const operationNames = Object.keys(operationShapes) as OperationName[];

function decode(operation: OperationName, json: string | Uint8Array): unknown {
  return decodeInput(operation, typeof json === "string" ? new TextEncoder().encode(json) : json);
}

function failure(operation: OperationName, json: string | Uint8Array): { code: string; text: string } {
  try {
    decode(operation, json);
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, text: error.message };
    throw error;
  }
  throw new Error(`${operation} accepted ${String(json)}`);
}

describe("a body that cannot be used", () => {
  test.each([
    ["empty", ""],
    ["cut off", '{"MaxResults":'],
    ["cut off inside a string", '{"NextToken":"a'],
    ["a trailing comma", '{"MaxResults":1,}'],
    ["null", "null"],
    ["a bare string", '"LookupEvents"'],
    ["a bare number", "1"],
    ["a bare boolean", "true"],
    ["two objects", "{}{}"],
    ["nested 101 deep", `${"[".repeat(101)}${"]".repeat(101)}`],
    ["nested 101 deep in an unknown member", `{"x":${"[".repeat(100)}${"]".repeat(100)}}`],
    ["half a million brackets", "[".repeat(500_000)],
    ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ])("%s: SerializationException without text", (_name, body) => {
    expect(failure("LookupEvents", body)).toEqual({ code: "SerializationException", text: "" });
  });

  test("brackets inside strings do not count as nesting", () => {
    const token = `${"[".repeat(300)}\\"${"{".repeat(300)}`;
    expect(decode("LookupEvents", `{"NextToken":"${token}"}`)).toHaveProperty("NextToken");
  });

  test("nesting up to 100 in an unknown member is ignored", () => {
    const deep = `${"[".repeat(99)}"${"x".repeat(200)}"${"]".repeat(99)}`;
    expect(decode("LookupEvents", `{"x":${deep}}`)).toEqual({});
  });
});

const listStart = "Start of list found where not expected";
const structureStart = "Start of structure or map found where not expected.";

describe("a member of the wrong JSON type", () => {
  test.each<[OperationName, string, string]>([
    ["LookupEvents", "[]", listStart],
    ["LookupEvents", '{"MaxResults":"5"}', "STRING_VALUE can not be converted to an Integer"],
    ["LookupEvents", '{"MaxResults":true}', "TRUE_VALUE can not be converted to an Integer"],
    ["LookupEvents", '{"MaxResults":false}', "FALSE_VALUE can not be converted to an Integer"],
    ["LookupEvents", '{"MaxResults":[1]}', listStart],
    ["LookupEvents", '{"MaxResults":{}}', structureStart],
    ["GetTrail", '{"Name":7}', "NUMBER_VALUE can not be converted to a String"],
    ["GetTrail", '{"Name":true}', "TRUE_VALUE can not be converted to a String"],
    ["GetTrail", '{"Name":false}', "FALSE_VALUE can not be converted to a String"],
    ["GetTrail", '{"Name":["a"]}', listStart],
    ["GetTrail", '{"Name":{"a":1}}', structureStart],
    ["LookupEvents", '{"LookupAttributes":"x"}', "Expected list or null"],
    ["LookupEvents", '{"LookupAttributes":1}', "Expected list or null"],
    ["LookupEvents", '{"LookupAttributes":{}}', structureStart],
    ["LookupEvents", '{"LookupAttributes":["x"]}', "Expected null"],
    ["LookupEvents", '{"LookupAttributes":[[]]}', listStart],
    ["StartImport", '{"ImportSource":"x"}', "Expected null"],
    ["StartImport", '{"ImportSource":[]}', listStart],
    ["ListInsightsData", '{"Dimensions":"x"}', "Expected map or null"],
    ["ListInsightsData", '{"Dimensions":[]}', listStart],
    ["ListInsightsData", '{"Dimensions":{"EventId":1}}', "NUMBER_VALUE can not be converted to a String"],
    [
      "LookupEvents",
      '{"StartTime":"2024-01-01"}',
      "STRING_VALUE can not be converted to milliseconds since epoch",
    ],
    ["LookupEvents", '{"StartTime":true}', "TRUE_VALUE can not be converted to milliseconds since epoch"],
    ["LookupEvents", '{"StartTime":1e99}', "NUMBER_VALUE can not be converted to milliseconds since epoch"],
    ["LookupEvents", '{"StartTime":[]}', listStart],
    ["CreateTrail", '{"IsMultiRegionTrail":"true"}', "STRING_VALUE can not be converted to an Boolean"],
    ["CreateTrail", '{"IsMultiRegionTrail":1}', "NUMBER_VALUE can not be converted to a Boolean"],
    ["CreateTrail", '{"IsMultiRegionTrail":{}}', structureStart],
    [
      "PutEventSelectors",
      '{"AdvancedEventSelectors":[{"FieldSelectors":[{"Equals":"x"}]}]}',
      "Expected list or null",
    ],
    [
      "PutEventSelectors",
      '{"EventSelectors":[{"DataResources":[{"Values":[1]}]}]}',
      "NUMBER_VALUE can not be converted to a String",
    ],
  ])("%s %s", (operation, body, text) => {
    expect(failure(operation, body)).toEqual({ code: "SerializationException", text });
  });

  test.each<[string, string, string]>([
    ["before a missing member", '{"DataType":5}', "NUMBER_VALUE can not be converted to a String"],
    [
      "before a broken range",
      '{"MaxResults":51,"NextToken":5}',
      "NUMBER_VALUE can not be converted to a String",
    ],
    [
      "the first one in the body wins",
      '{"NextToken":5,"MaxResults":"x"}',
      "NUMBER_VALUE can not be converted to a String",
    ],
  ])("type errors come %s", (_name, body, text) => {
    expect(failure("ListInsightsData", body)).toEqual({ code: "SerializationException", text });
  });
});

describe("what is accepted", () => {
  test.each<[string, OperationName, string, unknown]>([
    ["an empty object", "ListTrails", "{}", {}],
    ["surrounding white space", "ListTrails", " \n{} ", {}],
    [
      "unknown members, ignored",
      "ListTrails",
      '{"Foo":1,"nexttoken":"x","NextToken":"y"}',
      { NextToken: "y" },
    ],
    ["null members, absent", "ListTrails", '{"NextToken":null}', {}],
    [
      "a fraction where an integer is expected, truncated",
      "LookupEvents",
      '{"MaxResults":1.5}',
      { MaxResults: 1 },
    ],
    ["an integer in exponent form", "LookupEvents", '{"MaxResults":5e0}', { MaxResults: 5 }],
    ["whole seconds", "LookupEvents", '{"StartTime":1441139757}', { StartTime: new Date(1_441_139_757_000) }],
    [
      "fractions of seconds",
      "LookupEvents",
      '{"StartTime":1441139757.497}',
      { StartTime: new Date(1_441_139_757_497) },
    ],
    [
      "lower-case members",
      "DescribeTrails",
      '{"trailNameList":["a"],"includeShadowTrails":false}',
      { trailNameList: ["a"], includeShadowTrails: false },
    ],
    ["a repeated member, the last", "GetTrail", '{"Name":"a","Name":"b"}', { Name: "b" }],
    ["a missing trail name, left to the handler", "GetTrail", "{}", {}],
    ["a null trail name, left to the handler", "PutEventSelectors", '{"TrailName":null}', {}],
    ["a missing bucket, left to the handler", "CreateTrail", '{"Name":"abc"}', { Name: "abc" }],
    ["a lone surrogate", "GetTrail", '{"Name":"\\ud800"}', { Name: "\ud800" }],
    [
      "a tag without value",
      "AddTags",
      '{"ResourceId":"r","TagsList":[{"Key":"k"}]}',
      { ResourceId: "r", TagsList: [{ Key: "k" }] },
    ],
    [
      "a tag with an empty value",
      "AddTags",
      '{"ResourceId":"r","TagsList":[{"Key":"k","Value":""}]}',
      { ResourceId: "r", TagsList: [{ Key: "k", Value: "" }] },
    ],
    [
      "selectors that src/selector will refuse",
      "PutEventSelectors",
      '{"TrailName":"t","EventSelectors":[{"ReadWriteType":"Bad"}],"AdvancedEventSelectors":[{"FieldSelectors":[]}]}',
      {
        TrailName: "t",
        EventSelectors: [{ ReadWriteType: "Bad" }],
        AdvancedEventSelectors: [{ FieldSelectors: [] }],
      },
    ],
    [
      "lengths in characters",
      "CreateDashboard",
      `{"Name":"abc","TagsList":[{"Key":"${"😀".repeat(128)}"}]}`,
      { Name: "abc", TagsList: [{ Key: "😀".repeat(128) }] },
    ],
    [
      "a query over several lines",
      "StartQuery",
      '{"QueryStatement":"SELECT\\n1"}',
      { QueryStatement: "SELECT\n1" },
    ],
  ])("%s", (_name, operation, body, expected) => {
    expect(decode(operation, body)).toEqual(expected);
  });

  test("51 to 200 tags: how many a resource may have is the handler's rule", () => {
    const tags = (count: number) =>
      JSON.stringify({
        ResourceId: "r",
        TagsList: Array.from({ length: count }, (_, i) => ({ Key: `k${i}` })),
      });
    expect(decode("AddTags", tags(51))).toHaveProperty("TagsList.50.Key", "k50");
    expect(decode("AddTags", tags(200))).toHaveProperty("TagsList.199.Key", "k199");
    expect(failure("AddTags", tags(201)).code).toBe("InvalidTagParameterException");
  });

  test("__proto__ is a member like any other", () => {
    const input = decode("GetTrail", '{"__proto__":{"polluted":true},"Name":"abc","constructor":{}}');
    expect(input).toEqual({ Name: "abc" });
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
    const widget = '{"QueryStatement":"q","ViewProperties":{"__proto__":"v"}}';
    const dashboard = decode("CreateDashboard", `{"Name":"abc","Widgets":[${widget}]}`);
    expect(JSON.stringify(dashboard)).toContain('{"__proto__":"v"}');
    expect({}).not.toHaveProperty("polluted");
  });
});

const ds = "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/x";
const one = (value: string, path: string, constraint: string) =>
  `1 validation error detected: Value ${value} at '${path}' failed to satisfy constraint: ${constraint}`;

describe("broken constraints", () => {
  test.each<[OperationName, unknown, string, string]>([
    // General texts, under the code that the operation lists.
    ["CancelQuery", {}, "InvalidParameterException", one("null", "queryId", "Member must not be null")],
    ["GetDashboard", {}, "ValidationException", one("null", "dashboardId", "Member must not be null")],
    [
      "ListChannels",
      { MaxResults: 1001 },
      "ValidationException",
      one("'1001'", "maxResults", "Member must have value less than or equal to 1000"),
    ],
    [
      "ListImports",
      { MaxResults: 0 },
      "InvalidParameterException",
      one("'0'", "maxResults", "Member must have value greater than or equal to 1"),
    ],
    [
      "CreateEventDataStore",
      { Name: "ab" },
      "InvalidParameterException",
      one("'ab'", "name", "Member must have length greater than or equal to 3"),
    ],
    [
      "CreateEventDataStore",
      { Name: "a".repeat(129) },
      "InvalidParameterException",
      one(`'${"a".repeat(129)}'`, "name", "Member must have length less than or equal to 128"),
    ],
    [
      "CreateEventDataStore",
      { Name: "a b c" },
      "InvalidParameterException",
      one("'a b c'", "name", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9._\\-]+$"),
    ],
    [
      "CreateEventDataStore",
      { Name: "abc\n" },
      "InvalidParameterException",
      one("'abc\n'", "name", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9._\\-]+$"),
    ],
    [
      "CreateEventDataStore",
      { Name: "abc", BillingMode: "FREE" },
      "InvalidParameterException",
      one(
        "'FREE'",
        "billingMode",
        "Member must satisfy enum value set: [EXTENDABLE_RETENTION_PRICING, FIXED_RETENTION_PRICING]",
      ),
    ],
    [
      "CreateEventDataStore",
      { Name: "abc", RetentionPeriod: 6 },
      "InvalidParameterException",
      one("'6'", "retentionPeriod", "Member must have value greater than or equal to 7"),
    ],
    [
      "RegisterOrganizationDelegatedAdmin",
      { MemberAccountId: "12345678901x" },
      "InvalidParameterException",
      one("'12345678901x'", "memberAccountId", "Member must satisfy regular expression pattern: \\d+"),
    ],
    [
      "StartImport",
      { Destinations: [ds, ds] },
      "InvalidParameterException",
      one(`'[${ds}, ${ds}]'`, "destinations", "Member must have length less than or equal to 1"),
    ],
    [
      "StartImport",
      { ImportSource: {} },
      "InvalidParameterException",
      one("null", "importSource.s3", "Member must not be null"),
    ],
    [
      "StartQuery",
      { QueryAlias: "a", QueryParameters: ["x", ""] },
      "InvalidParameterException",
      one("''", "queryParameters.2.member", "Member must have length greater than or equal to 1"),
    ],
    [
      "ListInsightsData",
      { InsightSource: "abc", DataType: "InsightsEvents", Dimensions: { Foo: "x" } },
      "InvalidParameterException",
      one(
        "'{Foo=x}'",
        "dimensions",
        "Map keys must satisfy constraint: [Member must satisfy enum value set: [EventId, EventName, EventSource]]",
      ),
    ],
    [
      "ListInsightsData",
      { InsightSource: "abc", DataType: "InsightsEvents", Dimensions: { EventId: "" } },
      "InvalidParameterException",
      one(
        "'{EventId=}'",
        "dimensions",
        "Map value must satisfy constraint: [Member must have length greater than or equal to 1]",
      ),
    ],
    ["ListTags", {}, "ValidationException", one("null", "resourceIdList", "Member must not be null")],
    [
      "ListTags",
      { ResourceIdList: [] },
      "ValidationException",
      one("'[]'", "resourceIdList", "Member must have length greater than or equal to 1"),
    ],
    [
      "ListTags",
      { ResourceIdList: Array(21).fill("a") },
      "ValidationException",
      one(
        `'[${Array(21).fill("a").join(", ")}]'`,
        "resourceIdList",
        "Member must have length less than or equal to 20",
      ),
    ],
    [
      "ListTags",
      { ResourceIdList: [null] },
      "ValidationException",
      one("null", "resourceIdList.1.member", "Member must not be null"),
    ],
    [
      "AddTags",
      { TagsList: [] },
      "ValidationException",
      one("null", "resourceId", "Member must not be null"),
    ],
    [
      "PutInsightSelectors",
      { TrailName: "abc" },
      "InvalidInsightSelectorsException",
      one("null", "insightSelectors", "Member must not be null"),
    ],
    [
      "PutResourcePolicy",
      { ResourceArn: "a:b" },
      "ValidationException",
      one("null", "resourcePolicy", "Member must not be null"),
    ],
    // The operation's own error for the member.
    [
      "LookupEvents",
      { MaxResults: 51 },
      "InvalidMaxResultsException",
      "MaxResults must be between 1 and 50.",
    ],
    ["LookupEvents", { MaxResults: 0 }, "InvalidMaxResultsException", "MaxResults must be between 1 and 50."],
    [
      "ListEventDataStores",
      { MaxResults: -3.9 },
      "InvalidMaxResultsException",
      "MaxResults must be between 1 and 1000.",
    ],
    [
      "GetQueryResults",
      { QueryId: "0".repeat(36), MaxQueryResults: 1001 },
      "InvalidMaxResultsException",
      "MaxResults must be between 1 and 1000.",
    ],
    [
      "ListEventDataStores",
      { NextToken: "" },
      "InvalidNextTokenException",
      "The NextToken value is not valid.",
    ],
    [
      "LookupEvents",
      { EventCategory: "management" },
      "InvalidEventCategoryException",
      "management is not a valid event category.",
    ],
    [
      "LookupEvents",
      { LookupAttributes: [{ AttributeKey: "Bad", AttributeValue: "x" }] },
      "InvalidLookupAttributesException",
      "Bad is not a valid lookup attribute.",
    ],
    [
      "LookupEvents",
      { LookupAttributes: [{ AttributeValue: "x" }] },
      "InvalidLookupAttributesException",
      "null is not a valid lookup attribute.",
    ],
    [
      "LookupEvents",
      { LookupAttributes: [{ AttributeKey: "EventId", AttributeValue: "" }] },
      "InvalidLookupAttributesException",
      "The lookup attribute at 'lookupAttributes.1.member.attributeValue' is not valid: Member must have length greater than or equal to 1",
    ],
    [
      "LookupEvents",
      { LookupAttributes: [{ AttributeKey: "EventId" }] },
      "InvalidLookupAttributesException",
      "The lookup attribute at 'lookupAttributes.1.member.attributeValue' is not valid: Member must not be null",
    ],
    [
      "ListQueries",
      { EventDataStore: "abc", QueryStatus: "DONE" },
      "InvalidQueryStatusException",
      "DONE is not a valid query status.",
    ],
    [
      "GetEventDataStore",
      { EventDataStore: "a!" },
      "EventDataStoreARNInvalidException",
      "The event data store ARN a! is not valid.",
    ],
    ["GetChannel", { Channel: "!" }, "ChannelARNInvalidException", "The channel ARN ! is not valid."],
    [
      "GetResourcePolicy",
      { ResourceArn: "!!!" },
      "ResourceARNNotValidException",
      "The resource ARN !!! is not valid.",
    ],
    [
      "StartQuery",
      { QueryStatement: "" },
      "InvalidQueryStatementException",
      "The query statement is not valid: Member must have length greater than or equal to 1",
    ],
    [
      "AddTags",
      { ResourceId: "r" },
      "InvalidTagParameterException",
      one("null", "tagsList", "Member must not be null"),
    ],
    [
      "AddTags",
      { ResourceId: "r", TagsList: [{ Value: "v" }] },
      "InvalidTagParameterException",
      one("null", "tagsList.1.member.key", "Member must not be null"),
    ],
    [
      "AddTags",
      { ResourceId: "r", TagsList: [{ Key: "" }] },
      "InvalidTagParameterException",
      one("''", "tagsList.1.member.key", "Member must have length greater than or equal to 1"),
    ],
    [
      "AddTags",
      { ResourceId: "r", TagsList: [{ Key: "k" }, { Key: "k".repeat(129) }] },
      "InvalidTagParameterException",
      one(
        `'${"k".repeat(129)}'`,
        "tagsList.2.member.key",
        "Member must have length less than or equal to 128",
      ),
    ],
    [
      "RemoveTags",
      { ResourceId: "r", TagsList: [{ Key: "k", Value: "v".repeat(257) }] },
      "InvalidTagParameterException",
      one(
        `'${"v".repeat(257)}'`,
        "tagsList.1.member.value",
        "Member must have length less than or equal to 256",
      ),
    ],
    [
      "CreateTrail",
      { Name: "abc", S3BucketName: "bkt", TagsList: [null] },
      "InvalidTagParameterException",
      one("null", "tagsList.1.member", "Member must not be null"),
    ],
    [
      "PutInsightSelectors",
      { TrailName: "abc", InsightSelectors: [{ InsightType: "Foo" }] },
      "InvalidInsightSelectorsException",
      "InsightType Foo is not valid.",
    ],
    [
      "PutInsightSelectors",
      { TrailName: "abc", InsightSelectors: [{ EventCategories: ["Other"] }] },
      "InvalidInsightSelectorsException",
      "EventCategories value Other is not valid.",
    ],
    [
      "PutInsightSelectors",
      { TrailName: "abc", InsightSelectors: [null] },
      "InvalidInsightSelectorsException",
      one("null", "insightSelectors.1.member", "Member must not be null"),
    ],
    [
      "PutEventSelectors",
      { TrailName: "abc", EventSelectors: [null] },
      "InvalidEventSelectorsException",
      one("null", "eventSelectors.1.member", "Member must not be null"),
    ],
    [
      "PutEventSelectors",
      { TrailName: "abc", AdvancedEventSelectors: [{ FieldSelectors: [{ Equals: [null] }] }] },
      "InvalidEventSelectorsException",
      one(
        "null",
        "advancedEventSelectors.1.member.fieldSelectors.1.member.equals.1.member",
        "Member must not be null",
      ),
    ],
    ["DescribeTrails", { trailNameList: [null] }, "InvalidTrailNameException", "Trail name cannot be blank!"],
    // Several at once.
    [
      "CreateDashboard",
      { Name: "a!", Type: 1, Widgets: [{ QueryStatement: "q" }] },
      "ValidationException",
      "3 validation errors detected: Value 'a!' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 3; Value 'a!' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\\-]+$; Value null at 'widgets.1.member.viewProperties' failed to satisfy constraint: Member must not be null",
    ],
    [
      "AddTags",
      { ResourceId: "r", TagsList: [{ Key: "" }, {}] },
      "InvalidTagParameterException",
      "2 validation errors detected: Value '' at 'tagsList.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'tagsList.2.member.key' failed to satisfy constraint: Member must not be null",
    ],
  ])("%s %j → %s", (operation, body, code, text) => {
    expect(failure(operation, JSON.stringify(body))).toEqual({ code, text });
  });

  test("no more than ten are told", () => {
    const body = { Name: "abc", TagsList: Array.from({ length: 200 }, () => ({ Key: "" })) };
    expect(failure("CreateDashboard", JSON.stringify(body)).text).toMatch(/^10 validation errors detected: /);
  });
});

describe("whatever arrives", () => {
  // Members by their true names with random values reach deeper than random objects would.
  const names = ["TagsList", "Key", "Value", "Name", "TrailName", "MaxResults", "StartTime", "Dimensions"];
  const moreNames = ["EventSelectors", "DataResources", "Values", "AdvancedEventSelectors", "FieldSelectors"];
  const member = fc.constantFrom(...names, ...moreNames, "__proto__", "constructor", "EventId", "Widgets");
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue(),
      fc.double(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(member, tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  const operation = fc.constantFrom(...operationNames);

  test("JSON gives an input or an ApiError", () => {
    fc.assert(
      fc.property(operation, value, (name, json) => {
        onlyApiErrors(() => decode(name, JSON.stringify(json) ?? "null"));
      }),
      { seed: 20_131_101, numRuns: 2000 },
    );
  });

  test("bytes give an input or an ApiError", () => {
    fc.assert(
      fc.property(operation, fc.uint8Array({ maxLength: 300 }), (name, bytes) => {
        onlyApiErrors(() => decode(name, bytes));
      }),
      { seed: 20_131_101, numRuns: 500 },
    );
  });
});

function onlyApiErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
  }
}
