// Passed calls as records in a journal: members and their order, who gets a copy, what a service's verdict changes.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { intakeWorld } from "../intake/intake.test-world.ts";
import { createRecordedCalls } from "../intake/recorded-calls.ts";
import { parseAccountId } from "../model/arn.ts";
import type { JsonObject } from "../model/json.ts";
import { parseRegion } from "../model/regions.ts";
import { openMemoryState } from "../state/memory-state.ts";
import type { CallDescription, PassedCall, UnderstoodHead } from "./contract.ts";
import { openIdentityBook } from "./identity-book.ts";
import { createCallBook } from "./record-calls.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const startedMs = 1_768_036_721_500;

function account(text: string) {
  const id = parseAccountId(text);
  if (!id) throw new Error(`${text} is no account.`);
  return id;
}
function region(text: string) {
  const parsed = parseRegion(text);
  if (!parsed) throw new Error(`${text} is no Region.`);
  return parsed;
}

const call: PassedCall = {
  head: {
    service: "dynamodb",
    region: region("us-east-1"),
    method: "POST",
    path: "/",
    query: "",
    headers: new Map(),
  },
  request: { kind: "whole", bytes: new Uint8Array() },
  bytesIn: 0,
  bytesOut: 0,
  answer: { status: 200, headers: new Map(), body: { kind: "whole", bytes: new Uint8Array() } },
  caller: {
    accessKeyId: "AKIAMARY",
    signature: { version: "SigV4", method: "AuthHeader" },
    sourceIp: "192.0.2.1",
    userAgent: "aws-cli/1.45.11",
  },
  startedMs: startedMs - 5,
  finishedMs: startedMs,
  requestId: "11111111-2222-4333-8444-555555555555",
};

const described: CallDescription = {
  eventSource: "dynamodb.amazonaws.com",
  eventName: "PutItem",
  apiVersion: "2012-08-10",
  readOnly: false,
  eventCategory: "Data",
  resources: [
    {
      accountId: "111122223333",
      type: "AWS::DynamoDB::Table",
      ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/t",
    },
  ],
  requestParameters: { tableName: "t" },
  responseElements: null,
  requestID: "SERVICEREQUESTID",
};

function understood(description: Partial<CallDescription> = {}): UnderstoodHead {
  return {
    capture: { requestBytes: 0, answerBytes: 0, errorBytes: 0 },
    describe: () => ({ ...described, ...description }),
    deedOf: () => ({ action: "", resource: "" }),
    errorAnswer: ({ status }) => ({ status, headers: {}, body: "" }),
  };
}

/** Without halves of surrogate pairs. */
function wellFormed(json: string): string {
  return JSON.stringify(JSON.parse(json), (_name, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}

async function world(options: { bytesMax?: number } = {}) {
  const intake = await intakeWorld(options);
  const clock = { nowMs: () => startedMs };
  const identities = await openIdentityBook({
    ...{ state: openMemoryState({ clock }), clock, log },
    configuration: () => ({
      auth: "on",
      defaultAccount: account("123456789012"),
      hasAccount: () => true,
      callerOf: (accessKeyId) =>
        accessKeyId === "AKIAMARY"
          ? {
              accountId: account("111122223333"),
              kind: "user",
              arn: "arn:aws:iam::111122223333:user/mary",
              principalId: "AIDAMARYEXAMPLE",
              userName: "mary",
              accessKeyId,
            }
          : undefined,
    }),
  });
  const book = createCallBook({
    ...{ identities, log, random: intake.ports.random },
    intake: createRecordedCalls(intake.ports, {
      defaultAccount: () => account("123456789012"),
      ownCallReserveBytes: 600_000,
    }),
    configuration: () => ({
      regions: new Set([region("us-east-1"), region("eu-west-1")]),
      defaultRegion: region("us-east-1"),
      vpcEndpointAccount: (id) => (id === "vpce-1a2b3c4d" ? account("999988887777") : undefined),
    }),
  });
  const records = async (): Promise<Record<string, unknown>[]> =>
    (await intake.frames()).flatMap((frame) =>
      frame.records.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes))),
    );
  return { book, records, intake, identities };
}

