// ListTags over the API: one entry per ARN, in order, or a refusal for all of them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  expectRefusal,
  makeTrail,
  organization,
  type Refusal,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";
import { taggedResourceSuite } from "./tag-operations.suite.ts";
import { withOrganizationTrail } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi({ args: ["--quota-trails-per-region", "30"] });
});
afterAll(() => api.dispose());

taggedResourceSuite({
  api: () => api,
  run: (client, arn) => client.listTags({ ResourceIdList: [arn] }),
});

describe("the answer", () => {
  test("has an entry for a trail without tags", async () => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail");
    const answer = await api.raw("ListTags", { ResourceIdList: [arn] }, { account });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ ResourceTagList: [{ ResourceId: arn, TagsList: [] }] });
  });

  test("has one entry per ARN in the order asked, also for an ARN given twice", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const one = await makeTrail(client, "trail-one", { TagsList: [{ Key: "Name", Value: "One" }] });
    const two = await makeTrail(client, "trail-two", {
      TagsList: [
        { Key: "B", Value: "" },
        { Key: "A", Value: "2" },
      ],
    });
    const answer = await api.raw("ListTags", { ResourceIdList: [two, one, two] }, { account });
    const entryTwo = {
      ResourceId: two,
      TagsList: [
        { Key: "B", Value: "" },
        { Key: "A", Value: "2" },
      ],
    };
    expect(answer.json).toEqual({
      ResourceTagList: [entryTwo, { ResourceId: one, TagsList: [{ Key: "Name", Value: "One" }] }, entryTwo],
    });
  });

  test("takes 20 ARNs and has no token", async () => {
    const client = api.as(api.newAccount());
    const arns: string[] = [];
    for (let index = 0; index < 20; index++) arns.push(await makeTrail(client, `trail-${index}`));
    const answer = await client.listTags({ ResourceIdList: arns });
    expect(answer.ResourceTagList?.map((entry) => entry.ResourceId)).toEqual(arns);
    expect(answer.NextToken).toBeUndefined();
  });
});

describe("is refused", () => {
  const lengthRefusal = (text: string): Refusal => [
    "ValidationException",
    new RegExp(
      `^1 validation error detected: Value '.*' at 'resourceIdList' failed to satisfy constraint: ${text}$`,
      "s",
    ),
  ];
  const arns = (count: number) =>
    Array.from({ length: count }, (_, index) => trailArn("123456789012", `trail-${index}`));

  test.each<[what: string, list: string[] | undefined, refusal: Refusal]>([
    [
      "no list",
      undefined,
      [
        "ValidationException",
        "1 validation error detected: Value null at 'resourceIdList' failed to satisfy constraint: Member must not be null",
      ],
    ],
    ["an empty list", [], lengthRefusal("Member must have length greater than or equal to 1")],
    ["21 ARNs", arns(21), lengthRefusal("Member must have length less than or equal to 20")],
  ])("%s", async (_what, ResourceIdList, refusal) => {
    await expectRefusal(api.as("123456789012").listTags({ ResourceIdList }), refusal);
  });

  test("a token, for none is ever issued", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail");
    await expectRefusal(client.listTags({ ResourceIdList: [arn], NextToken: "some-token" }), [
      "InvalidTokenException",
      "The NextToken value is not valid.",
    ]);
  });

  test("a list with one unknown trail", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    const unknown = trailArn(account, "unknown-trail");
    await expectRefusal(client.listTags({ ResourceIdList: [arn, unknown] }), [
      "ResourceNotFoundException",
      `The resource with ARN ${unknown} was not found.`,
    ]);
  });

  test("a list with trails of two accounts", async () => {
    const [client, other] = [api.as(api.newAccount()), api.as(api.newAccount())];
    const ResourceIdList = [await makeTrail(client, "my-trail"), await makeTrail(other, "my-trail")];
    await expectRefusal(client.listTags({ ResourceIdList }), [
      "CloudTrailARNInvalidException",
      "You cannot have resources belonging to multiple owners",
    ]);
  });

  test("the shadow of an organization trail, for a member", async () => {
    await withOrganizationTrail(api, "org-trail", async (arn) => {
      await expectRefusal(api.as(organization.member).listTags({ ResourceIdList: [arn] }), [
        "CloudTrailARNInvalidException",
        "You cannot have resources belonging to multiple owners",
      ]);
    });
  });
});
