// Cairn's own calls as events: the record's members, and which trails log the call that changes what they log.
import { describe, expect, test } from "vitest";
import type { CallAttempt } from "../event/call-record.ts";
import type { OperationName } from "../model/operations.ts";
import { createCallRecorder } from "./call-recorder.ts";
import { caller, type IntakeWorld, intakeWorld, region } from "./intake.test-world.ts";

const call = {
  caller,
  region,
  requestId: "f1bcad24-6261-4d5c-b149-463c145d4aa6",
  sourceIp: "198.51.100.7",
  userAgent: "aws-cli/2.33.27",
};

async function recorded(world: IntakeWorld): Promise<Record<string, unknown>[]> {
  const frames = await world.frames();
  return frames.flatMap(({ records }) =>
    records.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>),
  );
}

async function loggedBy(world: IntakeWorld): Promise<string[][]> {
  const frames = await world.frames();
  return frames.flatMap(({ records }) =>
    records.map(({ matchSet }) => matchSet.destinations.map(({ incarnation }) => incarnation)),
  );
}

describe("the record of a call", () => {
  test("tells a write with what it answered", async () => {
    const world = await intakeWorld();
    const attempt: CallAttempt = {
      call,
      operation: "CreateTrail",
      input: { Name: "t", S3BucketName: "b", TagsList: [{ Key: "k", Value: "v" }] },
      output: { Name: "t", TrailARN: "arn:aws:cloudtrail:us-east-1:123456789012:trail/t" },
    };
    expect(await createCallRecorder(world.ports).record(attempt)).toBe(true);
    expect(await recorded(world)).toEqual([
      {
        eventVersion: "1.11",
        userIdentity: {
          type: "IAMUser",
          principalId: "AIDAEXAMPLE",
          arn: "arn:aws:iam::123456789012:user/mary",
          accountId: "123456789012",
          accessKeyId: "AKIAIOSFODNN7EXAMPLE",
          userName: "mary",
        },
        eventTime: "2026-01-10T09:18:41Z",
        eventSource: "cloudtrail.amazonaws.com",
        eventName: "CreateTrail",
        awsRegion: "us-east-1",
        sourceIPAddress: "198.51.100.7",
        userAgent: "aws-cli/2.33.27",
        requestParameters: { name: "t", s3BucketName: "b", tagsList: [{ key: "k", value: "v" }] },
        responseElements: { name: "t", trailARN: "arn:aws:cloudtrail:us-east-1:123456789012:trail/t" },
        requestID: call.requestId,
        eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        readOnly: false,
        eventType: "AwsApiCall",
        managementEvent: true,
        recipientAccountId: "123456789012",
        eventCategory: "Management",
      },
    ]);
  });

  const cases: readonly [
    string,
    Partial<CallAttempt> & { operation: OperationName },
    Record<string, unknown>,
  ][] = [
    [
      "a read has no response",
      { operation: "GetTrail", input: { Name: "t" }, output: { Trail: {} } },
      { readOnly: true, responseElements: null, requestParameters: { name: "t" } },
    ],
    [
      "a write that returns nothing has none",
      { operation: "StartLogging", input: { Name: "t" }, output: {} },
      { readOnly: false, responseElements: null },
    ],
    ["no input is null", { operation: "ListTrails", input: {}, output: {} }, { requestParameters: null }],
    [
      "a failure",
      {
        operation: "DeleteTrail",
        input: { Name: "t" },
        error: { code: "TrailNotFoundException", message: "Unknown trail" },
      },
      { errorCode: "TrailNotFoundException", errorMessage: "Unknown trail", responseElements: null },
    ],
    [
      "a denial goes by its short name",
      { operation: "DeleteTrail", error: { code: "AccessDeniedException", message: "no" } },
      { errorCode: "AccessDenied", requestParameters: null },
    ],
    [
      "a huge input is left out with a marker",
      { operation: "PutEventSelectors", input: { X: "y".repeat(200_000) } },
      { requestParameters: { reason: "requestParameters too large", omitted: true, originalSize: 200_008 } },
    ],
    [
      "a long user agent is cut at 1 KB",
      { operation: "ListTrails", call: { ...call, userAgent: "é".repeat(900) } },
      { userAgent: "é".repeat(512) },
    ],
    [
      "an unverified caller claims no more than an account",
      {
        operation: "ListTrails",
        call: {
          ...call,
          caller: {
            accountId: caller.accountId,
            kind: "unverified",
            arn: "arn:aws:iam::123456789012:root",
            principalId: "123456789012",
          },
        },
      },
      {
        userIdentity: { type: "Unknown", principalId: "123456789012", accountId: "123456789012" },
        additionalEventData: { identityVerified: false, reason: "Authentication is off." },
      },
    ],
    [
      "TLS details are told",
      {
        operation: "ListTrails",
        call: {
          ...call,
          tls: {
            tlsVersion: "TLSv1.3",
            cipherSuite: "TLS_AES_128_GCM_SHA256",
            clientProvidedHostHeader: "h",
          },
        },
      },
      {
        tlsDetails: {
          tlsVersion: "TLSv1.3",
          cipherSuite: "TLS_AES_128_GCM_SHA256",
          clientProvidedHostHeader: "h",
        },
      },
    ],
  ];
  test.each(cases)("%s", async (_name, attempt, members) => {
    const world = await intakeWorld();
    await createCallRecorder(world.ports).record({ call, ...attempt });
    expect((await recorded(world))[0]).toMatchObject(members);
  });
});

