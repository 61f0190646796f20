// LookupEvents (api.md §6.3, lake.md §1) with the SDK and as bytes: attributes, scope, times, pages, tokens, errors, the
// throttle, and what a restart must not lose.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paginateLookupEvents } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, elsewhere, startApi } from "../harness/api-fixture.ts";
import { startCairn } from "../harness/cairn-process.ts";
import { managementEvent, objectEvent, postEvents } from "../harness/events.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const iso = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
const nowSecondMs = (): number => Math.floor(Date.now() / 1000) * 1000;

function eventsOf(
  account: string,
  count: number,
  changes: (at: number) => Record<string, unknown> = () => ({}),
) {
  const startMs = nowSecondMs() - count * 1000;
  return Array.from({ length: count }, (_, at) =>
    managementEvent({ recipientAccountId: account, eventTime: iso(startMs + at * 1000), ...changes(at) }),
  );
}

test("a call to Cairn is found by the next one, with everything that is derived", async () => {
  const account = api.newAccount();
  await api.as(account).createTrail({ Name: "audit", S3BucketName: "trail-logs" });
  const { Events, NextToken } = await api.as(account).lookupEvents({});
  expect(NextToken).toBeUndefined();
  expect(Events).toHaveLength(1);
  const [event] = Events ?? [];
  expect(event).toMatchObject({
    EventName: "CreateTrail",
    EventSource: "cloudtrail.amazonaws.com",
    ReadOnly: "false",
    AccessKeyId: account,
    Resources: expect.arrayContaining([
      { ResourceType: "AWS::CloudTrail::Trail", ResourceName: "audit" },
      { ResourceType: "AWS::S3::Bucket", ResourceName: "trail-logs" },
    ]),
  });
  expect(event?.Username).toBeUndefined();
  const record = JSON.parse(event?.CloudTrailEvent ?? "") as Record<string, unknown>;
  expect(record).toMatchObject({ eventID: event?.EventId, eventName: "CreateTrail" });
  const second = await api.as(account).lookupEvents({});
  expect(second.Events?.map(({ EventName }) => EventName)).toEqual(["LookupEvents", "CreateTrail"]);
});

describe("attributes", () => {
  const account = "710000000001";
  const startMs = nowSecondMs();
  const session = {
    type: "AssumedRole",
    principalId: "AROAEXAMPLE:ci-session",
    arn: `arn:aws:sts::${account}:assumed-role/ci/ci-session`,
    accessKeyId: "ASIAEXAMPLE",
  };
  const assumed = managementEvent({
    recipientAccountId: account,
    eventTime: iso(startMs - 5000),
    eventSource: "sts.amazonaws.com",
    eventName: "AssumeRole",
    readOnly: true,
    userIdentity: session,
    requestParameters: { roleArn: "arn:aws:iam::1:role/ci", roleSessionName: "next" },
    responseElements: {
      credentials: { accessKeyId: "ASIANEW" },
      assumedRoleUser: { assumedRoleId: "AROA2:next", arn: "arn:aws:sts::1:assumed-role/ci/next" },
    },
  });
  const other = managementEvent({ recipientAccountId: account, eventTime: iso(startMs - 4000) });
  beforeAll(() => postEvents(api.url, [assumed, other]));

  test.each([
    ["EventId", assumed.eventID],
    ["EventName", "AssumeRole"],
    ["EventSource", "sts.amazonaws.com"],
    ["ReadOnly", "true"],
    ["Username", "ci-session"],
    ["AccessKeyId", "ASIAEXAMPLE"],
    ["ResourceName", "AROA2:next"],
    ["ResourceName", "ASIANEW"],
    ["ResourceType", "AWS::STS::AssumedRole"],
  ] as const)("%s = %s", async (AttributeKey, AttributeValue) => {
    const LookupAttributes = [{ AttributeKey, AttributeValue }];
    // The lookups themselves, which only read, come later.
    const EndTime = new Date(startMs - 3000);
    const { Events } = await api.as(account).lookupEvents({ LookupAttributes, EndTime });
    expect(Events?.map(({ EventId }) => EventId)).toEqual([assumed.eventID]);
    expect(Events?.[0]).toMatchObject({ Username: "ci-session", ReadOnly: "true" });
    expect(Events?.[0]?.Resources).toEqual([
      { ResourceType: "AWS::IAM::AccessKey", ResourceName: "ASIANEW" },
      { ResourceType: "AWS::STS::AssumedRole", ResourceName: "next" },
      { ResourceType: "AWS::STS::AssumedRole", ResourceName: "AROA2:next" },
      { ResourceType: "AWS::STS::AssumedRole", ResourceName: "arn:aws:sts::1:assumed-role/ci/next" },
      { ResourceType: "AWS::IAM::Role", ResourceName: "arn:aws:iam::1:role/ci" },
    ]);
  });

  test("values are compared exactly, and the first attribute alone counts", async () => {
    const client = api.as(account);
    const lookup = async (...pairs: (readonly ["EventName" | "Username" | "ReadOnly", string])[]) => {
      const LookupAttributes = pairs.map(([AttributeKey, AttributeValue]) => ({
        AttributeKey,
        AttributeValue,
      }));
      return (await client.lookupEvents({ LookupAttributes })).Events?.map(({ EventName }) => EventName);
    };
    expect(await lookup(["EventName", "assumerole"])).toEqual([]);
    expect(await lookup(["EventName", "Assume"])).toEqual([]);
    expect(await lookup(["ReadOnly", "TRUE"])).toEqual([]);
    expect(await lookup(["EventName", "RunInstances"], ["EventName", "AssumeRole"])).toEqual([
      "RunInstances",
    ]);
    expect(await lookup(["Username", "mary"], ["ReadOnly", "true"])).toEqual(["RunInstances"]);
  });
});

