// GetTrailStatus in every state of a trail and of its ways out (api.md §4.7, formats.md §2.7).
import { describe, expect, test } from "vitest";
import type { ChannelStatus, DeliveryStatus } from "./ports.ts";
import { callFrom, ireland, mary, ohio, openTrailWorld, type TrailWorld } from "./trail.test-world.ts";

const deliveredMs = Date.parse("2015-09-01T01:00:03.250Z");
const failedMs = deliveredMs + 300_000;
const delivered = new Date(deliveredMs);

/** What a channel knows after only good, after good and then bad, and after only bad attempts. */
const running: ChannelStatus = {
  latestMs: deliveredMs,
  latestAttemptMs: deliveredMs,
  latestSuccessfulAttemptMs: deliveredMs,
};
const down = (latestError: string): ChannelStatus => ({ ...running, latestError, latestAttemptMs: failedMs });
const neverWorked = (latestError: string): ChannelStatus => ({ latestError, latestAttemptMs: failedMs });
/** Time-outs only: an attempt, but nobody answered with a code. */
const unanswered: ChannelStatus = { latestAttemptMs: failedMs };

const topic = "arn:aws:sns:us-east-2:123456789012:my-topic";
const everyWayOut = {
  EnableLogFileValidation: true,
  SnsTopicName: topic,
  CloudWatchLogsLogGroupArn: "arn:aws:logs:us-east-2:123456789012:log-group:my-group:*",
  CloudWatchLogsRoleArn: "arn:aws:iam::123456789012:role/my-role",
};

async function openWorld(settings: object = everyWayOut): Promise<TrailWorld> {
  const world = await openTrailWorld();
  await world.operations.CreateTrail(
    { Name: "my-trail", S3BucketName: "my-bucket", IsMultiRegionTrail: true, ...settings },
    callFrom(),
  );
  await world.operations.StartLogging({ Name: "my-trail" }, callFrom());
  return world;
}

function setStatus(world: TrailWorld, status: Partial<DeliveryStatus>, region = ohio): void {
  const incarnation = world.registry.ofOwner(mary)[0]?.incarnation ?? "";
  world.statuses.set(`${incarnation} ${region}`, status);
}

const statusOf = (world: TrailWorld, Name = "my-trail") =>
  world.operations.GetTrailStatus({ Name }, callFrom());

/** The members of a running trail whose ways out have nothing to tell. */
const quiet = {
  IsLogging: true,
  StartLoggingTime: new Date("2015-09-01T00:54:02.760Z"),
  LatestDeliveryAttemptTime: "",
  LatestDeliveryAttemptSucceeded: "",
  LatestNotificationAttemptTime: "",
  LatestNotificationAttemptSucceeded: "",
  TimeLoggingStarted: "2015-09-01T00:54:02Z",
  TimeLoggingStopped: "",
};
const [good, bad] = ["2015-09-01T01:00:03Z", "2015-09-01T01:05:03Z"];

describe("the members of each way out", () => {
  const cases: readonly [string, Partial<DeliveryStatus>, object][] = [
    ["nothing happened yet", {}, {}],
    [
      "log files: running",
      { bucket: running },
      {
        LatestDeliveryTime: delivered,
        LatestDeliveryAttemptTime: good,
        LatestDeliveryAttemptSucceeded: good,
      },
    ],
    [
      "log files: the bucket is down",
      { bucket: down("NoSuchBucket") },
      {
        LatestDeliveryTime: delivered,
        LatestDeliveryError: "NoSuchBucket",
        LatestDeliveryAttemptTime: bad,
        LatestDeliveryAttemptSucceeded: good,
      },
    ],
    [
      "log files: the bucket never worked",
      { bucket: neverWorked("AccessDenied") },
      { LatestDeliveryError: "AccessDenied", LatestDeliveryAttemptTime: bad },
    ],
    ["log files: nobody answers", { bucket: unanswered }, { LatestDeliveryAttemptTime: bad }],
    ["digests: running", { digest: running }, { LatestDigestDeliveryTime: delivered }],
    [
      "digests: down",
      { digest: down("AccessDenied") },
      { LatestDigestDeliveryTime: delivered, LatestDigestDeliveryError: "AccessDenied" },
    ],
    [
      "notifications: running",
      { notification: running },
      {
        LatestNotificationTime: delivered,
        LatestNotificationAttemptTime: good,
        LatestNotificationAttemptSucceeded: good,
      },
    ],
    [
      "notifications: down",
      { notification: down("AuthorizationError") },
      {
        LatestNotificationTime: delivered,
        LatestNotificationError: "AuthorizationError",
        LatestNotificationAttemptTime: bad,
        LatestNotificationAttemptSucceeded: good,
      },
    ],
    [
      "notifications: never worked",
      { notification: neverWorked("NotFound") },
      { LatestNotificationError: "NotFound", LatestNotificationAttemptTime: bad },
    ],
    ["log group: running", { logGroup: running }, { LatestCloudWatchLogsDeliveryTime: delivered }],
    [
      "log group: down",
      { logGroup: down("ResourceNotFoundException") },
      {
        LatestCloudWatchLogsDeliveryTime: delivered,
        LatestCloudWatchLogsDeliveryError: "ResourceNotFoundException",
      },
    ],
  ];
  test.each(cases)("%s", async (_name, status, members) => {
    const world = await openWorld();
    setStatus(world, status);
    expect(await statusOf(world)).toStrictEqual({ ...quiet, ...members });
  });
});

