// PutEventSelectors over the API: what it takes and gives back, and every rule of basic and advanced selectors that
// it refuses with the service's own words (api.md §5.1-5.6).
import type { AdvancedFieldSelector } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, makeTrail, refusalCheck, startApi } from "../harness/api-fixture.ts";
import { changingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, TrailName: string | undefined) =>
    client.putEventSelectors({ TrailName, EventSelectors: [{ ReadWriteType: "WriteOnly" }] }),
};
referenceSuite(subject);
changingSuite(subject);

const defaults = {
  ReadWriteType: "All",
  IncludeManagementEvents: true,
  DataResources: [],
  ExcludeManagementEventSources: [],
};
const management: AdvancedFieldSelector = { Field: "eventCategory", Equals: ["Management"] };
const data: AdvancedFieldSelector = { Field: "eventCategory", Equals: ["Data"] };
const network: AdvancedFieldSelector = { Field: "eventCategory", Equals: ["NetworkActivity"] };
const s3Objects: AdvancedFieldSelector = { Field: "resources.type", Equals: ["AWS::S3::Object"] };
const advanced = (...FieldSelectors: AdvancedFieldSelector[]) => ({ FieldSelectors });
const resource = (Type: string, ...Values: string[]) => ({ DataResources: [{ Type, Values }] });
const objects = (count: number) =>
  Array.from({ length: count }, (_, index) => `arn:aws:s3:::bucket-${index}/`);

/** Puts on a new trail; returns the raw answer, and what GetEventSelectors says afterwards. */
async function put(selectors: object): Promise<{ arn: string; answer: unknown; read: unknown }> {
  const account = api.newAccount();
  const arn = await makeTrail(api.as(account), "my-trail");
  const answer = await api.raw("PutEventSelectors", { TrailName: "my-trail", ...selectors }, { account });
  const read = await api.raw("GetEventSelectors", { TrailName: arn }, { account });
  return { arn, answer: answer.json, read: read.json };
}

describe("basic selectors are given back with their defaults, in order, untouched", () => {
  test.each<[what: string, selectors: object[]]>([
    ["an empty one", [{}]],
    [
      "five of them",
      [{}, { ReadWriteType: "ReadOnly" }, { ReadWriteType: "WriteOnly" }, {}, { ReadWriteType: "All" }],
    ],
    ["null members", [{ ReadWriteType: null, DataResources: null }]],
    ["an exclusion", [{ ExcludeManagementEventSources: ["rdsdata.amazonaws.com", "kms.amazonaws.com"] }]],
    ["every object", [resource("AWS::S3::Object", "arn:aws:s3:::")]],
    ["every object, the shorter form", [resource("AWS::S3::Object", "arn:aws:s3")]],
    [
      "a whole bucket and a prefix",
      [resource("AWS::S3::Object", "arn:aws:s3:::bucket/", "arn:aws:s3:::Bucket.1_x/pre fix/ü")],
    ],
    ["a literal asterisk", [resource("AWS::S3::Object", "arn:aws:s3:::bucket/*")]],
    [
      "a value twice",
      [resource("AWS::S3::Object", "arn:aws:s3:::b-b/", "arn:aws:s3:::a-a/", "arn:aws:s3:::b-b/")],
    ],
    ["another partition", [resource("AWS::S3::Object", "arn:aws-cn:s3:::bucket/")]],
    ["every function", [resource("AWS::Lambda::Function", "arn:aws:lambda")]],
    [
      "functions",
      [
        resource(
          "AWS::Lambda::Function",
          "arn:aws:lambda:us-west-2:999999999999:function:hello",
          "arn:aws:lambda:us-west-2:999999999999:function:hello:live",
        ),
      ],
    ],
    ["every table", [resource("AWS::DynamoDB::Table", "arn:aws:dynamodb")]],
    ["a table", [resource("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/Music")]],
    ["no values", [resource("AWS::S3::Object")]],
    [
      "data events only",
      [{ IncludeManagementEvents: false, ...resource("AWS::S3::Object", "arn:aws:s3:::bucket/") }],
    ],
    [
      "a type twice",
      [
        {
          DataResources: [
            { Type: "AWS::S3::Object", Values: ["arn:aws:s3:::bucket/"] },
            { Type: "AWS::Lambda::Function", Values: ["arn:aws:lambda"] },
            { Type: "AWS::S3::Object", Values: ["arn:aws:s3:::other/"] },
          ],
        },
      ],
    ],
    ["250 values in five", Array.from({ length: 5 }, () => resource("AWS::S3::Object", ...objects(50)))],
  ])("%s", async (_what, selectors) => {
    const { arn, answer, read } = await put({ EventSelectors: selectors });
    const given = selectors.map((selector) =>
      Object.fromEntries(Object.entries(selector).filter(([, value]) => value !== null)),
    );
    expect(answer).toEqual({
      TrailARN: arn,
      EventSelectors: given.map((selector) => ({ ...defaults, ...selector })),
    });
    expect(read).toEqual(answer);
  });
});

