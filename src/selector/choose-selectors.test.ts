// PutEventSelectors' rules, each with its exact text and its place in the order (api.md §5.1-5.4), and what the API
// shows of selectors afterwards (§5.6, §5.8).
import { describe, expect, test } from "vitest";
import { ApiError } from "../model/errors.ts";
import { selectorsFromInput } from "./choose-selectors.ts";
import { defaultSelectors, type TrailSelectors } from "./selectors.ts";
import { hasCustomEventSelectors, selectorsToOutput } from "./selectors-output.ts";

// Inputs are written as the client sends them: wrong enum values and nulls among them, which the types do not have.
type Wire = Readonly<Record<string, unknown>>;
const copies = (number: number, selector: Wire) => Array.from({ length: number }, () => ({ ...selector }));
const limits = { basicSelectorsPerTrail: 5, dataResourceValuesPerTrail: 250, advancedValuesPerTrail: 500 };

function put(input: Wire, current: TrailSelectors = defaultSelectors): TrailSelectors {
  const context = { current, limits, extraResourceTypes: ["Vendor::Service::Thing"] };
  return selectorsFromInput(input, context);
}

function refusal(input: Wire): string {
  try {
    return `accepted: ${JSON.stringify(put(input))}`;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.code).toBe("InvalidEventSelectorsException");
    return error.message;
  }
}

const data = { Field: "eventCategory", Equals: ["Data"] };
const management = { Field: "eventCategory", Equals: ["Management"] };
const network = { Field: "eventCategory", Equals: ["NetworkActivity"] };
const objects = { Field: "resources.type", Equals: ["AWS::S3::Object"] };
const ofKms = { Field: "eventSource", Equals: ["kms.amazonaws.com"] };

const both = "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both.";
const count = "Specify a valid number of selectors (1 to 5) for your trail";
const noData =
  "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty";
const noExclude =
  "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, ExcludeManagementEventSources must be empty";
const tooManyValues = "Specify a valid number of DataResources.Values (0 to 250) for all your selectors";
const required = "The following fields are required: [eventCategory].";
const duplicate =
  "A duplicate event selector was found for at least one field. Only one selector is allowed per field.";
const tooManyFilters = "There are too many filters applied. The maximum allowed number of filters is 500.";
const broken = "1 validation error detected: ";

const advancedList = [{ FieldSelectors: [management] }];
const stored: TrailSelectors = {
  kind: "advanced",
  selectors: [{ fieldSelectors: [{ field: "eventCategory", Equals: ["Management"] }] }],
};
const otherBasic = put({ EventSelectors: [{ ReadWriteType: "ReadOnly" }] });

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

const one = (selector: Wire): Wire => ({ EventSelectors: [selector] });
const resource = (Type: unknown, ...Values: unknown[]): Wire => ({ DataResources: [{ Type, Values }] });
const badValue = (value: string) => `Value ${value} for DataResources.Values is invalid.`;
const values = (number: number) =>
  Array.from({ length: number }, (_, index) => `arn:aws:s3:::bucket/${index}`);

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

const advanced = (...FieldSelectors: unknown[]): Wire => ({ AdvancedEventSelectors: [{ FieldSelectors }] });
const notValid = (field: string) => `The ${field} field value is not valid.`;
const only = (field: string, operators: string) =>
  `Only the following operators are valid with the ${field} field: [${operators}].`;
const notAllowed = (category: string, field: string) =>
  `The following field is not allowed when the eventCategory field value equals ${category}: ${field}.`;
const needs = (category: string, field: string) =>
  `The following selectors are required when the eventCategory field value equals ${category}: [${field}].`;
const constraint = (value: string, path: string, rule: string) =>
  `${broken}Value '${value}' at 'advancedEventSelectors.1.member.${path}' failed to satisfy constraint: ${rule}`;
const missing = (path: string) =>
  `${broken}Value null at 'advancedEventSelectors.1.member${path}' failed to satisfy constraint: Member must not be null`;
const long = (length: number) => "x".repeat(length);
const named = (Name: string) => ({ AdvancedEventSelectors: [{ Name, FieldSelectors: [management] }] });
const filters = (number: number) => ({
  Field: "eventName",
  Equals: Array.from({ length: number }, (_, index) => `Event${index}`),
});

