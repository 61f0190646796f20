// What a restart keeps: trails, selectors, tags, logging times and every acknowledged event, after an orderly end
// and after a sudden one. The tests mostly wait, so they run at the same time, each with a data directory of its own.
import { connect } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { describe, expect, test } from "vitest";
import { everythingOf, home, makeBucket, trailArn } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, logFiles, until } from "../harness/log-files.ts";

const account = "123456789012";
const bucket = "trail-logs";

interface Installation {
  readonly dataDir: string;
  /** Starts a server on the data directory, with a delivery interval. */
  readonly start: (interval: string) => Promise<CairnProcess>;
}

/** A data directory that outlives its servers, for as long as `use` runs. */
async function install(use: (installation: Installation) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-restart-"));
  const running: CairnProcess[] = [];
  const start = async (interval: string) => {
    const cairn = await startCairn({ dataDir, args: ["--auth", "off", "--delivery-interval", interval] });
    running.push(cairn);
    return cairn;
  };
  try {
    await use({ dataDir, start });
  } finally {
    for (const cairn of running) await cairn.dispose();
    rmSync(dataDir, { recursive: true, force: true });
  }
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

/** How often each event is in the bucket. */
function timesDelivered(dataDir: string, ids: readonly string[]): number[] {
  const delivered = deliveredIds(dataDir, bucket);
  return ids.map((id) => delivered.filter((other) => other === id).length);
}

async function untilDelivered(dataDir: string, ids: readonly string[]): Promise<void> {
  await until("the events are delivered", () => timesDelivered(dataDir, ids).every((times) => times > 0));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.concurrent.each(["SIGTERM", "SIGKILL"] as const)("after %s and a restart", (signal) => {
  test("every fact about the trails is the same, at once", () =>
    install(async ({ start }) => {
      const before = await start("200ms");
      const TrailName = await furnish(before);
      const facts = async (cairn: CairnProcess) => [
        await everythingOf(sdk(cairn)),
        await everythingOf(sdk(cairn, "eu-west-1")),
        (await sdk(cairn).getInsightSelectors({ TrailName })).InsightSelectors,
        (await sdk(cairn, "eu-west-1").listTrails({})).Trails,
      ];
      const known = await facts(before);
      await before.end(signal);
      expect(await facts(await start("200ms"))).toEqual(known);
    }));

  test("every acknowledged event is delivered exactly once", () =>
    install(async ({ dataDir, start }) => {
      const before = await start("1s");
      await logInto(before);
      const ids = await postAcknowledged(before, 200);
      await before.end(signal);
      const after = await start("200ms");
      ids.push(...(await postAcknowledged(after, 5)));
      await untilDelivered(dataDir, ids);
      await pause(500);
      expect(new Set(timesDelivered(dataDir, ids))).toEqual(new Set([1]));
    }));

  test("the status still tells of the last delivery, and logging goes on", () =>
    install(async ({ dataDir, start }) => {
      const before = await start("200ms");
      await logInto(before);
      await untilDelivered(dataDir, await postAcknowledged(before, 1));
      const status = (cairn: CairnProcess) => sdk(cairn).getTrailStatus({ Name: "my-trail" });
      await until("it is told", async () => (await status(before)).LatestDeliveryTime !== undefined);
      await before.end(signal);
      const after = await status(await start("1h"));
      expect(after.IsLogging).toBe(true);
      expect(after.LatestDeliveryTime).toBeInstanceOf(Date);
      expect(after.LatestDeliveryAttemptSucceeded).toMatch(/^\d{4}-/);
    }));
});

/** Makes trails with something of everything; returns the ARN of the one that has most. */
async function furnish(cairn: CairnProcess): Promise<string> {
  await makeBucket(cairn.url, bucket);
  const client = sdk(cairn);
  await client.createTrail({ Name: "plain-trail", S3BucketName: bucket });
  await client.createTrail({
    ...{ Name: "full-trail", S3BucketName: bucket, S3KeyPrefix: "audit", SnsTopicName: "topic" },
    ...{ IsMultiRegionTrail: true, EnableLogFileValidation: true },
    TagsList: [{ Key: "Team", Value: "audit" }, { Key: "Bare" }],
  });
  const TrailName = trailArn(account, "full-trail");
  await client.putEventSelectors({
    TrailName,
    AdvancedEventSelectors: [
      { Name: "All", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
    ],
  });
  await client.putInsightSelectors({ TrailName, InsightSelectors: [{ InsightType: "ApiErrorRateInsight" }] });
  await client.startLogging({ Name: "full-trail" });
  await client.stopLogging({ Name: "full-trail" });
  await client.startLogging({ Name: "full-trail" });
  await client.createTrail({ Name: "gone-trail", S3BucketName: bucket });
  await client.deleteTrail({ Name: "gone-trail" });
  await sdk(cairn, "eu-west-1").createTrail({ Name: "far-trail", S3BucketName: bucket });
  return TrailName;
}

describe.concurrent("a sudden end", () => {
  test("does not lose the record of the call answered last", () =>
    install(async ({ dataDir, start }) => {
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
    }));
});

describe.concurrent("an orderly end", () => {
  test("is quick, is no failure, and cuts no file early", () =>
    install(async ({ dataDir, start }) => {
      const before = await start("3s");
      await logInto(before);
      // What the set-up itself has logged is delivered first, so that an interval has just begun.
      await until("the first file is there", () => logFiles(dataDir, bucket).length > 0);
      const files = logFiles(dataDir, bucket).length;
      const ids = await postAcknowledged(before, 3);
      const begin = performance.now();
      expect(await before.end("SIGTERM")).toBe(0);
      expect(performance.now() - begin).toBeLessThan(10_000);
      expect(logFiles(dataDir, bucket)).toHaveLength(files);

      const after = await start("3s");
      await untilDelivered(dataDir, ids);
      expect(new Set(timesDelivered(dataDir, ids))).toEqual(new Set([1]));
      expect(await after.end("SIGINT")).toBe(0);
    }));

  test("does not wait for clients that keep their connection, idle or half-way through a request", () =>
    install(async ({ start }) => {
      const cairn = await start("1h");
      const { hostname, port } = new URL(cairn.url);
      const host = "Host: 127.0.0.1\r\n";
      const sockets = [
        "",
        `POST / HTTP/1.1\r\n${host}Content-Le`,
        `POST /events HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\n{`,
      ].map((begun) => {
        const socket = connect(Number(port), hostname, () => socket.write(begun));
        return socket.on("error", () => undefined);
      });
      await sdk(cairn).listTrails({});
      const begin = performance.now();
      expect(await cairn.end("SIGTERM")).toBe(0);
      expect(performance.now() - begin).toBeLessThan(10_000);
      for (const socket of sockets) socket.destroy();
    }));

  test("by a second signal does not lose anything either", () =>
    install(async ({ dataDir, start }) => {
      const before = await start("1h");
      await logInto(before);
      const ids = await postAcknowledged(before, 3);
      const ended = before.end("SIGTERM");
      process.kill(before.pid, "SIGTERM");
      await ended;
      await start("200ms");
      await untilDelivered(dataDir, ids);
    }));
});

describe.concurrent("a data directory", () => {
  test("is not opened by a second server", () =>
    install(async ({ dataDir, start }) => {
      const cairn = await start("1h");
      await expect(startCairn({ dataDir, args: ["--auth", "off"] })).rejects.toThrow(/exited with [1-9]/);
      expect((await sdk(cairn).listTrails({})).Trails).toEqual([]);
    }));
});
