// StartLogging, StopLogging and GetTrailStatus (api.md §4.7, §4.8).
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../event/record.ts";
import {
  callFrom,
  mary,
  ohio,
  openTrailWorld,
  type TrailWorld,
  trailArnOf,
  virginia,
} from "./trail.test-world.ts";

const event: RecordFields = {
  eventName: "CreateUser",
  eventSource: "iam.amazonaws.com",
  awsRegion: "us-east-2",
  readOnly: false,
  managementEvent: true,
  hasUserIdentity: true,
  resources: [],
};

async function openWorldWithTrail(): Promise<TrailWorld> {
  const world = await openTrailWorld();
  await world.operations.CreateTrail(
    { Name: "my-trail", S3BucketName: "my-bucket", IsMultiRegionTrail: true },
    callFrom(),
  );
  return world;
}

const statusOf = async (world: TrailWorld, from = ohio) =>
  world.operations.GetTrailStatus({ Name: trailArnOf("my-trail") }, callFrom(mary, from));
const matched = (world: TrailWorld) =>
  world.registry.index().match(event, { account: mary, region: ohio }).destinations.length;

describe("logging", () => {
  test("of a trail never started shows exactly the seven members", async () => {
    expect(await statusOf(await openWorldWithTrail())).toStrictEqual({
      IsLogging: false,
      LatestDeliveryAttemptTime: "",
      LatestNotificationAttemptTime: "",
      LatestNotificationAttemptSucceeded: "",
      LatestDeliveryAttemptSucceeded: "",
      TimeLoggingStarted: "",
      TimeLoggingStopped: "",
    });
  });

  test("is started and stopped, by name or ARN; both times are kept", async () => {
    const world = await openWorldWithTrail();
    const { operations } = world;
    const startedMs = world.nowMs;
    expect(await operations.StartLogging({ Name: "my-trail" }, callFrom())).toStrictEqual({});
    expect(await statusOf(world)).toMatchObject({
      IsLogging: true,
      StartLoggingTime: new Date(startedMs),
      TimeLoggingStarted: "2015-09-01T00:54:02Z",
      TimeLoggingStopped: "",
    });
    expect(await statusOf(world)).not.toHaveProperty("StopLoggingTime");
    world.nowMs += 60_500;
    expect(await operations.StopLogging({ Name: trailArnOf("my-trail") }, callFrom())).toStrictEqual({});
    expect(await statusOf(world)).toMatchObject({
      IsLogging: false,
      StartLoggingTime: new Date(startedMs),
      StopLoggingTime: new Date(startedMs + 60_500),
      TimeLoggingStarted: "2015-09-01T00:54:02Z",
      TimeLoggingStopped: "2015-09-01T00:55:03Z",
    });
    world.nowMs += 1000;
    await operations.StartLogging({ Name: "my-trail" }, callFrom());
    expect(await statusOf(world)).toMatchObject({
      IsLogging: true,
      StartLoggingTime: new Date(startedMs + 61_500),
      StopLoggingTime: new Date(startedMs + 60_500),
    });
  });

  test("already in the wanted state stays as it is, times included", async () => {
    const world = await openWorldWithTrail();
    const { operations } = world;
    await operations.StopLogging({ Name: "my-trail" }, callFrom());
    expect(await statusOf(world)).toMatchObject({ IsLogging: false, TimeLoggingStopped: "" });
    await operations.StartLogging({ Name: "my-trail" }, callFrom());
    const started = await statusOf(world);
    const { version } = world.registry.index();
    world.nowMs += 5000;
    await operations.StartLogging({ Name: "my-trail" }, callFrom());
    expect(await statusOf(world)).toStrictEqual(started);
    expect(world.registry.index().version).toBe(version);
  });

  test("decides what is logged, from the answer on", async () => {
    const world = await openWorldWithTrail();
    expect(matched(world)).toBe(0);
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    expect(matched(world)).toBe(1);
    await world.operations.StopLogging({ Name: "my-trail" }, callFrom());
    expect(matched(world)).toBe(0);
  });

  test("survives a restart", async () => {
    const world = await openWorldWithTrail();
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    const before = await statusOf(world);
    await world.reopen();
    expect(await statusOf(world)).toStrictEqual(before);
    expect(matched(world)).toBe(1);
  });

  test("is seen from every Region, with that Region's deliveries", async () => {
    const world = await openWorldWithTrail();
    await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
    const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
    const deliveredMs = Date.parse("2015-09-01T20:35:57.497Z");
    world.statuses.set(`${incarnation} us-east-2`, {
      bucket: {
        latestMs: deliveredMs,
        latestAttemptMs: deliveredMs,
        latestSuccessfulAttemptMs: deliveredMs,
      },
    });
    world.statuses.set(`${incarnation} us-east-1`, {
      bucket: {
        latestMs: deliveredMs,
        latestError: "AccessDenied",
        latestAttemptMs: deliveredMs + 60_000,
        latestSuccessfulAttemptMs: deliveredMs,
      },
    });
    const logging = {
      IsLogging: true,
      StartLoggingTime: new Date(world.nowMs),
      LatestDeliveryTime: new Date(deliveredMs),
      LatestDeliveryAttemptSucceeded: "2015-09-01T20:35:57Z",
      LatestNotificationAttemptTime: "",
      LatestNotificationAttemptSucceeded: "",
      TimeLoggingStarted: "2015-09-01T00:54:02Z",
      TimeLoggingStopped: "",
    };
    expect(await statusOf(world)).toStrictEqual({
      ...logging,
      LatestDeliveryAttemptTime: "2015-09-01T20:35:57Z",
    });
    expect(await statusOf(world, virginia)).toStrictEqual({
      ...logging,
      LatestDeliveryError: "AccessDenied",
      LatestDeliveryAttemptTime: "2015-09-01T20:36:57Z",
    });
  });
});
