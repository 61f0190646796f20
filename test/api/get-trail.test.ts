// GetTrail over the API: the members of a trail, seen from home, from afar and from another account.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, bucket, elsewhere, home, makeTrail, startApi, trailArn } from "../harness/api-fixture.ts";
import { readingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.getTrail({ Name }),
  // Unlike its siblings GetTrail repeats a bare name (api.md §4.5).
  notFoundAs: "as-given" as const,
};
referenceSuite(subject);
readingSuite({
  ...subject,
  answered: (output) =>
    expect(output).toMatchObject({ Trail: { HomeRegion: home, IsMultiRegionTrail: true } }),
});

describe("the answer", () => {
  test.each(["name", "ARN"])("by %s has the members that are set and no others", async (by) => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail");
    const answer = await api.raw("GetTrail", { Name: by === "ARN" ? arn : "my-trail" }, { account });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      Trail: {
        Name: "my-trail",
        S3BucketName: bucket,
        IncludeGlobalServiceEvents: true,
        IsMultiRegionTrail: false,
        HomeRegion: home,
        TrailARN: trailArn(account, "my-trail"),
        LogFileValidationEnabled: false,
        HasCustomEventSelectors: false,
        HasInsightSelectors: false,
        IsOrganizationTrail: false,
      },
    });
  });

  test("is the same from every Region", async () => {
    const account = api.newAccount();
    const Name = await makeTrail(api.as(account), "my-trail", {
      IsMultiRegionTrail: true,
      S3KeyPrefix: "audit",
      TagsList: [{ Key: "Team", Value: "audit" }],
    });
    const atHome = await api.raw("GetTrail", { Name }, { account });
    const afar = await api.raw("GetTrail", { Name }, { account, region: elsewhere });
    expect(afar.json).toEqual(atHome.json);
  });

  test.each([
    ["the default selector put back", [{}], false],
    [
      "the default selector written out",
      [{ ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [] }],
      false,
    ],
    ["writes only", [{ ReadWriteType: "WriteOnly" }], true],
    ["an exclusion", [{ ExcludeManagementEventSources: ["kms.amazonaws.com"] }], true],
    ["two default selectors", [{}, {}], true],
  ] as const)("HasCustomEventSelectors after %s", async (_what, selectors, expected) => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    await client.putEventSelectors({
      TrailName: arn,
      EventSelectors: selectors.map((selector) => ({ ...selector })) as never,
    });
    expect((await client.getTrail({ Name: arn })).Trail?.HasCustomEventSelectors).toBe(expected);
  });

  test("HasCustomEventSelectors is true for advanced selectors that say the same as the default", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    await client.putEventSelectors({
      TrailName: arn,
      AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] }],
    });
    expect((await client.getTrail({ Name: arn })).Trail?.HasCustomEventSelectors).toBe(true);
  });

  test("HasInsightSelectors follows the Insights list", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    const flag = async () => (await client.getTrail({ Name: arn })).Trail?.HasInsightSelectors;
    await client.putInsightSelectors({
      TrailName: arn,
      InsightSelectors: [{ InsightType: "ApiCallRateInsight" }],
    });
    expect(await flag()).toBe(true);
    await client.putInsightSelectors({ TrailName: arn, InsightSelectors: [] });
    expect(await flag()).toBe(false);
  });
});
