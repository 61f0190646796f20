// Events, selectors and trails for tests: plain builders, and random ones from a small alphabet in which things collide.
import * as fc from "fast-check";
import type { RecordFields, RecordResource } from "../event/record.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { TrailScope } from "./match-set.ts";
import {
  type AdvancedSelector,
  type BasicSelector,
  defaultSelectors,
  type FieldSelector,
  type TrailSelectors,
} from "./selectors.ts";

export function account(text: string): AccountId {
  const parsed = parseAccountId(text);
  if (!parsed) throw new Error(`${text} is no account.`);
  return parsed;
}

export function region(text: string): Region {
  const parsed = parseRegion(text);
  if (!parsed) throw new Error(`${text} is no Region.`);
  return parsed;
}

export const mainAccount = account("123456789012");
export const otherAccount = account("210987654321");

/** A management write of EC2 in us-east-1. */
export function event(changes: Partial<RecordFields> = {}): RecordFields {
  return {
    eventVersion: "1.11",
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: "ec2.amazonaws.com",
    eventName: "RunInstances",
    awsRegion: "us-east-1",
    eventID: "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77",
    eventType: "AwsApiCall",
    eventCategory: "Management",
    recipientAccountId: mainAccount,
    readOnly: false,
    managementEvent: true,
    hasUserIdentity: true,
    resources: [],
    ...changes,
  };
}

/** A data event on the given resources. */
export function dataEvent(
  resources: readonly RecordResource[],
  changes: Partial<RecordFields> = {},
): RecordFields {
  return event({
    eventSource: "s3.amazonaws.com",
    eventName: "PutObject",
    eventCategory: "Data",
    managementEvent: false,
    resources,
    ...changes,
  });
}

export function basic(...selectors: Partial<BasicSelector>[]): TrailSelectors {
  const [plain] = defaultSelectors.kind === "basic" ? defaultSelectors.selectors : [];
  if (!plain) throw new Error("There is no default selector.");
  return { kind: "basic", selectors: selectors.map((selector) => ({ ...plain, ...selector })) };
}

/** Each argument is one selector: its field selectors. */
export function advanced(...selectors: FieldSelector[][]): TrailSelectors {
  return { kind: "advanced", selectors: selectors.map((fieldSelectors) => ({ fieldSelectors })) };
}

/** A multi-Region trail of the main account that logs all management events. */
export function trail(changes: Partial<TrailScope> = {}): TrailScope {
  return {
    destination: { kind: "trail", incarnation: "t1" },
    account: mainAccount,
    homeRegion: region("us-east-1"),
    isMultiRegion: true,
    includeGlobalServiceEvents: true,
    isOrganization: false,
    selectors: defaultSelectors,
    insightTypes: [],
    ...changes,
  };
}

