// PutInsightSelectors over the API: what it stores and gives back, and what a trail has to log for it.
import type {
  EventSelector,
  InsightSelector,
  PutInsightSelectorsCommandInput,
} from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  expectRefusal,
  expectRefusalWithoutTrace,
  makeBucket,
  makeTrail,
  type Refusal,
  s3,
  startApi,
} from "../harness/api-fixture.ts";
import { changingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const rate: InsightSelector = { InsightType: "ApiCallRateInsight" };
const errors: InsightSelector = { InsightType: "ApiErrorRateInsight" };
const put = (client: ReturnType<Api["as"]>, TrailName: string | undefined) =>
  client.putInsightSelectors({ TrailName, InsightSelectors: [rate] });
const combination: Refusal = [
  "InvalidParameterCombinationException",
  "Specify either TrailName, or both EventDataStore and InsightsDestination.",
];

// Without any name it is the combination of parameters that is wrong: the suite's own case for it does not fit.
const withName = (client: ReturnType<Api["as"]>, TrailName: string | undefined) =>
  put(client, TrailName ?? "");
referenceSuite({ api: () => api, run: withName });
changingSuite({ api: () => api, run: put });

describe("the list is stored and given back", () => {
  test.each<[what: string, list: InsightSelector[]]>([
    ["call rate", [rate]],
    ["both", [errors, rate]],
    ["with management events", [{ ...rate, EventCategories: ["Management"] }]],
    ["with both categories", [{ ...rate, EventCategories: ["Data", "Management"] }]],
    ["nothing", []],
  ])("%s", async (_what, InsightSelectors) => {
    const account = api.newAccount();
    const client = api.as(account);
    const TrailName = await makeTrail(client, "my-trail");
    const DataResources = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::"] }];
    await client.putEventSelectors({ TrailName, EventSelectors: [{ DataResources }] });
    const answer = await api.raw(
      "PutInsightSelectors",
      { TrailName: "my-trail", InsightSelectors },
      { account },
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ TrailARN: TrailName, InsightSelectors });
  });

  test("in place of the former one", async () => {
    const client = api.as(api.newAccount());
    const TrailName = await makeTrail(client, "my-trail");
    await client.putInsightSelectors({ TrailName, InsightSelectors: [rate] });
    await client.putInsightSelectors({ TrailName, InsightSelectors: [errors] });
    expect((await client.getInsightSelectors({ TrailName })).InsightSelectors).toEqual([errors]);
    await client.putInsightSelectors({ TrailName, InsightSelectors: [] });
    await expectRefusal(client.getInsightSelectors({ TrailName }), [
      "InsightNotEnabledException",
      /my-trail/,
    ]);
  });
});

describe("the trail must log what is counted", () => {
  const data = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::"] }];
  test.each<
    [selectors: string, selector: EventSelector, InsightSelectors: InsightSelector[], enough: boolean]
  >([
    ["everything", {}, [rate, errors], true],
    ["writes", { ReadWriteType: "WriteOnly" }, [rate, errors], true],
    ["reads", { ReadWriteType: "ReadOnly" }, [errors], true],
    ["reads", { ReadWriteType: "ReadOnly" }, [rate], false],
    ["data events only", { IncludeManagementEvents: false, DataResources: data }, [rate], false],
    ["data events only", { IncludeManagementEvents: false, DataResources: data }, [errors], false],
    [
      "data events only",
      { IncludeManagementEvents: false, DataResources: data },
      [{ ...rate, EventCategories: ["Data"] }],
      true,
    ],
    ["no data events", {}, [{ ...rate, EventCategories: ["Data"] }], false],
  ])("a trail with %s", async (_what, selector, InsightSelectors, enough) => {
    const client = api.as(api.newAccount());
    const TrailName = await makeTrail(client, "my-trail");
    await client.putEventSelectors({ TrailName, EventSelectors: [selector] });
    const call = () => client.putInsightSelectors({ TrailName, InsightSelectors });
    if (enough) {
      expect((await call()).InsightSelectors).toEqual(InsightSelectors);
      return;
    }
    await expectRefusalWithoutTrace(client, call, [
      "InvalidInsightSelectorsException",
      /^The trail must log /,
    ]);
  });
});

