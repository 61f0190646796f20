// RemoveTags over the API: only keys count, keys that are not there are no mistake.
import type { Tag } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  expectRefusal,
  makeTrail,
  type Refusal,
  refusalCheck,
  startApi,
} from "../harness/api-fixture.ts";
import { taggedResourceSuite } from "./tag-operations.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

taggedResourceSuite({
  api: () => api,
  run: (client, ResourceId) => client.removeTags({ ResourceId, TagsList: [{ Key: "Team" }] }),
});
// ListTags has no error of its own for it.
test("a channel that is not there is refused", async () => {
  const account = api.newAccount();
  const ResourceId = `arn:aws:cloudtrail:us-east-1:${account}:channel/11111111-2222-3333-4444-555555555555`;
  await expectRefusal(api.as(account).removeTags({ ResourceId, TagsList: [{ Key: "Team" }] }), [
    "ChannelNotFoundException",
    `The channel ${ResourceId} was not found.`,
  ]);
});

const present: Tag[] = [
  { Key: "Team", Value: "audit" },
  { Key: "Stage", Value: "test" },
  { Key: "Owner", Value: "Mary" },
];

describe("tags", () => {
  test.each<[what: string, tags: Tag[], left: string[]]>([
    ["go by key", [{ Key: "Stage" }], ["Team", "Owner"]],
    ["go whatever value is sent", [{ Key: "Stage", Value: "other" }], ["Team", "Owner"]],
    ["go several at once", [{ Key: "Owner" }, { Key: "Team", Value: "audit" }], ["Stage"]],
    ["go all", [{ Key: "Team" }, { Key: "Stage" }, { Key: "Owner" }], []],
    ["that are not there do not matter", [{ Key: "Colour" }, { Key: "Stage" }], ["Team", "Owner"]],
    ["are named with their case", [{ Key: "stage" }], ["Team", "Stage", "Owner"]],
    ["may be none", [], ["Team", "Stage", "Owner"]],
  ])("%s", async (_what, TagsList, left) => {
    const account = api.newAccount();
    const client = api.as(account);
    const ResourceId = await makeTrail(client, "my-trail", { TagsList: present });
    for (let time = 0; time < 2; time++) {
      const answer = await api.raw("RemoveTags", { ResourceId, TagsList }, { account });
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: "{}" });
      const [entry] = (await client.listTags({ ResourceIdList: [ResourceId] })).ResourceTagList ?? [];
      expect(entry?.TagsList?.map((tag) => tag.Key)).toEqual(left);
    }
  });

  test("make room for others", async () => {
    const client = api.as(api.newAccount());
    const TagsList = Array.from({ length: 50 }, (_, index) => ({ Key: `Key${index}`, Value: "" }));
    const ResourceId = await makeTrail(client, "my-trail", { TagsList });
    await client.removeTags({ ResourceId, TagsList: [{ Key: "Key3" }] });
    await client.addTags({ ResourceId, TagsList: [{ Key: "New" }] });
    const [entry] = (await client.listTags({ ResourceIdList: [ResourceId] })).ResourceTagList ?? [];
    expect(entry?.TagsList).toHaveLength(50);
    expect(entry?.TagsList?.at(-1)).toEqual({ Key: "New", Value: "" });
  });
});

const constraint = (value: string, field: string, text: string) =>
  `1 validation error detected: Value ${value} at '${field}' failed to satisfy constraint: ${text}`;

describe("is refused, and the tags stay", () => {
  let client: ReturnType<Api["as"]>;
  let ResourceId = "";
  let check: Awaited<ReturnType<typeof refusalCheck>>;
  beforeAll(async () => {
    client = api.as(api.newAccount());
    ResourceId = await makeTrail(client, "my-trail", { TagsList: present });
    check = await refusalCheck(client);
  });

  test.each<[what: string, tags: Tag[] | undefined, refusal: Refusal]>([
    [
      "no list",
      undefined,
      ["InvalidTagParameterException", constraint("null", "tagsList", "Member must not be null")],
    ],
    [
      "an empty key beside a good one",
      [{ Key: "Team" }, { Key: "" }],
      [
        "InvalidTagParameterException",
        constraint("''", "tagsList.2.member.key", "Member must have length greater than or equal to 1"),
      ],
    ],
    [
      "a key of 129 characters",
      [{ Key: "k".repeat(129) }],
      ["InvalidTagParameterException", /'tagsList\.1\.member\.key'.*less than or equal to 128$/],
    ],
    ["a key with a tilde", [{ Key: "a~b" }], ["InvalidTagParameterException", "Tag key a~b is not valid."]],
    ["a reserved key", [{ Key: "aws:team" }], ["InvalidTagParameterException", /aws:team/]],
    ["a key twice", [{ Key: "Team" }, { Key: "Team" }], ["InvalidTagParameterException", /Team/]],
  ])("%s", async (_what, TagsList, refusal) => {
    await check(() => client.removeTags({ ResourceId, TagsList }), refusal);
  });
});
