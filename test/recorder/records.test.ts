// Calls of many services by boto3 through Cairn to moto: the record of each, member by member against formats.md §1.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BotoAnswer, boto3, runBoto3 } from "../harness/boto3.ts";
import { unsignedScope } from "../harness/api-fixture.ts";
import { until } from "../harness/log-files.ts";
import { moto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { type ExpectedMembers, recordedOperations } from "./recorded-operations.ts";
import { account, type LoggedRecord, type RecorderWorld, region, startWorld } from "./recorder-world.ts";

/** The order of real records (formats.md §1.1). */
const memberOrder = [
  ...[
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
  ],
  ...[
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
  ],
  ...["requestID", "eventID", "readOnly", "resources", "eventType", "apiVersion", "managementEvent"],
  ...[
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "tlsDetails",
  ],
];

const unknownCaller = { type: "Unknown", principalId: account, accountId: account, accessKeyId: account };

function expectedRecord(members: ExpectedMembers, answer: BotoAnswer): Record<string, unknown> {
  const { isData = false, userIdentity = unknownCaller, ...own } = members;
  return {
    eventVersion: "1.11",
    userIdentity,
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    awsRegion: region,
    sourceIPAddress: "127.0.0.1",
    userAgent: expect.stringMatching(/^Boto3\//),
    requestID: members.eventSource === "ec2.amazonaws.com" ? expect.any(String) : answer.requestId,
    eventID: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
    eventType: "AwsApiCall",
    managementEvent: !isData,
    recipientAccountId: account,
    eventCategory: isData ? "Data" : "Management",
    ...own,
  };
}

const namesOf = (names: readonly unknown[]) => names.map(String).sort((a, b) => (a < b ? -1 : 1));

describeWith([moto, boto3])("calls of many services", () => {
  let world: RecorderWorld;
  let answers: readonly BotoAnswer[] = [];
  let records: readonly LoggedRecord[] = [];
  const startedMs = Date.now();

  beforeAll(async () => {
    world = await startWorld();
    answers = await runBoto3({
      ...{
        endpoint: world.cairn.url,
        region,
        credentials: { accessKeyId: account, secretAccessKey: "unchecked" },
      },
      calls: recordedOperations.map(({ call }) => call),
    });
    records = await world.untilRecorded(recordedOperations.length);
  }, 120_000);
  afterAll(() => world.dispose());

  test("are at least 40 operations of at least 12 services, each answered and recorded once", () => {
    expect(recordedOperations.length).toBeGreaterThanOrEqual(40);
    expect(new Set(recordedOperations.map(({ record }) => record.eventSource)).size).toBeGreaterThanOrEqual(
      12,
    );
    expect(answers.filter(({ status }) => status === 0)).toEqual([]);
    expect(namesOf(records.map(({ eventName }) => eventName))).toEqual(
      namesOf(recordedOperations.map(({ record }) => record.eventName)),
    );
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(records.length);
  });

  test.each(recordedOperations.map((operation, at) => ({ ...operation, at })))(
    "$record.eventSource $record.eventName ($at)",
    ({ record: members, at }) => {
      const answer = answers[at];
      expect(answer?.error === undefined).toBe(members.errorCode === undefined);
      // Moto gives every answer of EC2 the same id in its body, and another one in a header.
      const isOwn =
        members.eventSource === "ec2.amazonaws.com"
          ? ({ eventName }: LoggedRecord) => eventName === members.eventName
          : ({ requestID }: LoggedRecord) => requestID === answer?.requestId;
      const record = records.find(isOwn);
      expect(record).toEqual(expectedRecord(members, answer ?? { status: 0 }));
      const names = Object.keys(record ?? {});
      expect(names).toEqual(memberOrder.filter((name) => names.includes(name)));
    },
  );

  test("are timed when they were answered", () => {
    for (const { eventTime } of records) {
      const ms = Date.parse(String(eventTime));
      expect(ms).toBeGreaterThanOrEqual(startedMs - 1000);
      expect(ms).toBeLessThanOrEqual(Date.now());
    }
  });

  test("also in CBOR (RPC v2)", async () => {
    // { "AlarmNames": ["high"] }
    const body = Buffer.from("a16a416c61726d4e616d6573816468696768", "hex");
    await fetch(`${world.cairn.url}/service/GraniteServiceVersion20100801/operation/DeleteAlarms`, {
      method: "POST",
      headers: {
        authorization: unsignedScope({ account }, "monitoring"),
        "content-type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "user-agent": "Boto3/cbor",
      },
      body,
    });
    const found = () => world.records().find(({ userAgent }) => userAgent === "Boto3/cbor");
    await until("the call in CBOR is logged", () => found() !== undefined);
    expect(found()).toMatchObject({
      ...{ eventSource: "monitoring.amazonaws.com", eventName: "DeleteAlarms", readOnly: false },
      requestParameters: { alarmNames: ["high"] },
    });
  });

  test("leave nothing planted in any record", () => {
    expect(JSON.stringify(records)).not.toContain("planted");
  });
});

describe("the list of operations", () => {
  test("has every protocol", () => {
    const sources = new Set(recordedOperations.map(({ record }) => record.eventSource.split(".")[0]));
    // JSON 1.0, JSON 1.1, Query, EC2, REST JSON, REST XML.
    for (const source of ["dynamodb", "kms", "iam", "ec2", "lambda", "route53"])
      expect(sources).toContain(source);
  });
});