test("has every member in the order of real records", async () => {
  const { book, records, intake } = await world();
  const tls = { tlsVersion: "TLSv1.3", cipherSuite: "TLS_AES_128_GCM_SHA256", clientProvidedHostHeader: "h" };
  const data = { bytesTransferredIn: 3 };
  const ok = await book.record(
    { ...call, caller: { ...call.caller, tls } },
    understood({ additionalEventData: data }),
  );
  expect(ok).toBe(true);
  expect((await intake.frames())[0]?.header).toMatchObject({ door: "recorder" });
  const [record] = await records();
  expect(JSON.stringify(record)).toBe(
    JSON.stringify({
      eventVersion: "1.11",
      userIdentity: {
        type: "IAMUser",
        principalId: "AIDAMARYEXAMPLE",
        arn: "arn:aws:iam::111122223333:user/mary",
        accountId: "111122223333",
        accessKeyId: "AKIAMARY",
        userName: "mary",
      },
      eventTime: "2026-01-10T09:18:41Z",
      eventSource: "dynamodb.amazonaws.com",
      eventName: "PutItem",
      awsRegion: "us-east-1",
      sourceIPAddress: "192.0.2.1",
      userAgent: "aws-cli/1.45.11",
      requestParameters: { tableName: "t" },
      responseElements: null,
      additionalEventData: data,
      requestID: "SERVICEREQUESTID",
      eventID: record?.["eventID"],
      readOnly: false,
      resources: [
        {
          ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/t",
          accountId: "111122223333",
          type: "AWS::DynamoDB::Table",
        },
      ],
      eventType: "AwsApiCall",
      apiVersion: "2012-08-10",
      managementEvent: false,
      recipientAccountId: "111122223333",
      eventCategory: "Data",
      tlsDetails: tls,
    }),
  );
});

describe("a failure", () => {
  test("of the service stands after the user agent; a denial proves the caller", async () => {
    const { book, records } = await world();
    const answer = { ...call.answer, status: 400 };
    await book.record({ ...call, answer }, understood({ errorCode: "AccessDenied", errorMessage: "No." }));
    const [record] = await records();
    expect(record).toMatchObject({
      errorCode: "AccessDenied",
      errorMessage: "No.",
      userIdentity: { type: "IAMUser" },
    });
    expect(record).not.toHaveProperty("additionalEventData");
  });

  test("to believe the signature leaves no more than the account", async () => {
    const { book, records } = await world();
    const answer = { ...call.answer, status: 403 };
    await book.record({ ...call, answer }, understood({ errorCode: "SignatureDoesNotMatch" }));
    expect((await records())[0]).toMatchObject({
      userIdentity: { type: "Unknown", accountId: "111122223333", accessKeyId: "AKIAMARY" },
      additionalEventData: { identityVerified: false, reason: "The service refused the signature." },
    });
  });

  test("of Cairn to reach the service has its own code", async () => {
    const { book, records } = await world();
    const failure = { code: "BadGateway", message: "Nobody answers." };
    await book.record({ ...call, failure, answer: { ...call.answer, status: 502 } }, understood());
    expect((await records())[0]).toMatchObject({
      errorCode: "BadGateway",
      errorMessage: "Nobody answers.",
      userIdentity: { type: "IAMUser" },
      additionalEventData: { identityVerified: false },
    });
  });
});

