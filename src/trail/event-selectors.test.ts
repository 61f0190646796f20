// PutEventSelectors and GetEventSelectors on a trail (api.md §5.1, §5.6, §5.8); what selectors may say is held in
// the selector folder.
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import { callFrom, documentsOf, mary, openTrailWorld, refusalOf, trailArnOf } from "./trail.test-world.ts";

type Selectors = Omit<Input<"PutEventSelectors">, "TrailName">;
const defaultBasic = {
  ReadWriteType: "All" as const,
  IncludeManagementEvents: true,
  DataResources: [],
  ExcludeManagementEventSources: [],
};
const advanced = [{ Name: "all", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] }];

async function openWorldWithTrail() {
  const world = await openTrailWorld();
  await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
  const put = async (selectors: Selectors) =>
    world.operations.PutEventSelectors({ TrailName: "my-trail", ...selectors }, callFrom());
  const get = async () => world.operations.GetEventSelectors({ TrailName: "my-trail" }, callFrom());
  const isCustom = async () =>
    (await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail?.HasCustomEventSelectors;
  return { world, put, get, isCustom };
}

describe("event selectors of a trail", () => {
  test("are replaced as a whole, and one kind drops the other", async () => {
    const { world, put, get, isCustom } = await openWorldWithTrail();
    expect(await isCustom()).toBe(false);
    const basic = [
      {
        ReadWriteType: "WriteOnly" as const,
        DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::one/p", "arn:aws:s3:::"] }],
      },
    ];
    const normalised = {
      TrailARN: trailArnOf("my-trail"),
      EventSelectors: [{ ...defaultBasic, ...basic[0] }],
    };
    expect(await put({ EventSelectors: basic })).toStrictEqual(normalised);
    expect(await get()).toStrictEqual(normalised);
    expect(await isCustom()).toBe(true);
    const answer = { TrailARN: trailArnOf("my-trail"), AdvancedEventSelectors: advanced };
    expect(await put({ AdvancedEventSelectors: advanced })).toStrictEqual(answer);
    await world.reopen();
    expect(await get()).toStrictEqual(answer);
    expect(await isCustom()).toBe(true);
    const plain = { TrailARN: trailArnOf("my-trail"), EventSelectors: [defaultBasic] };
    expect(await put({ EventSelectors: [{}] })).toStrictEqual(plain);
    expect(await get()).toStrictEqual(plain);
    expect(await isCustom()).toBe(false);
  });

  test("an empty advanced list resets advanced ones and leaves basic ones alone", async () => {
    const { put, get } = await openWorldWithTrail();
    await put({ AdvancedEventSelectors: advanced });
    expect(await put({ AdvancedEventSelectors: [] })).toMatchObject({ EventSelectors: [defaultBasic] });
    await put({ EventSelectors: [{ ReadWriteType: "ReadOnly" }] });
    await put({ AdvancedEventSelectors: [] });
    expect((await get()).EventSelectors?.[0]?.ReadWriteType).toBe("ReadOnly");
  });

  test.each<readonly [Selectors, string]>([
    [
      { EventSelectors: [{}], AdvancedEventSelectors: advanced },
      "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both.",
    ],
    [{}, "Specify a valid number of selectors (1 to 5) for your trail"],
    [{ EventSelectors: [] }, "Specify a valid number of selectors (1 to 5) for your trail"],
    [
      { EventSelectors: [{}, {}, {}, {}, {}, {}] },
      "Specify a valid number of selectors (1 to 5) for your trail",
    ],
    [
      { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "readOnly", Equals: ["true"] }] }] },
      "The following fields are required: [eventCategory].",
    ],
  ])("%j is refused and changes nothing", async (selectors, text) => {
    const { world, put } = await openWorldWithTrail();
    const before = await documentsOf(world);
    expect(await refusalOf(put(selectors))).toBe(`InvalidEventSelectorsException: ${text}`);
    expect(await documentsOf(world)).toEqual(before);
  });

  test("obey the configured quotas", async () => {
    const { world, put } = await openWorldWithTrail();
    const quotas = { ...world.configuration.quotas, basicSelectorsPerTrail: 1, advancedValuesPerTrail: 1 };
    world.configuration = { ...world.configuration, quotas };
    expect(await refusalOf(put({ EventSelectors: [{}, {}] }))).toContain("InvalidEventSelectorsException");
    expect(await refusalOf(put({ AdvancedEventSelectors: [...advanced, ...advanced] }))).toBe(
      "InvalidEventSelectorsException: There are too many filters applied. The maximum allowed number of filters is 1.",
    );
  });

  test("decide from the answer on", async () => {
    const { world, put } = await openWorldWithTrail();
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    const call = callFrom();
    const match = (readOnly: boolean) =>
      world.registry
        .index()
        .match(
          { readOnly, managementEvent: true, awsRegion: call.region, hasUserIdentity: true, resources: [] },
          { account: mary, region: call.region },
        ).destinations.length;
    expect([match(true), match(false)]).toEqual([1, 1]);
    await put({ EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    expect([match(true), match(false)]).toEqual([0, 1]);
  });

  test("put at the same time with other changes lose nothing", async () => {
    const { world, put } = await openWorldWithTrail();
    const Name = "my-trail";
    const ResourceId = trailArnOf(Name);
    await Promise.all([
      put({ EventSelectors: [{ ReadWriteType: "WriteOnly" }] }),
      world.operations.StartLogging({ Name }, callFrom()),
      world.operations.UpdateTrail({ Name, S3KeyPrefix: "p" }, callFrom()),
      ...Array.from({ length: 20 }, async (_, n) =>
        world.operations.AddTags({ ResourceId, TagsList: [{ Key: `k${n}` }] }, callFrom()),
      ),
    ]);
    const [trail] = world.registry.ofOwner(mary);
    expect(trail?.tags).toHaveLength(20);
    expect(trail).toMatchObject({
      settings: { keyPrefix: "p" },
      logging: { isLogging: true },
      selectors: { selectors: [{ readWriteType: "WriteOnly" }] },
    });
  });
});
