// What a restart keeps: trails, selectors, tags, logging times and every acknowledged event, after an orderly end
// and after a sudden one.
import { connect } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { everythingOf, home, makeBucket, trailArn } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, logFiles, until } from "../harness/log-files.ts";

const account = "123456789012";
const bucket = "trail-logs";

let dataDir = "";
let running: CairnProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "cairn-restart-"));
});
afterEach(async () => {
  for (const cairn of running) await cairn.dispose();
  running = [];
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(interval: string): Promise<CairnProcess> {
  const cairn = await startCairn({ dataDir, args: ["--auth", "off", "--delivery-interval", interval] });
  running.push(cairn);
  return cairn;
}

const sdk = ({ url }: CairnProcess, region = home) =>
  new CloudTrail({
    endpoint: url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: "not-checked" },
  });

async function logInto(cairn: CairnProcess): Promise<void> {
  await makeBucket(cairn.url, bucket);
  await sdk(cairn).createTrail({ Name: "my-trail", S3BucketName: bucket });
  await sdk(cairn).startLogging({ Name: "my-trail" });
}

/** Posts events and returns their ids; every one was acknowledged. */
async function postAcknowledged(cairn: CairnProcess, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => managementEvent());
  expect(await postEvents(cairn.url, events)).toEqual({ status: 200, accepted: count, rejected: [] });
  return events.map((event) => event.eventID);
}

const timesDelivered = (ids: readonly string[]) => {
  const delivered = deliveredIds(dataDir, bucket);
  return ids.map((id) => delivered.filter((other) => other === id).length);
};

describe.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)("after %s and a restart", (signal) => {
  test("every fact about the trails is the same, at once", async () => {
    const before = await start("200ms");
    await makeBucket(before.url, bucket);
    const client = sdk(before);
    const TagsList = [{ Key: "Team", Value: "audit" }, { Key: "Bare" }];
    await client.createTrail({ Name: "plain-trail", S3BucketName: bucket });
    const TrailName = trailArn(account, "full-trail");
    await client.createTrail({
      ...{ Name: "full-trail", S3BucketName: bucket, S3KeyPrefix: "audit", SnsTopicName: "topic" },
      ...{ IsMultiRegionTrail: true, EnableLogFileValidation: true, TagsList },
    });
    await client.putEventSelectors({
      TrailName,
      AdvancedEventSelectors: [
        { Name: "All", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
      ],
    });
    await client.putInsightSelectors({
      TrailName,
      InsightSelectors: [{ InsightType: "ApiErrorRateInsight" }],
    });
    await client.startLogging({ Name: "full-trail" });
    await client.stopLogging({ Name: "full-trail" });
    await client.startLogging({ Name: "full-trail" });
    await client.createTrail({ Name: "gone-trail", S3BucketName: bucket });
    await client.deleteTrail({ Name: "gone-trail" });
    await sdk(before, "eu-west-1").createTrail({ Name: "far-trail", S3BucketName: bucket });
    const facts = async (cairn: CairnProcess) => [
      await everythingOf(sdk(cairn)),
      await everythingOf(sdk(cairn, "eu-west-1")),
      (await sdk(cairn).getInsightSelectors({ TrailName })).InsightSelectors,
      (await sdk(cairn, "eu-west-1").listTrails({})).Trails,
    ];
    const known = await facts(before);
    await before.end(signal);
    expect(await facts(await start("200ms"))).toEqual(known);
  });

  test("every acknowledged event is delivered exactly once", async () => {
    const before = await start("1s");
    await logInto(before);
    const ids = await postAcknowledged(before, 200);
    await before.end(signal);
    const after = await start("200ms");
    const more = await postAcknowledged(after, 5);
    await until("all are delivered", () => timesDelivered([...ids, ...more]).every((times) => times > 0));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(new Set(timesDelivered([...ids, ...more]))).toEqual(new Set([1]));
  });

  test("the status still tells of the last delivery, and logging goes on", async () => {
    const before = await start("200ms");
    await logInto(before);
    const ids = await postAcknowledged(before, 1);
    await until("it is delivered", () => timesDelivered(ids)[0] === 1);
    const Name = "my-trail";
    await until(
      "it is told",
      async () => (await sdk(before).getTrailStatus({ Name })).LatestDeliveryTime !== undefined,
    );
    await before.end(signal);
    const after = await start("1h");
    const status = await sdk(after).getTrailStatus({ Name });
    expect(status.IsLogging).toBe(true);
    expect(status.LatestDeliveryTime).toBeInstanceOf(Date);
    expect(status.LatestDeliveryAttemptSucceeded).toMatch(/^\d{4}-/);
  });
});

test("after SIGKILL the call answered last is an event too", async () => {
  const before = await start("1h");
  await logInto(before);
  const { $metadata } = await sdk(before).getTrail({ Name: "my-trail" });
  await before.end("SIGKILL");
  await start("200ms");
  await until("the record of the call is delivered", () =>
    logFiles(dataDir, bucket).some((file) =>
      file.records.some((record) => record["requestID"] === $metadata.requestId),
    ),
  );
});

describe("an orderly end", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s is quick, is no failure, and cuts no file early",
    async (signal) => {
      const before = await start("4s");
      await logInto(before);
      // What the set-up itself has logged is delivered first, so that an interval has just begun.
      await until("the first file is there", () => logFiles(dataDir, bucket).length > 0);
      const files = logFiles(dataDir, bucket).length;
      const ids = await postAcknowledged(before, 3);
      const begin = performance.now();
      expect(await before.end(signal)).toBe(0);
      expect(performance.now() - begin).toBeLessThan(10_000);
      expect(logFiles(dataDir, bucket)).toHaveLength(files);

      const after = await start("4s");
      await until("the events are delivered when the interval is over", () =>
        timesDelivered(ids).every((times) => times === 1),
      );
      expect(await after.end("SIGTERM")).toBe(0);
    },
  );

  test("does not wait for clients that keep their connection, idle or half-way through a request", async () => {
    const cairn = await start("1h");
    const { hostname, port } = new URL(cairn.url);
    const sockets = [
      "",
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le",
      "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
    ].map((begun) => {
      const socket = connect(Number(port), hostname, () => socket.write(begun));
      return socket.on("error", () => undefined);
    });
    await sdk(cairn).listTrails({});
    const begin = performance.now();
    expect(await cairn.end("SIGTERM")).toBe(0);
    expect(performance.now() - begin).toBeLessThan(10_000);
    for (const socket of sockets) socket.destroy();
  });

  test("by a second signal does not lose anything either", async () => {
    const before = await start("1h");
    await logInto(before);
    const ids = await postAcknowledged(before, 3);
    const ended = before.end("SIGTERM");
    process.kill(before.pid, "SIGTERM");
    await ended;
    await start("200ms");
    await until("the events are delivered", () => timesDelivered(ids).every((times) => times === 1));
  });
});

test("a second server does not open the same data directory", async () => {
  const cairn = await start("1h");
  await expect(startCairn({ dataDir, args: ["--auth", "off"] })).rejects.toThrow(/exited with [1-9]/);
  expect((await sdk(cairn).listTrails({})).Trails).toEqual([]);
});