describe("copies", () => {
  const foreign = {
    resources: [{ ARN: "arn:aws:dynamodb:us-east-1:444455556666:table/t", accountId: "444455556666" }],
  };

  test("the owner of the resource gets one, and the caller is a foreign account in it", async () => {
    const { book, records } = await world();
    await book.record(call, understood(foreign));
    const [own, owners, ...more] = await records();
    expect(more).toEqual([]);
    expect(own).toMatchObject({ recipientAccountId: "111122223333", userIdentity: { type: "IAMUser" } });
    expect(owners).toMatchObject({
      recipientAccountId: "444455556666",
      userIdentity: { type: "AWSAccount", principalId: "AIDAMARYEXAMPLE", accountId: "111122223333" },
      requestParameters: { tableName: "t" },
    });
    expect(own?.["sharedEventID"]).toBe(owners?.["sharedEventID"]);
    expect(own?.["sharedEventID"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(own?.["eventID"]).not.toBe(owners?.["eventID"]);
  });

  test("nobody gets one of somebody whom no service believed", async () => {
    const { book, records } = await world();
    const answer = { ...call.answer, status: 403 };
    await book.record({ ...call, answer }, understood({ ...foreign, errorCode: "InvalidClientTokenId" }));
    expect(await records()).toHaveLength(1);
  });

  test("a role that may not be assumed is the caller's affair", async () => {
    const { book, records } = await world();
    const answer = { ...call.answer, status: 403 };
    const denied = { eventSource: "sts.amazonaws.com", eventName: "AssumeRole", errorCode: "AccessDenied" };
    await book.record({ ...call, answer }, understood({ ...foreign, ...denied }));
    expect(await records()).toHaveLength(1);
  });

  test("an anonymous call is the owner's", async () => {
    const { book, records } = await world();
    const { accessKeyId: _, ...caller } = call.caller;
    await book.record({ ...call, caller }, understood(foreign));
    expect(await records()).toMatchObject([
      {
        recipientAccountId: "444455556666",
        userIdentity: { type: "AWSAccount", accountId: "ANONYMOUS_PRINCIPAL" },
      },
    ]);
  });

  test("a VPC endpoint has its own records, without what was asked", async () => {
    const { book, records } = await world();
    const caller = { ...call.caller, vpcEndpointId: "vpce-1a2b3c4d" };
    await book.record({ ...call, caller }, understood());
    const [own, network, owners, ...more] = await records();
    expect(more).toEqual([]);
    expect(own).toMatchObject({
      eventType: "AwsApiCall",
      vpcEndpointId: "vpce-1a2b3c4d",
      vpcEndpointAccountId: "999988887777",
    });
    expect(own).not.toHaveProperty("sharedEventID");
    expect(Object.keys(network ?? {})).toEqual([
      ...[
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
      ],
      ...["requestID", "eventID", "eventType", "recipientAccountId", "sharedEventID", "vpcEndpointId"],
      ...["vpcEndpointAccountId", "eventCategory"],
    ]);
    expect(network).toMatchObject({ eventType: "AwsVpceEvent", recipientAccountId: "111122223333" });
    expect(owners).toMatchObject({
      recipientAccountId: "999988887777",
      userIdentity: { type: "AWSAccount" },
    });
    expect(network?.["sharedEventID"]).toBe(owners?.["sharedEventID"]);
  });
});

test("what an answer tells of a key counts for the next call", async () => {
  const { book, records } = await world();
  const issued = {
    accessKeyId: "ASIASESSION",
    kind: "assumedRole",
    arn: "arn:aws:sts::111122223333:assumed-role/Admin/build",
    principalId: "AROAEXAMPLE:build",
  } as const;
  await book.record(call, understood({ issued }));
  await book.record({ ...call, caller: { ...call.caller, accessKeyId: "ASIASESSION" } }, understood());
  expect((await records())[1]).toMatchObject({
    userIdentity: {
      type: "AssumedRole",
      sessionContext: { sessionIssuer: { arn: "arn:aws:iam::111122223333:role/Admin" } },
    },
  });
  await book.record(
    call,
    understood({
      ...{ eventSource: "iam.amazonaws.com", eventName: "DeleteAccessKey" },
      requestParameters: { accessKeyId: "ASIASESSION" },
    }),
  );
  await book.record({ ...call, caller: { ...call.caller, accessKeyId: "ASIASESSION" } }, understood());
  expect((await records()).at(-2)).toMatchObject({ userIdentity: { type: "Unknown" } });
});

test("what GetCallerIdentity says of a key counts, of its own account", async () => {
  const { book, records } = await world();
  const self = (account: string) => ({
    ...{ eventSource: "sts.amazonaws.com", eventName: "GetCallerIdentity", resources: [] },
    issued: {
      ...{ accessKeyId: "", principalId: "AIDAANN", arn: `arn:aws:iam::${account}:user/ann` },
      kind: "self" as const,
    },
  });
  const by = (accessKeyId: string) => ({ ...call, caller: { ...call.caller, accessKeyId } });
  await book.record(by("AKIAANN"), understood(self("123456789012")));
  await book.record(by("AKIAANN"), understood({ resources: [] }));
  await book.record(by("AKIAELSEWHERE"), understood(self("000000000000")));
  await book.record(by("AKIAELSEWHERE"), understood({ resources: [] }));
  expect((await records()).map(({ userIdentity }) => userIdentity)).toMatchObject([
    { type: "Unknown" },
    { type: "IAMUser", userName: "ann", accessKeyId: "AKIAANN" },
    { type: "Unknown" },
    { type: "Unknown", accountId: "123456789012" },
  ]);
});

test("a web identity is named by its token, for the account of the role", async () => {
  const { book, records } = await world();
  const { accessKeyId: _, ...caller } = call.caller;
  await book.record(
    { ...call, caller },
    understood({
      ...{ eventSource: "sts.amazonaws.com", eventName: "AssumeRoleWithWebIdentity" },
      resources: [{ ARN: "arn:aws:iam::444455556666:role/r", accountId: "444455556666" }],
      responseElements: {
        provider: "accounts.example.com",
        audience: "app",
        subjectFromWebIdentityToken: "42",
      },
    }),
  );
  expect(await records()).toMatchObject([
    {
      recipientAccountId: "444455556666",
      userIdentity: {
        type: "WebIdentityUser",
        principalId: "accounts.example.com:app:42",
        userName: "42",
        identityProvider: "accounts.example.com",
      },
    },
  ]);
});

describe("what a client sends", () => {
  test("never keeps its record out: half a surrogate pair is replaced", async () => {
    const { book, records } = await world();
    const odd = { name: "a\ud800b", path: "C:\\ud800", pair: "\u{1f600}" };
    expect(await book.record(call, understood({ requestParameters: odd }))).toBe(true);
    expect((await records())[0]).toMatchObject({
      requestParameters: { name: "a\ufffdb", path: "C:\\ud800", pair: "\u{1f600}" },
    });
  });

  test("of whatever characters and shape is in the record", async () => {
    const { book, records } = await world({ bytesMax: 100_000_000 });
    const text = fc.string({ unit: "binary", maxLength: 300 });
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" });
    const samples = fc.sample(fc.record({ text, value }), { numRuns: 100, seed: 7_021_994 });
    const sent = samples.map((parameters): JsonObject => JSON.parse(JSON.stringify(parameters)));
    const outcomes = sent.map((requestParameters, at) => {
      const errorMessage = samples[at]?.text ?? "";
      const caller = { ...call.caller, userAgent: errorMessage };
      return book.record({ ...call, caller }, understood({ requestParameters, errorMessage }));
    });
    expect(await Promise.all(outcomes)).toEqual(sent.map(() => true));
    expect((await records()).map((record) => record["requestParameters"])).toEqual(
      sent.map((parameters) => JSON.parse(wellFormed(JSON.stringify(parameters)))),
    );
  });

  test("that no record may hold is left out, and the record stays", async () => {
    const { book, records } = await world();
    // Deeper than the scanner goes.
    let deep: JsonObject = {};
    for (let depth = 0; depth < 2000; depth++) deep = { deep };
    expect(await book.record(call, understood({ requestParameters: deep, errorCode: "SomeError" }))).toBe(
      true,
    );
    expect(await records()).toMatchObject([
      {
        eventName: "PutItem",
        errorCode: "SomeError",
        requestParameters: { reason: "requestParameters not well-formed", omitted: true },
      },
    ]);
  });
});

describe("limits", () => {
  test("S3's user agent stands in brackets, cut to 1 KB", async () => {
    const { book, records } = await world();
    const caller = { ...call.caller, userAgent: "é".repeat(2000) };
    await book.record({ ...call, caller }, understood({ eventSource: "s3.amazonaws.com" }));
    const userAgent = String((await records())[0]?.["userAgent"]);
    expect(userAgent).toMatch(/^\[é+\]$/);
    expect(Buffer.byteLength(userAgent)).toBeLessThanOrEqual(1026);
  });

  test("objects that are each small enough and too large together lose the answer first", async () => {
    const { book, records } = await world();
    const large = { text: "x".repeat(101_000) };
    const resources = Array.from({ length: 400 }, (_, at) => ({
      ARN: `arn:aws:dynamodb:us-east-1:111122223333:table/${"t".repeat(180)}${at}`,
      accountId: "111122223333",
    }));
    expect(
      await book.record(call, understood({ requestParameters: large, responseElements: large, resources })),
    ).toBe(true);
    const [record] = await records();
    expect(record).toMatchObject({
      requestParameters: large,
      responseElements: { reason: "responseElements too large", omitted: true },
    });
    expect(JSON.stringify(record).length).toBeLessThan(256 * 1024);
  });

  test("a Region that is not configured becomes the default one; global services are in us-east-1", async () => {
    const { book, records } = await world();
    await book.record({ ...call, head: { ...call.head, region: region("xx-nowhere-1") } }, understood());
    await book.record(
      { ...call, head: { ...call.head, region: region("eu-west-1") } },
      understood({ eventSource: "iam.amazonaws.com" }),
    );
    expect((await records()).map((record) => record["awsRegion"])).toEqual(["us-east-1", "us-east-1"]);
  });
});

describe("room", () => {
  test("is kept while there is some beside the own calls' and is given back", async () => {
    const { book, records } = await world();
    const room = book.reserve();
    expect(room).toBeDefined();
    // 1,000,000 bytes less 600,000 for own calls: one room of 256 KB.
    expect(book.reserve()).toBeUndefined();
    expect(await book.record(call, understood(), room)).toBe(true);
    expect(await records()).toHaveLength(1);
    const again = book.reserve();
    expect(again).toBeDefined();
    again?.release();
    again?.release();
    expect(book.reserve()).toBeDefined();
  });

  test("a full journal refuses, and says so", async () => {
    const { book } = await world();
    const large = understood({ requestParameters: { text: "x".repeat(99_000) } });
    const outcomes: boolean[] = [];
    for (let count = 0; count < 6; count++) outcomes.push(await book.record(call, large));
    expect(outcomes).toContain(true);
    expect(outcomes.at(-1)).toBe(false);
  });

  test("a description that throws leaves a record of what the head tells", async () => {
    const { book, records } = await world();
    const broken = {
      ...understood(),
      describe: () => {
        throw new Error("a bug");
      },
    };
    expect(await book.record(call, broken)).toBe(true);
    expect(await records()).toMatchObject([
      { eventSource: "dynamodb.amazonaws.com", eventName: "Post", userIdentity: { type: "IAMUser" } },
    ]);
  });
});
