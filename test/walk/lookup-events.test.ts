// The guides' lookups with the unmodified AWS CLI, and boto3's paginator while events arrive.
import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aws, awsRaw, type CliOptions } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { awsCli, describeWith, program } from "../harness/outside-program.ts";

const iso = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

interface Answer {
  readonly Events: readonly {
    readonly EventId: string;
    readonly EventName: string;
    readonly EventTime: number;
  }[];
  readonly NextToken?: string;
}

function posted(count: number, endMs: number) {
  return Array.from({ length: count }, (_, at) =>
    managementEvent({
      eventTime: iso(endMs - (count - at) * 1000),
      requestParameters: { instancesSet: { items: [{ imageId: `ami-${at}` }] } },
    }),
  );
}

describeWith([awsCli])("lookup-events with the AWS CLI", () => {
  let cairn: CairnProcess;
  let cli: CliOptions;
  const startMs = Math.floor(Date.now() / 1000) * 1000;
  const events = posted(120, startMs - 60_000);
  const newestFirst = events.map(({ eventID }) => eventID).toReversed();
  const until = ["--end-time", iso(startMs - 1000)];
  const lookup = async (...args: string[]) =>
    (await aws(cli, ["cloudtrail", "lookup-events", ...until, ...args])) as Answer;

  beforeAll(async () => {
    cairn = await startCairn();
    cli = { url: cairn.url, region: "us-east-1" };
    await postEvents(cairn.url, events);
  });
  afterAll(() => cairn.dispose());

  test.each([
    ["EventId", events[7]?.eventID ?? "", [events[7]?.eventID]],
    ["EventName", "RunInstances", newestFirst],
    ["EventSource", "ec2.amazonaws.com", newestFirst],
    ["ReadOnly", "false", newestFirst],
    ["Username", "mary", newestFirst],
    ["AccessKeyId", "AKIAIOSFODNN7EXAMPLE", newestFirst],
    ["ResourceType", "AWS::EC2::Ami", newestFirst],
    ["ResourceName", "ami-9", [events[9]?.eventID]],
    ["ResourceName", "ami", []],
  ])("by %s = %s, all pages", async (key, value, expected) => {
    const { Events } = await lookup("--lookup-attributes", `AttributeKey=${key},AttributeValue=${value}`);
    expect(Events.map(({ EventId }) => EventId)).toEqual(expected);
  });

  test("in times, and some of them, going on where the CLI stopped", async () => {
    const from = ["--start-time", iso(startMs - 60_000 - 20_000)];
    const all = await lookup(...from);
    expect(all.Events.map(({ EventId }) => EventId)).toEqual(newestFirst.slice(0, 20));
    const first = await lookup(...from, "--max-items", "8", "--page-size", "5");
    const rest = await lookup(...from, "--page-size", "5", "--starting-token", first.NextToken ?? "");
    expect([...first.Events, ...rest.Events].map(({ EventId }) => EventId)).toEqual(newestFirst.slice(0, 20));
  });

  test("a call that was just made is there", async () => {
    await aws(cli, ["cloudtrail", "describe-trails"]);
    const { Events } = (await aws(cli, ["cloudtrail", "lookup-events", "--max-items", "1"])) as Answer;
    expect(Events.map(({ EventName }) => EventName)).toEqual(["DescribeTrails"]);
    const elsewhere = (await aws({ ...cli, region: "eu-west-1" }, ["cloudtrail", "lookup-events"])) as Answer;
    expect(elsewhere.Events).toEqual([]);
  });

  test("mistakes are told as the service does", async () => {
    const refused = async (...args: string[]) =>
      (await awsRaw(cli, ["cloudtrail", "lookup-events", ...args])).stderr;
    expect(await refused("--start-time", "2026-01-02", "--end-time", "2026-01-01")).toContain(
      "An error occurred (InvalidTimeRangeException) when calling the LookupEvents operation: The start time must be before the end time.",
    );
    expect(await refused("--event-category", "data")).toContain("(InvalidEventCategoryException)");
    expect(await refused("--no-paginate", "--next-token", "x")).toContain("(InvalidNextTokenException)");
  });
});

const boto3 = program("boto3 (python3)", "python3", ["-c", "import boto3"]);
const script = `
import boto3, sys
client = boto3.client("cloudtrail", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="123456789012", aws_secret_access_key="x")
for page in client.get_paginator("lookup_events").paginate(
    LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "RunInstances"}], PaginationConfig={"PageSize": 20}):
    for event in page["Events"]:
        assert event["EventTime"].tzinfo is not None and event["ReadOnly"] == "false", event
        print(event["EventId"], flush=True)
`;

describeWith([boto3])("boto3's paginator, throttled", () => {
  test("gets each event once while others arrive", async () => {
    const cairn = await startCairn({ args: ["--auth", "off", "--lookup-events-rate", "2"] });
    try {
      const events = posted(90, Date.now() - 5000);
      await postEvents(cairn.url, events);
      const child = spawn("python3", ["-c", script, cairn.url], { stdio: ["ignore", "pipe", "inherit"] });
      let printed = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        void postEvents(cairn.url, posted(10, Date.now()));
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(code).toBe(0);
      expect(printed.trim().split("\n")).toEqual(events.map(({ eventID }) => eventID).toReversed());
    } finally {
      await cairn.dispose();
    }
  });
});