describe("the life of a trail", () => {
  const allDown = {
    bucket: down("AccessDenied"),
    digest: down("AccessDenied"),
    notification: down("AuthorizationError"),
    logGroup: down("AssumeRole"),
  };
  const errors = (status: object) => Object.keys(status).filter((name) => name.endsWith("Error"));

  test("everything down, then recovered", async () => {
    const world = await openWorld();
    setStatus(world, allDown);
    expect(errors(await statusOf(world)).toSorted()).toEqual([
      "LatestCloudWatchLogsDeliveryError",
      "LatestDeliveryError",
      "LatestDigestDeliveryError",
      "LatestNotificationError",
    ]);
    setStatus(world, { bucket: running, digest: running, notification: running, logGroup: running });
    expect(errors(await statusOf(world))).toEqual([]);
  });

  test("stopped: deliveries of what was decided before are still told, errors too", async () => {
    const world = await openWorld();
    setStatus(world, { bucket: down("NoSuchBucket") });
    await world.operations.StopLogging({ Name: "my-trail" }, callFrom());
    expect(await statusOf(world)).toMatchObject({
      IsLogging: false,
      TimeLoggingStopped: "2015-09-01T00:54:02Z",
      LatestDeliveryError: "NoSuchBucket",
      LatestDeliveryAttemptTime: bad,
    });
  });

  test("digests are told only while validation is on", async () => {
    const world = await openWorld();
    setStatus(world, { digest: down("AccessDenied") });
    const digestMembers = async () =>
      Object.keys(await statusOf(world)).filter((name) => name.includes("Digest"));
    expect(await digestMembers()).toEqual(["LatestDigestDeliveryTime", "LatestDigestDeliveryError"]);
    await world.operations.UpdateTrail({ Name: "my-trail", EnableLogFileValidation: false }, callFrom());
    expect(await digestMembers()).toEqual([]);
    await world.operations.UpdateTrail({ Name: "my-trail", EnableLogFileValidation: true }, callFrom());
    expect(await digestMembers()).toHaveLength(2);
  });

  test("a topic and a log group taken away keep their last success and lose their error", async () => {
    const world = await openWorld();
    setStatus(world, allDown);
    await world.operations.UpdateTrail(
      {
        Name: "my-trail",
        SnsTopicName: "",
        CloudWatchLogsLogGroupArn: "",
        CloudWatchLogsRoleArn: "",
      },
      callFrom(),
    );
    const status = await statusOf(world);
    expect(errors(status).toSorted()).toEqual(["LatestDeliveryError", "LatestDigestDeliveryError"]);
    expect(status).toMatchObject({
      LatestNotificationTime: delivered,
      LatestCloudWatchLogsDeliveryTime: delivered,
      LatestNotificationAttemptSucceeded: good,
    });
  });

  test("a trail deleted and made again begins with nothing", async () => {
    const world = await openWorld();
    setStatus(world, allDown);
    await world.operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    await world.operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, callFrom());
    expect(errors(await statusOf(world))).toEqual([]);
    expect(await statusOf(world)).toMatchObject({ IsLogging: false, LatestDeliveryAttemptTime: "" });
  });

  test("another Region tells of its own deliveries only", async () => {
    const world = await openWorld();
    setStatus(world, allDown, ireland);
    expect(errors(await statusOf(world))).toEqual([]);
    const Name = world.registry.ofOwner(mary)[0]?.arn;
    const there = await world.operations.GetTrailStatus({ Name }, callFrom(mary, ireland));
    expect(errors(there)).toHaveLength(4);
  });
});
