// What each operation asks the policies, and how a refusal reads.
import { describe, expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import { operationShapes } from "../model/generated/shapes.ts";
import type { OperationName } from "../model/operations.ts";
import { parsePolicyValue } from "../model/policy.ts";
import { parseRegion } from "../model/regions.ts";
import { authorize, type Permissions } from "./authorize.ts";
import { deedsOf } from "./call-deeds.ts";

const accountId = parseAccountId("123456789012");
const region = parseRegion("cn-north-1");
if (!accountId || !region) throw new Error("The facts of the test are not well-formed.");
const arn = `arn:aws-cn:iam::${accountId}:user/mary`;
const call: Call = {
  caller: { accountId, kind: "user", arn, principalId: "AIDA" },
  region,
  requestId: "00000000-0000-4000-8000-000000000000",
  sourceIp: "127.0.0.1",
  userAgent: "",
};
const here = `arn:aws-cn:cloudtrail:cn-north-1:${accountId}`;

test.each<readonly [OperationName, object, readonly string[]]>([
  ["GetTrail", { Name: "abc" }, [`GetTrail ${here}:trail/abc`]],
  [
    "GetTrail",
    { Name: "arn:aws:cloudtrail:us-east-1:1:trail/x" },
    ["GetTrail arn:aws:cloudtrail:us-east-1:1:trail/x"],
  ],
  ["GetTrail", {}, ["GetTrail *"]],
  ["CreateTrail", { Name: "abc" }, [`CreateTrail ${here}:trail/abc`]],
  [
    "CreateTrail",
    { Name: "abc", TagsList: [] },
    [`CreateTrail ${here}:trail/abc`, `AddTags ${here}:trail/abc`],
  ],
  ["PutInsightSelectors", { TrailName: "abc" }, [`PutInsightSelectors ${here}:trail/abc`]],
  ["PutInsightSelectors", { EventDataStore: "id" }, [`PutInsightSelectors ${here}:eventdatastore/id`]],
  ["ListTags", { ResourceIdList: ["arn:a", "arn:b", "arn:a"] }, ["ListTags arn:a", "ListTags arn:b"]],
  ["ListTags", { ResourceIdList: [] }, ["ListTags *"]],
  ["DescribeTrails", { trailNameList: ["abc"] }, ["DescribeTrails *"]],
  ["LookupEvents", {}, ["LookupEvents *"]],
  ["ListInsightsMetricData", {}, ["LookupEvents *"]],
  [
    "ListInsightsMetricData",
    { TrailName: "abc" },
    [`LookupEvents ${here}:trail/abc`, `ListInsightsData ${here}:trail/abc`],
  ],
  ["GetDashboard", { DashboardId: "d" }, [`GetDashboard ${here}:dashboard/d`]],
  ["GetChannel", { Channel: "c" }, [`GetChannel ${here}:channel/c`]],
])("%s %j", (operation, input, expected) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table over operations of different inputs
  const deeds = deedsOf(operation, input as never, call);
  expect(deeds.map(({ action, resource }) => `${action.replace("cloudtrail:", "")} ${resource}`)).toEqual(
    expected,
  );
});

test("every operation asks something, even of an empty input", () => {
  const names = Object.keys(operationShapes) as OperationName[];
  expect(names.length).toBe(60);
  for (const name of names) expect(deedsOf(name, {}, call).length, name).toBeGreaterThan(0);
});

test("a list without end is refused before it is looked at", () => {
  const ResourceIdList = Array.from({ length: 1001 }, (_, index) => `arn:${index}`);
  expect(() => deedsOf("ListTags", { ResourceIdList }, call)).toThrow(/length less than or equal to 1000/);
});

describe("refusals", () => {
  function permissions(...statements: readonly object[]): Permissions {
    const parsed = parsePolicyValue({ Version: "2012-10-17", Statement: statements });
    if ("problem" in parsed) throw new Error(parsed.problem);
    return { kind: "policies", policies: [parsed], context: { "aws:username": ["mary"] } };
  }
  const allow = { Effect: "Allow", Action: "cloudtrail:*", Resource: `${here}:trail/abc` };
  const deeds = (...resources: readonly string[]) =>
    resources.map((resource) => ({ action: "cloudtrail:GetTrail", resource }));

  test("all of the deeds must be allowed", () => {
    authorize(permissions(allow), arn, deeds(`${here}:trail/abc`));
    expect(() => authorize(permissions(allow), arn, deeds(`${here}:trail/abc`, `${here}:trail/abd`))).toThrow(
      `User: ${arn} is not authorized to perform: cloudtrail:GetTrail on resource: ${here}:trail/abd because no identity-based policy allows the cloudtrail:GetTrail action`,
    );
  });

  test("a deny is named as one", () => {
    const deny = { Effect: "Deny", Action: "*", Resource: "*" };
    expect(() => authorize(permissions(allow, deny), arn, deeds(`${here}:trail/abc`))).toThrow(
      `User: ${arn} is not authorized to perform: cloudtrail:GetTrail on resource: ${here}:trail/abc with an explicit deny in an identity-based policy`,
    );
  });

  test("conditions see who asks", () => {
    const condition = { ...allow, Condition: { StringEquals: { "aws:username": "bob" } } };
    expect(() => authorize(permissions(condition), arn, deeds(`${here}:trail/abc`))).toThrow(
      /not authorized/,
    );
  });

  test.each([
    ["Allow", "because no identity-based policy allows the cloudtrail:LookupEvents action"],
    ["Deny", "with an explicit deny in an identity-based policy"],
  ])("lookups name no resource (%s)", (effect, end) => {
    const statement = { Effect: effect, Action: effect === "Deny" ? "*" : "s3:*", Resource: "*" };
    expect(() =>
      authorize(permissions(statement), arn, [{ action: "cloudtrail:LookupEvents", resource: "*" }]),
    ).toThrow(`User: ${arn} is not authorized to perform: cloudtrail:LookupEvents ${end}`);
  });
});