describe("advanced selectors are given back as given", () => {
  test.each<[what: string, selectors: object[]]>([
    ["management", [advanced(management)]],
    ["a name", [{ Name: "Log everything", ...advanced(management) }]],
    ["reads only", [advanced(management, { Field: "readOnly", Equals: ["true"] })]],
    [
      "sources left out",
      [
        advanced(management, {
          Field: "eventSource",
          NotEquals: ["kms.amazonaws.com", "rdsdata.amazonaws.com"],
        }),
      ],
    ],
    [
      "every field of data events",
      [
        advanced(
          {
            Field: "resources.ARN",
            StartsWith: ["arn:aws:s3:::a/"],
            NotEquals: ["arn:aws:s3:::a/b"],
            EndsWith: ["c"],
          },
          data,
          s3Objects,
          { Field: "readOnly", Equals: ["false"] },
          { Field: "eventName", Equals: ["PutObject"], NotStartsWith: ["Get"], NotEndsWith: ["Acl"] },
          { Field: "eventSource", Equals: ["s3.amazonaws.com"] },
          { Field: "eventType", Equals: ["AwsApiCall"] },
          { Field: "userIdentity.arn", NotStartsWith: ["arn:aws:iam::123456789012:role/"] },
          { Field: "sessionCredentialFromConsole", NotEquals: ["true"] },
        ),
      ],
    ],
    [
      "network activity",
      [
        advanced(
          network,
          { Field: "eventSource", Equals: ["ec2.amazonaws.com"] },
          { Field: "errorCode", Equals: ["VpceAccessDenied"] },
          { Field: "vpcEndpointId", StartsWith: ["vpce-"] },
          { Field: "eventName", NotEquals: ["DescribeInstances"] },
        ),
      ],
    ],
    ["more than five", Array.from({ length: 12 }, () => advanced(management))],
    ["500 values", [advanced(data, s3Objects, { Field: "resources.ARN", StartsWith: objects(498) })]],
  ])("%s", async (_what, selectors) => {
    const { arn, answer, read } = await put({ AdvancedEventSelectors: selectors });
    expect(answer).toEqual({ TrailARN: arn, AdvancedEventSelectors: selectors });
    expect(read).toEqual(answer);
  });

  test("without an empty name, null or empty operators", async () => {
    const { arn, answer } = await put({
      AdvancedEventSelectors: [
        { Name: "", FieldSelectors: [{ ...management, StartsWith: [], EndsWith: null, NotEquals: [] }] },
      ],
    });
    expect(answer).toEqual({ TrailARN: arn, AdvancedEventSelectors: [advanced(management)] });
  });

  test.each([
    "AWS::Lambda::Function",
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::Stream",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
  ])("with the resource type %s", async (type) => {
    const selectors = [advanced(data, { Field: "resources.type", Equals: [type] })];
    expect((await put({ AdvancedEventSelectors: selectors })).answer).toMatchObject({
      AdvancedEventSelectors: selectors,
    });
  });
});

