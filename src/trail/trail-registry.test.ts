// The registry: what is stored, what is loaded, and that the index follows (issue part E; design §2).
import { describe, expect, test } from "vitest";
import { parseTrailArn } from "../model/arn.ts";
import type { Expected, Json } from "../state/contract.ts";
import { openTrailRegistry } from "./trail-registry.ts";
import {
  callFrom,
  management,
  mary,
  member,
  ohio,
  openTrailWorld,
  organization,
  refusalOf,
  trailArnOf,
  virginia,
} from "./trail.test-world.ts";

const key = `trail/${mary}/us-east-2/my-trail`;

async function openWorldWithTrail() {
  const world = await openTrailWorld();
  await world.operations.CreateTrail(
    {
      Name: "my-trail",
      S3BucketName: "my-bucket",
      S3KeyPrefix: "p",
      SnsTopicName: "t",
      KmsKeyId: "alias/k",
      CloudWatchLogsLogGroupArn: `arn:aws:logs:us-east-2:${mary}:log-group:g:*`,
      CloudWatchLogsRoleArn: `arn:aws:iam::${mary}:role/r`,
      TagsList: [{ Key: "k", Value: "v" }],
    },
    callFrom(),
  );
  await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
  return world;
}

describe("the registry over a restart", () => {
  test.each([
    [
      "basic",
      {
        EventSelectors: [{ DataResources: [{ Type: "AWS::Lambda::Function", Values: ["arn:aws:lambda"] }] }],
      },
    ],
    [
      "advanced",
      {
        AdvancedEventSelectors: [
          {
            Name: "n",
            FieldSelectors: [
              { Field: "eventCategory", Equals: ["Data"] },
              { Field: "resources.type", Equals: ["AWS::S3::Object"] },
              {
                Field: "resources.ARN",
                StartsWith: ["a"],
                EndsWith: ["b"],
                NotEquals: ["c"],
                NotStartsWith: ["d"],
                NotEndsWith: ["e"],
              },
            ],
          },
        ],
      },
    ],
  ])("finds every trail as it was, with %s selectors", async (_kind, selectors) => {
    const world = await openWorldWithTrail();
    await world.operations.PutInsightSelectors(
      {
        TrailName: "my-trail",
        InsightSelectors: [{ InsightType: "ApiErrorRateInsight", EventCategories: ["Management"] }],
      },
      callFrom(),
    );
    await world.operations.PutEventSelectors({ TrailName: "my-trail", ...selectors }, callFrom());
    await world.operations.StopLogging({ Name: "my-trail" }, callFrom());
    const before = world.registry.ofOwner(mary);
    await world.reopen();
    expect(world.registry.ofOwner(mary)).toStrictEqual(before);
  });

  test("keeps the order of creation, also of trails made in the same millisecond", async () => {
    const world = await openTrailWorld();
    const names = ["zebra", "apple", "mango"];
    for (const Name of names)
      await world.operations.CreateTrail({ Name, S3BucketName: "my-bucket" }, callFrom());
    world.nowMs -= 60_000;
    await world.operations.CreateTrail({ Name: "banana", S3BucketName: "my-bucket" }, callFrom());
    await world.operations.UpdateTrail({ Name: "zebra", S3KeyPrefix: "p" }, callFrom());
    const order = async () =>
      (await world.operations.DescribeTrails({}, callFrom())).trailList?.map((trail) => trail.Name);
    expect(await order()).toEqual([...names, "banana"]);
    await world.reopen();
    expect(await order()).toEqual([...names, "banana"]);
  });

  test("removes the tombstone of a trail whose deletion was cut short", async () => {
    const world = await openWorldWithTrail();
    const [trail] = world.registry.ofOwner(mary);
    const incarnation = trail?.incarnation ?? "";
    const place = { format: 1, ...world.registry.place(incarnation), deletedMs: 1 };
    await world.state.put(`deleted-trail/${incarnation}`, place, "absent");
    await world.reopen();
    expect(world.registry.place(incarnation)).not.toHaveProperty("deletedMs");
    expect(await world.state.get(`deleted-trail/${incarnation}`)).toBeUndefined();
  });

  test("a deletion writes the tombstone before it removes the trail", async () => {
    const world = await openWorldWithTrail();
    const changes: string[] = [];
    world.state.watch("", (change) =>
      changes.push(`${change.stored ? "put" : "delete"} ${change.key.split("/")[0]}`),
    );
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    expect(changes).toEqual(["put deleted-trail", "delete trail"]);
  });
});

