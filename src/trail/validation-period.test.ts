// The validation period of a trail: the rule alone, over the operations, over restarts and in deleted places.
import { describe, expect, test } from "vitest";
import type { ValidationPeriod } from "../bucket/place.ts";
import type { Json } from "../state/contract.ts";
import { callFrom, mary, openTrailWorld, type TrailWorld, trailArnOf } from "./trail.test-world.ts";
import { endedPeriod, withValidation } from "./validation-period.ts";

const Name = "my-trail";
const key = `trail/${mary}/us-east-2/${Name}`;

async function openWorldWithTrail(EnableLogFileValidation = true): Promise<TrailWorld> {
  const world = await openTrailWorld();
  await world.operations.CreateTrail(
    { Name, S3BucketName: "my-bucket", EnableLogFileValidation },
    callFrom(),
  );
  return world;
}

const steps = {
  start: async ({ operations }: TrailWorld) => operations.StartLogging({ Name }, callFrom()),
  stop: async ({ operations }: TrailWorld) => operations.StopLogging({ Name }, callFrom()),
  on: async ({ operations }: TrailWorld) =>
    operations.UpdateTrail({ Name, EnableLogFileValidation: true }, callFrom()),
  off: async ({ operations }: TrailWorld) =>
    operations.UpdateTrail({ Name, EnableLogFileValidation: false }, callFrom()),
  move: async ({ operations }: TrailWorld) =>
    operations.UpdateTrail({ Name, S3KeyPrefix: "elsewhere" }, callFrom()),
  tag: async ({ operations }: TrailWorld) =>
    operations.AddTags({ ResourceId: trailArnOf(Name), TagsList: [{ Key: "k" }] }, callFrom()),
  restart: async (world: TrailWorld) => world.reopen(),
};

function periodOf(world: TrailWorld): ValidationPeriod | undefined {
  const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
  return world.registry.place(incarnation)?.validation;
}

describe("the rule", () => {
  const trail = (isLogging: boolean, logFileValidation: boolean, validation?: ValidationPeriod) => ({
    logging: { isLogging },
    settings: { logFileValidation } as never,
    ...(validation && { validation }),
  });
  const rule = (before: ValidationPeriod | undefined, isOn: boolean, nowMs: number) =>
    withValidation(trail(isOn, true) as never, before, nowMs).validation;

  test.each<[string, ValidationPeriod | undefined, boolean, number, ValidationPeriod | undefined]>([
    ["never on", undefined, false, 10, undefined],
    ["on for the first time", undefined, true, 10, { sinceMs: 10 }],
    ["whole milliseconds", undefined, true, 10.9, { sinceMs: 10 }],
    ["still on", { sinceMs: 10 }, true, 20, { sinceMs: 10 }],
    [
      "still on, not the first time",
      { sinceMs: 10, previousUntilMs: 5 },
      true,
      20,
      { sinceMs: 10, previousUntilMs: 5 },
    ],
    [
      "off",
      { sinceMs: 10, previousUntilMs: 5 },
      false,
      20.5,
      { sinceMs: 10, untilMs: 20, previousUntilMs: 5 },
    ],
    ["off by a clock set back", { sinceMs: 10 }, false, 3, { sinceMs: 10, untilMs: 10 }],
    ["still off", { sinceMs: 10, untilMs: 20 }, false, 30, { sinceMs: 10, untilMs: 20 }],
    [
      "on again",
      { sinceMs: 10, untilMs: 20, previousUntilMs: 5 },
      true,
      30,
      { sinceMs: 30, previousUntilMs: 20 },
    ],
    [
      "on again in the same millisecond",
      { sinceMs: 10, untilMs: 20 },
      true,
      20,
      { sinceMs: 21, previousUntilMs: 20 },
    ],
    [
      "on again by a clock set back",
      { sinceMs: 10, untilMs: 20 },
      true,
      3,
      { sinceMs: 21, previousUntilMs: 20 },
    ],
  ])("%s", (_what, before, isOn, nowMs, expected) => {
    expect(rule(before, isOn, nowMs)).toEqual(expected);
  });

  test("what somebody else says of the period does not count", () => {
    const given = trail(true, true, { sinceMs: 1, untilMs: 2 });
    expect(withValidation(given as never, undefined, 10)).toEqual({ ...given, validation: { sinceMs: 10 } });
    const idle = trail(false, true, { sinceMs: 1 });
    expect(withValidation(idle as never, undefined, 10)).not.toHaveProperty("validation");
  });

  test("an ended period is not ended again", () => {
    expect(endedPeriod({ sinceMs: 1, untilMs: 2 }, 10)).toEqual({ sinceMs: 1, untilMs: 2 });
    expect(endedPeriod(undefined, 10)).toBeUndefined();
  });
});