describe("the two kinds replace each other", () => {
  const steps = async (...inputs: object[]) => {
    const account = api.newAccount();
    const TrailName = await makeTrail(api.as(account), "my-trail");
    let last: unknown;
    for (const input of inputs)
      last = (await api.raw("PutEventSelectors", { TrailName, ...input }, { account })).json;
    const read = (await api.raw("GetEventSelectors", { TrailName }, { account })).json;
    expect(read).toEqual(last);
    const { Trail } = await api.as(account).getTrail({ Name: TrailName });
    const { TrailARN, ...lists } = read as Record<string, unknown>;
    expect(TrailARN).toBe(TrailName);
    return { ...lists, custom: Trail?.HasCustomEventSelectors };
  };
  const writes = [{ ...defaults, ReadWriteType: "WriteOnly" }];
  const basic = { EventSelectors: writes };
  const more = { AdvancedEventSelectors: [advanced(management)] };
  const none = { AdvancedEventSelectors: [] };

  test.each<[what: string, inputs: object[], expected: object]>([
    ["advanced after basic", [basic, more], { ...more, custom: true }],
    ["basic after advanced", [more, basic], { ...basic, custom: true }],
    ["basic with an empty advanced list", [{ ...basic, ...none }], { ...basic, custom: true }],
    ["advanced with an empty basic list", [{ EventSelectors: [], ...more }], { ...more, custom: true }],
    [
      "basic with null for advanced",
      [{ ...basic, AdvancedEventSelectors: null }],
      { ...basic, custom: true },
    ],
    ["no advanced ones after advanced", [more, none], { EventSelectors: [defaults], custom: false }],
    ["no advanced ones after basic", [basic, none], { ...basic, custom: true }],
    ["no advanced ones on a new trail", [none], { EventSelectors: [defaults], custom: false }],
    ["Terraform's way from basic to advanced", [{ EventSelectors: [{}] }, more], { ...more, custom: true }],
    ["Terraform's way from advanced to basic", [more, basic, none], { ...basic, custom: true }],
    [
      "the default put back",
      [basic, { EventSelectors: [{}] }],
      { EventSelectors: [defaults], custom: false },
    ],
    ["a new list instead of the old", [{ EventSelectors: [{}, {}] }, basic], { ...basic, custom: true }],
  ])("%s", async (_what, inputs, expected) => {
    expect(await steps(...inputs)).toEqual(expected);
  });
});

const count = "Specify a valid number of selectors (1 to 5) for your trail";
const both = "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both.";
type Case = readonly [what: string, input: object, text: string | RegExp];

const wrongLists: readonly Case[] = [
  ["neither list", {}, count],
  ["an empty basic list", { EventSelectors: [] }, count],
  ["six basic selectors", { EventSelectors: Array.from({ length: 6 }, () => ({})) }, count],
  ["both lists", { EventSelectors: [{}], AdvancedEventSelectors: [advanced(management)] }, both],
  [
    "both lists, before their contents",
    { EventSelectors: [{ ReadWriteType: "Some" }], AdvancedEventSelectors: [advanced(s3Objects)] },
    both,
  ],
];

const value = (text: string) => `Value ${text} for DataResources.Values is invalid.`;
const noData =
  "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty";
const basicCase = (what: string, selectors: object | object[], text: string | RegExp): Case => [
  what,
  { EventSelectors: [selectors].flat() },
  text,
];