describe("scope", () => {
  test("account and Region; never data or network events, Insights only when asked for", async () => {
    const [account, stranger] = [api.newAccount(), api.newAccount()];
    const time = { eventTime: iso(nowSecondMs() - 2000), recipientAccountId: account };
    const insight = {
      ...{ eventVersion: "1.11", ...time, awsRegion: "us-east-1" },
      eventID: "f9864727-9936-4eef-9aed-d42ebee3005f",
      eventType: "AwsCloudTrailInsight",
      insightDetails: {
        state: "Start",
        eventSource: "iam.amazonaws.com",
        eventName: "CreateUser",
        insightType: "ApiCallRateInsight",
      },
      eventCategory: "Insight",
    };
    const there = managementEvent({ ...time, awsRegion: elsewhere });
    const global = managementEvent({ ...time, eventSource: "iam.amazonaws.com", eventName: "CreateUser" });
    const foreign = managementEvent({ ...time, recipientAccountId: stranger });
    const data = objectEvent({ operation: "GetObject", bucket: "b", key: "k", readOnly: true }, time);
    await postEvents(api.url, [there, global, insight, data]);
    await postEvents(api.url, [foreign]);
    const EndTime = new Date(nowSecondMs() - 1000);
    const ids = async (caller: string, region: string, more: object = {}) =>
      (await api.as(caller, region).lookupEvents({ EndTime, ...more })).Events?.map(({ EventId }) => EventId);
    expect(await ids(account, "us-east-1")).toEqual([global.eventID]);
    expect(await ids(account, elsewhere)).toEqual([there.eventID]);
    expect(await ids(stranger, "us-east-1")).toEqual([foreign.eventID]);
    const insights = await api.as(account).lookupEvents({ EventCategory: "insight", EndTime });
    expect(insights.Events).toHaveLength(1);
    expect(insights.Events?.[0]).toMatchObject({
      EventId: insight.eventID,
      EventName: "CreateUser",
      EventSource: "iam.amazonaws.com",
      CloudTrailEvent: JSON.stringify(insight),
    });
    const byName = {
      EventCategory: "insight",
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "CreateUser" }],
    };
    expect(await ids(account, "us-east-1", byName)).toEqual([insight.eventID]);
  });

  test("times are inclusive; what is older than the retention is cut off without an error", async () => {
    const account = api.newAccount();
    const baseMs = nowSecondMs() - 100_000;
    const at = (seconds: number) => baseMs + seconds * 1000;
    const days = 86_400_000;
    const events = [0, 1, 2, 3].map((seconds) =>
      managementEvent({ recipientAccountId: account, eventTime: iso(at(seconds)) }),
    );
    const old = managementEvent({ recipientAccountId: account, eventTime: iso(baseMs - 91 * days) });
    const late = managementEvent({ recipientAccountId: account, eventTime: iso(baseMs - 89 * days) });
    await postEvents(api.url, [...events, old, late]);
    const found = async (StartTime: number, EndTime: number) => {
      const answer = await api
        .as(account)
        .lookupEvents({ StartTime: new Date(StartTime), EndTime: new Date(EndTime) });
      return answer.Events?.map(({ EventId }) =>
        [...events, old, late].findIndex(({ eventID }) => eventID === EventId),
      );
    };
    expect(await found(at(1), at(2))).toEqual([2, 1]);
    expect(await found(at(1) + 1, at(3) - 1)).toEqual([2]);
    expect(await found(at(2), at(2))).toEqual([2]);
    expect(await found(baseMs - 200 * days, at(3))).toEqual([3, 2, 1, 0, 5]);
  });
});

