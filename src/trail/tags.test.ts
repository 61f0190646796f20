// AddTags, RemoveTags and ListTags (api.md §2.7, §6.5).
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import {
  callFrom,
  delegate,
  documentsOf,
  ireland,
  management,
  mary,
  member,
  ohio,
  openTrailWorld,
  organization,
  refusalOf,
  stranger,
  trailArnOf,
} from "./trail.test-world.ts";

const arn = trailArnOf("my-trail");

async function openWorldWithTrail() {
  const world = await openTrailWorld();
  const TagsList = [
    { Key: "Name", Value: "Alice" },
    { Key: "Location", Value: "Ohio" },
  ];
  await world.operations.CreateTrail(
    { Name: "my-trail", S3BucketName: "my-bucket", IsMultiRegionTrail: true, TagsList },
    callFrom(),
  );
  await world.operations.CreateTrail({ Name: "other", S3BucketName: "my-bucket" }, callFrom());
  const add = async (TagsList: Input<"AddTags">["TagsList"], ResourceId: string = arn) =>
    world.operations.AddTags({ ResourceId, TagsList }, callFrom());
  const remove = async (TagsList: Input<"RemoveTags">["TagsList"], ResourceId: string = arn) =>
    world.operations.RemoveTags({ ResourceId, TagsList }, callFrom());
  const list = async (...ResourceIdList: string[]) =>
    world.operations.ListTags({ ResourceIdList }, callFrom());
  const tags = async () =>
    (await list(arn)).ResourceTagList?.[0]?.TagsList?.map((tag) => `${tag.Key}=${tag.Value}`);
  return { world, add, remove, list, tags };
}

describe("tags", () => {
  test("are listed with one entry per ARN, in order, also without tags", async () => {
    const { list } = await openWorldWithTrail();
    expect(await list(trailArnOf("other"), arn, arn)).toStrictEqual({
      ResourceTagList: [
        { ResourceId: trailArnOf("other"), TagsList: [] },
        ...[arn, arn].map((ResourceId) => ({
          ResourceId,
          TagsList: [
            { Key: "Name", Value: "Alice" },
            { Key: "Location", Value: "Ohio" },
          ],
        })),
      ],
    });
  });

  test("are added at the end, overwritten in place, and kept over a restart", async () => {
    const { world, add, tags } = await openWorldWithTrail();
    expect(
      await add([{ Key: "Owner" }, { Key: "Name", Value: "Bob" }, { Key: "name", Value: "x" }]),
    ).toStrictEqual({});
    const expected = ["Name=Bob", "Location=Ohio", "Owner=", "name=x"];
    expect(await tags()).toEqual(expected);
    await world.reopen();
    expect(await tags()).toEqual(expected);
  });

  test("are removed by key alone; what is not there is ignored", async () => {
    const { remove, tags } = await openWorldWithTrail();
    expect(await remove([{ Key: "Name", Value: "somebody else" }, { Key: "nothing" }])).toStrictEqual({});
    expect(await tags()).toEqual(["Location=Ohio"]);
    expect(await remove([])).toStrictEqual({});
    expect(await tags()).toEqual(["Location=Ohio"]);
  });

  test("may be Unicode, 128 and 256 characters long, and fifty", async () => {
    const { add, tags } = await openWorldWithTrail();
    const key = "𝒦".repeat(128);
    await add([{ Key: key, Value: `Straße _.:/=+-@${"v".repeat(241)}` }]);
    expect((await tags())?.[2]).toContain(key);
    await add(Array.from({ length: 47 }, (_, n) => ({ Key: `k${n}` })));
    expect(await tags()).toHaveLength(50);
    const limit = "TagsLimitExceededException: The number of tags exceeds the limit of 50.";
    expect(await refusalOf(add([{ Key: "one more" }]))).toBe(limit);
    expect(await refusalOf(add([{ Key: "k0", Value: "new" }]))).toBe("accepted");
  });

  test("at the same time all survive, and never exceed fifty", async () => {
    const { add, tags } = await openWorldWithTrail();
    const outcomes = await Promise.all(
      Array.from({ length: 80 }, async (_, n) => refusalOf(add([{ Key: `k${n}` }]))),
    );
    expect(outcomes.filter((outcome) => outcome === "accepted")).toHaveLength(48);
    expect(await tags()).toHaveLength(50);
  });
});

