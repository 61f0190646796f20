// A server that is killed in the middle of CompleteMultipartUpload: the object is not there or it is whole, and the client
// that asks again is answered as it would have been.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";

const rounds = 10;
const Bucket = "large-objects";
const before = "the object that was there";
const part = Buffer.alloc(5 * 1024 * 1024, "0123456789");
const partCount = 8;

let dataDir = "";
let cairn: CairnProcess;
let client: S3Client;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "cairn-complete-"));
  await start();
  await client.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  client.destroy();
  await cairn.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  cairn = await startCairn({ dataDir });
  client = new S3Client({
    ...{ endpoint: cairn.url, region: "us-east-1", forcePathStyle: true, maxAttempts: 1 },
    credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
  });
}

async function killAndRestart(): Promise<void> {
  await cairn.end("SIGKILL");
  client.destroy();
  await start();
}

/** An upload with all its parts, ready to be completed. */
async function filledUpload(Key: string) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const upload = { Bucket, Key, UploadId };
  const Parts = await Promise.all(
    Array.from({ length: partCount }, async (_, index) => {
      const PartNumber = index + 1;
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: part }));
      return { PartNumber, ETag };
    }),
  );
  return { ...upload, MultipartUpload: { Parts } };
}

async function contentOf(Key: string): Promise<Buffer | undefined> {
  try {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const whole = sha256(Buffer.concat(Array.from({ length: partCount }, () => part)));

describe("kill -9 while an upload is completed", () => {
  test(`${rounds} rounds leave nothing or the whole object, and the same answer`, {
    timeout: 240_000,
  }, async () => {
    let durationMs = 0;
    for (let round = 0; round < rounds; round++) {
      const Key = `k${round}`;
      const hadObject = round % 2 === 1;
      if (hadObject) await client.send(new PutObjectCommand({ Bucket, Key, Body: before }));
      const upload = await filledUpload(Key);
      if (round === 0) durationMs = await timeOf(upload);
      else {
        const isAnswered = client.send(new CompleteMultipartUploadCommand(upload)).then(
          () => true,
          () => false,
        );
        await sleep((durationMs * round) / (rounds - 2));
        await killAndRestart();
        const found = await contentOf(Key);
        const wasThere = hadObject ? sha256(Buffer.from(before)) : undefined;
        const allowed = (await isAnswered) ? [whole] : [whole, wasThere];
        expect(allowed, `round ${round}`).toContain(found && sha256(found));
        if (!found || sha256(found) !== whole) {
          const { Parts } = await client.send(new ListPartsCommand(upload));
          expect(Parts, "no part is lost").toHaveLength(partCount);
        }
      }
      const again = await client.send(new CompleteMultipartUploadCommand(upload));
      expect(again.ETag).toMatch(new RegExp(`-${partCount}"$`));
      const found = await contentOf(Key);
      expect(found && sha256(found), `round ${round}, asked again`).toBe(whole);
    }
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toEqual([]);
    expect(readdirSync(join(dataDir, "buckets/.cairn/tmp")), "nothing unfinished is left").toEqual([]);
  });
});

/** How long an undisturbed completion takes. */
async function timeOf(upload: Awaited<ReturnType<typeof filledUpload>>): Promise<number> {
  const begun = performance.now();
  await client.send(new CompleteMultipartUploadCommand(upload));
  return performance.now() - begun;
}