// Few texts, many of them prefixes and suffixes of one another.
const sources = ["iam.amazonaws.com", "s3.amazonaws.com", "kms.amazonaws.com", "rdsdata.amazonaws.com"];
const names = ["Put", "PutObject", "Object", "GetObject", "Get", "put"];
const types = [
  ...["AWS::S3::Object", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::DynamoDB::Table"],
  ...["AWS::DynamoDB::Stream", "AWS::QApps::QApp", "AWS::QApps:QApp"],
];
const lambdaArn = "arn:aws:lambda:us-east-1:123456789012:function:hello";
const tableArn = "arn:aws:dynamodb:us-east-1:123456789012:table/t";
const resourceArns = [
  ...["arn:aws:s3:::bbb/", "arn:aws:s3:::bbb/pre", "arn:aws:s3:::bbb/prefix/x", "arn:aws:s3:::bbb2/pre"],
  ...["arn:aws:s3:::bbb", lambdaArn, `${lambdaArn}2`, `${lambdaArn}:alias`, tableArn, `${tableArn}2`],
  `${tableArn}/stream/1`,
];
const identities = ["arn:aws:iam::123456789012:user/mary", "arn:aws:iam::123456789012:user/mary2"];
const errors = ["VpceAccessDenied", "AccessDenied"];
const endpoints = ["vpce-1", "vpce-12"];
const eventTypes = ["AwsApiCall", "AwsServiceEvent"];
const accounts = [mainAccount, otherAccount, account("333333333333")];
const regions = ["us-east-1", "eu-west-1"].map(region);
const insights = ["ApiCallRateInsight", "ApiErrorRateInsight"];

const one = (texts: readonly string[]) => fc.constantFrom(...texts);
const some = (texts: readonly string[]) => fc.array(one(texts), { minLength: 1, maxLength: 3 });

const anyResource: fc.Arbitrary<RecordResource> = fc.record(
  { type: one(types), arn: one(resourceArns) },
  { requiredKeys: [] },
);

export const anyEvent: fc.Arbitrary<RecordFields> = fc.record(
  {
    eventSource: one(sources),
    eventName: one(names),
    eventType: one(eventTypes),
    eventCategory: one(["Management", "Data", "Data", "NetworkActivity", "Insight", "ActivityAuditLog"]),
    managementEvent: fc.boolean(),
    readOnly: fc.boolean(),
    errorCode: one(errors),
    vpcEndpointId: one(endpoints),
    sessionCredentialFromConsole: fc.constant("true"),
    userIdentityArn: one(identities),
    insightType: one(insights),
    hasUserIdentity: fc.constant(true),
    resources: fc.array(anyResource, { maxLength: 3 }),
  },
  { requiredKeys: ["hasUserIdentity", "resources"] },
);

const anyDataResource = fc.oneof(
  fc.record({
    type: fc.constant("AWS::S3::Object"),
    values: fc.array(one(["arn:aws:s3", "arn:aws:s3:::", ...resourceArns.slice(0, 4)]), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("AWS::Lambda::Function"),
    values: fc.array(one(["arn:aws:lambda", ...resourceArns.slice(5, 8)]), { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("AWS::DynamoDB::Table"),
    values: fc.array(one(["arn:aws:dynamodb", ...resourceArns.slice(8)]), { maxLength: 2 }),
  }),
);

const anyBasic: fc.Arbitrary<BasicSelector> = fc.record({
  readWriteType: fc.constantFrom("All" as const, "ReadOnly" as const, "WriteOnly" as const),
  includeManagementEvents: fc.boolean(),
  dataResources: fc.array(anyDataResource, { maxLength: 3 }),
  excludeManagementEventSources: fc.subarray(["kms.amazonaws.com", "rdsdata.amazonaws.com"]),
});

/** Any of the six operators, each with values that are whole, cut at the end or cut at the beginning. */
function anyField(field: string, texts: readonly string[]): fc.Arbitrary<FieldSelector> {
  const cut = texts.flatMap((text) => [text, text.slice(0, -2), text.slice(2)]).filter((text) => text !== "");
  const operators = {
    Equals: some(texts),
    StartsWith: some(cut),
    EndsWith: some(cut),
    NotEquals: some(texts),
    NotStartsWith: some(cut),
    NotEndsWith: some(cut),
  };
  return fc
    .record(operators, { requiredKeys: [] })
    .map((given) => ({ field, ...given }))
    .filter((selector) => Object.keys(selector).length > 1);
}

const equals = (field: string, texts: readonly string[]): fc.Arbitrary<FieldSelector> =>
  one(texts).map((value) => ({ field, Equals: [value] }));

/** Beyond what validation allows for each category: the engine must agree on all of it. */
const anyAdvanced: fc.Arbitrary<AdvancedSelector> = fc
  .tuple(
    equals("eventCategory", ["Management", "Data", "Data", "NetworkActivity"]),
    fc.shuffledSubarray(
      [
        equals("readOnly", ["true", "false"]),
        equals("resources.type", types),
        anyField("resources.ARN", resourceArns),
        anyField("eventSource", sources),
        anyField("eventName", names),
        anyField("eventType", eventTypes),
        anyField("userIdentity.arn", identities),
        anyField("sessionCredentialFromConsole", ["true", "false"]),
        anyField("errorCode", errors),
        anyField("vpcEndpointId", endpoints),
      ],
      { maxLength: 3 },
    ),
  )
  .chain(([category, fields]) => fc.tuple(fc.constant(category), ...fields))
  .map((fieldSelectors) => ({ fieldSelectors }));

export const anySelectors: fc.Arbitrary<TrailSelectors> = fc.oneof(
  fc
    .array(anyBasic, { minLength: 1, maxLength: 3 })
    .map((selectors): TrailSelectors => ({ kind: "basic", selectors })),
  fc
    .array(anyAdvanced, { minLength: 1, maxLength: 3 })
    .map((selectors): TrailSelectors => ({ kind: "advanced", selectors })),
);

const anyTrail: fc.Arbitrary<Omit<TrailScope, "destination">> = fc.record({
  account: fc.constantFrom(...accounts),
  homeRegion: fc.constantFrom(...regions),
  isMultiRegion: fc.boolean(),
  includeGlobalServiceEvents: fc.boolean(),
  isOrganization: fc.boolean(),
  selectors: fc.oneof(anySelectors, fc.constant(defaultSelectors)),
  insightTypes: fc.subarray(insights),
});

/** Trails in no order of incarnation; some of them share their selectors. */
export const anyTrails: fc.Arbitrary<TrailScope[]> = fc
  .array(anyTrail, { maxLength: 6 })
  .map((trails) =>
    trails.map((one, index) => ({ ...one, destination: { kind: "trail", incarnation: `t${9 - index}` } })),
  );

export const anyPlace = fc.record({
  account: fc.constantFrom(...accounts),
  region: fc.constantFrom(...regions),
});

export const members: ReadonlySet<AccountId> = new Set([mainAccount, otherAccount]);