describe("over the operations", () => {
  /** Steps a second apart; the period in seconds since the first of them. */
  test.each<[readonly (keyof typeof steps)[], Partial<Record<keyof ValidationPeriod, number>> | undefined]>([
    [[], undefined],
    [["off", "start", "stop"], undefined],
    [["off", "start"], undefined],
    [["start"], { sinceMs: 0 }],
    [["off", "start", "on"], { sinceMs: 2 }],
    [["start", "start", "move", "tag", "on", "restart"], { sinceMs: 0 }],
    [["start", "stop"], { sinceMs: 0, untilMs: 1 }],
    [["start", "off"], { sinceMs: 0, untilMs: 1 }],
    [["start", "off", "stop", "tag", "restart"], { sinceMs: 0, untilMs: 1 }],
    [["start", "off", "stop", "on"], { sinceMs: 0, untilMs: 1 }],
    [["start", "off", "stop", "on", "start", "tag"], { sinceMs: 4, previousUntilMs: 1 }],
    [["start", "stop", "restart", "start", "off"], { sinceMs: 3, untilMs: 4, previousUntilMs: 1 }],
  ])("%j", async (names, expected) => {
    const world = await openWorldWithTrail();
    const firstMs = world.nowMs;
    for (const name of names) {
      await steps[name](world);
      world.nowMs += 1000;
    }
    const inMs = Object.entries(expected ?? {}).map(([member, seconds]) => [
      member,
      firstMs + seconds * 1000,
    ]);
    expect(periodOf(world)).toEqual(expected && Object.fromEntries(inMs));
    await world.reopen();
    expect(periodOf(world)).toEqual(expected && Object.fromEntries(inMs));
  });

  test("a write that failed leaves the period, and the next one dates its own", async () => {
    const world = await openWorldWithTrail();
    await steps.start(world);
    const before = periodOf(world);
    const working = { ...world.state };
    Object.assign(world.state, {
      put: async () => {
        throw new Error("the disk is full");
      },
    });
    await expect(steps.stop(world)).rejects.toThrow("the disk is full");
    expect(periodOf(world)).toEqual(before);
    Object.assign(world.state, working);
    world.nowMs += 5000;
    await steps.stop(world);
    expect(periodOf(world)).toEqual({ ...before, untilMs: world.nowMs });
  });
});

async function documentOf(world: TrailWorld): Promise<Readonly<Record<string, Json>>> {
  const stored = await world.state.get(key);
  if (!stored) throw new Error("The trail is not stored.");
  return stored.value as Record<string, Json>;
}

describe("documents of the time before digests", () => {
  const withoutPeriod = async (world: TrailWorld) => {
    const { validation, ...rest } = await documentOf(world);
    await world.state.put(key, rest, "any");
    return validation;
  };

  test("a trail that validates gets its period at the start, once", async () => {
    const world = await openWorldWithTrail();
    await steps.start(world);
    expect(await withoutPeriod(world)).toBeDefined();
    world.nowMs += 60_000;
    const sinceMs = world.nowMs;
    await world.reopen();
    expect(periodOf(world)).toEqual({ sinceMs });
    world.nowMs += 60_000;
    await world.reopen();
    expect(periodOf(world)).toEqual({ sinceMs });
    await steps.stop(world);
    expect(periodOf(world)).toEqual({ sinceMs, untilMs: world.nowMs });
  });

  test("any other trail is left as it is", async () => {
    const world = await openWorldWithTrail(false);
    await steps.start(world);
    await withoutPeriod(world);
    const before = await world.state.get(key);
    await world.reopen();
    expect(periodOf(world)).toBeUndefined();
    expect(await world.state.get(key)).toEqual(before);
  });

  test.each<[string, Json, string]>([
    ["no times", {}, "validation.sinceMs"],
    ["a text", { sinceMs: "now" }, "validation.sinceMs"],
    ["an unknown member", { sinceMs: 1, x: 1 }, "validation"],
  ])("a period that is damaged, with %s, is named", async (_what, validation, text) => {
    const world = await openWorldWithTrail();
    await world.state.put(key, { ...(await documentOf(world)), validation }, "any");
    await expect(world.reopen()).rejects.toThrow(`The stored document ${key} is damaged: ${text}`);
  });
});

