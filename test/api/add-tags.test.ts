// AddTags over the API: new keys, overwritten values, the limit, and every refusal without a trace.
import type { Tag } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  expectRefusal,
  makeTrail,
  organization,
  type Refusal,
  refusalCheck,
  startApi,
} from "../harness/api-fixture.ts";
import { taggedResourceSuite } from "./tag-operations.suite.ts";
import { withOrganizationTrail } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const someTags = (count: number): Tag[] =>
  Array.from({ length: count }, (_, index) => ({ Key: `Key${index}`, Value: String(index) }));

taggedResourceSuite({
  api: () => api,
  run: (client, ResourceId) => client.addTags({ ResourceId, TagsList: [{ Key: "Team", Value: "audit" }] }),
});
// ListTags has no error of its own for it.
test("a channel that is not there is refused", async () => {
  const account = api.newAccount();
  const ResourceId = `arn:aws:cloudtrail:us-east-1:${account}:channel/11111111-2222-3333-4444-555555555555`;
  await expectRefusal(api.as(account).addTags({ ResourceId, TagsList: [{ Key: "Team" }] }), [
    "ChannelNotFoundException",
    `The channel ${ResourceId} was not found.`,
  ]);
});

describe("tags", () => {
  const added = async (present: Tag[], TagsList: Tag[]) => {
    const account = api.newAccount();
    const client = api.as(account);
    const ResourceId = await makeTrail(client, "my-trail", { TagsList: present });
    const answer = await api.raw("AddTags", { ResourceId, TagsList }, { account });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "{}" });
    return (await client.listTags({ ResourceIdList: [ResourceId] })).ResourceTagList?.[0]?.TagsList;
  };
  const team = { Key: "Team", Value: "audit" };

  test.each<[what: string, present: Tag[], tags: Tag[], expected: Tag[]]>([
    [
      "are added at the end",
      [team],
      [{ Key: "Stage", Value: "test" }],
      [team, { Key: "Stage", Value: "test" }],
    ],
    [
      "overwrite the value of a key",
      [team],
      [{ Key: "Team", Value: "ops" }],
      [{ Key: "Team", Value: "ops" }],
    ],
    ["differ by case", [team], [{ Key: "team", Value: "ops" }], [team, { Key: "team", Value: "ops" }]],
    ["have the empty value when none is given", [], [{ Key: "Bare" }], [{ Key: "Bare", Value: "" }]],
    ["may be repeated as they are", [team], [team], [team]],
    ["may be 50 at once", [], someTags(50), someTags(50)],
    [
      "may be as long as 128 and 256",
      [],
      [{ Key: "k".repeat(128), Value: "v".repeat(256) }],
      [{ Key: "k".repeat(128), Value: "v".repeat(256) }],
    ],
    [
      "may have letters, digits, space and _ . : / = + - @",
      [],
      [{ Key: "Größe 1_.:/=+-@", Value: "日本語 ½ _.:/=+-@" }],
      [{ Key: "Größe 1_.:/=+-@", Value: "日本語 ½ _.:/=+-@" }],
    ],
    [
      "overwrite at the limit",
      someTags(50),
      [{ Key: "Key7", Value: "new" }],
      someTags(50).with(7, { Key: "Key7", Value: "new" }),
    ],
    ["may be none", [team], [], [team]],
  ])("%s", async (_what, present, tags, expected) => {
    expect(await added(present, tags)).toEqual(expected);
  });
});

const constraint = (value: string, field: string, text: string) =>
  `1 validation error detected: Value ${value} at '${field}' failed to satisfy constraint: ${text}`;
type Case = readonly [what: string, tags: Tag[] | undefined, refusal: Refusal];

const refusals: readonly Case[] = [
  [
    "no list",
    undefined,
    ["InvalidTagParameterException", constraint("null", "tagsList", "Member must not be null")],
  ],
  [
    "an empty key",
    [{ Key: "", Value: "x" }],
    [
      "InvalidTagParameterException",
      constraint("''", "tagsList.1.member.key", "Member must have length greater than or equal to 1"),
    ],
  ],
  [
    "a key of 129 characters",
    [{ Key: "k".repeat(129) }],
    [
      "InvalidTagParameterException",
      constraint(
        `'${"k".repeat(129)}'`,
        "tagsList.1.member.key",
        "Member must have length less than or equal to 128",
      ),
    ],
  ],
  [
    "a value of 257 characters",
    [{ Key: "Team", Value: "v".repeat(257) }],
    [
      "InvalidTagParameterException",
      constraint(
        `'${"v".repeat(257)}'`,
        "tagsList.1.member.value",
        "Member must have length less than or equal to 256",
      ),
    ],
  ],
  ["a key with a tilde", [{ Key: "a~b" }], ["InvalidTagParameterException", "Tag key a~b is not valid."]],
  ["a key with a line break", [{ Key: "a\nb" }], ["InvalidTagParameterException", /./]],
  ["a value with a tilde", [{ Key: "Team", Value: "a~b" }], ["InvalidTagParameterException", /a~b/]],
  ["the reserved prefix", [{ Key: "aws:team" }], ["InvalidTagParameterException", /aws:team/]],
  [
    "a key twice",
    [
      { Key: "New", Value: "a" },
      { Key: "New", Value: "b" },
    ],
    ["InvalidTagParameterException", /New/],
  ],
  [
    "more than 50 with those that are there",
    someTags(50),
    ["TagsLimitExceededException", "The number of tags exceeds the limit of 50."],
  ],
  [
    "a good tag beside a bad one",
    [{ Key: "Good" }, { Key: "a~b" }],
    ["InvalidTagParameterException", "Tag key a~b is not valid."],
  ],
  ["201 tags", someTags(201), ["InvalidTagParameterException", /less than or equal to 200$/]],
];

describe("is refused, and the tags stay", () => {
  let client: ReturnType<Api["as"]>;
  let ResourceId = "";
  let check: Awaited<ReturnType<typeof refusalCheck>>;
  beforeAll(async () => {
    client = api.as(api.newAccount());
    ResourceId = await makeTrail(client, "my-trail", { TagsList: [{ Key: "Team", Value: "audit" }] });
    check = await refusalCheck(client);
  });

  test.each(refusals)("%s", async (_what, TagsList, refusal) => {
    await check(() => client.addTags({ ResourceId, TagsList }), refusal);
  });

  test("no resource", async () => {
    const call = api.as(api.newAccount()).addTags({ ResourceId: undefined, TagsList: [{ Key: "Team" }] });
    await expectRefusal(call, [
      "ValidationException",
      constraint("null", "resourceId", "Member must not be null"),
    ]);
  });

  test("an organization trail, for a member", async () => {
    await withOrganizationTrail(api, "org-trail", async (arn) => {
      const { management, member } = organization;
      const call = api.as(member).addTags({ ResourceId: arn, TagsList: [{ Key: "Team" }] });
      await expectRefusal(call, [
        "CloudTrailARNInvalidException",
        "You cannot have resources belonging to multiple owners",
      ]);
      expect((await api.as(management).listTags({ ResourceIdList: [arn] })).ResourceTagList).toEqual([
        { ResourceId: arn, TagsList: [] },
      ]);
    });
  });
});