const wrongBasic: readonly Case[] = [
  basicCase("a read/write type", { ReadWriteType: "Some" }, "Value Some for ReadWriteType is invalid."),
  basicCase(
    "a read/write type in lower case",
    { ReadWriteType: "all" },
    "Value all for ReadWriteType is invalid.",
  ),
  basicCase("an empty read/write type", { ReadWriteType: "" }, "Value  for ReadWriteType is invalid."),
  basicCase("no events at all", { IncludeManagementEvents: false }, noData),
  basicCase(
    "no events at all in the second",
    [{}, { IncludeManagementEvents: false, DataResources: [] }],
    noData,
  ),
  basicCase(
    "a resource type",
    resource("AWS::SNS::Topic", "arn:aws:sns"),
    "Value AWS::SNS::Topic for DataResources.Type is invalid.",
  ),
  ...[
    ["AWS::S3::Object", "arn:aws:s3:::bucket"],
    ["AWS::S3::Object", "arn:aws:s3:::*"],
    ["AWS::S3::Object", "arn:aws:s3:::*/*"],
    ["AWS::S3::Object", "arn:aws:s3:::/"],
    ["AWS::S3::Object", "bucket/"],
    ["AWS::S3::Object", "bucket/*"],
    ["AWS::S3::Object", ""],
    ["AWS::S3::Object", "arn:aws:lambda"],
    ["AWS::S3::Object", "arn:aws:s3:::ab/"],
    ["AWS::Lambda::Function", "arn:aws:lambda:*"],
    ["AWS::Lambda::Function", "arn:aws:lambda:us-east-1:1234:function:hello"],
    ["AWS::Lambda::Function", "arn:aws:s3:::"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:table/"],
    ["AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:123456789012:index/Music"],
  ].map(([type = "", text = ""]) =>
    basicCase(`the value "${text}" of ${type}`, resource(type, text), value(text)),
  ),
  basicCase(
    "the first of two bad values",
    resource("AWS::S3::Object", "arn:aws:s3:::good/", "bad-one", "bad-two"),
    value("bad-one"),
  ),
  basicCase(
    "an excluded source",
    { ExcludeManagementEventSources: ["s3.amazonaws.com"] },
    "Value s3.amazonaws.com for ExcludeManagementEventSources is invalid.",
  ),
  basicCase(
    "an exclusion without management events",
    {
      IncludeManagementEvents: false,
      ...resource("AWS::S3::Object", "arn:aws:s3:::"),
      ExcludeManagementEventSources: ["kms.amazonaws.com"],
    },
    "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, ExcludeManagementEventSources must be empty",
  ),
  basicCase(
    "251 values in five selectors",
    [51, 50, 50, 50, 50].map((size) => resource("AWS::S3::Object", ...objects(size))),
    "Specify a valid number of DataResources.Values (0 to 250) for all your selectors",
  ),
  basicCase(
    "the number of selectors before their contents",
    Array.from({ length: 6 }, () => ({ ReadWriteType: "Some" })),
    count,
  ),
  basicCase(
    "the first selector before the second",
    [{ ReadWriteType: "Some" }, { IncludeManagementEvents: false }],
    "Value Some for ReadWriteType is invalid.",
  ),
];

const notValid = (field: string) => `The ${field} field value is not valid.`;
const notAllowed = (field: string, category: string) =>
  `The following field is not allowed when the eventCategory field value equals ${category}: ${field}.`;
const only = (field: string, operators: string) =>
  `Only the following operators are valid with the ${field} field: [${operators}].`;
const advancedCase = (what: string, fields: AdvancedFieldSelector[], text: string | RegExp): Case => [
  what,
  { AdvancedEventSelectors: [advanced(...fields)] },
  text,
];
const duplicate =
  "A duplicate event selector was found for at least one field. Only one selector is allowed per field.";
const required = "The following fields are required: [eventCategory].";

const wrongAdvanced: readonly Case[] = [
  advancedCase("no category", [s3Objects], required),
  advancedCase("no field selectors", [], /./),
  advancedCase(
    "a field twice",
    [management, { Field: "readOnly", Equals: ["true"] }, { Field: "readOnly", Equals: ["false"] }],
    duplicate,
  ),
  advancedCase("the category twice", [management, data], duplicate),
  advancedCase(
    "the category with another operator",
    [{ Field: "eventCategory", StartsWith: ["Man"] }],
    only("eventCategory", "Equals"),
  ),
  advancedCase(
    "an unknown category",
    [{ Field: "eventCategory", Equals: ["Everything"] }],
    notValid("eventCategory"),
  ),
  advancedCase(
    "two categories",
    [{ Field: "eventCategory", Equals: ["Management", "Data"] }],
    notValid("eventCategory"),
  ),
  ...["Insight", "ConfigurationItem", "Evidence", "ActivityAuditLog"].map((category) =>
    advancedCase(
      `the category ${category} of event data stores`,
      [{ Field: "eventCategory", Equals: [category] }],
      notValid("eventCategory"),
    ),
  ),
  ...[
    "eventName",
    "eventType",
    "resources.type",
    "resources.ARN",
    "userIdentity.arn",
    "sessionCredentialFromConsole",
    "errorCode",
    "vpcEndpointId",
    "colour",
  ].map((Field) =>
    advancedCase(
      `${Field} of management events`,
      [management, { Field, Equals: ["x"] }],
      notAllowed(Field, "Management"),
    ),
  ),
  ...["errorCode", "vpcEndpointId", "colour"].map((Field) =>
    advancedCase(
      `${Field} of data events`,
      [data, s3Objects, { Field, Equals: ["x"] }],
      notAllowed(Field, "Data"),
    ),
  ),
  ...[
    "readOnly",
    "eventType",
    "resources.type",
    "resources.ARN",
    "userIdentity.arn",
    "sessionCredentialFromConsole",
  ].map((Field) =>
    advancedCase(
      `${Field} of network activity`,
      [network, { Field: "eventSource", Equals: ["ec2.amazonaws.com"] }, { Field, Equals: ["x"] }],
      notAllowed(Field, "NetworkActivity"),
    ),
  ),
  advancedCase(
    "data events without a resource type",
    [data],
    "The following selectors are required when the eventCategory field value equals Data: [resources.type].",
  ),
  advancedCase(
    "network activity without a source",
    [network],
    "The following selectors are required when the eventCategory field value equals NetworkActivity: [eventSource].",
  ),
  advancedCase(
    "readOnly with another operator",
    [management, { Field: "readOnly", NotEquals: ["true"] }],
    only("readOnly", "Equals"),
  ),
  advancedCase(
    "a source of management events that is chosen",
    [management, { Field: "eventSource", Equals: ["kms.amazonaws.com"] }],
    only("eventSource", "NotEquals"),
  ),
  advancedCase(
    "a source of network activity that is left out",
    [network, { Field: "eventSource", NotEquals: ["ec2.amazonaws.com"] }],
    only("eventSource", "Equals"),
  ),
  advancedCase(
    "a resource type with another operator",
    [data, { Field: "resources.type", StartsWith: ["AWS::S3"] }],
    only("resources.type", "Equals"),
  ),
  advancedCase(
    "a console session with another operator",
    [data, s3Objects, { Field: "sessionCredentialFromConsole", StartsWith: ["t"] }],
    only("sessionCredentialFromConsole", "Equals, NotEquals"),
  ),
  advancedCase(
    "an error code with another operator",
    [
      network,
      { Field: "eventSource", Equals: ["ec2.amazonaws.com"] },
      { Field: "errorCode", NotEquals: ["VpceAccessDenied"] },
    ],
    only("errorCode", "Equals"),
  ),
  advancedCase(
    "readOnly maybe",
    [management, { Field: "readOnly", Equals: ["maybe"] }],
    notValid("readOnly"),
  ),
  advancedCase(
    "readOnly twice",
    [management, { Field: "readOnly", Equals: ["true", "false"] }],
    notValid("readOnly"),
  ),
  advancedCase(
    "another source left out",
    [management, { Field: "eventSource", NotEquals: ["s3.amazonaws.com"] }],
    notValid("eventSource"),
  ),
  advancedCase(
    "an unknown resource type",
    [data, { Field: "resources.type", Equals: ["AWS::No::Such"] }],
    notValid("resources.type"),
  ),
  advancedCase(
    "two resource types",
    [data, { Field: "resources.type", Equals: ["AWS::S3::Object", "AWS::Lambda::Function"] }],
    notValid("resources.type"),
  ),
  advancedCase(
    "two sources of network activity",
    [network, { Field: "eventSource", Equals: ["ec2.amazonaws.com", "kms.amazonaws.com"] }],
    notValid("eventSource"),
  ),
  advancedCase(
    "a source that is no service",
    [network, { Field: "eventSource", Equals: ["ec2"] }],
    notValid("eventSource"),
  ),
  advancedCase(
    "another error code",
    [
      network,
      { Field: "eventSource", Equals: ["ec2.amazonaws.com"] },
      { Field: "errorCode", Equals: ["AccessDenied"] },
    ],
    notValid("errorCode"),
  ),
  advancedCase(
    "a console session maybe",
    [data, s3Objects, { Field: "sessionCredentialFromConsole", Equals: ["maybe"] }],
    notValid("sessionCredentialFromConsole"),
  ),
  advancedCase(
    "no operator",
    [data, s3Objects, { Field: "eventName" }],
    "At least one operator is required for the eventName field.",
  ),
  advancedCase(
    "empty operators",
    [data, s3Objects, { Field: "eventName", Equals: [], NotEquals: [] }],
    "At least one operator is required for the eventName field.",
  ),
  advancedCase(
    "501 values",
    [data, s3Objects, { Field: "resources.ARN", StartsWith: objects(499) }],
    "There are too many filters applied. The maximum allowed number of filters is 500.",
  ),
  advancedCase(
    "a value of 2049 characters",
    [data, s3Objects, { Field: "eventName", Equals: ["x".repeat(2049)] }],
    /./,
  ),
  advancedCase("an empty value", [data, s3Objects, { Field: "eventName", Equals: [""] }], /./),
  [
    "a name of 1001 characters",
    { AdvancedEventSelectors: [{ Name: "n".repeat(1001), ...advanced(management) }] },
    /./,
  ],
  ["the second selector", { AdvancedEventSelectors: [advanced(management), advanced(s3Objects)] }, required],
];

describe("is refused with the service's words, and the selectors stay", () => {
  let client: ReturnType<Api["as"]>;
  let check: Awaited<ReturnType<typeof refusalCheck>>;
  beforeAll(async () => {
    client = api.as(api.newAccount());
    await makeTrail(client, "my-trail");
    await client.putEventSelectors({
      TrailName: "my-trail",
      EventSelectors: [{ ReadWriteType: "ReadOnly" }],
    });
    check = await refusalCheck(client);
  });

  test.each([...wrongLists, ...wrongBasic, ...wrongAdvanced])("%s", async (_what, input, text) => {
    const call = () => client.putEventSelectors({ TrailName: "my-trail", ...input });
    await check(call, ["InvalidEventSelectorsException", text]);
  });

  test("the trail is looked up first", async () => {
    const call = () => client.putEventSelectors({ TrailName: "?", EventSelectors: [] });
    await check(call, ["InvalidTrailNameException", /^Trail name too short/]);
  });
});