describe("the registry and damaged documents", () => {
  const damages: readonly (readonly [string, (document: Record<string, Json>) => Json, string])[] = [
    ["no object", () => "text", "expected object"],
    ["an unknown format", (document) => ({ ...document, format: 2 }), "format"],
    ["an unknown member", (document) => ({ ...document, extra: 1 }), "extra"],
    [
      "a bad account",
      (document) => ({ ...document, owner: "mary" }),
      "owner: expected a 12-digit account id",
    ],
    ["a bad Region", (document) => ({ ...document, homeRegion: "?" }), "homeRegion: expected a Region"],
    ["another name", (document) => ({ ...document, name: "other" }), "it belongs to another trail"],
    ["no logging state", (document) => ({ ...document, logging: {} }), "logging.isLogging"],
    [
      "no selector",
      (document) => ({ ...document, selectors: { kind: "basic", selectors: [] } }),
      "selectors.selectors",
    ],
    ["unknown selectors", (document) => ({ ...document, selectors: { kind: "other" } }), "selectors.kind"],
    ["a null", (document) => ({ ...document, settings: null }), "settings"],
    ["tags that are none", (document) => ({ ...document, tags: [{ key: "k" }] }), "tags.0.value"],
  ];
  test.each(damages)("names the trail with %s", async (_what, damage, text) => {
    const world = await openWorldWithTrail();
    const stored = await world.state.get(key);
    await world.state.put(key, damage(stored?.value as Record<string, Json>), "any");
    await expect(openTrailRegistry(world.ports)).rejects.toThrow(`The stored document ${key} is damaged: `);
    await expect(openTrailRegistry(world.ports)).rejects.toThrow(text);
  });

  test("names a damaged tombstone", async () => {
    const world = await openWorldWithTrail();
    await world.state.put("deleted-trail/x", { format: 1 }, "any");
    await expect(openTrailRegistry(world.ports)).rejects.toThrow(
      "The stored document deleted-trail/x is damaged: incarnation",
    );
    const place = {
      format: 1,
      incarnation: "y",
      trailArn: "arn:aws:s3:::x",
      owner: mary,
      bucket: "b",
      deletedMs: 1,
    };
    await world.state.put("deleted-trail/x", place, "any");
    await expect(openTrailRegistry(world.ports)).rejects.toThrow("trailArn: expected a trail ARN");
    await world.state.put("deleted-trail/x", { ...place, trailArn: trailArnOf("my-trail") }, "any");
    await expect(openTrailRegistry(world.ports)).rejects.toThrow("it belongs to another trail");
  });
});

describe("the registry and its index", () => {
  const event = {
    managementEvent: true,
    readOnly: false,
    awsRegion: "us-east-2",
    hasUserIdentity: true,
    resources: [],
  };

  test("a new index is current when a change is answered", async () => {
    const world = await openWorldWithTrail();
    const { operations } = world;
    const Name = "my-trail";
    const ResourceId = trailArnOf(Name);
    const steps: readonly (() => Promise<unknown>)[] = [
      async () => operations.UpdateTrail({ Name, IsMultiRegionTrail: true }, callFrom()),
      async () => operations.AddTags({ ResourceId, TagsList: [{ Key: "x" }] }, callFrom()),
      async () => operations.RemoveTags({ ResourceId, TagsList: [{ Key: "x" }] }, callFrom()),
      async () => operations.PutEventSelectors({ TrailName: Name, EventSelectors: [{}] }, callFrom()),
      async () => operations.PutInsightSelectors({ TrailName: Name, InsightSelectors: [] }, callFrom()),
      async () => operations.StopLogging({ Name }, callFrom()),
      async () => operations.StartLogging({ Name }, callFrom()),
      async () => operations.DeleteTrail({ Name }, callFrom()),
      async () => operations.CreateTrail({ Name, S3BucketName: "my-bucket" }, callFrom()),
    ];
    for (const step of steps) {
      const { version } = world.registry.index();
      await step();
      expect(world.registry.index().version).toBe(version + 1);
    }
  });

  test("follows the Region scope, the deletion and the remaking of a trail", async () => {
    const world = await openWorldWithTrail();
    const match = (region = ohio) =>
      world.registry.index().match({ ...event, awsRegion: region }, { account: mary, region }).destinations;
    const [first] = match();
    expect(first).toEqual({ kind: "trail", incarnation: world.registry.ofOwner(mary)[0]?.incarnation });
    expect(match(virginia)).toEqual([]);
    await world.operations.UpdateTrail({ Name: "my-trail", IsMultiRegionTrail: true }, callFrom());
    expect(match(virginia)).toEqual([first]);
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    expect(match()).toEqual([]);
    await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    expect(match()).toHaveLength(1);
    expect(match()).not.toEqual([first]);
  });

  test("a refused or failed write leaves trails and index as they were", async () => {
    const world = await openWorldWithTrail();
    const index = world.registry.index();
    const before = world.registry.ofOwner(mary);
    const working = { ...world.state };
    Object.assign(world.state, {
      put: async () => {
        throw new Error("the disk is full");
      },
    });
    await expect(world.operations.StopLogging({ Name: "my-trail" }, callFrom())).rejects.toThrow(
      "the disk is full",
    );
    await expect(
      world.operations.CreateTrail({ Name: "other", S3BucketName: "my-bucket" }, callFrom()),
    ).rejects.toThrow("the disk is full");
    expect(world.registry.index()).toBe(index);
    expect(world.registry.ofOwner(mary)).toEqual(before);
    Object.assign(world.state, working);
    expect(await refusalOf(world.operations.StopLogging({ Name: "my-trail" }, callFrom()))).toBe("accepted");
  });

  test("reconfigure takes the organization's members as they are now", async () => {
    const world = await openTrailWorld({ organization: { ...organization, members: [management] } });
    await world.operations.CreateTrail(
      { Name: "shared", S3BucketName: "my-bucket", IsOrganizationTrail: true },
      callFrom(management),
    );
    await world.operations.StartLogging({ Name: "shared" }, callFrom(management));
    const logs = (account = member) =>
      world.registry.index().match(event, { account, region: ohio }).destinations.length === 1;
    expect([logs(), logs(management)]).toEqual([false, true]);
    world.configuration = { ...world.configuration, organization };
    expect(logs()).toBe(false);
    const { version } = world.registry.index();
    world.registry.reconfigure();
    expect(world.registry.index().version).toBe(version + 1);
    expect([logs(), logs(management)]).toEqual([true, true]);
    const { organization: _gone, ...without } = world.configuration;
    world.configuration = without;
    world.registry.reconfigure();
    expect([logs(), logs(management)]).toEqual([false, true]);
  });
});