type Case = readonly [what: string, input: object, refusal: Refusal];

const refusals: readonly Case[] = [
  [
    "an unknown type",
    { InsightSelectors: [{ InsightType: "ApiColourInsight" }] },
    ["InvalidInsightSelectorsException", "InsightType ApiColourInsight is not valid."],
  ],
  [
    "an unknown category",
    { InsightSelectors: [{ ...rate, EventCategories: ["NetworkActivity"] }] },
    ["InvalidInsightSelectorsException", /NetworkActivity/],
  ],
  [
    "a type twice",
    { InsightSelectors: [rate, rate] },
    ["InvalidInsightSelectorsException", /ApiCallRateInsight/],
  ],
  ["no type", { InsightSelectors: [{}] }, ["InvalidInsightSelectorsException", /./]],
  [
    "no list",
    { InsightSelectors: undefined },
    [
      "InvalidInsightSelectorsException",
      "1 validation error detected: Value null at 'insightSelectors' failed to satisfy constraint: Member must not be null",
    ],
  ],
  ["a store too", { EventDataStore: "11111111-2222-3333-4444-555555555555" }, combination],
  ["a destination too", { InsightsDestination: "11111111-2222-3333-4444-555555555555" }, combination],
  ["neither trail nor store", { TrailName: undefined }, combination],
  [
    "a store without destination",
    { TrailName: undefined, EventDataStore: "11111111-2222-3333-4444-555555555555" },
    combination,
  ],
];

describe("is refused, and the list stays", () => {
  test.each(refusals)("%s", async (_what, change, refusal) => {
    const client = api.as(api.newAccount());
    const TrailName = await makeTrail(client, "my-trail");
    await client.putInsightSelectors({ TrailName, InsightSelectors: [errors] });
    const input = {
      TrailName: "my-trail",
      InsightSelectors: [rate],
      ...change,
    } as PutInsightSelectorsCommandInput;
    await expectRefusalWithoutTrace(client, () => client.putInsightSelectors(input), refusal);
    expect((await client.getInsightSelectors({ TrailName })).InsightSelectors).toEqual([errors]);
  });

  test("event data stores are not there yet", async () => {
    const id = "11111111-2222-3333-4444-555555555555";
    const call = api
      .as(api.newAccount())
      .putInsightSelectors({ EventDataStore: id, InsightsDestination: id, InsightSelectors: [rate] });
    await expectRefusal(call, [
      "UnsupportedOperationException",
      "The operation requested is not supported in the region.",
    ]);
  });
});

describe("the trail's bucket", () => {
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::turned-bucket/*" },
    ],
  });

  test.each<[what: string, name: string, turn: () => Promise<unknown>, refusal: Refusal]>([
    [
      "is gone",
      "gone-bucket",
      () => s3(api.url, "DELETE", "gone-bucket"),
      ["S3BucketDoesNotExistException", "S3 bucket gone-bucket does not exist!"],
    ],
    [
      "no longer lets CloudTrail write",
      "turned-bucket",
      () => s3(api.url, "PUT", "turned-bucket?policy", policy),
      [
        "InsufficientS3BucketPolicyException",
        "Incorrect S3 bucket policy is detected for bucket: turned-bucket",
      ],
    ],
  ])("%s", async (_what, S3BucketName, turn, refusal) => {
    const client = api.as(api.newAccount());
    await makeBucket(api.url, S3BucketName);
    await client.createTrail({ Name: "my-trail", S3BucketName });
    await turn();
    await expectRefusalWithoutTrace(client, () => put(client, "my-trail"), refusal);
  });
});
