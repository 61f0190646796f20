// Delivery to a real S3 server: object headers, a server that is away for a while, nothing lost, nothing twice.
import { join } from "node:path";
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, DeleteBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { logFilesBelow, until } from "../harness/log-files.ts";
import { describeWith } from "../harness/outside-program.ts";
import { type S3Server, versitygw, versitygwCredentials, versitygwServer } from "../harness/versitygw.ts";

describeWith([versitygw])("delivery to a real S3 server", () => {
  let server: S3Server;
  let cairn: CairnProcess;
  let s3: S3Client;
  let trails: CloudTrailClient;
  const files = (bucket: string) => logFilesBelow(join(server.root, bucket));
  const delivered = (bucket: string) =>
    files(bucket).flatMap((file) => file.records.map((record) => record["eventID"]));

  beforeAll(async () => {
    server = await versitygwServer();
    await server.start();
    cairn = await startCairn({
      args: [
        "--auth",
        "off",
        "--delivery-interval",
        "500ms",
        "--put-timeout",
        "2s",
        "--s3-endpoint",
        server.url,
      ],
      env: {
        AWS_ACCESS_KEY_ID: versitygwCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: versitygwCredentials.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    const region = "us-east-1";
    s3 = new S3Client({
      endpoint: server.url,
      region,
      forcePathStyle: true,
      credentials: versitygwCredentials,
    });
    trails = new CloudTrailClient({
      endpoint: cairn.url,
      region,
      credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
    });
  });
  afterAll(async () => {
    await cairn?.dispose();
    await server?.dispose();
  });

  async function loggingTrail(name: string): Promise<void> {
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    await trails.send(new CreateTrailCommand({ Name: name, S3BucketName: name }));
    await trails.send(new StartLoggingCommand({ Name: name }));
  }

  test("a bucket that does not exist is refused", async () => {
    const attempt = trails.send(new CreateTrailCommand({ Name: "nowhere", S3BucketName: "no-such-bucket" }));
    await expect(attempt).rejects.toMatchObject({
      name: "S3BucketDoesNotExistException",
      message: "S3 bucket no-such-bucket does not exist!",
    });
  });

  test("log files arrive with the headers of formats.md §2.3", async () => {
    await loggingTrail("headers");
    const event = managementEvent();
    await postEvents(cairn.url, [event]);
    await until("the event is delivered", () => delivered("headers").includes(event.eventID));
    const [file] = files("headers");
    const object = await s3.send(new GetObjectCommand({ Bucket: "headers", Key: file?.key ?? "" }));
    expect(object.ContentType).toBe("application/json");
    expect(object.ContentEncoding).toBe("gzip");
  });

  test("a server that is away for a while delays and loses nothing", async () => {
    await loggingTrail("outage");
    const ids: string[] = [];
    const post = async (count: number) => {
      const events = Array.from({ length: count }, () => managementEvent());
      expect((await postEvents(cairn.url, events)).accepted).toBe(count);
      ids.push(...events.map((event) => event.eventID));
    };
    await post(20);
    await server.stop();
    for (let round = 0; round < 6; round++) {
      await post(20);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const during = await trails.send(new GetTrailStatusCommand({ Name: "outage" }));
    // Only what a bucket answers is an error (formats.md §2.7); a server that is away says nothing.
    expect(during.LatestDeliveryError).toBeUndefined();
    await server.start();
    await until("everything is delivered", () => ids.every((id) => delivered("outage").includes(id)), 40_000);
    const again = delivered("outage").filter((id) => ids.includes(String(id)));
    expect(again.length).toBe(new Set(again).size);
  });

  test("a bucket that is gone shows its error, does not delay others, and recovers", async () => {
    await loggingTrail("vanishing");
    await s3.send(new DeleteBucketCommand({ Bucket: "vanishing" }));
    const event = managementEvent();
    await postEvents(cairn.url, [event]);
    const status = () => trails.send(new GetTrailStatusCommand({ Name: "vanishing" }));
    await until("the error shows", async () => (await status()).LatestDeliveryError === "NoSuchBucket");
    await until("another trail has the event", () => delivered("headers").includes(event.eventID));
    await s3.send(new CreateBucketCommand({ Bucket: "vanishing" }));
    await until(
      "the event is delivered after all",
      () => delivered("vanishing").includes(event.eventID),
      40_000,
    );
    expect((await status()).LatestDeliveryError).toBeUndefined();
  });
});
