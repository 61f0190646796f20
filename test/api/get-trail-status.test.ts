// GetTrailStatus over the API: logging times, what delivery tells about the bucket, and the Region it is asked in.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, elsewhere, makeBucket, makeTrail, s3, startApi } from "../harness/api-fixture.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";
import { readingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.getTrailStatus({ Name }),
};
referenceSuite(subject);
readingSuite({ ...subject, answered: (output) => expect(output).toMatchObject({ IsLogging: false }) });

const neverStarted = {
  IsLogging: false,
  LatestDeliveryAttemptTime: "",
  LatestNotificationAttemptTime: "",
  LatestNotificationAttemptSucceeded: "",
  LatestDeliveryAttemptSucceeded: "",
  TimeLoggingStarted: "",
  TimeLoggingStopped: "",
};
const seconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
type Status = Readonly<Record<string, unknown>>;

async function rawStatus(account: string, Name: string, region?: string): Promise<Status> {
  const answer = await api.raw("GetTrailStatus", { Name }, { account, ...(region && { region }) });
  expect(answer.status).toBe(200);
  return answer.json as Status;
}

/** `2026-01-10T09:18:41Z` of a timestamp on the wire. */
const wholeSeconds = (timestamp: unknown) =>
  new Date(Math.floor(Number(timestamp)) * 1000).toISOString().replace(".000Z", "Z");

describe("logging", () => {
  test("of a trail that never started is told with nothing else", async () => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail");
    expect(await rawStatus(account, "my-trail")).toEqual(neverStarted);
  });

  test("times are numbers with milliseconds at most, and strings of whole seconds", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    const before = Date.now();
    await client.startLogging({ Name: "my-trail" });
    const started = await rawStatus(account, "my-trail");
    expect(started["IsLogging"]).toBe(true);
    const startMs = Number(started["StartLoggingTime"]) * 1000;
    expect(Math.abs(startMs - Math.round(startMs))).toBeLessThan(0.01);
    expect(startMs).toBeGreaterThan(before - 1000);
    expect(startMs).toBeLessThan(Date.now() + 1000);
    expect(started["TimeLoggingStarted"]).toBe(wholeSeconds(started["StartLoggingTime"]));
    expect(started["StopLoggingTime"]).toBeUndefined();
    expect(started["TimeLoggingStopped"]).toBe("");
  });

  test("keeps the time of the stop after a restart", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    await client.startLogging({ Name: "my-trail" });
    await client.stopLogging({ Name: "my-trail" });
    const stopped = await rawStatus(account, "my-trail");
    expect(stopped["IsLogging"]).toBe(false);
    expect(stopped["TimeLoggingStopped"]).toBe(wholeSeconds(stopped["StopLoggingTime"]));
    await client.startLogging({ Name: "my-trail" });
    const again = await rawStatus(account, "my-trail");
    expect(again).toMatchObject({ IsLogging: true, StopLoggingTime: stopped["StopLoggingTime"] });
    expect(Number(again["StartLoggingTime"])).toBeGreaterThanOrEqual(Number(stopped["StopLoggingTime"]));
  });

  test("of a shadow trail comes from the home Region", async () => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail", { IsMultiRegionTrail: true });
    await api.as(account).startLogging({ Name: arn });
    const atHome = await rawStatus(account, arn);
    expect(await rawStatus(account, arn, elsewhere)).toMatchObject({
      IsLogging: true,
      StartLoggingTime: atHome["StartLoggingTime"],
      TimeLoggingStarted: atHome["TimeLoggingStarted"],
    });
  });
});

describe("deliveries", () => {
  const event = (recipientAccountId: string, awsRegion = "us-east-1") =>
    managementEvent({ recipientAccountId, awsRegion });

  test("are told once a file is in the bucket", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    await client.startLogging({ Name: arn });
    await postEvents(api.url, [event(account)]);
    await until("the delivery is told", async () => "LatestDeliveryTime" in (await rawStatus(account, arn)));
    const status = await rawStatus(account, arn);
    expect(status["LatestDeliveryAttemptTime"]).toMatch(seconds);
    expect(status["LatestDeliveryAttemptSucceeded"]).toMatch(seconds);
    expect(Object.keys(status).toSorted()).toEqual(
      [...Object.keys(neverStarted), "StartLoggingTime", "LatestDeliveryTime"].toSorted(),
    );
  });

  test("are told per Region", async () => {
    const account = api.newAccount();
    const arn = await makeTrail(api.as(account), "my-trail", { IsMultiRegionTrail: true });
    await api.as(account).startLogging({ Name: arn });
    await until("home has a delivery", async () => "LatestDeliveryTime" in (await rawStatus(account, arn)));
    // Nothing has happened in this Region before: this very call is its first event.
    expect(await rawStatus(account, arn, "ap-south-1")).not.toHaveProperty("LatestDeliveryTime");
    await until(
      "the Region has its own",
      async () => "LatestDeliveryTime" in (await rawStatus(account, arn, "ap-south-1")),
    );
  });

  test("that fail are told with S3's code until one succeeds", async () => {
    await makeBucket(api.url, "vanishing-bucket");
    const account = api.newAccount();
    const client = api.as(account);
    const Name = "my-trail";
    await client.createTrail({ Name, S3BucketName: "vanishing-bucket" });
    expect((await s3(api.url, "DELETE", "vanishing-bucket")).status).toBe(204);
    await client.startLogging({ Name });
    await postEvents(api.url, [event(account)]);
    await until("the failure is told", async () => "LatestDeliveryError" in (await rawStatus(account, Name)));
    const failing = await rawStatus(account, Name);
    expect(failing).toMatchObject({
      LatestDeliveryError: "NoSuchBucket",
      LatestDeliveryAttemptSucceeded: "",
    });
    expect(failing["LatestDeliveryAttemptTime"]).toMatch(seconds);
    expect(failing).not.toHaveProperty("LatestDeliveryTime");

    await makeBucket(api.url, "vanishing-bucket");
    await until("it is over", async () => !("LatestDeliveryError" in (await rawStatus(account, Name))));
    const healed = await rawStatus(account, Name);
    expect(healed["LatestDeliveryAttemptSucceeded"]).toMatch(seconds);
    expect(healed).toHaveProperty("LatestDeliveryTime");
  });
});
