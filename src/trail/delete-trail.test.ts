// DeleteTrail (api.md §4.3): the trail goes, its place stays until delivery is done.
import { describe, expect, test } from "vitest";
import {
  callFrom,
  documentsOf,
  ireland,
  mary,
  openTrailWorld,
  refusalOf,
  trailArnOf,
} from "./trail.test-world.ts";

async function openWorldWithTrail() {
  const world = await openTrailWorld();
  await world.operations.CreateTrail(
    { Name: "my-trail", S3BucketName: "my-bucket", S3KeyPrefix: "p", IsMultiRegionTrail: true },
    callFrom(),
  );
  await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
  const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
  return { world, incarnation };
}

describe("DeleteTrail", () => {
  test("works while the trail logs, and everything of it is gone, everywhere", async () => {
    const { world } = await openWorldWithTrail();
    const { operations } = world;
    expect(await operations.DeleteTrail({ Name: trailArnOf("my-trail") }, callFrom())).toStrictEqual({});
    const unknown = `TrailNotFoundException: Unknown trail: ${trailArnOf("my-trail")} for the user: ${mary}`;
    expect(await refusalOf(operations.GetTrailStatus({ Name: "my-trail" }, callFrom()))).toBe(unknown);
    expect(await refusalOf(operations.DeleteTrail({ Name: "my-trail" }, callFrom()))).toBe(unknown);
    expect(await operations.DescribeTrails({}, callFrom(mary, ireland))).toEqual({ trailList: [] });
    expect(
      await refusalOf(operations.ListTags({ ResourceIdList: [trailArnOf("my-trail")] }, callFrom())),
    ).toBe(`ResourceNotFoundException: The resource with ARN ${trailArnOf("my-trail")} was not found.`);
  });

  test("decides nothing new before the last files are flushed, for five seconds at most", async () => {
    const { world, incarnation } = await openWorldWithTrail();
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    expect(world.flushes).toEqual([{ incarnation, msMax: 5000, wasLive: false }]);
  });

  test("succeeds also when the flush fails", async () => {
    const { world } = await openWorldWithTrail();
    Object.assign(world.ports.delivery, {
      flush: async () => {
        throw new Error("the bucket is away");
      },
    });
    expect(await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom())).toStrictEqual({});
    expect(world.warnings).toEqual(["The last files of a deleted trail are not delivered yet."]);
  });

  test("keeps the place until it is forgotten, also over a restart", async () => {
    const { world, incarnation } = await openWorldWithTrail();
    const live = world.registry.place(incarnation);
    expect(live).toEqual({
      incarnation,
      trailArn: trailArnOf("my-trail"),
      owner: mary,
      bucket: "my-bucket",
      keyPrefix: "p",
    });
    await world.registry.forget(incarnation);
    expect(world.registry.place(incarnation)).toEqual(live);
    const deletedMs = world.nowMs;
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    expect(world.registry.place(incarnation)).toEqual({ ...live, deletedMs });
    await world.reopen();
    expect(world.registry.place(incarnation)).toEqual({ ...live, deletedMs });
    await world.registry.forget(incarnation);
    expect(world.registry.place(incarnation)).toBeUndefined();
    expect(await documentsOf(world)).toEqual([]);
    await world.reopen();
    expect(world.registry.place(incarnation)).toBeUndefined();
  });

  test("a trail made again is another destination with nothing of the old one", async () => {
    const { world, incarnation } = await openWorldWithTrail();
    const arn = trailArnOf("my-trail");
    await world.operations.AddTags({ ResourceId: arn, TagsList: [{ Key: "k" }] }, callFrom());
    await world.operations.PutEventSelectors(
      { TrailName: arn, EventSelectors: [{ ReadWriteType: "ReadOnly" }] },
      callFrom(),
    );
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
    const again = world.registry.ofOwner(mary)[0];
    expect(again?.incarnation).not.toBe(incarnation);
    expect(again).toMatchObject({ tags: [], logging: { isLogging: false }, selectors: { kind: "basic" } });
    expect(again?.logging).toEqual({ isLogging: false });
    expect(world.registry.place(again?.incarnation ?? "")).not.toHaveProperty("deletedMs");
    expect(world.registry.place(incarnation)).toHaveProperty("deletedMs");
  });

  test("at the same time, once", async () => {
    const { world } = await openWorldWithTrail();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () =>
        refusalOf(world.operations.DeleteTrail({ Name: "my-trail" }, callFrom())),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "accepted")).toHaveLength(1);
    expect(world.flushes).toHaveLength(1);
  });
});
