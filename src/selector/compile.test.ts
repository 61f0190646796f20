// Selector matching: a case for every sentence of api.md §5.7, and the engine against the naive matcher.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../event/record.ts";
import { advanced, anyEvent, anySelectors, basic, dataEvent, event } from "./arbitraries.test-support.ts";
import { compileSelectors } from "./compile.ts";
import { naiveMatches } from "./naive-matcher.test-support.ts";
import type { FieldSelector, TrailSelectors } from "./selectors.ts";

interface Case {
  readonly sentence: string;
  readonly selectors: TrailSelectors;
  readonly event: RecordFields;
  readonly matches: boolean;
}

function without(fields: RecordFields, ...names: (keyof RecordFields)[]): RecordFields {
  const copy = { ...fields };
  for (const name of names) delete copy[name];
  return copy;
}

const bucket = { type: "AWS::S3::Bucket", arn: "arn:aws:s3:::bucket" };
const object = (key: string, name = "bucket") => ({
  type: "AWS::S3::Object",
  arn: `arn:aws:s3:::${name}/${key}`,
});
const s3 = (...values: string[]) =>
  basic({ includeManagementEvents: false, dataResources: [{ type: "AWS::S3::Object", values }] });
const functionArn = "arn:aws:lambda:us-west-2:111111111111:function:helloworld";
const lambda = (...values: string[]) =>
  basic({ includeManagementEvents: false, dataResources: [{ type: "AWS::Lambda::Function", values }] });
const invoke = (arn: string) =>
  dataEvent([{ type: "AWS::Lambda::Function", arn }], {
    eventSource: "lambda.amazonaws.com",
    eventName: "Invoke",
  });
const tableArn = "arn:aws:dynamodb:us-east-1:111111111111:table/orders";
const dynamo = (...values: string[]) =>
  basic({ includeManagementEvents: false, dataResources: [{ type: "AWS::DynamoDB::Table", values }] });
const streamRead = dataEvent(
  [
    { type: "AWS::DynamoDB::Stream", arn: `${tableArn}/stream/2026` },
    { type: "AWS::DynamoDB::Table", arn: tableArn },
  ],
  { eventSource: "dynamodb.amazonaws.com", eventName: "GetRecords", readOnly: true },
);
const management: FieldSelector = { field: "eventCategory", Equals: ["Management"] };
const data: FieldSelector = { field: "eventCategory", Equals: ["Data"] };
const network: FieldSelector = { field: "eventCategory", Equals: ["NetworkActivity"] };
const objects: FieldSelector = { field: "resources.type", Equals: ["AWS::S3::Object"] };
const endpointCall = event({
  eventCategory: "NetworkActivity",
  eventType: "AwsVpceEvent",
  eventSource: "kms.amazonaws.com",
  vpcEndpointId: "vpce-1",
});
const ofKms: FieldSelector = { field: "eventSource", Equals: ["kms.amazonaws.com"] };

/** A sentence of §5.7 with its events: each matches (true) or does not (false). */
function cases(
  sentence: string,
  selectors: TrailSelectors,
  events: readonly (readonly [RecordFields, boolean])[],
): Case[] {
  return events.map(([fields, matches]) => ({ sentence, selectors, event: fields, matches }));
}

const read = event({ readOnly: true, eventName: "DescribeInstances" });
const write = event();
const kms = event({ eventSource: "kms.amazonaws.com", readOnly: true });

