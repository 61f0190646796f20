// A trail with a log group, from the AWS CLI to the stream of a real (moto) CloudWatch Logs server: every record as it
// was sent, streams by account and Region, records above 256 KB left out, a group that is gone for a while.
import { afterAll, beforeAll, expect, test } from "vitest";
import { aws, type CliOptions } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, until } from "../harness/log-files.ts";
import { type MotoServer, moto, motoAccount, motoCredentials, startMoto } from "../harness/moto.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";

const region = "us-east-1";
const group = "CloudTrail/walk";
const bucket = "walk-logs";

interface LogEvent {
  readonly logStreamName: string;
  readonly timestamp: number;
  readonly message: string;
}

describeWith([moto, awsCli])("a trail with a log group", () => {
  let server: MotoServer;
  let cairn: CairnProcess;
  let service: CliOptions;
  let cli: CliOptions;

  beforeAll(async () => {
    server = await startMoto();
    cairn = await startCairn({
      args: [
        ...["--auth", "off", "--delivery-interval", "500ms", "--put-timeout", "5s"],
        ...["--logs-endpoint", server.url],
      ],
      env: {
        AWS_ACCESS_KEY_ID: motoCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: motoCredentials.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: "true",
      },
    });
    service = { url: server.url, region, ...motoCredentials };
    cli = { url: cairn.url, region, accessKeyId: motoAccount };
    await aws(service, ["logs", "create-log-group", "--log-group-name", group]);
    await aws(cli, ["s3", "mb", `s3://${bucket}`]);
    await aws(cli, [
      ...["cloudtrail", "create-trail", "--name", "walk", "--s3-bucket-name", bucket],
      "--is-multi-region-trail",
      "--cloud-watch-logs-log-group-arn",
      `arn:aws:logs:${region}:${motoAccount}:log-group:${group}:*`,
      "--cloud-watch-logs-role-arn",
      `arn:aws:iam::${motoAccount}:role/CloudTrail_CloudWatchLogs_Role`,
    ]);
    await aws(cli, ["cloudtrail", "start-logging", "--name", "walk"]);
  });
  afterAll(async () => {
    await cairn?.dispose();
    await server?.stop();
  });

  async function logged(): Promise<LogEvent[]> {
    const answer = await aws(service, ["logs", "filter-log-events", "--log-group-name", group]);
    return (answer as { events?: LogEvent[] }).events ?? [];
  }

  async function status(): Promise<Record<string, unknown>> {
    return (await aws(cli, ["cloudtrail", "get-trail-status", "--name", "walk"])) as Record<string, unknown>;
  }

  const isIn = (events: readonly LogEvent[], id: string) =>
    events.some(({ message }) => message.includes(id));

  test("gets every record as it is, in the stream of its account and Region", async () => {
    const startMs = Date.now();
    const own = managementEvent({ requestParameters: { note: "é 😀", ratio: 0.5 } });
    const elsewhere = managementEvent({ awsRegion: "eu-west-1" });
    const large = managementEvent({ requestParameters: { note: "x".repeat(300_000) } });
    expect((await postEvents(cairn.url, [large, own, elsewhere])).accepted).toBe(3);
    await until("both streams have their record", async () => {
      const events = await logged();
      return isIn(events, own.eventID) && isIn(events, elsewhere.eventID);
    });
    const events = await logged();
    const found = (id: string) => events.filter(({ message }) => message.includes(id));
    expect(found(own.eventID)).toEqual([
      expect.objectContaining({
        logStreamName: `${motoAccount}_CloudTrail_${region}`,
        message: JSON.stringify(own),
      }),
    ]);
    expect(found(elsewhere.eventID)).toEqual([
      expect.objectContaining({
        logStreamName: `${motoAccount}_CloudTrail_eu-west-1`,
        message: JSON.stringify(elsewhere),
      }),
    ]);
    // The time of delivery, not the eventTime of January.
    expect(found(own.eventID)[0]?.timestamp).toBeGreaterThanOrEqual(startMs);
    // Above 256 KB: the log file has it, the log group does not.
    await until("the log file has the large record", () =>
      deliveredIds(cairn.dataDir, bucket).includes(large.eventID),
    );
    expect(isIn(await logged(), large.eventID)).toBe(false);
  });

  test("tells when it was delivered to last", async () => {
    await until("the time shows", async () => "LatestCloudWatchLogsDeliveryTime" in (await status()));
    expect(await status()).not.toHaveProperty("LatestCloudWatchLogsDeliveryError");
  });

  test("a group that is gone shows its error, does not delay the bucket, and gets the rest when it is back", async () => {
    await aws(service, ["logs", "delete-log-group", "--log-group-name", group]);
    const event = managementEvent();
    await postEvents(cairn.url, [event]);
    await until("the bucket has the record", () =>
      deliveredIds(cairn.dataDir, bucket).includes(event.eventID),
    );
    await until("the error shows", async () => "LatestCloudWatchLogsDeliveryError" in (await status()));
    expect(cairn.log()).toContain("ResourceNotFoundException");
    expect(await status()).not.toHaveProperty("LatestDeliveryError");
    await aws(service, ["logs", "create-log-group", "--log-group-name", group]);
    await until("the record arrives", async () => isIn(await logged(), event.eventID), 40_000);
    await until("the error is gone", async () => !("LatestCloudWatchLogsDeliveryError" in (await status())));
  });
});
