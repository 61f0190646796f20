// PutInsightSelectors and GetInsightSelectors (api.md §6.1, §6.2).
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import { callFrom, documentsOf, mary, openTrailWorld, refusalOf, trailArnOf } from "./trail.test-world.ts";

type PutInput = Input<"PutInsightSelectors">;
type Selectors = Omit<Input<"PutEventSelectors">, "TrailName">;
const rate = { InsightType: "ApiCallRateInsight" as const };
const errors = { InsightType: "ApiErrorRateInsight" as const };

async function openWorldWithTrail() {
  const world = await openTrailWorld();
  await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
  const put = async (input: Partial<PutInput>) =>
    world.operations.PutInsightSelectors(
      { TrailName: "my-trail", InsightSelectors: [rate], ...input },
      callFrom(),
    );
  const get = async (input: Input<"GetInsightSelectors"> = { TrailName: "my-trail" }) =>
    world.operations.GetInsightSelectors(input, callFrom());
  return { world, put, get };
}

describe("Insights selectors of a trail", () => {
  test("are put, given back as they were given, and replaced", async () => {
    const { world, put, get } = await openWorldWithTrail();
    const both = {
      TrailARN: trailArnOf("my-trail"),
      InsightSelectors: [errors, { ...rate, EventCategories: ["Management"] }],
    };
    expect(
      await put({ InsightSelectors: [errors, { ...rate, EventCategories: ["Management"] }] }),
    ).toStrictEqual(both);
    await world.reopen();
    expect(await get()).toStrictEqual(both);
    expect(
      (await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail?.HasInsightSelectors,
    ).toBe(true);
    expect(await put({ InsightSelectors: [rate] })).toStrictEqual({ ...both, InsightSelectors: [rate] });
  });

  test("an empty list turns them off", async () => {
    const { world, put, get } = await openWorldWithTrail();
    await put({});
    expect(await put({ InsightSelectors: [] })).toStrictEqual({
      TrailARN: trailArnOf("my-trail"),
      InsightSelectors: [],
    });
    expect(
      (await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail?.HasInsightSelectors,
    ).toBe(false);
    expect(await refusalOf(get())).toBe(
      "InsightNotEnabledException: Trail my-trail does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.",
    );
  });

  test("an empty list of categories counts as none", async () => {
    const { put } = await openWorldWithTrail();
    expect(
      (await put({ InsightSelectors: [{ ...rate, EventCategories: [] }] })).InsightSelectors,
    ).toStrictEqual([rate]);
  });

  test("stay while the trail is stopped", async () => {
    const { world, put, get } = await openWorldWithTrail();
    await put({});
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    const insight = {
      eventCategory: "Insight",
      hasUserIdentity: false,
      insightType: "ApiCallRateInsight",
      resources: [],
    };
    const matched = () =>
      world.registry.index().match(insight, { account: mary, region: callFrom().region }).destinations.length;
    expect(matched()).toBe(1);
    await world.operations.StopLogging({ Name: "my-trail" }, callFrom());
    expect(matched()).toBe(0);
    expect((await get()).InsightSelectors).toEqual([rate]);
  });

  const combination =
    "InvalidParameterCombinationException: Specify either TrailName, or both EventDataStore and InsightsDestination.";
  const storeArn = `arn:aws:cloudtrail:us-east-2:${mary}:eventdatastore/0123abcd-0123-0123-0123-0123456789ab`;
  const noStore = "UnsupportedOperationException: The operation requested is not supported in the region.";
  const none = { TrailName: undefined };
  test.each<readonly [string, Partial<PutInput>, string]>([
    ["no target", none, combination],
    ["a trail and a store", { EventDataStore: storeArn, InsightsDestination: storeArn }, combination],
    ["a trail and a destination", { InsightsDestination: storeArn }, combination],
    ["a store without a destination", { ...none, EventDataStore: storeArn }, combination],
    ["a destination alone", { ...none, InsightsDestination: storeArn }, combination],
    [
      "a store with a destination",
      { ...none, EventDataStore: storeArn, InsightsDestination: storeArn },
      noStore,
    ],
    ["a store to turn off", { ...none, EventDataStore: storeArn, InsightSelectors: [] }, noStore],
    ["a blank trail name", { TrailName: "" }, "InvalidTrailNameException: Trail name cannot be blank!"],
    [
      "a type twice",
      { InsightSelectors: [rate, errors, rate] },
      "InvalidInsightSelectorsException: InsightType ApiCallRateInsight occurs more than once.",
    ],
    [
      "a selector without a type",
      { InsightSelectors: [{}] },
      "InvalidInsightSelectorsException: InsightType null is not valid.",
    ],
    [
      "an unknown type",
      { InsightSelectors: [{ InsightType: "Other" as "ApiCallRateInsight" }] },
      "InvalidInsightSelectorsException: InsightType Other is not valid.",
    ],
    [
      "an unknown category",
      { InsightSelectors: [{ ...rate, EventCategories: ["NetworkActivity" as "Data"] }] },
      "InvalidInsightSelectorsException: EventCategories value NetworkActivity is not valid.",
    ],
    [
      "a category twice",
      { InsightSelectors: [{ ...rate, EventCategories: ["Management", "Management"] }] },
      "InvalidInsightSelectorsException: EventCategories value Management occurs more than once.",
    ],
  ])("%s is refused and changes nothing", async (_what, input, refusal) => {
    const { world, put } = await openWorldWithTrail();
    const before = await documentsOf(world);
    expect(await refusalOf(put(input))).toBe(refusal);
    expect(await documentsOf(world)).toEqual(before);
  });

  const either = "InvalidParameterCombinationException: Specify either TrailName or EventDataStore.";
  test.each<readonly [string, Input<"GetInsightSelectors">, string]>([
    ["nothing", {}, either],
    ["both", { TrailName: "my-trail", EventDataStore: storeArn }, either],
    ["a store", { EventDataStore: storeArn }, noStore],
  ])("GetInsightSelectors of %s is refused", async (_what, input, refusal) => {
    const { get } = await openWorldWithTrail();
    expect(await refusalOf(get(input))).toBe(refusal);
  });

  const needs = (events: string, type: string) =>
    `InvalidInsightSelectorsException: The trail must log ${events} events to use ${type}.`;
  const management = (readOnly?: string) => ({
    FieldSelectors: [
      { Field: "eventCategory", Equals: ["Management"] },
      ...(readOnly ? [{ Field: "readOnly", Equals: [readOnly] }] : []),
    ],
  });
  const dataResources = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::"] }];
  const data = {
    FieldSelectors: [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: ["AWS::S3::Object"] },
    ],
  };
  const dataRate = { ...rate, EventCategories: ["Data" as const] };
  const dataErrors = { ...errors, EventCategories: ["Management" as const, "Data" as const] };
  const onlyData = { IncludeManagementEvents: false, DataResources: dataResources };
  test.each<readonly [string, Selectors, PutInput["InsightSelectors"], string]>([
    ["basic writes", { EventSelectors: [{ ReadWriteType: "WriteOnly" }] }, [rate, errors], "accepted"],
    ["basic reads", { EventSelectors: [{ ReadWriteType: "ReadOnly" }] }, [errors], "accepted"],
    [
      "basic reads, call rate",
      { EventSelectors: [{ ReadWriteType: "ReadOnly" }] },
      [rate],
      needs("write management", "ApiCallRateInsight"),
    ],
    ["basic data only", { EventSelectors: [onlyData] }, [errors], needs("management", "ApiErrorRateInsight")],
    ["basic data only, data", { EventSelectors: [onlyData] }, [dataRate], "accepted"],
    ["basic without data", { EventSelectors: [{}] }, [dataRate], needs("data", "ApiCallRateInsight")],
    [
      "basic data that matches nothing",
      { EventSelectors: [{ DataResources: [{ Type: "AWS::S3::Object", Values: [] }] }] },
      [dataRate],
      needs("data", "ApiCallRateInsight"),
    ],
    ["advanced management", { AdvancedEventSelectors: [management()] }, [rate, errors], "accepted"],
    ["advanced writes", { AdvancedEventSelectors: [management("false")] }, [rate, errors], "accepted"],
    ["advanced reads", { AdvancedEventSelectors: [management("true")] }, [errors], "accepted"],
    [
      "advanced reads, call rate",
      { AdvancedEventSelectors: [management("true")] },
      [rate],
      needs("write management", "ApiCallRateInsight"),
    ],
    [
      "advanced reads, writes elsewhere",
      { AdvancedEventSelectors: [management("true"), management("false")] },
      [rate],
      "accepted",
    ],
    [
      "advanced data only",
      { AdvancedEventSelectors: [data] },
      [dataErrors],
      needs("management", "ApiErrorRateInsight"),
    ],
    ["advanced both", { AdvancedEventSelectors: [management(), data] }, [dataErrors, dataRate], "accepted"],
    [
      "advanced without data",
      { AdvancedEventSelectors: [management()] },
      [dataErrors],
      needs("data", "ApiErrorRateInsight"),
    ],
  ])("need the events they count: %s", async (_what, selectors, InsightSelectors, expected) => {
    const { world, put } = await openWorldWithTrail();
    await world.operations.PutEventSelectors({ TrailName: "my-trail", ...selectors }, callFrom());
    expect(await refusalOf(put({ InsightSelectors }))).toBe(expected);
  });

  test("need the bucket and a policy for their folder; turning off needs neither", async () => {
    const { world, put } = await openWorldWithTrail();
    const statement = (Action: string, Resource: string) => ({
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action,
      Resource,
    });
    const policy = (folder: string) => ({
      kind: "policy" as const,
      text: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          statement("s3:GetBucketAcl", "arn:aws:s3:::my-bucket"),
          statement("s3:PutObject", `arn:aws:s3:::my-bucket/AWSLogs/${mary}/${folder}*`),
        ],
      }),
    });
    world.buckets.set("my-bucket", policy("CloudTrail/"));
    expect(await refusalOf(put({}))).toBe(
      "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket",
    );
    world.buckets.set("my-bucket", policy("CloudTrail"));
    expect(await refusalOf(put({}))).toBe("accepted");
    world.buckets.clear();
    expect(await refusalOf(put({}))).toBe(
      "S3BucketDoesNotExistException: S3 bucket my-bucket does not exist!",
    );
    expect(await refusalOf(put({ InsightSelectors: [] }))).toBe("accepted");
  });
});