const table: readonly Case[] = [
  ...cases(
    "An event is delivered if at least one selector matches (selectors are OR-ed): basic.",
    basic(
      { readWriteType: "ReadOnly" },
      {
        readWriteType: "WriteOnly",
        includeManagementEvents: false,
        dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
      },
    ),
    [
      [read, true],
      [write, false],
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { readOnly: true }), false],
    ],
  ),
  ...cases(
    "… (selectors are OR-ed): advanced.",
    advanced([management, { field: "readOnly", Equals: ["true"] }], [data, objects]),
    [
      [read, true],
      [write, false],
      [dataEvent([object("a")]), true],
    ],
  ),
  ...cases("Category of a record: eventCategory if present.", advanced([data, objects]), [
    [dataEvent([object("a")], { managementEvent: true }), true],
    [event({ managementEvent: false, resources: [object("a")] }), false],
  ]),
  ...cases("Else Data if managementEvent is false.", advanced([data, objects]), [
    [without(dataEvent([object("a")]), "eventCategory"), true],
  ]),
  ...cases("Else Data if managementEvent is false (basic).", s3("arn:aws:s3"), [
    [without(dataEvent([object("a")]), "eventCategory"), true],
  ]),
  ...cases("Else Management.", advanced([management]), [
    [without(event(), "eventCategory", "managementEvent"), true],
    [without(event(), "eventCategory"), true],
  ]),
  ...cases(
    "Insights records are never matched by selectors.",
    advanced([management], [data, objects], [network, ofKms]),
    [
      [event({ eventCategory: "Insight" }), false],
      [event({ eventCategory: "ActivityAuditLog" }), false],
      [event({ eventCategory: "Aggregated" }), false],
    ],
  ),
  ...cases(
    "Insights records are never matched by selectors: not by a category that says so either.",
    advanced([{ field: "eventCategory", Equals: ["Insight"] }]),
    [[event({ eventCategory: "Insight" }), false]],
  ),
  ...cases("Insights records are never matched by selectors (basic).", basic({}), [
    [event({ eventCategory: "Insight" }), false],
  ]),
  ...cases(
    "readOnly missing → treated as false, i.e. a write: basic WriteOnly.",
    basic({ readWriteType: "WriteOnly" }),
    [[without(event(), "readOnly"), true]],
  ),
  ...cases("readOnly missing: basic ReadOnly.", basic({ readWriteType: "ReadOnly" }), [
    [without(event(), "readOnly"), false],
  ]),
  ...cases(
    "readOnly missing: advanced false.",
    advanced([management, { field: "readOnly", Equals: ["false"] }]),
    [
      [without(event(), "readOnly"), true],
      [write, true],
      [read, false],
    ],
  ),
  ...cases(
    "readOnly missing: advanced true.",
    advanced([management, { field: "readOnly", Equals: ["true"] }]),
    [[without(event(), "readOnly"), false]],
  ),
  ...cases(
    "All comparisons are case-sensitive.",
    advanced([data, objects, { field: "eventName", Equals: ["putobject"] }]),
    [[dataEvent([object("a")]), false]],
  ),
  ...cases("All comparisons are case-sensitive: prefixes.", s3("arn:aws:s3:::Bucket/"), [
    [dataEvent([object("a")]), false],
  ]),
  ...cases(
    "All comparisons are literal, without wildcards.",
    advanced([data, objects, { field: "eventName", Equals: ["Put*"] }]),
    [
      [dataEvent([object("a")]), false],
      [dataEvent([object("a")], { eventName: "Put*" }), true],
    ],
  ),
  ...cases("… without wildcards: a star in a prefix is a literal character.", s3("arn:aws:s3:::bucket/*"), [
    [dataEvent([object("a")]), false],
    [dataEvent([object("*a")]), true],
  ]),

  ...cases("ReadWriteType = All.", basic({}), [
    [read, true],
    [write, true],
  ]),
  ...cases("ReadOnly and e.readOnly.", basic({ readWriteType: "ReadOnly" }), [
    [read, true],
    [write, false],
  ]),
  ...cases("WriteOnly and not e.readOnly.", basic({ readWriteType: "WriteOnly" }), [
    [read, false],
    [write, true],
  ]),
  ...cases(
    "It applies to management and data events alike.",
    basic({
      readWriteType: "WriteOnly",
      dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
    }),
    [
      [write, true],
      [read, false],
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { readOnly: true }), false],
    ],
  ),
  ...cases("e is Management, IncludeManagementEvents is true.", basic({ includeManagementEvents: true }), [
    [write, true],
  ]),
  ...cases("e is Management, IncludeManagementEvents is false.", s3("arn:aws:s3"), [[write, false]]),
  ...cases(
    "e.eventSource is not in ExcludeManagementEventSources.",
    basic({ excludeManagementEventSources: ["kms.amazonaws.com"] }),
    [
      [kms, false],
      [write, true],
      [event({ eventSource: "rdsdata.amazonaws.com" }), true],
      [without(event(), "eventSource"), true],
    ],
  ),
  ...cases(
    "The exclusion concerns management events, not data events.",
    basic({
      excludeManagementEventSources: ["rdsdata.amazonaws.com"],
      dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }],
    }),
    [[dataEvent([object("a")], { eventSource: "rdsdata.amazonaws.com" }), true]],
  ),
  ...cases(
    "Some entry of DataResources matches some entry of e.resources with the same type.",
    basic({
      includeManagementEvents: false,
      dataResources: [
        { type: "AWS::Lambda::Function", values: ["arn:aws:lambda"] },
        { type: "AWS::S3::Object", values: ["arn:aws:s3:::bucket/"] },
      ],
    }),
    [
      [dataEvent([bucket, object("a")]), true],
      [invoke(functionArn), true],
      [dataEvent([bucket, object("a", "other")]), false],
      [dataEvent([{ type: "AWS::DynamoDB::Table", arn: "arn:aws:s3:::bucket/a" }]), false],
      [dataEvent([]), false],
      [dataEvent([{ arn: "arn:aws:s3:::bucket/a" }]), false],
    ],
  ),
  ...cases("Values may be empty (matches nothing).", s3(), [[dataEvent([object("a")]), false]]),
  ...cases("A data event is not logged for IncludeManagementEvents alone.", basic({}), [
    [dataEvent([object("a")]), false],
  ]),
  ...cases(
    "Network activity events never match basic selectors.",
    basic({ dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3"] }] }),
    [
      [endpointCall, false],
      [event({ eventCategory: "NetworkActivity", resources: [object("a")] }), false],
    ],
  ),
  ...cases(
    "The exclusion list is per selector: another selector with management events and no exclusion still logs KMS events.",
    basic({ excludeManagementEventSources: ["kms.amazonaws.com"] }, { readWriteType: "ReadOnly" }),
    [
      [kms, true],
      [event({ eventSource: "kms.amazonaws.com" }), false],
    ],
  ),

  ...cases("Use r.ARN, or r.ARNPrefix where the record has that instead.", s3("arn:aws:s3:::bucket/pre"), [
    [dataEvent([{ type: "AWS::S3::Object", arn: "arn:aws:s3:::bucket/prefix" }]), true],
  ]),
  ...cases("arn:{p}:s3 matches every S3 object event.", s3("arn:aws:s3"), [
    [dataEvent([object("a")]), true],
    [dataEvent([object("b", "other")]), true],
    [dataEvent([{ type: "AWS::S3::Object" }]), true],
    [dataEvent([bucket]), false],
  ]),
  ...cases("arn:{p}:s3::: matches every S3 object event.", s3("arn:aws:s3:::"), [
    [dataEvent([object("a")]), true],
    [dataEvent([{ type: "AWS::S3::Object", arn: "arn:aws-cn:s3:::b/k" }]), true],
  ]),
  ...cases(
    "arn:{p}:s3:::bucket/: ARN begins with it (the whole bucket; not bucket2/…).",
    s3("arn:aws:s3:::bucket/"),
    [
      [dataEvent([object("a")]), true],
      [dataEvent([object("")]), true],
      [dataEvent([object("a", "bucket2")]), false],
      [dataEvent([bucket]), false],
      [dataEvent([{ type: "AWS::S3::Object" }]), false],
    ],
  ),
  ...cases(
    "arn:{p}:s3:::bucket/pre: ARN begins with it (plain string prefix: pre, prefix/x, pre-1).",
    s3("arn:aws:s3:::bucket/pre"),
    [
      [dataEvent([object("pre")]), true],
      [dataEvent([object("prefix/x")]), true],
      [dataEvent([object("pre-1")]), true],
      [dataEvent([object("pr")]), false],
      [dataEvent([object("a/pre")]), false],
    ],
  ),
  ...cases("arn:{p}:lambda matches every Invoke.", lambda("arn:aws:lambda"), [
    [invoke(functionArn), true],
    [invoke("arn:aws:lambda:eu-west-1:2:function:x"), true],
    [dataEvent([object("a")]), false],
  ]),
  ...cases(
    "A function ARN: ARN equal, nothing else (helloworld ≠ helloworld2, and ≠ helloworld:alias).",
    lambda(functionArn),
    [
      [invoke(functionArn), true],
      [invoke(`${functionArn}2`), false],
      [invoke(`${functionArn}:alias`), false],
      [invoke(functionArn.slice(0, -1)), false],
    ],
  ),
  ...cases("arn:{p}:dynamodb matches every DynamoDB table event.", dynamo("arn:aws:dynamodb"), [
    [streamRead, true],
    [dataEvent([{ type: "AWS::DynamoDB::Table", arn: tableArn }]), true],
    [dataEvent([{ type: "AWS::DynamoDB::Stream", arn: tableArn }]), false],
  ]),
  ...cases("A table ARN: ARN equal on a resource of type AWS::DynamoDB::Table.", dynamo(tableArn), [
    [dataEvent([{ type: "AWS::DynamoDB::Table", arn: tableArn }]), true],
    [dataEvent([{ type: "AWS::DynamoDB::Table", arn: `${tableArn}2` }]), false],
    [dataEvent([{ type: "AWS::DynamoDB::Stream", arn: tableArn }]), false],
  ]),
  ...cases(
    "Stream reads list both the Stream and its Table in resources, so they match too.",
    dynamo(tableArn),
    [[streamRead, true]],
  ),

  ...cases(
    "Every field selector holds (AND across fields).",
    advanced([
      data,
      objects,
      { field: "readOnly", Equals: ["false"] },
      { field: "eventName", Equals: ["PutObject"] },
    ]),
    [
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { readOnly: true }), false],
      [dataEvent([object("a")], { eventName: "DeleteObject" }), false],
      [write, false],
    ],
  ),
  ...cases(
    "Positive operators: at least one value of any of them matches (OR over values and operators).",
    advanced([
      data,
      objects,
      { field: "eventName", Equals: ["GetObject", "PutObject"], StartsWith: ["Delete"], EndsWith: ["Acl"] },
    ]),
    [
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { eventName: "DeleteObjects" }), true],
      [dataEvent([object("a")], { eventName: "GetObjectAcl" }), true],
      [dataEvent([object("a")], { eventName: "CopyObject" }), false],
    ],
  ),
  ...cases(
    "Negative operators: none of their values matches (each is an exclusion; AND-ed).",
    advanced([
      data,
      objects,
      {
        field: "eventName",
        NotEquals: ["PutObject"],
        NotStartsWith: ["Delete", "Copy"],
        NotEndsWith: ["Acl"],
      },
    ]),
    [
      [dataEvent([object("a")]), false],
      [dataEvent([object("a")], { eventName: "DeleteObject" }), false],
      [dataEvent([object("a")], { eventName: "GetObjectAcl" }), false],
      [dataEvent([object("a")], { eventName: "GetObject" }), true],
    ],
  ),
  ...cases(
    "Both groups AND-ed.",
    advanced([data, objects, { field: "eventName", StartsWith: ["Put"], NotEndsWith: ["Acl"] }]),
    [
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { eventName: "PutObjectAcl" }), false],
      [dataEvent([object("a")], { eventName: "GetObject" }), false],
    ],
  ),
  ...cases(
    "eventSource: the member of that name.",
    advanced([management, { field: "eventSource", NotEquals: ["kms.amazonaws.com"] }]),
    [
      [kms, false],
      [write, true],
    ],
  ),
  ...cases(
    "eventType: the member of that name.",
    advanced([data, objects, { field: "eventType", Equals: ["AwsServiceEvent"] }]),
    [
      [dataEvent([object("a")], { eventType: "AwsServiceEvent" }), true],
      [dataEvent([object("a")]), false],
    ],
  ),
  ...cases(
    "vpcEndpointId: the member of that name.",
    advanced([network, ofKms, { field: "vpcEndpointId", Equals: ["vpce-1"] }]),
    [
      [endpointCall, true],
      [event({ ...endpointCall, vpcEndpointId: "vpce-2" }), false],
    ],
  ),
  ...cases(
    "userIdentity.arn.",
    advanced([data, objects, { field: "userIdentity.arn", StartsWith: ["arn:aws:iam::1"] }]),
    [
      [dataEvent([object("a")], { userIdentityArn: "arn:aws:iam::1:user/mary" }), true],
      [dataEvent([object("a")], { userIdentityArn: "arn:aws:iam::2:user/mary" }), false],
      [dataEvent([object("a")]), false],
    ],
  ),
  ...cases(
    'sessionCredentialFromConsole: the member (recorded as "true" only when it applies).',
    advanced([data, objects, { field: "sessionCredentialFromConsole", Equals: ["true"] }]),
    [
      [dataEvent([object("a")], { sessionCredentialFromConsole: "true" }), true],
      [dataEvent([object("a")]), false],
    ],
  ),
  ...cases(
    "sessionCredentialFromConsole: NotEquals.",
    advanced([data, objects, { field: "sessionCredentialFromConsole", NotEquals: ["true"] }]),
    [
      [dataEvent([object("a")], { sessionCredentialFromConsole: "true" }), false],
      [dataEvent([object("a")]), true],
    ],
  ),
  ...cases("resources.type: the type of a resource.", advanced([data, objects]), [
    [dataEvent([bucket, object("a")]), true],
    [dataEvent([bucket]), false],
    [invoke(functionArn), false],
  ]),
  ...cases(
    "Both spellings of the QApp type mean the same.",
    advanced([data, { field: "resources.type", Equals: ["AWS::QApps:QApp"] }]),
    [
      [dataEvent([{ type: "AWS::QApps::QApp", arn: "a" }]), true],
      [dataEvent([{ type: "AWS::QApps:QApp", arn: "a" }]), true],
    ],
  ),
  ...cases(
    "resources.ARN: one and the same resource has the type and passes the ARN conditions.",
    advanced([data, objects, { field: "resources.ARN", StartsWith: ["arn:aws:s3:::bucket"] }]),
    [
      [dataEvent([bucket, object("a")]), true],
      [dataEvent([bucket, object("a", "other")]), false],
    ],
  ),
  ...cases(
    "Several resources of the selected type: it is enough that one of them passes (NotEquals A still logs a call that touches A and B).",
    advanced([data, objects, { field: "resources.ARN", NotEquals: ["arn:aws:s3:::bucket/a"] }]),
    [
      [dataEvent([object("a"), object("b")]), true],
      [dataEvent([object("a")]), false],
    ],
  ),
  ...cases(
    "resources.ARN NotStartsWith arn:aws:s3:::b/ must not be satisfied by the bucket's entry.",
    advanced([data, objects, { field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::bucket/"] }]),
    [
      [dataEvent([bucket, object("a")]), false],
      [dataEvent([bucket, object("a", "other")]), true],
    ],
  ),
  ...cases(
    "Record lacks the value: a field selector with a positive operator does not hold.",
    advanced([network, ofKms, { field: "errorCode", Equals: ["VpceAccessDenied"] }]),
    [[endpointCall, false]],
  ),
  ...cases(
    "Record lacks the value: positive and negative together do not hold.",
    advanced([data, objects, { field: "userIdentity.arn", StartsWith: ["arn:"], NotEquals: ["x"] }]),
    [[dataEvent([object("a")]), false]],
  ),
  ...cases(
    "Record lacks the value: one with only negative operators holds.",
    advanced([data, objects, { field: "userIdentity.arn", NotStartsWith: ["arn:aws:iam::1"] }]),
    [
      [dataEvent([object("a")]), true],
      [dataEvent([object("a")], { userIdentityArn: "arn:aws:iam::1:user/mary" }), false],
    ],
  ),
  ...cases(
    "Record lacks the value: a resource without an ARN.",
    advanced([data, objects, { field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::bucket/"] }]),
    [[dataEvent([{ type: "AWS::S3::Object" }]), true]],
  ),
  ...cases(
    "Record lacks the value: no resources, and only negative operators ask for one.",
    advanced([data, { field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::bucket/"] }]),
    [
      [dataEvent([]), true],
      [dataEvent([object("a")]), false],
    ],
  ),
  ...cases(
    "Record lacks the value: no resources at all.",
    advanced([data, objects, { field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::bucket/"] }]),
    [[dataEvent([]), false]],
  ),
  ...cases(
    "AWS::DynamoDB::Table selects stream reads as well.",
    advanced([data, { field: "resources.type", Equals: ["AWS::DynamoDB::Table"] }]),
    [[streamRead, true]],
  ),
  ...cases(
    "… unless eventName excludes them.",
    advanced([
      data,
      { field: "resources.type", Equals: ["AWS::DynamoDB::Table"] },
      { field: "eventName", NotEquals: ["GetRecords", "GetShardIterator"] },
    ]),
    [[streamRead, false]],
  ),
  ...cases("Network activity: only records of category NetworkActivity.", advanced([network, ofKms]), [
    [kms, false],
    [endpointCall, true],
  ]),
  ...cases("Without errorCode all calls through the endpoint are logged.", advanced([network, ofKms]), [
    [endpointCall, true],
    [event({ ...endpointCall, errorCode: "VpceAccessDenied" }), true],
    [event({ ...endpointCall, errorCode: "AccessDenied" }), true],
  ]),
  ...cases(
    "With it only denials by the endpoint policy.",
    advanced([network, ofKms, { field: "errorCode", Equals: ["VpceAccessDenied"] }]),
    [
      [endpointCall, false],
      [event({ ...endpointCall, errorCode: "VpceAccessDenied" }), true],
      [event({ ...endpointCall, errorCode: "AccessDenied" }), false],
    ],
  ),
];

describe("selectors decide (api.md §5.7)", () => {
  test.each(table)("$sentence → $matches", ({ selectors, event: fields, matches }) => {
    expect(compileSelectors(selectors)(fields)).toBe(matches);
    expect(naiveMatches(selectors, fields)).toBe(matches);
  });

  test("the engine decides as the naive matcher does", () => {
    let matched = 0;
    let runs = 0;
    fc.assert(
      fc.property(anySelectors, anyEvent, (selectors, fields) => {
        const expected = naiveMatches(selectors, fields);
        runs += 1;
        if (expected) matched += 1;
        expect(compileSelectors(selectors)(fields)).toBe(expected);
      }),
      { seed: 7_021_994, numRuns: 20_000 },
    );
    // A property whose events never match anything would prove nothing.
    expect(matched / runs).toBeGreaterThan(0.1);
  });
});
