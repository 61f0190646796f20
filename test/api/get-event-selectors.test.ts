// GetEventSelectors over the API: exactly one of the two lists, the default for a trail that was never configured.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, elsewhere, makeTrail, startApi } from "../harness/api-fixture.ts";
import { readingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, TrailName: string | undefined) =>
    client.getEventSelectors({ TrailName }),
};
referenceSuite(subject);
readingSuite({
  ...subject,
  answered: (output) => expect(output).toMatchObject({ EventSelectors: [{ ReadWriteType: "All" }] }),
});

describe("the answer", () => {
  test.each(["name", "ARN"])("by %s is one default selector for a new trail", async (by) => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail");
    const TrailName = by === "ARN" ? arn : "my-trail";
    const answer = await api.raw("GetEventSelectors", { TrailName }, { account });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      TrailARN: arn,
      EventSelectors: [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [],
          ExcludeManagementEventSources: [],
        },
      ],
    });
  });

  test("has the advanced list alone once that was put, and is the same from every Region", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const TrailName = await makeTrail(client, "my-trail", { IsMultiRegionTrail: true });
    const AdvancedEventSelectors = [
      { Name: "All", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
    ];
    await client.putEventSelectors({ TrailName, AdvancedEventSelectors });
    for (const region of ["us-east-1", elsewhere]) {
      const answer = await api.raw("GetEventSelectors", { TrailName }, { account, region });
      expect(answer.json).toEqual({ TrailARN: TrailName, AdvancedEventSelectors });
    }
  });

  test("has the selectors of the trail that is asked for", async () => {
    const client = api.as(api.newAccount());
    for (const [name, ReadWriteType] of [
      ["read-trail", "ReadOnly"],
      ["write-trail", "WriteOnly"],
    ] as const) {
      await makeTrail(client, name);
      await client.putEventSelectors({ TrailName: name, EventSelectors: [{ ReadWriteType }] });
    }
    const typeOf = async (TrailName: string) =>
      (await client.getEventSelectors({ TrailName })).EventSelectors?.map(
        (selector) => selector.ReadWriteType,
      );
    expect([await typeOf("read-trail"), await typeOf("write-trail")]).toEqual([["ReadOnly"], ["WriteOnly"]]);
  });
});