describe("the trails that log a call", () => {
  const attempt: CallAttempt = { call, operation: "StopLogging", input: { Name: "t" }, output: {} };

  test.each([
    ["stops a trail", ["one", "two"], ["two"], ["one"], ["one", "two"]],
    ["starts a trail", ["two"], ["one", "two"], [], ["one", "two"]],
    ["deletes a trail", ["one", "two"], ["two"], [], ["two"]],
    ["changes nothing", ["one"], ["one"], [], ["one"]],
  ])("that %s", async (_name, before, after, alive, expected) => {
    const world = await intakeWorld();
    world.setTrails(before);
    const recorder = createCallRecorder(world.ports);
    const reservation = recorder.reserve();
    expect(reservation).toBeDefined();
    world.setTrails(after, alive);
    expect(await recorder.record(attempt, reservation)).toBe(true);
    expect(await loggedBy(world)).toEqual([expected]);
  });

  test.each([
    ["stops the last trail", [], ["one"], ["event-bus", "one"]],
    ["deletes the last trail", [], [], ["event-bus"]],
    ["changes nothing", ["one"], ["one"], ["event-bus", "one"]],
  ])("and the event bus, when it %s", async (_name, after, alive, expected) => {
    const world = await intakeWorld({ eventBus: "write" });
    world.setTrails(["one"]);
    const recorder = createCallRecorder(world.ports);
    const reservation = recorder.reserve();
    world.setTrails(after, alive);
    expect(await recorder.record(attempt, reservation)).toBe(true);
    expect(await loggedBy(world)).toEqual([expected]);
  });

  test("a change is recorded behind every read that was decided before it", async () => {
    const world = await intakeWorld();
    const recorder = createCallRecorder(world.ports);
    const read = (name: string) =>
      recorder.record({ call, operation: "GetTrail", input: { Name: name }, output: {} });
    const reads = [read("one"), read("two"), read("three")];
    const change = recorder.record(attempt, recorder.reserve());
    const later = read("four");
    expect(await Promise.all([...reads, change, later])).toEqual([true, true, true, true, true]);
    const records = await recorded(world);
    expect(records.map(({ eventName, requestParameters }) => [eventName, requestParameters])).toEqual([
      ["GetTrail", { name: "one" }],
      ["GetTrail", { name: "two" }],
      ["GetTrail", { name: "three" }],
      ["StopLogging", { name: "t" }],
      ["GetTrail", { name: "four" }],
    ]);
    expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(5);
    expect((await world.frames()).map((frame) => frame.records.length)).toEqual([1, 2, 1, 1]);
  });

  test("there is no reservation in a journal that is full, and a record still finds its reserved room", async () => {
    const world = await intakeWorld({ bytesMax: 700_000 });
    const recorder = createCallRecorder(world.ports);
    const first = recorder.reserve();
    const second = recorder.reserve();
    expect([first, second].every((reservation) => reservation !== undefined)).toBe(true);
    expect(recorder.reserve()).toBeUndefined();
    expect(await recorder.record(attempt, first)).toBe(true);
    second?.release();
    expect(recorder.reserve()).toBeDefined();
  });
});
