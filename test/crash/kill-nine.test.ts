// kill -9 at random points: every acknowledged event is in the bucket exactly once after restart, and nothing is
// there that was not sent. Fixed seed; the seed is printed when a round fails.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudTrailClient,
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { type EventRecord, managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, logFiles, until } from "../harness/log-files.ts";
import { freePort } from "../harness/versitygw.ts";

const allRounds = Number(process.env["CAIRN_TEST_KILL_ROUNDS"] ?? 50);
const seed = 20_261_120;
const bucket = "crash-bucket";

interface Load {
  readonly rounds: number;
  readonly args: readonly string[];
  /** How long the server lives, at most. */
  readonly lifeMs: number;
  readonly batch: (random: () => number) => EventRecord[];
  /** Records that the largest file has at least: whether it was about what it says. */
  readonly largestMin: number;
}

const loads: Readonly<Record<string, Load>> = {
  "small batches, files every 200 ms": {
    rounds: allRounds,
    args: ["--delivery-interval", "200ms"],
    lifeMs: 600,
    largestMin: 10,
    batch: (random) => Array.from({ length: 1 + Math.floor(random() * 20) }, () => managementEvent()),
  },
  // Files of the busy Region are full several times before those of the quiet one are due.
  "files that are full before their interval is over": {
    rounds: Math.ceil(allRounds / 5),
    args: ["--delivery-interval", "2s", "--log-file-bytes-max", "2MB"],
    lifeMs: 2_500,
    largestMin: 1_000,
    batch: (random) =>
      Array.from({ length: 50 + Math.floor(random() * 200) }, () =>
        managementEvent({
          awsRegion: random() < 0.05 ? "eu-west-1" : "us-east-1",
          requestParameters: { text: "x".repeat(1_000) },
        }),
      ),
  },
};

describe.each(Object.entries(loads))("kill -9 at random points: %s", (_name, load) => {
  const { rounds } = load;
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-crash-"));
  let port = 0;
  const args = ["--auth", "off", ...load.args];
  const start = () => startCairn({ dataDir, port, args });

  beforeAll(async () => {
    port = await freePort();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test(
    `${rounds} rounds lose nothing and repeat nothing`,
    async () => {
      const random = seededRandom(seed);
      let cairn = await start();
      await prepare(cairn.url);
      const acknowledged = new Set<string>();
      const sent = new Set<string>();
      for (let round = 0; round < rounds; round++) {
        await postUntilKilled(cairn, load, { random, acknowledged, sent });
        cairn = await start();
      }
      await until(
        "every acknowledged event is delivered",
        () => {
          const delivered = new Set(deliveredIds(dataDir, bucket));
          return [...acknowledged].every((id) => delivered.has(id));
        },
        30_000,
      );
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const delivered = deliveredIds(dataDir, bucket).filter((id) => sent.has(id));
      expect(acknowledged.size, `seed ${seed}`).toBeGreaterThan(rounds);
      expect(delivered.length, `records twice in the bucket, seed ${seed}`).toBe(new Set(delivered).size);
      const sizes = logFiles(dataDir, bucket).map(({ records }) => records.length);
      expect(Math.max(...sizes)).toBeGreaterThanOrEqual(load.largestMin);
      expect(await cairn.end("SIGTERM")).toBe(0);
    },
    rounds * 6_000 + 60_000,
  );
});

async function prepare(url: string): Promise<void> {
  const client = new CloudTrailClient({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
  });
  const made = await fetch(`${url}/${bucket}`, { method: "PUT", headers: s3Scope });
  expect(made.status).toBe(200);
  await client.send(
    new CreateTrailCommand({ Name: "crash-trail", S3BucketName: bucket, IsMultiRegionTrail: true }),
  );
  await client.send(
    new PutEventSelectorsCommand({
      TrailName: "crash-trail",
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: "eventCategory", Equals: ["Management"] },
            { Field: "readOnly", Equals: ["false"] },
          ],
        },
      ],
    }),
  );
  await client.send(new StartLoggingCommand({ Name: "crash-trail" }));
}

// With authentication off the signature is not checked; the scope alone says that this is a request for S3.
const s3Scope = {
  authorization:
    "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
};

interface Traffic {
  readonly random: () => number;
  readonly acknowledged: Set<string>;
  readonly sent: Set<string>;
}

/** Posts batches from several clients at once and kills the server in the middle of it. */
async function postUntilKilled(cairn: CairnProcess, load: Load, traffic: Traffic): Promise<void> {
  const killed = new AbortController();
  const client = async () => {
    while (!killed.signal.aborted) {
      const events = load.batch(traffic.random);
      for (const event of events) traffic.sent.add(event.eventID);
      try {
        const answer = await postEvents(cairn.url, events);
        if (answer.status === 200) for (const event of events) traffic.acknowledged.add(event.eventID);
      } catch {
        return; // The server is gone: these events were not acknowledged.
      }
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  await new Promise((resolve) => setTimeout(resolve, 20 + traffic.random() * load.lifeMs));
  await cairn.end("SIGKILL");
  killed.abort();
  await clients;
}

function seededRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