describe("advanced selectors (§5.3, §5.4)", () => {
  test.each<readonly [string, Wire, string]>([
    ["1 no eventCategory", advanced({ Field: "eventName", Equals: ["x"] }), required],
    [
      "1 before 2",
      advanced({ Field: "eventName", Equals: ["x"] }, { Field: "eventName", Equals: ["y"] }),
      required,
    ],
    ["2 a field twice", advanced(data, objects, objects), duplicate],
    ["2 eventCategory twice", advanced(management, management), duplicate],
    ["2 before 3", advanced({ Field: "eventCategory", StartsWith: ["M"] }, objects, objects), duplicate],
    [
      "3 eventCategory operator",
      advanced({ Field: "eventCategory", NotEquals: ["Data"] }),
      only("eventCategory", "Equals"),
    ],
    [
      "3 eventCategory with a second operator",
      advanced({ ...management, NotEquals: ["Data"] }),
      only("eventCategory", "Equals"),
    ],
    [
      "4 eventCategory value",
      advanced({ Field: "eventCategory", Equals: ["management"] }),
      notValid("eventCategory"),
    ],
    [
      "4 a category of event data stores",
      advanced({ Field: "eventCategory", Equals: ["Insight"] }),
      notValid("eventCategory"),
    ],
    [
      "4 two categories",
      advanced({ Field: "eventCategory", Equals: ["Management", "Data"] }),
      notValid("eventCategory"),
    ],
    ["4 no category", advanced({ Field: "eventCategory" }), notValid("eventCategory")],
    [
      "4 before 5",
      advanced({ Field: "eventCategory", Equals: ["x"] }, { Field: "nothing", Equals: ["x"] }),
      notValid("eventCategory"),
    ],
    [
      "5 eventName with Management",
      advanced(management, { Field: "eventName", Equals: ["x"] }),
      notAllowed("Management", "eventName"),
    ],
    [
      "5 resources.type with Management",
      advanced(management, objects),
      notAllowed("Management", "resources.type"),
    ],
    [
      "5 eventType with Management",
      advanced(management, { Field: "eventType", Equals: ["x"] }),
      notAllowed("Management", "eventType"),
    ],
    [
      "5 userIdentity.arn with Management",
      advanced(management, { Field: "userIdentity.arn", Equals: ["x"] }),
      notAllowed("Management", "userIdentity.arn"),
    ],
    [
      "5 sessionCredentialFromConsole with Management",
      advanced(management, { Field: "sessionCredentialFromConsole", Equals: ["true"] }),
      notAllowed("Management", "sessionCredentialFromConsole"),
    ],
    [
      "5 errorCode with Data",
      advanced(data, objects, { Field: "errorCode", Equals: ["VpceAccessDenied"] }),
      notAllowed("Data", "errorCode"),
    ],
    [
      "5 vpcEndpointId with Data",
      advanced(data, objects, { Field: "vpcEndpointId", Equals: ["x"] }),
      notAllowed("Data", "vpcEndpointId"),
    ],
    [
      "5 readOnly with NetworkActivity",
      advanced(network, ofKms, { Field: "readOnly", Equals: ["true"] }),
      notAllowed("NetworkActivity", "readOnly"),
    ],
    [
      "5 eventType with NetworkActivity",
      advanced(network, ofKms, { Field: "eventType", Equals: ["x"] }),
      notAllowed("NetworkActivity", "eventType"),
    ],
    [
      "5 resources.ARN with NetworkActivity",
      advanced(network, ofKms, { Field: "resources.ARN", Equals: ["x"] }),
      notAllowed("NetworkActivity", "resources.ARN"),
    ],
    [
      "5 userIdentity.arn with NetworkActivity",
      advanced(network, ofKms, { Field: "userIdentity.arn", Equals: ["x"] }),
      notAllowed("NetworkActivity", "userIdentity.arn"),
    ],
    [
      "5 an unknown field",
      advanced(data, { Field: "EventName", Equals: ["x"] }),
      notAllowed("Data", "EventName"),
    ],
    [
      "5 a field named like a property of every object",
      advanced(data, objects, { Field: "constructor", Equals: ["x"] }),
      notAllowed("Data", "constructor"),
    ],
    [
      "5 the first of several",
      advanced(management, { Field: "b", Equals: ["x"] }, { Field: "a", Equals: ["x"] }),
      notAllowed("Management", "b"),
    ],
    ["5 before 6", advanced(data, { Field: "nothing", Equals: ["x"] }), notAllowed("Data", "nothing")],
    ["6 Data without type", advanced(data), needs("Data", "resources.type")],
    ["6 NetworkActivity without source", advanced(network), needs("NetworkActivity", "eventSource")],
    ["6 before 7", advanced(data, { Field: "readOnly", NotEquals: ["x"] }), needs("Data", "resources.type")],
    [
      "7 readOnly",
      advanced(management, { Field: "readOnly", NotEquals: ["true"] }),
      only("readOnly", "Equals"),
    ],
    [
      "7 eventSource with Management",
      advanced(management, { Field: "eventSource", Equals: ["kms.amazonaws.com"] }),
      only("eventSource", "NotEquals"),
    ],
    [
      "7 eventSource with NetworkActivity",
      advanced(network, { Field: "eventSource", StartsWith: ["kms.amazonaws.com"] }),
      only("eventSource", "Equals"),
    ],
    [
      "7 resources.type",
      advanced(data, { Field: "resources.type", StartsWith: ["AWS::S3"] }),
      only("resources.type", "Equals"),
    ],
    [
      "7 errorCode",
      advanced(network, ofKms, { Field: "errorCode", NotEquals: ["VpceAccessDenied"] }),
      only("errorCode", "Equals"),
    ],
    [
      "7 sessionCredentialFromConsole",
      advanced(data, objects, { Field: "sessionCredentialFromConsole", EndsWith: ["e"] }),
      only("sessionCredentialFromConsole", "Equals, NotEquals"),
    ],
    [
      "7 before 8, over all fields",
      advanced(data, { Field: "resources.type", Equals: ["x"] }, { Field: "readOnly", NotEquals: ["true"] }),
      only("readOnly", "Equals"),
    ],
    ["8 readOnly", advanced(management, { Field: "readOnly", Equals: ["True"] }), notValid("readOnly")],
    [
      "8 two values of readOnly",
      advanced(management, { Field: "readOnly", Equals: ["true", "false"] }),
      notValid("readOnly"),
    ],
    [
      "8 eventSource with Management",
      advanced(management, { Field: "eventSource", NotEquals: ["kms.amazonaws.com", "s3.amazonaws.com"] }),
      notValid("eventSource"),
    ],
    [
      "8 eventSource with NetworkActivity",
      advanced(network, { Field: "eventSource", Equals: ["KMS"] }),
      notValid("eventSource"),
    ],
    [
      "8 two sources with NetworkActivity",
      advanced(network, { Field: "eventSource", Equals: ["kms.amazonaws.com", "s3.amazonaws.com"] }),
      notValid("eventSource"),
    ],
    [
      "8 resources.type",
      advanced(data, { Field: "resources.type", Equals: ["AWS::S3::Bucket"] }),
      notValid("resources.type"),
    ],
    [
      "8 two types",
      advanced(data, { Field: "resources.type", Equals: ["AWS::S3::Object", "AWS::SNS::Topic"] }),
      notValid("resources.type"),
    ],
    [
      "8 errorCode",
      advanced(network, ofKms, { Field: "errorCode", Equals: ["AccessDenied"] }),
      notValid("errorCode"),
    ],
    [
      "8 sessionCredentialFromConsole",
      advanced(data, objects, { Field: "sessionCredentialFromConsole", NotEquals: ["yes"] }),
      notValid("sessionCredentialFromConsole"),
    ],
    [
      "8 before 9",
      advanced(data, { Field: "eventName" }, { Field: "resources.type", Equals: ["x"] }),
      notValid("resources.type"),
    ],
    [
      "9 no operator",
      advanced(data, objects, { Field: "eventName" }),
      "At least one operator is required for the eventName field.",
    ],
    [
      "9 empty lists count as absent",
      advanced(data, objects, { Field: "eventName", Equals: [], NotEndsWith: [] }),
      "At least one operator is required for the eventName field.",
    ],
    [
      "9 a required field without operator",
      advanced(data, { Field: "resources.type" }),
      "At least one operator is required for the resources.type field.",
    ],
    ["10 501 values in one selector", advanced(data, objects, filters(499)), tooManyFilters],
    [
      "10 501 values over selectors",
      {
        AdvancedEventSelectors: [
          { FieldSelectors: [data, objects, filters(497)] },
          { FieldSelectors: [management, { Field: "readOnly", Equals: ["true"] }] },
        ],
      },
      tooManyFilters,
    ],
    [
      "10 after the rules of every selector",
      {
        AdvancedEventSelectors: [
          { FieldSelectors: [data, objects, filters(600)] },
          { FieldSelectors: [{ Field: "x" }] },
        ],
      },
      required,
    ],
    [
      "selector by selector",
      { AdvancedEventSelectors: [{ FieldSelectors: [data] }, { FieldSelectors: [objects] }] },
      needs("Data", "resources.type"),
    ],
  ])("%s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  test.each<readonly [string, Wire, string]>([
    [
      "name",
      named(long(1001)),
      constraint(long(1001), "name", "Member must have length less than or equal to 1000"),
    ],
    [
      "no field selectors",
      advanced(),
      constraint("[]", "fieldSelectors", "Member must have length greater than or equal to 1"),
    ],
    ["field selectors missing", { AdvancedEventSelectors: [{}] }, missing(".fieldSelectors")],
    [
      "field selectors null",
      { AdvancedEventSelectors: [{ FieldSelectors: null }] },
      missing(".fieldSelectors"),
    ],
    ["a selector null", { AdvancedEventSelectors: [null] }, missing("")],
    ["a field selector null", advanced(data, null), missing(".fieldSelectors.2.member")],
    ["field missing", advanced(data, { Equals: ["x"] }), missing(".fieldSelectors.2.member.field")],
    [
      "field empty",
      advanced({ Field: "", Equals: ["x"] }),
      constraint("", "fieldSelectors.1.member.field", "Member must have length greater than or equal to 1"),
    ],
    [
      "field too long",
      advanced({ Field: long(1001) }),
      constraint(
        long(1001),
        "fieldSelectors.1.member.field",
        "Member must have length less than or equal to 1000",
      ),
    ],
    [
      "value empty",
      advanced(data, { Field: "eventName", NotStartsWith: ["x", ""] }),
      constraint(
        "",
        "fieldSelectors.2.member.notStartsWith.2.member",
        "Member must have length greater than or equal to 1",
      ),
    ],
    [
      "value too long",
      advanced({ Field: "eventName", Equals: [long(2049)] }),
      constraint(
        long(2049),
        "fieldSelectors.1.member.equals.1.member",
        "Member must have length less than or equal to 2048",
      ),
    ],
    [
      "value null",
      advanced({ Field: "eventName", Equals: [null] }),
      missing(".fieldSelectors.1.member.equals.1.member"),
    ],
    [
      "before the rules",
      advanced({ Field: "nothing", Equals: [long(2049)] }),
      constraint(
        long(2049),
        "fieldSelectors.1.member.equals.1.member",
        "Member must have length less than or equal to 2048",
      ),
    ],
  ])("constraint: %s", (_name, input, text) => {
    expect(refusal(input)).toBe(text);
  });

  const any = {
    Equals: ["a"],
    StartsWith: ["b"],
    EndsWith: ["c"],
    NotEquals: ["d"],
    NotStartsWith: ["e"],
    NotEndsWith: ["f"],
  };
  test.each<readonly [string, readonly Wire[]]>([
    ["Management", [management]],
    [
      "Management with all fields",
      [
        management,
        { Field: "readOnly", Equals: ["false"] },
        { Field: "eventSource", NotEquals: ["kms.amazonaws.com", "rdsdata.amazonaws.com"] },
      ],
    ],
    ["Data", [data, objects]],
    [
      "Data with all fields",
      [
        data,
        objects,
        { Field: "readOnly", Equals: ["true"] },
        ...["eventSource", "eventName", "eventType", "resources.ARN", "userIdentity.arn"].map((Field) => ({
          Field,
          ...any,
        })),
        { Field: "sessionCredentialFromConsole", Equals: ["true"], NotEquals: ["false"] },
      ],
    ],
    ["NetworkActivity", [network, ofKms]],
    [
      "NetworkActivity with all fields",
      [
        network,
        { Field: "eventSource", Equals: ["models.lex-v2.amazonaws.com"] },
        { Field: "eventName", ...any },
        { Field: "errorCode", Equals: ["VpceAccessDenied"] },
        { Field: "vpcEndpointId", ...any },
      ],
    ],
    ["QApp with two colons", [data, { Field: "resources.type", Equals: ["AWS::QApps::QApp"] }]],
    ["QApp with one colon", [data, { Field: "resources.type", Equals: ["AWS::QApps:QApp"] }]],
    [
      "Quicksight in its own spelling",
      [data, { Field: "resources.type", Equals: ["AWS::Quicksight::ActionConnector"] }],
    ],
    ["a type of the configuration", [data, { Field: "resources.type", Equals: ["Vendor::Service::Thing"] }]],
    ["500 values", [data, objects, filters(498)]],
    [
      "a value of 2048 characters beyond the basic plane",
      [data, objects, { Field: "resources.ARN", StartsWith: ["😀".repeat(2048)] }],
    ],
  ])("accepts %s and gives it back", (_name, fieldSelectors) => {
    const expected = { AdvancedEventSelectors: [{ FieldSelectors: fieldSelectors }] };
    expect(selectorsToOutput(put(advanced(...fieldSelectors)))).toEqual(expected);
  });
});

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
