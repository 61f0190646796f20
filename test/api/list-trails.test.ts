// ListTrails over the API: the set DescribeTrails shows, with three members each, in pages.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { paginateListTrails } from "@aws-sdk/client-cloudtrail";
import {
  type Api,
  elsewhere,
  home,
  makeTrail,
  organization,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";
import { withOrganizationTrail } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi({ args: ["--quota-trails-per-region", "300"] });
});
afterAll(() => api.dispose());

const namesFrom = async (account: string, region = home) =>
  (await api.as(account, region).listTrails({})).Trails?.map((trail) => trail.Name);

describe("the list", () => {
  test("is there and empty without trails, and has no token", async () => {
    const answer = await api.raw("ListTrails", {}, { account: api.newAccount() });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '{"Trails":[]}' });
  });

  test("has exactly ARN, name and home Region", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail", { S3KeyPrefix: "audit" });
    const answer = await api.raw("ListTrails", {}, { account });
    expect(answer.json).toEqual({
      Trails: [{ TrailARN: trailArn(account, "my-trail"), Name: "my-trail", HomeRegion: home }],
    });
  });

  test("has home trails first, then multi-Region trails of other Regions, but no others", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account, elsewhere), "far-multi", { IsMultiRegionTrail: true });
    await makeTrail(api.as(account, elsewhere), "far-single");
    await makeTrail(api.as(account), "near-single");
    expect(await namesFrom(account)).toEqual(["near-single", "far-multi"]);
    expect(await namesFrom(account, elsewhere)).toEqual(["far-multi", "far-single"]);
    expect(await namesFrom(account, "ap-south-1")).toEqual(["far-multi"]);
  });

  test("shows an account nothing of the others", async () => {
    await makeTrail(api.as(api.newAccount()), "private-trail", { IsMultiRegionTrail: true });
    expect(await namesFrom(api.newAccount())).toEqual([]);
  });

  test("shows organization trails to members, and to nobody outside", async () => {
    await withOrganizationTrail(api, "org-trail", async () => {
      expect(await namesFrom(organization.member)).toEqual(["org-trail"]);
      expect(await namesFrom(organization.delegated, elsewhere)).toEqual(["org-trail"]);
      expect(await namesFrom(api.newAccount())).toEqual([]);
    });
  });
});

describe("pages", () => {
  const count = 230;
  const expected = Array.from({ length: count }, (_, index) => `trail-${index}`);
  let account = "";
  beforeAll(async () => {
    account = api.newAccount();
    // Made at the same moment, so that many share their time of creation.
    await Promise.all(expected.map((name) => makeTrail(api.as(account), name)));
  });

  test("of at most 100 give every trail exactly once, the last without token", async () => {
    const sizes: number[] = [];
    const names: string[] = [];
    for await (const page of paginateListTrails({ client: api.as(account) }, {})) {
      sizes.push(page.Trails?.length ?? 0);
      names.push(...(page.Trails ?? []).map((trail) => trail.Name ?? ""));
    }
    expect(sizes).toEqual([100, 100, 30]);
    expect(names.toSorted()).toEqual(expected.toSorted());
  });

  test("stay complete when trails of an earlier page are deleted meanwhile", async () => {
    const client = api.as(account);
    const first = await client.listTrails({});
    const gone = first.Trails?.slice(0, 3) ?? [];
    for (const trail of gone) await client.deleteTrail({ Name: trail.Name });
    const second = await client.listTrails({ NextToken: first.NextToken });
    const third = await client.listTrails({ NextToken: second.NextToken });
    const names = [first, second, third]
      .flatMap((page) => page.Trails ?? [])
      .map((trail) => trail.Name ?? "");
    expect(names.toSorted()).toEqual(expected.toSorted());
    expect(third.NextToken).toBeUndefined();
  });

  test("with a token that was never issued are refused", async () => {
    // The operation has no error of its own for it (errors.json); what matters is that it is the client's mistake.
    const answer = await api.raw("ListTrails", { NextToken: "not-a-token" }, { account });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ __type: "ValidationException" });
  });

  test("with a token of another account are refused", async () => {
    const { NextToken } = await api.as(account).listTrails({});
    const answer = await api.raw("ListTrails", { NextToken }, { account: api.newAccount() });
    expect(answer.json).toMatchObject({ __type: "ValidationException" });
  });
});
