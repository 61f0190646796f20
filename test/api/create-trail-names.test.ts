// Whose name and whose room a new trail takes, over the API: names in Regions, five trails in each, organizations.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  bucket,
  elsewhere,
  expectRefusal,
  expectRefusalWithoutTrace,
  home,
  makeTrail,
  organization,
  type Refusal,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

describe("a name", () => {
  const taken = (name: string, account: string): Refusal => [
    "TrailAlreadyExistsException",
    `Trail ${name} already exists for customer: ${account}`,
  ];

  test("cannot be taken twice, not even by an identical call", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    await expectRefusalWithoutTrace(client, () => makeTrail(client, "my-trail"), taken("my-trail", account));
  });

  test("of a single-Region trail is free in another Region and in another account", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail");
    expect(await makeTrail(api.as(account, elsewhere), "my-trail")).toBe(
      trailArn(account, "my-trail", elsewhere),
    );
    const other = api.newAccount();
    expect(await makeTrail(api.as(other), "my-trail")).toBe(trailArn(other, "my-trail"));
  });

  test("of a multi-Region trail is taken in every Region", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail", { IsMultiRegionTrail: true });
    const far = api.as(account, elsewhere);
    await expectRefusalWithoutTrace(far, () => makeTrail(far, "my-trail"), taken("my-trail", account));
  });

  test("that some Region has cannot be a multi-Region trail's", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account, elsewhere), "my-trail");
    const client = api.as(account);
    await expectRefusalWithoutTrace(
      client,
      () => makeTrail(client, "my-trail", { IsMultiRegionTrail: true }),
      taken("my-trail", account),
    );
  });

  test("that differs in case is another one", async () => {
    const client = api.as(api.newAccount());
    await makeTrail(client, "My-Trail");
    await makeTrail(client, "my-trail");
    expect((await client.describeTrails({})).trailList).toHaveLength(2);
  });

  test("goes to exactly one of two calls at the same moment", async () => {
    const client = api.as(api.newAccount());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => makeTrail(client, "racy-trail")),
    );
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    expect((await client.describeTrails({})).trailList).toHaveLength(1);
  });
});

describe("a Region holds five trails", () => {
  const full = (account: string, region: string): Refusal => [
    "MaximumNumberOfTrailsExceededException",
    `User: ${account} already has 5 trails in ${region}.`,
  ];

  test("and refuses the sixth, before it looks at the bucket", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    for (let index = 0; index < 5; index++) await makeTrail(client, `trail-${index}`);
    await expectRefusalWithoutTrace(
      client,
      () => client.createTrail({ Name: "trail-5", S3BucketName: "no-such-bucket" }),
      full(account, home),
    );
    await makeTrail(api.as(account, elsewhere), "trail-5");
  });

  test("also when six calls come at the same moment", async () => {
    const client = api.as(api.newAccount());
    const names = Array.from({ length: 8 }, (_, index) => `trail-${index}`);
    await Promise.allSettled(names.map((name) => makeTrail(client, name)));
    expect((await client.describeTrails({})).trailList).toHaveLength(5);
  });

  test("shadow trails among them", async () => {
    const account = api.newAccount();
    for (let index = 0; index < 5; index++) {
      await makeTrail(api.as(account), `trail-${index}`, { IsMultiRegionTrail: true });
    }
    const far = api.as(account, elsewhere);
    await expectRefusalWithoutTrace(far, () => makeTrail(far, "trail-5"), full(account, elsewhere));
  });

  test("a multi-Region trail needs room in every Region", async () => {
    const account = api.newAccount();
    for (let index = 0; index < 5; index++) await makeTrail(api.as(account, elsewhere), `trail-${index}`);
    const client = api.as(account);
    await expectRefusalWithoutTrace(
      client,
      () => makeTrail(client, "multi-trail", { IsMultiRegionTrail: true }),
      full(account, elsewhere),
    );
  });
});

describe("an organization trail", () => {
  const IsOrganizationTrail = true;

  test("is made by the management account", async () => {
    const client = api.as(organization.management);
    const answer = await client.createTrail({ Name: "org-trail", S3BucketName: bucket, IsOrganizationTrail });
    expect(answer).toMatchObject({
      IsOrganizationTrail: true,
      TrailARN: trailArn(organization.management, "org-trail"),
    });
    await client.deleteTrail({ Name: "org-trail" });
  });

  test("made by a delegated administrator belongs to the management account", async () => {
    const delegated = api.as(organization.delegated);
    const arn = await makeTrail(delegated, "delegated-trail", { IsOrganizationTrail });
    expect(arn).toBe(trailArn(organization.management, "delegated-trail"));
    await expectRefusal(makeTrail(delegated, "delegated-trail", { IsOrganizationTrail }), [
      "TrailAlreadyExistsException",
      `Trail delegated-trail already exists for customer: ${organization.management}`,
    ]);
    await api.as(organization.management).deleteTrail({ Name: "delegated-trail" });
  });

  test("is refused for a member", async () => {
    const client = api.as(organization.member);
    await expectRefusalWithoutTrace(client, () => makeTrail(client, "org-trail", { IsOrganizationTrail }), [
      "NotOrganizationMasterAccountException",
      `The caller ${organization.member} is not the management account of the organization.`,
    ]);
  });

  test("is refused outside the organization", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await expectRefusalWithoutTrace(client, () => makeTrail(client, "org-trail", { IsOrganizationTrail }), [
      "OrganizationsNotInUseException",
      `The account ${account} is not a member of an organization.`,
    ]);
  });
});
