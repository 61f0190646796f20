// kill -9 at random points, and in the middle of writing a digest: afterwards every chain is whole, every signature right,
// and every log file in exactly one digest. Fixed seed; it is printed when a round fails.
import { type FSWatcher, mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBucket } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { chainProblems, type Chains, publicKeysByFingerprint } from "../harness/digest-checker.ts";
import { chainsOf, delivered, type DigestFile, isComplete } from "../harness/digest-files.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { until } from "../harness/log-files.ts";
import { freePort } from "../harness/versitygw.ts";

const rounds = Number(process.env["CAIRN_TEST_KILL_ROUNDS"] ?? 12);
const seed = 20_261_121;
const bucket = "crash-bucket";
const trail = "crash-trail";
const regions = ["us-east-1", "eu-west-1"] as const;
const credentials = { accessKeyId: "123456789012", secretAccessKey: "not-checked" };

describe("kill -9 while digests are written", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-digest-crash-"));
  let port = 0;
  const args = ["--auth", "off", "--delivery-interval", "200ms", "--digest-interval", "1s"];
  const start = () => startCairn({ dataDir, port, args });
  const inBucket = () => delivered(dataDir, [bucket]);

  beforeAll(async () => {
    port = await freePort();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test(
    `${rounds} rounds leave every chain whole`,
    async () => {
      const random = seededRandom(seed);
      const acknowledged = new Set<string>();
      let cairn = await start();
      try {
        await prepare(cairn.url);
        for (let round = 0; round < rounds; round++) {
          await postUntilKilled(cairn, { random, acknowledged, folder: folderOf(round) });
          cairn = await start();
        }
        await until("every acknowledged event is delivered", () => {
          const ids = inBucket().logFiles.flatMap(({ records }) =>
            records.map((record) => record["eventID"]),
          );
          const found = new Set(ids);
          return [...acknowledged].every((id) => found.has(id));
        });
        const untilMs = await stopLogging(cairn.url);
        const isDone = () => isComplete(inBucket(), { untilMs, count: 1 });
        // In vain when something is wrong: the checker says what.
        await until("the last digests are written", isDone).catch(() => undefined);
        const chains = await evidence(cairn.url, inBucket());
        expect(chainProblems(chains), `seed ${seed}`).toEqual([]);
        expect(isDone()).toBe(true);
        // The checks above looked at something.
        expect([...chainsOf(chains.digests).keys()]).toEqual(
          expect.arrayContaining(regions.map((region) => `123456789012/${region}`)),
        );
        expect(chains.logFiles.length).toBeGreaterThan(rounds);
        expect(chains.digests.length).toBeGreaterThan(rounds);
        expect(await cairn.end("SIGTERM")).toBe(0);
      } finally {
        await cairn.dispose();
      }
    },
    rounds * 6_000 + 60_000,
  );

  /**
   * Where a round waits for the newest digests' folder to change: in every third round for a description, which is there
   * before its digest is put; in every third for the digest, which is there before its chain moves on.
   */
  function folderOf(round: number): string | undefined {
    const key = inBucket().digests.at(-1)?.key;
    if (key === undefined || round % 3 === 0) return undefined;
    const buckets = join(dataDir, "buckets");
    const described = join(buckets, ".cairn", "buckets", bucket, "objects");
    return join(round % 3 === 1 ? described : join(buckets, bucket), dirname(key));
  }

  /** Signatures and public keys as anybody can ask for them. */
  async function evidence(url: string, { digests, logFiles }: ReturnType<typeof inBucket>): Promise<Chains> {
    const s3 = new S3Client({ endpoint: url, region: regions[0], forcePathStyle: true, credentials });
    const signature = async ({ key }: DigestFile) => {
      const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return [key, Metadata?.["signature"] ?? ""] as const;
    };
    const signatures: (readonly [string, string])[] = [];
    for (const file of digests) signatures.push(await signature(file));
    const earliest = new Date(digests[0]?.digest.digestStartTime ?? "");
    const lists = await Promise.all(
      regions.map((region) => client(url, region).listPublicKeys({ StartTime: earliest })),
    );
    const publicKeys = publicKeysByFingerprint(lists.flatMap(({ PublicKeyList = [] }) => PublicKeyList));
    return { digests, logFiles, signatures: new Map(signatures), publicKeys };
  }
});

function client(url: string, region: string): CloudTrail {
  return new CloudTrail({ endpoint: url, region, maxAttempts: 1, credentials });
}

async function prepare(url: string): Promise<void> {
  await makeBucket(url, bucket);
  const cloudTrail = client(url, "us-east-1");
  await cloudTrail.createTrail({
    ...{ Name: trail, S3BucketName: bucket, IsMultiRegionTrail: true, EnableLogFileValidation: true },
  });
  await cloudTrail.startLogging({ Name: trail });
}

/** Returns when it stopped, whole seconds as milliseconds since the epoch. */
async function stopLogging(url: string): Promise<number> {
  const cloudTrail = client(url, "us-east-1");
  await cloudTrail.stopLogging({ Name: trail });
  const { StopLoggingTime } = await cloudTrail.getTrailStatus({ Name: trail });
  return Math.floor((StopLoggingTime?.getTime() ?? 0) / 1_000) * 1_000;
}

interface Traffic {
  readonly random: () => number;
  readonly acknowledged: Set<string>;
  /** The kill waits for a change in it; undefined: it comes at any moment. */
  readonly folder: string | undefined;
}

/** Posts small batches of both Regions and kills the server in the middle of it. */
async function postUntilKilled(cairn: CairnProcess, traffic: Traffic): Promise<void> {
  const { random, acknowledged, folder } = traffic;
  const killed = new AbortController();
  const poster = async (awsRegion: string) => {
    while (!killed.signal.aborted) {
      const events = Array.from({ length: 1 + Math.floor(random() * 5) }, () =>
        managementEvent({ awsRegion }),
      );
      try {
        const answer = await postEvents(cairn.url, events);
        if (answer.status === 200) for (const { eventID } of events) acknowledged.add(eventID);
      } catch {
        return; // The server is gone: these events were not acknowledged.
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const posters = Promise.all(regions.map(poster));
  // Up to two windows: digests are written all the time.
  await new Promise((resolve) => setTimeout(resolve, 100 + random() * 1_900));
  if (folder !== undefined) await changeIn(folder);
  await cairn.end("SIGKILL");
  killed.abort();
  await posters;
}

/** Resolves when something in a folder changed, or after three seconds, when a new day has its own. */
async function changeIn(folder: string): Promise<void> {
  let watcher: FSWatcher | undefined;
  await new Promise<void>((resolve) => {
    watcher = watch(folder, () => resolve());
    setTimeout(resolve, 3_000).unref();
  });
  watcher?.close();
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