describe("the place of a trail", () => {
  const logGroupArn = `arn:aws:logs:us-east-2:${mary}:log-group:g:*`;
  const roleArn = `arn:aws:iam::${mary}:role/r`;
  const destinations = {
    SnsTopicName: "my-topic",
    CloudWatchLogsLogGroupArn: logGroupArn,
    CloudWatchLogsRoleArn: roleArn,
  };
  const topicArn = `arn:aws:sns:us-east-2:${mary}:my-topic`;

  async function openWorldWithDestinations() {
    const world = await openWorldWithTrail();
    await world.operations.UpdateTrail({ Name, ...destinations }, callFrom());
    const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
    return { world, incarnation, place: () => world.registry.place(incarnation) };
  }

  test("names topic, log group and role", async () => {
    const { world, place } = await openWorldWithDestinations();
    expect(place()).toMatchObject({ topicArn, logGroupArn, roleArn });
    await world.operations.UpdateTrail(
      { Name, SnsTopicName: `arn:aws:sns:eu-west-1:999999999999:other`, CloudWatchLogsLogGroupArn: "" },
      callFrom(),
    );
    expect(place()).toMatchObject({ topicArn: "arn:aws:sns:eu-west-1:999999999999:other" });
    expect(place()).not.toHaveProperty("logGroupArn");
    expect(place()).not.toHaveProperty("roleArn");
  });

  test("keeps them when the trail is deleted, and its validation ends there", async () => {
    const { world, place } = await openWorldWithDestinations();
    const sinceMs = world.nowMs;
    await steps.start(world);
    world.nowMs += 5000;
    await world.operations.DeleteTrail({ Name }, callFrom());
    const deletedMs = world.nowMs;
    const kept = {
      ...{ topicArn, logGroupArn, roleArn, deletedMs },
      validation: { sinceMs, untilMs: deletedMs },
    };
    expect(place()).toMatchObject(kept);
    world.nowMs += 5000;
    await world.reopen();
    expect(place()).toMatchObject(kept);
  });

  test("of a deleted trail that had stopped keeps the end it had", async () => {
    const { world, place } = await openWorldWithDestinations();
    await steps.start(world);
    await steps.stop(world);
    const stopped = place()?.validation;
    world.nowMs += 5000;
    await world.operations.DeleteTrail({ Name }, callFrom());
    expect(place()?.validation).toEqual(stopped);
    expect(stopped).toHaveProperty("untilMs");
  });

  test("of a trail made again begins anew", async () => {
    const { world } = await openWorldWithDestinations();
    await steps.start(world);
    await world.operations.DeleteTrail({ Name }, callFrom());
    await world.operations.CreateTrail(
      { Name, S3BucketName: "my-bucket", EnableLogFileValidation: true },
      callFrom(),
    );
    expect(periodOf(world)).toBeUndefined();
  });

  test("of a trail deleted before there were digests is still read", async () => {
    const { world, incarnation, place } = await openWorldWithDestinations();
    await world.operations.DeleteTrail({ Name }, callFrom());
    const old = {
      ...{ format: 1, incarnation, trailArn: trailArnOf(Name), owner: mary },
      ...{ bucket: "my-bucket", deletedMs: 1 },
    };
    await world.state.put(`deleted-trail/${incarnation}`, old, "any");
    await world.reopen();
    const { format: _format, ...expected } = old;
    expect(place()).toEqual(expected);
  });
});
