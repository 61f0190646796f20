// GetInsightSelectors over the API: the stored list, or that Insights are not enabled.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  elsewhere,
  expectRefusal,
  makeTrail,
  organization,
  type Refusal,
  startApi,
} from "../harness/api-fixture.ts";
import { referenceSuite, withOrganizationTrail } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

// Without any name it is the combination of parameters that is wrong; that has its own case below.
referenceSuite({
  api: () => api,
  run: (client, TrailName) => client.getInsightSelectors({ TrailName: TrailName ?? "" }),
});

const notEnabled = (name: string): Refusal => [
  "InsightNotEnabledException",
  `Trail ${name} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.`,
];
const InsightSelectors = [
  { InsightType: "ApiErrorRateInsight" as const },
  { InsightType: "ApiCallRateInsight" as const, EventCategories: ["Management" as const] },
];

describe("the answer", () => {
  test.each(["name", "ARN"])("by %s is the ARN and the list as put", async (by) => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail");
    await api.as(account).putInsightSelectors({ TrailName: arn, InsightSelectors });
    const TrailName = by === "ARN" ? arn : "my-trail";
    const answer = await api.raw("GetInsightSelectors", { TrailName }, { account });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ TrailARN: arn, InsightSelectors });
  });

  test("is given from another Region by ARN, for a multi-Region trail only", async () => {
    const account = api.newAccount();
    const far = api.as(account, elsewhere);
    for (const IsMultiRegionTrail of [true, false]) {
      const name = IsMultiRegionTrail ? "multi-trail" : "single-trail";
      const TrailName = await makeTrail(api.as(account), name, { IsMultiRegionTrail });
      await api.as(account).putInsightSelectors({ TrailName, InsightSelectors });
      if (IsMultiRegionTrail) {
        expect((await far.getInsightSelectors({ TrailName })).InsightSelectors).toEqual(InsightSelectors);
        continue;
      }
      await expectRefusal(far.getInsightSelectors({ TrailName }), [
        "TrailNotFoundException",
        `Unknown trail: ${TrailName} for the user: ${account}`,
      ]);
    }
  });

  test("is given to a member for an organization trail", async () => {
    await withOrganizationTrail(api, "org-trail", async (TrailName) => {
      await api.as(organization.management).putInsightSelectors({ TrailName, InsightSelectors });
      const answer = await api.as(organization.member).getInsightSelectors({ TrailName });
      expect(answer.InsightSelectors).toEqual(InsightSelectors);
    });
  });
});

describe("is refused", () => {
  test.each(["name", "ARN"])("for a trail without Insights, by %s", async (by) => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    const call = client.getInsightSelectors({ TrailName: by === "ARN" ? arn : "my-trail" });
    await expectRefusal(call, notEnabled("my-trail"));
  });

  test("once Insights are turned off again", async () => {
    const client = api.as(api.newAccount());
    const TrailName = await makeTrail(client, "my-trail");
    await client.putInsightSelectors({ TrailName, InsightSelectors });
    await client.putInsightSelectors({ TrailName, InsightSelectors: [] });
    await expectRefusal(client.getInsightSelectors({ TrailName }), notEnabled("my-trail"));
  });

  const store = "11111111-2222-3333-4444-555555555555";
  test.each<[what: string, input: object, refusal: Refusal]>([
    [
      "neither trail nor store",
      {},
      ["InvalidParameterCombinationException", "Specify either TrailName or EventDataStore."],
    ],
    [
      "both trail and store",
      { TrailName: "my-trail", EventDataStore: store },
      ["InvalidParameterCombinationException", "Specify either TrailName or EventDataStore."],
    ],
    [
      "an event data store, which is not there yet",
      { EventDataStore: store },
      ["UnsupportedOperationException", "The operation requested is not supported in the region."],
    ],
  ])("%s", async (_what, input, refusal) => {
    await expectRefusal(api.as(api.newAccount()).getInsightSelectors(input), refusal);
  });
});
