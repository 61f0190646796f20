// What an orderly stop lets finish first.
import { mkdtempSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { expect, test } from "vitest";
import { home, makeBucket } from "../harness/api-fixture.ts";
import { startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { logFiles, until } from "../harness/log-files.ts";

test("a DeleteTrail that waits for its last files is answered and recorded before the server ends", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-stop-"));
  const args = ["--auth", "off", "--delivery-interval", "500ms"];
  try {
    const first = await startCairn({ dataDir, args });
    const credentials = { accessKeyId: "123456789012", secretAccessKey: "not-checked" };
    const client = new CloudTrail({ endpoint: first.url, region: home, credentials, maxAttempts: 1 });
    for (const name of ["dead-bucket", "live-bucket"]) {
      await makeBucket(first.url, name);
      await client.createTrail({ Name: `trail-${name}`, S3BucketName: name });
      await client.startLogging({ Name: `trail-${name}` });
    }
    await rm(join(dataDir, "buckets", "dead-bucket"), { recursive: true, force: true });
    await postEvents(first.url, [managementEvent()]);
    const deleted = client.deleteTrail({ Name: "trail-dead-bucket" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const ended = first.end("SIGTERM");
    await expect(deleted).resolves.toBeDefined();
    expect(await ended).toBe(0);

    const second = await startCairn({ dataDir, args });
    const records = () => logFiles(dataDir, "live-bucket").flatMap((file) => file.records);
    const names = () => records().map((record) => record["eventName"]);
    await until("the call is in the log of the other trail", () => names().includes("DeleteTrail"), 10_000);
    await second.dispose();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