const invalid = (value: string) => `CloudTrailARNInvalidException: Invalid resource ARN: ${value}`;
const arnOf = (resource: string) => `arn:aws:cloudtrail:us-east-2:${mary}:${resource}`;
const uuid = "0123abcd-0123-0123-0123-0123456789ab";
const channelArns: readonly (readonly [string, string])[] = [
  [arnOf(`channel/${uuid}`), "ChannelNotFoundException: The channel {arn} was not found."],
  [
    arnOf("channel/aws-service-channel/resource-explorer/x"),
    "ChannelNotFoundException: The channel {arn} was not found.",
  ],
];
const badArns: readonly (readonly [string, string])[] = [
  ["my-trail", invalid("my-trail")],
  ["", invalid("")],
  ["arn:aws:s3:::my-bucket", invalid("arn:aws:s3:::my-bucket")],
  [
    "arn:aws:cloudtrail:us-east-2:123:trail/my-trail",
    invalid("arn:aws:cloudtrail:us-east-2:123:trail/my-trail"),
  ],
  [
    "arn:aws-cn:cloudtrail:us-east-2:123456789012:trail/my-trail",
    invalid("arn:aws-cn:cloudtrail:us-east-2:123456789012:trail/my-trail"),
  ],
  [arnOf("trail/my-trail:x"), invalid(arnOf("trail/my-trail:x"))],
  [
    arnOf("trail/x"),
    "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
  ],
  [
    trailArnOf("my-trail", { region: ireland }),
    "CloudTrailARNInvalidException: Region in ARN is wrong, you can only access resources in region us-east-2.",
  ],
  [
    trailArnOf("my-trail", { account: stranger }),
    "CloudTrailARNInvalidException: You cannot have resources belonging to multiple owners",
  ],
  [
    arnOf("trail/nobody"),
    `ResourceNotFoundException: The resource with ARN ${arnOf("trail/nobody")} was not found.`,
  ],
  [
    arnOf("dashboard/mine"),
    `ResourceNotFoundException: The resource with ARN ${arnOf("dashboard/mine")} was not found.`,
  ],
  [
    arnOf("eventdatastore/x"),
    `EventDataStoreARNInvalidException: The event data store ARN ${arnOf("eventdatastore/x")} is not valid.`,
  ],
  [
    arnOf(`eventdatastore/${uuid}`),
    `EventDataStoreNotFoundException: The event data store ${arnOf(`eventdatastore/${uuid}`)} was not found.`,
  ],
  [arnOf("channel/x"), `ChannelARNInvalidException: The channel ARN ${arnOf("channel/x")} is not valid.`],
  [
    arnOf("query/1"),
    `ResourceTypeNotSupportedException: The resource type of ${arnOf("query/1")} is not supported.`,
  ],
  [
    arnOf("trail"),
    `ResourceTypeNotSupportedException: The resource type of ${arnOf("trail")} is not supported.`,
  ],
];