describe("pages", () => {
  test("neither repeat nor lose events while others arrive", async () => {
    const account = api.newAccount();
    const events = eventsOf(account, 240);
    await postEvents(api.url, events);
    const pages = paginateLookupEvents(
      { client: api.as(account) },
      { MaxResults: 50, LookupAttributes: [{ AttributeKey: "ReadOnly", AttributeValue: "false" }] },
    );
    const found: (string | undefined)[] = [];
    for await (const { Events } of pages) {
      for (const { EventId } of Events ?? []) found.push(EventId);
      await postEvents(api.url, eventsOf(account, 30));
    }
    expect(found).toEqual(events.map(({ eventID }) => eventID).toReversed());
  });

  test("a token belongs to its request, account and Region", async () => {
    const account = api.newAccount();
    await postEvents(api.url, eventsOf(account, 5));
    const client = api.as(account);
    const StartTime = new Date(nowSecondMs() - 1_000_000);
    const { NextToken = "" } = await client.lookupEvents({ StartTime, MaxResults: 2 });
    expect(NextToken.length).toBeLessThan(1000);
    expect(NextToken).toMatch(/^[\w-]+$/);
    const other = await client.lookupEvents({ StartTime, MaxResults: 3, NextToken });
    expect(other.Events).toHaveLength(3);
    const refused = [
      client.lookupEvents({ NextToken }),
      client.lookupEvents({ StartTime, EndTime: new Date(), NextToken }),
      client.lookupEvents({ StartTime, EventCategory: "insight", NextToken }),
      client.lookupEvents({
        ...{ StartTime, NextToken },
        LookupAttributes: [{ AttributeKey: "ReadOnly", AttributeValue: "false" }],
      }),
      api.as(api.newAccount()).lookupEvents({ StartTime, NextToken }),
      api.as(account, elsewhere).lookupEvents({ StartTime, NextToken }),
      ...[
        "",
        "x",
        NextToken.slice(1),
        `${NextToken}A`,
        NextToken.replace(/.$/, "!"),
        `B${NextToken.slice(1)}`,
      ].map((token) => client.lookupEvents({ StartTime, NextToken: token })),
    ];
    for (const outcome of await Promise.allSettled(refused)) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { name: "InvalidNextTokenException", message: "The NextToken value is not valid." },
      });
    }
  });
});

test.each([
  [
    { LookupAttributes: [{ AttributeKey: "eventName", AttributeValue: "x" }] },
    "InvalidLookupAttributesException",
    "eventName is not a valid lookup attribute.",
  ],
  [
    { LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "" }] },
    "InvalidLookupAttributesException",
    undefined,
  ],
  [
    { LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "x_".repeat(667) }] },
    "InvalidLookupAttributesException",
    undefined,
  ],
  [{ LookupAttributes: [{ AttributeKey: "EventName" }] }, "InvalidLookupAttributesException", undefined],
  [
    { EventCategory: "insight", LookupAttributes: [{ AttributeKey: "Username", AttributeValue: "x" }] },
    "InvalidLookupAttributesException",
    "Username is not a valid lookup attribute.",
  ],
  [
    { StartTime: 20, EndTime: 10 },
    "InvalidTimeRangeException",
    "The start time must be before the end time.",
  ],
  [{ EventCategory: "data" }, "InvalidEventCategoryException", "data is not a valid event category."],
  [{ MaxResults: 0 }, "InvalidMaxResultsException", "MaxResults must be between 1 and 50."],
  [{ MaxResults: 51 }, "InvalidMaxResultsException", "MaxResults must be between 1 and 50."],
] as const)("%j is refused", async (input, code, text) => {
  const answer = await api.raw("LookupEvents", input, { account: "123456789012" });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ __type: code, ...(text !== undefined && { Message: text }) });
});

