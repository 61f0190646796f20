// What the suites of the recorder share: moto behind a running Cairn, a trail that logs everything, and its records.
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { makeBucket } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { type MotoServer, startMoto } from "../harness/moto.ts";

export type LoggedRecord = Readonly<Record<string, unknown>>;

export const account = "123456789012";
export const region = "us-east-1";
const bucket = "everything";
/** Every type of data event that the calls of these suites are about. */
const dataTypes = [
  ...[
    "AWS::S3::Object",
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::Stream",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
  ],
  ...[
    "AWS::Lambda::Function",
    "AWS::Kinesis::Stream",
    "AWS::CloudWatch::Metric",
    "AWS::Cognito::IdentityPool",
  ],
  ...["AWS::StepFunctions::StateMachine", "AWS::KinesisFirehose::DeliveryStream"],
];

export interface RecorderWorld {
  readonly cairn: CairnProcess;
  readonly moto: MotoServer;
  /** Starts another trail that logs everything, of another account. */
  logAccount(other: string): Promise<void>;
  /** What the trails logged so far, Cairn's own calls left out; in the order of the log files. */
  records(): readonly LoggedRecord[];
  /** Waits until so many are there. */
  untilRecorded(count: number): Promise<readonly LoggedRecord[]>;
  dispose(): Promise<void>;
}

/** With `--auth off`, an access key of 12 digits is the account. */
export async function startWorld(args: readonly string[] = [], endpoints = ""): Promise<RecorderWorld> {
  const moto = await startMoto();
  const behind = [`default=${moto.url}`, endpoints].filter((part) => part !== "").join(",");
  const cairn = await startCairn({
    args: ["--auth", "off", "--delivery-interval", "200ms", "--endpoints", behind, ...args],
  });
  await makeBucket(cairn.url, bucket);
  await logEverything(cairn.url, account);
  const records = () =>
    logFiles(cairn.dataDir, bucket)
      .flatMap((file) => file.records)
      .filter(({ eventSource }) => eventSource !== "cloudtrail.amazonaws.com");
  return {
    ...{ cairn, moto, records },
    logAccount: (other) => logEverything(cairn.url, other),
    async untilRecorded(count) {
      await until(
        `${count} records are logged (${records().length} are)`,
        () => records().length >= count,
        30_000,
      );
      return records();
    },
    async dispose() {
      await cairn.dispose();
      await moto.stop();
    },
  };
}

async function logEverything(url: string, owner: string): Promise<void> {
  const client = new CloudTrail({
    ...{ endpoint: url, region, credentials: { accessKeyId: owner, secretAccessKey: "unchecked" } },
  });
  await client.createTrail({ Name: bucket, S3BucketName: bucket, IsMultiRegionTrail: true });
  await client.putEventSelectors({
    TrailName: bucket,
    AdvancedEventSelectors: [
      { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
      {
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["NetworkActivity"] },
          { Field: "eventSource", Equals: ["sqs.amazonaws.com"] },
        ],
      },
      ...dataTypes.map((type) => ({
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["Data"] },
          { Field: "resources.type", Equals: [type] },
        ],
      })),
    ],
  });
  await client.startLogging({ Name: bucket });
  client.destroy();
}