describe("tag operations refuse", () => {
  test.each([...badArns, ...channelArns.map(([bad, text]) => [bad, text.replace("{arn}", bad)] as const)])(
    "AddTags and RemoveTags: %s",
    async (bad, refusal) => {
      const { world, add, remove } = await openWorldWithTrail();
      const before = await documentsOf(world);
      expect(await refusalOf(add([{ Key: "k" }], bad))).toBe(refusal);
      expect(await refusalOf(remove([{ Key: "k" }], bad))).toBe(refusal);
      expect(await documentsOf(world)).toEqual(before);
    },
  );

  test.each([
    ...badArns,
    ...channelArns.map(
      ([bad]) => [bad, `ResourceNotFoundException: The resource with ARN ${bad} was not found.`] as const,
    ),
  ])("ListTags: %s, also beside a good one", async (bad, refusal) => {
    const { list } = await openWorldWithTrail();
    expect(await refusalOf(list(arn, bad))).toBe(refusal);
  });

  test("a shadow trail's Region", async () => {
    const { world } = await openWorldWithTrail();
    const call = world.operations.ListTags({ ResourceIdList: [arn] }, callFrom(mary, ireland));
    expect(await refusalOf(call)).toBe(
      "CloudTrailARNInvalidException: Region in ARN is wrong, you can only access resources in region eu-west-1.",
    );
  });

  test("an organization trail of another account", async () => {
    const world = await openTrailWorld({ organization });
    await world.operations.CreateTrail(
      { Name: "my-trail", S3BucketName: "my-bucket", IsOrganizationTrail: true },
      callFrom(management),
    );
    for (const caller of [member, delegate]) {
      const refusal = "CloudTrailARNInvalidException: You cannot have resources belonging to multiple owners";
      const call = callFrom(caller, ohio);
      expect(await refusalOf(world.operations.ListTags({ ResourceIdList: [arn] }, call))).toBe(refusal);
      const TagsList = [{ Key: "k" }];
      expect(await refusalOf(world.operations.AddTags({ ResourceId: arn, TagsList }, call))).toBe(refusal);
      expect(await refusalOf(world.operations.RemoveTags({ ResourceId: arn, TagsList }, call))).toBe(refusal);
    }
  });

  test("a list of none, or of more than twenty", async () => {
    const { list } = await openWorldWithTrail();
    expect(await refusalOf(list())).toBe(
      "ValidationException: 1 validation error detected: Value '[]' at 'resourceIdList' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    const many = Array.from({ length: 21 }, () => arn);
    expect(await refusalOf(list(...many))).toMatch(
      /^ValidationException: 1 validation error detected: Value '.{1000}' at 'resourceIdList' failed to satisfy constraint: Member must have length less than or equal to 20$/,
    );
    expect((await list(...many.slice(1))).ResourceTagList).toHaveLength(20);
  });

  test("a token, since none is ever given", async () => {
    const { world } = await openWorldWithTrail();
    const call = world.operations.ListTags({ ResourceIdList: [arn], NextToken: "abcd" }, callFrom());
    expect(await refusalOf(call)).toBe("InvalidTokenException: The NextToken value is not valid.");
  });

  test.each<readonly [string, Input<"AddTags">["TagsList"], string]>([
    ["an empty key", [{ Key: "" }], "Tag key  is not valid."],
    ["a missing key", [{ Key: undefined }], "Tag key  is not valid."],
    ["a long key", [{ Key: "k".repeat(129) }], `Tag key ${"k".repeat(129)} is not valid.`],
    ["a bad character", [{ Key: "a*" }], "Tag key a* is not valid."],
    ["a key twice", [{ Key: "a" }, { Key: "a" }], "Tag key a occurs more than once."],
    ["a reserved key", [{ Key: "AWS:a" }], "Tag key AWS:a begins with the reserved prefix aws:."],
  ])("%s", async (_what, list, text) => {
    const { world, add, remove } = await openWorldWithTrail();
    const before = await documentsOf(world);
    expect(await refusalOf(add(list))).toBe(`InvalidTagParameterException: ${text}`);
    expect(await refusalOf(remove(list))).toBe(`InvalidTagParameterException: ${text}`);
    expect(await documentsOf(world)).toEqual(before);
  });

  test("a bad value when adding, never when removing", async () => {
    const { add, remove } = await openWorldWithTrail();
    for (const Value of ["v".repeat(257), "a*"]) {
      expect(await refusalOf(add([{ Key: "Name", Value }]))).toBe(
        `InvalidTagParameterException: Tag value ${Value} is not valid.`,
      );
      expect(await refusalOf(remove([{ Key: "Name", Value }]))).toBe("accepted");
    }
  });
});