test("a value of 2000 characters, those that count twice among them, is looked for", async () => {
  const LookupAttributes = [{ AttributeKey: "EventName", AttributeValue: `${"x_".repeat(666)}xx` }] as const;
  const { Events } = await api.as("123456789012").lookupEvents({ LookupAttributes: [...LookupAttributes] });
  expect(Events).toEqual([]);
});

test("the rate is counted by account and Region", async () => {
  const limited = await startApi({ args: ["--lookup-events-rate", "2"] });
  try {
    const client = limited.as("123456789012");
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => client.lookupEvents({})));
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(4);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({
        reason: { name: "ThrottlingException", message: "Rate exceeded", $metadata: { httpStatusCode: 400 } },
      });
    }
    await limited.as("123456789012", elsewhere).lookupEvents({});
    await limited.as("210987654321").lookupEvents({});
    await new Promise((resolve) => setTimeout(resolve, 600));
    const { Events } = await client.lookupEvents({});
    expect(
      Events?.filter(({ CloudTrailEvent }) => CloudTrailEvent?.includes("ThrottlingException")),
    ).toHaveLength(4);
  } finally {
    await limited.dispose();
  }
});

test("a restart, or a kill, loses and doubles nothing; tokens stay good", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-history-"));
  const account = "123456789012";
  const events = eventsOf(account, 100);
  let token: string | undefined;
  try {
    for (const signal of ["SIGKILL", "SIGTERM", undefined] as const) {
      const cairn = await startCairn({ dataDir });
      try {
        if (signal === "SIGKILL") await postEvents(cairn.url, events);
        const input = {
          MaxResults: 10,
          LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "RunInstances" }],
        };
        const { CloudTrail } = await import("@aws-sdk/client-cloudtrail");
        const client = new CloudTrail({
          endpoint: cairn.url,
          region: "us-east-1",
          credentials: { accessKeyId: account, secretAccessKey: "x" },
        });
        const page = await client.lookupEvents({ ...input, NextToken: token } as object);
        const from = signal === "SIGKILL" ? 100 : signal === "SIGTERM" ? 90 : 80;
        expect(page.Events?.map(({ EventId }) => EventId)).toEqual(
          events
            .slice(from - 10, from)
            .map(({ eventID }) => eventID)
            .toReversed(),
        );
        token = page.NextToken;
        client.destroy();
        if (signal) await cairn.end(signal);
      } finally {
        await cairn.dispose();
      }
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("a server without history says so, and begins one when it is told to", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-no-history-"));
  const account = "710000000077";
  const { CloudTrail } = await import("@aws-sdk/client-cloudtrail");
  const lookedUp = async (args: readonly string[]) => {
    const cairn = await startCairn({ dataDir, args: ["--auth", "off", ...args] });
    const credentials = { accessKeyId: account, secretAccessKey: "x" };
    const client = new CloudTrail({ endpoint: cairn.url, region: "us-east-1", credentials });
    try {
      await postEvents(cairn.url, eventsOf(account, 2));
      return await client.lookupEvents({});
    } finally {
      client.destroy();
      await cairn.end("SIGTERM");
      await cairn.dispose();
    }
  };
  try {
    await expect(lookedUp(["--history-retention", "off"])).rejects.toMatchObject({
      name: "UnsupportedOperationException",
      message: expect.stringContaining("historyRetention"),
    });
    const { Events } = await lookedUp([]);
    expect(Events?.length).toBeGreaterThanOrEqual(2);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