describe("a deletion whose outcome was not known", () => {
  test.each([
    ["did come through", true],
    ["did not", false],
  ])("and that %s is put right by the next change", async (_what, cameThrough) => {
    const world = await openWorldWithTrail();
    const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
    const working = { ...world.state };
    Object.assign(world.state, {
      delete: async (name: string, expected: Expected) => {
        if (cameThrough) await working.delete(name, expected);
        throw new Error("the disk did not answer");
      },
    });
    const remove = async () => world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    await expect(remove()).rejects.toThrow("the disk did not answer");
    Object.assign(world.state, working);
    expect(world.registry.place(incarnation)).not.toHaveProperty("deletedMs");
    expect(await refusalOf(remove())).toBe(
      cameThrough
        ? `ConflictException: The resource ${trailArnOf("my-trail")} is being modified by another request. Try again later.`
        : "accepted",
    );
    expect(world.registry.ofOwner(mary)).toEqual([]);
    expect(world.registry.place(incarnation)).toHaveProperty("deletedMs");
    await world.reopen();
    expect(world.registry.place(incarnation)).toHaveProperty("deletedMs");
  });
});

describe("a document that somebody else wrote", () => {
  test("is taken over, and the client is told to try again", async () => {
    const world = await openWorldWithTrail();
    const other = await openTrailRegistry(world.ports);
    const identity = parseTrailArn(trailArnOf("my-trail"));
    const current = identity && other.find(identity);
    if (!current) throw new Error("the trail is there");
    await other.serialised(current.owner, current.arn, async (writer) =>
      writer.replace(current, { ...current, tags: [] }),
    );
    const conflict = `ConflictException: The resource ${current.arn} is being modified by another request. Try again later.`;
    const stop = async () => refusalOf(world.operations.StopLogging({ Name: "my-trail" }, callFrom()));
    expect(await stop()).toBe(conflict);
    expect(world.registry.ofOwner(mary)[0]?.tags).toEqual([]);
    expect(await stop()).toBe("accepted");
  });

  test("also when it is a new or a removed one", async () => {
    const world = await openWorldWithTrail();
    const stale = await openTrailRegistry(world.ports);
    const [trail] = stale.ofOwner(mary);
    if (!trail) throw new Error("the trail is there");
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    const removal = stale.serialised(trail.owner, trail.arn, async (writer) => writer.remove(trail));
    expect(await refusalOf(removal)).toContain("ConflictException");
    expect(stale.ofOwner(mary)).toEqual([]);
    expect(stale.place(trail.incarnation)).toEqual(world.registry.place(trail.incarnation));
    expect(await world.state.get(`deleted-trail/${trail.incarnation}`)).toBeDefined();
    await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
    const { incarnation: _incarnation, createdMs: _createdMs, ...draft } = trail;
    const creation = stale.serialised(trail.owner, trail.arn, async (writer) => writer.create(draft));
    expect(await refusalOf(creation)).toContain("ConflictException");
    expect(stale.ofOwner(mary)).toEqual(world.registry.ofOwner(mary));
  });
});
