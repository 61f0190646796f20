// Notifications, from the events door to a queue behind a topic of a real (moto) SNS server: what a consumer reads there
// leads it to the log file; a topic that is gone shows its error and delays only itself; nothing is lost.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aws, type CliOptions } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { type EventRecord, managementEvent, postEvents } from "../harness/events.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { type MotoServer, moto, motoAccount, motoCredentials, startMoto } from "../harness/moto.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";

const region = "us-east-1";
const bucket = "walk-logs";
const validationMessage = "CloudTrail validation message.";

/** Of the standard SNS envelope (formats.md §4.2), what consumers look at. */
interface Envelope extends Record<string, unknown> {
  readonly Type: string;
  readonly TopicArn: string;
  readonly Message: string;
}

interface TrailStatus {
  readonly LatestNotificationTime?: number;
  readonly LatestNotificationError?: string;
  readonly LatestNotificationAttemptSucceeded: string;
  readonly LatestDeliveryError?: string;
}

describeWith([moto, awsCli])("SNS notifications", () => {
  let server: MotoServer;
  let cairn: CairnProcess;
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-sns-"));
  const arrived = new Map<string, Envelope[]>();

  const service = (...args: string[]) => aws({ url: server.url, region, ...motoCredentials }, args);
  const trails = (...args: string[]): Promise<unknown> => {
    const cli: CliOptions = { url: cairn.url, region, accessKeyId: motoAccount };
    return aws(cli, ["cloudtrail", ...args]);
  };
  const topicArn = (name: string) => `arn:aws:sns:${region}:${motoAccount}:${name}`;

  /** A topic whose messages go to a queue of the same name. */
  async function makeTopic(name: string): Promise<void> {
    await service("sns", "create-topic", "--name", name);
    await service("sqs", "create-queue", "--queue-name", name);
    const queueArn = `arn:aws:sqs:${region}:${motoAccount}:${name}`;
    await service(
      ...["sns", "subscribe", "--topic-arn", topicArn(name), "--protocol", "sqs"],
      ...["--notification-endpoint", queueArn],
    );
  }

  async function loggingTrail(name: string, topic: string): Promise<unknown> {
    const created = await trails(
      ...["create-trail", "--name", name, "--s3-bucket-name", bucket, "--sns-topic-name", topic],
    );
    await trails("start-logging", "--name", name);
    return created;
  }

  /** Everything that the queue of a topic ever got. */
  async function envelopes(name: string): Promise<readonly Envelope[]> {
    const all = arrived.get(name) ?? [];
    arrived.set(name, all);
    const answer = await service(
      ...["sqs", "receive-message", "--queue-url", `${server.url}/${motoAccount}/${name}`],
      ...["--max-number-of-messages", "10", "--visibility-timeout", "3600"],
    );
    const { Messages = [] } = answer as { Messages?: { Body: string }[] };
    all.push(...Messages.map(({ Body }) => JSON.parse(Body) as Envelope));
    return all;
  }

  /** What a consumer does: every key of every message, each looked up in the bucket. */
  async function announcedIds(name: string): Promise<readonly unknown[]> {
    const all = await envelopes(name);
    const files = new Map(logFiles(dataDir, bucket).map((file) => [file.key, file.records]));
    const ids: unknown[] = [];
    for (const { Message } of all) {
      if (Message === validationMessage) continue;
      const { s3Bucket, s3ObjectKey } = JSON.parse(Message) as { s3Bucket: string; s3ObjectKey: string[] };
      expect(s3Bucket).toBe(bucket);
      for (const key of s3ObjectKey) {
        const records = files.get(key);
        if (!records) throw new Error(`${key} was announced and is not in the bucket.`);
        ids.push(...records.map((record) => record["eventID"]));
      }
    }
    return ids;
  }

  async function post(): Promise<EventRecord> {
    const event = managementEvent();
    expect((await postEvents(cairn.url, [event])).accepted).toBe(1);
    return event;
  }

  const untilAnnounced = (name: string, event: EventRecord) =>
    until(
      `${name} hears of the file that holds the event`,
      async () => (await announcedIds(name)).includes(event.eventID),
      40_000,
    );

  const status = async (name: string) => (await trails("get-trail-status", "--name", name)) as TrailStatus;

  beforeAll(async () => {
    server = await startMoto();
    for (const name of ["first", "second"]) await makeTopic(name);
    cairn = await startCairn({
      dataDir,
      args: ["--auth", "off", "--delivery-interval", "500ms", "--put-timeout", "5s"],
      env: {
        CAIRN_SNS_ENDPOINT: server.url,
        AWS_ACCESS_KEY_ID: motoCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: motoCredentials.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    await aws({ url: cairn.url, region, accessKeyId: motoAccount }, ["s3", "mb", `s3://${bucket}`]);
  });
  afterAll(async () => {
    await cairn?.dispose();
    await server?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test("lead a consumer from the queue to the log file that holds the event", async () => {
    const created = await loggingTrail("first-trail", "first");
    expect(created).toMatchObject({ SnsTopicARN: topicArn("first") });
    const event = await post();
    await untilAnnounced("first", event);
    const all = await envelopes("first");
    expect(all[0]?.Message).toBe(validationMessage);
    const notices = all.filter(({ Message }) => Message !== validationMessage);
    for (const { Type, TopicArn, Subject, MessageAttributes, Message } of notices) {
      expect([Type, TopicArn, Subject, MessageAttributes]).toEqual([
        ...["Notification", topicArn("first"), undefined, undefined],
      ]);
      // Byte for byte as the real service writes it, one key per message.
      expect(Message).toMatch(/^\{"s3Bucket":"walk-logs","s3ObjectKey":\["AWSLogs\/[^"]+\.json\.gz"\]\}$/);
    }
    // The notice is crossed off and its success told a moment after the queue has it.
    await until("the status tells it", async () => {
      const { LatestNotificationTime, LatestNotificationAttemptSucceeded } = await status("first-trail");
      return LatestNotificationTime !== undefined && LatestNotificationAttemptSucceeded !== "";
    });
    expect(await status("first-trail")).not.toHaveProperty("LatestNotificationError");
  });

  test("to a topic that is gone delay nobody else, show why, and follow their trail to another one", async () => {
    await loggingTrail("second-trail", "second");
    await untilAnnounced("second", await post());
    await service("sns", "delete-topic", "--topic-arn", topicArn("second"));
    const events: EventRecord[] = [];
    for (let round = 0; round < 3; round += 1) {
      const event = await post();
      events.push(event);
      await untilAnnounced("first", event);
    }
    await until(
      "the status tells why",
      async () => (await status("second-trail")).LatestNotificationError === "NotFound",
    );
    expect(await status("first-trail")).not.toHaveProperty("LatestNotificationError");
    expect(await status("second-trail")).not.toHaveProperty("LatestDeliveryError");
    expect(await announcedIds("second")).not.toContain(events[0]?.eventID);

    // Making the topic anew would be a race: a topic without a subscription takes everything, for nobody.
    await makeTopic("third");
    await trails("update-trail", "--name", "second-trail", "--sns-topic-name", "third");
    for (const event of events) await untilAnnounced("third", event);
    await until(
      "the error goes",
      async () => (await status("second-trail")).LatestNotificationError === undefined,
    );
  });

  test("wait over a restart of Cairn", async () => {
    await service("sns", "delete-topic", "--topic-arn", topicArn("third"));
    const event = await post();
    await untilAnnounced("first", event);
    await until(
      "a try failed",
      async () => (await status("second-trail")).LatestNotificationError !== undefined,
    );
    await cairn.end("SIGKILL");
    await makeTopic("third");
    cairn = await startCairn({
      dataDir,
      args: ["--auth", "off", "--delivery-interval", "500ms", "--sns-endpoint", server.url],
      env: {
        AWS_ACCESS_KEY_ID: motoCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: motoCredentials.secretAccessKey,
      },
    });
    await untilAnnounced("third", event);
  });
});
