// CloudTrail calls over a real listener: every row of api.md §1.1-1.7, the records that calls leave, and the real SDK.
import {
  CloudTrailClient,
  CreateTrailCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
  ListChannelsCommand,
} from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { operationShapes } from "../../src/model/generated/shapes.ts";
import { call, mary, nobody, policy, type Running, send, session, startDoor } from "./door-fixture.ts";
import { type Signing, sign } from "./signing.ts";

let open: Running;
let closed: Running;

beforeAll(async () => {
  open = await startDoor();
  closed = await startDoor({ configuration: { auth: "on" } });
});
afterAll(async () => {
  await open.close();
  await closed.close();
});
beforeEach(() => {
  for (const { world } of [open, closed]) {
    world.attempts.length = 0;
    world.errors.length = 0;
    Object.assign(world, {
      durable: true,
      hasRoom: true,
      changes: 0,
      reserved: 0,
      released: 0,
      clockShiftMs: 0,
    });
  }
});

const jsonType = "application/x-amz-json-1.1";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("parse and dispatch (api.md §1.5)", () => {
  const target = { "x-amz-target": "CloudTrail_20131101.GetTrail" };
  const json = { "content-type": jsonType };
  const unknown = { status: 400, text: '{"__type":"UnknownOperationException"}' };
  const unreadable = { status: 400, text: '{"__type":"SerializationException"}' };
  const notJson = { status: 404, text: "<UnknownOperationException/>" };
  const says = (text: string) => ({
    status: 400,
    text: JSON.stringify({ __type: "SerializationException", Message: text }),
  });
  const rows: readonly (readonly [
    name: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    answer: { status: number; text: string },
  ])[] = [
    ["unknown operation", { ...json, "x-amz-target": "CloudTrail_20131101.MakeCoffee" }, "{}", unknown],
    ["an inherited name", { ...json, "x-amz-target": "CloudTrail_20131101.toString" }, "{}", unknown],
    ["prefix missing", { ...json, "x-amz-target": "GetTrail" }, "{}", unknown],
    ["prefix in another case", { ...json, "x-amz-target": "cloudtrail_20131101.GetTrail" }, "{}", unknown],
    ["operation in another case", { ...json, "x-amz-target": "CloudTrail_20131101.getTrail" }, "{}", unknown],
    ["header missing", json, "{}", unknown],
    ["content type missing", target, "{}", notJson],
    ["content type 1.0", { ...target, "content-type": "application/x-amz-json-1.0" }, "{}", notJson],
    ["content type of a form page", { ...target, "content-type": "text/plain" }, "{}", notJson],
    ["empty body", { ...json, ...target }, "", unreadable],
    ["body cut off", { ...json, ...target }, '{"Name":"x', unreadable],
    ["trailing comma", { ...json, ...target }, '{"Name":"abc",}', unreadable],
    ["null", { ...json, ...target }, "null", unreadable],
    ["bare string", { ...json, ...target }, '"abc"', unreadable],
    ["an array", { ...json, ...target }, "[]", says("Start of list found where not expected")],
    [
      "number for string",
      { ...json, ...target },
      '{"Name":1}',
      says("NUMBER_VALUE can not be converted to a String"),
    ],
    [
      "true for string",
      { ...json, ...target },
      '{"Name":true}',
      says("TRUE_VALUE can not be converted to a String"),
    ],
    [
      "false for string",
      { ...json, ...target },
      '{"Name":false}',
      says("FALSE_VALUE can not be converted to a String"),
    ],
    [
      "array for string",
      { ...json, ...target },
      '{"Name":[]}',
      says("Start of list found where not expected"),
    ],
    [
      "object for string",
      { ...json, ...target },
      '{"Name":{}}',
      says("Start of structure or map found where not expected."),
    ],
    [
      "string for integer",
      { ...json, "x-amz-target": "CloudTrail_20131101.LookupEvents" },
      '{"MaxResults":"5"}',
      says("STRING_VALUE can not be converted to an Integer"),
    ],
    [
      "string for list",
      { ...json, "x-amz-target": "CloudTrail_20131101.DescribeTrails" },
      '{"trailNameList":"x"}',
      says("Expected list or null"),
    ],
  ];

  test.each(rows)("%s", async (_name, headers, body, answer) => {
    const reply = await send(open.port, { method: "POST", headers, body });
    expect({ status: reply.status, text: reply.text }).toEqual(answer);
    expect(reply.headers["content-type"]).toBe(answer.status === 404 ? "application/xml" : jsonType);
    expect(reply.headers["x-amzn-requestid"]).toMatch(uuid);
    expect(reply.headers.date).toMatch(/ GMT$/);
    expect(reply.headers["x-amzn-errortype"]).toBeUndefined();
  });

  test.each(["GET", "PUT"])("%s of a call is no call", async (method) => {
    const reply = await send(open.port, {
      method,
      headers: { ...json, ...target },
      ...(method === "PUT" ? { body: "{}" } : {}),
    });
    expect([reply.status, reply.text]).toEqual([404, "<UnknownOperationException/>"]);
  });

  test.each([
    "CloudTrail_20131101.GetTrail",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail",
  ])("%s is answered", async (name) => {
    const headers = { "content-type": `${jsonType}; charset=utf-8`, "x-amz-target": name };
    const reply = await send(open.port, {
      method: "POST",
      target: "/?any=thing",
      headers,
      body: '{"Name":"good-one"}',
    });
    expect([reply.status, reply.text]).toEqual([200, '{"Trail":{"Name":"good-one"}}']);
    expect(reply.headers["content-type"]).toBe(jsonType);
  });

  test("RPC v2 CBOR is answered 404", async () => {
    const reply = await send(open.port, {
      method: "POST",
      target: "/service/CloudTrail_20131101/operation/GetTrail",
      headers: { "smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor" },
      body: "x",
    });
    expect([reply.status, reply.json()]).toEqual([404, { __type: "UnknownOperationException" }]);
  });
});

describe("answers (api.md §1.2, §1.4)", () => {
  test("an operation without output answers two bytes", async () => {
    expect((await call(open.port, "StartLogging", { Name: "good-one" })).text).toBe("{}");
  });

  test("a modelled error has Message with a capital M and 400", async () => {
    const reply = await call(open.port, "GetTrail", { Name: "missing" });
    expect(reply.status).toBe(400);
    expect(reply.text).toBe(
      '{"__type":"TrailNotFoundException","Message":"Unknown trail: missing for the user: 123456789012"}',
    );
  });

  test("times are numbers with milliseconds", async () => {
    const reply = await call(open.port, "GetTrailStatus", { Name: "good-one" });
    expect(reply.json()["StartLoggingTime"]).toBe(1_441_139_757.497);
  });

  test("a bug is answered 500 without its text, and logged with the request's id", async () => {
    const reply = await call(open.port, "DeleteTrail", { Name: "broken" });
    expect([reply.status, reply.json()["__type"]]).toEqual([500, "InternalFailure"]);
    expect(reply.text).not.toContain("secret");
    expect(open.world.errors.join()).toContain("secret inner workings");
    expect(open.world.errors.join()).toContain(reply.headers["x-amzn-requestid"] as string);
    expect(open.world.attempts[0]?.error?.code).toBe("InternalFailure");
  });

  test("every operation that is not there yet says so, and none is a 5xx", async () => {
    const names = Object.keys(operationShapes);
    expect(names.length).toBe(60);
    const codes = new Map<string, unknown>();
    for (const name of names) {
      const reply = await call(open.port, name, minimalInputs[name] ?? {});
      expect(reply.status, name).toBeLessThan(500);
      if (reply.status !== 200) codes.set(name, reply.json()["__type"]);
    }
    expect([...codes.values()].filter((code) => code === "UnsupportedOperationException").length).toBe(42);
  });
});

const arn = "arn:aws:cloudtrail:us-east-1:123456789012:eventdatastore/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const query = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const minimalInputs: Readonly<Record<string, object>> = {
  CancelQuery: { QueryId: query },
  CreateChannel: {
    Name: "name",
    Source: "Custom",
    Destinations: [{ Type: "EVENT_DATA_STORE", Location: arn }],
  },
  CreateDashboard: { Name: "name" },
  CreateEventDataStore: { Name: "name" },
  CreateTrail: { Name: "name", S3BucketName: "bucket" },
  DeleteChannel: { Channel: arn },
  DeleteDashboard: { DashboardId: "name" },
  DeleteEventDataStore: { EventDataStore: arn },
  DeleteResourcePolicy: { ResourceArn: arn },
  DeregisterOrganizationDelegatedAdmin: { DelegatedAdminAccountId: "123456789012" },
  DisableFederation: { EventDataStore: arn },
  EnableFederation: { EventDataStore: arn, FederationRoleArn: arn },
  GenerateQuery: { EventDataStores: [arn], Prompt: "what happened" },
  GetChannel: { Channel: arn },
  GetDashboard: { DashboardId: "name" },
  GetEventDataStore: { EventDataStore: arn },
  GetImport: { ImportId: query },
  GetQueryResults: { QueryId: query },
  GetResourcePolicy: { ResourceArn: arn },
  ListImportFailures: { ImportId: query },
  ListInsightsData: { InsightSource: arn, DataType: "InsightsEvents" },
  ListInsightsMetricData: {
    EventSource: "s3.amazonaws.com",
    EventName: "x",
    InsightType: "ApiCallRateInsight",
  },
  ListQueries: { EventDataStore: arn },
  ListTags: { ResourceIdList: [arn] },
  PutEventConfiguration: {},
  PutInsightSelectors: { InsightSelectors: [] },
  PutResourcePolicy: { ResourceArn: arn, ResourcePolicy: "{}" },
  RegisterOrganizationDelegatedAdmin: { MemberAccountId: "123456789012" },
  AddTags: { ResourceId: arn, TagsList: [] },
  RemoveTags: { ResourceId: arn, TagsList: [] },
  RestoreEventDataStore: { EventDataStore: arn },
  SearchSampleQueries: { SearchPhrase: "phrase" },
  StartDashboardRefresh: { DashboardId: "name" },
  StartEventDataStoreIngestion: { EventDataStore: arn },
  StopEventDataStoreIngestion: { EventDataStore: arn },
  StopImport: { ImportId: query },
  UpdateChannel: { Channel: arn },
  UpdateDashboard: { DashboardId: "name" },
  UpdateEventDataStore: { EventDataStore: arn },
};

describe("records of calls", () => {
  test("a change reserves room, then runs, then is recorded with input and output", async () => {
    const input = { Name: "new-trail", S3BucketName: "a-bucket", Unknown: 1 };
    const reply = await call(open.port, "CreateTrail", input, { "user-agent": "a-client/1" });
    expect(reply.status).toBe(200);
    const [attempt, ...more] = open.world.attempts;
    expect(more).toEqual([]);
    expect(attempt?.operation).toBe("CreateTrail");
    expect(attempt?.input).toEqual({ Name: "new-trail", S3BucketName: "a-bucket" });
    expect(attempt?.output).toEqual({ Name: "new-trail", S3BucketName: "a-bucket" });
    expect(attempt?.error).toBeUndefined();
    expect(attempt?.call).toMatchObject({
      region: "us-east-1",
      sourceIp: "127.0.0.1",
      userAgent: "a-client/1",
      requestId: reply.headers["x-amzn-requestid"],
      caller: { kind: "unverified", accountId: "123456789012", arn: "arn:aws:iam::123456789012:root" },
    });
    expect([open.world.reserved, open.world.released]).toEqual([1, 1]);
  });

  test("a read reserves nothing, and is recorded too", async () => {
    await call(open.port, "GetTrail", { Name: "good-one" });
    expect(open.world.reserved).toBe(0);
    expect(open.world.attempts.map((attempt) => attempt.operation)).toEqual(["GetTrail"]);
  });

  test.each([
    ["a business error", "GetTrail", { Name: "missing" }, "TrailNotFoundException"],
    ["a type error", "GetTrail", { Name: 1 }, "SerializationException"],
    ["an operation of a later issue", "ListChannels", {}, "UnsupportedOperationException"],
  ])("%s is recorded with its code", async (_name, operation, input, code) => {
    await call(open.port, operation, input);
    expect(open.world.attempts.map((attempt) => attempt.error?.code)).toEqual([code]);
  });

  test("without room nothing is changed", async () => {
    open.world.hasRoom = false;
    const reply = await call(open.port, "StartLogging", { Name: "good-one" });
    expect([reply.status, reply.json()]).toEqual([
      400,
      { __type: "ThrottlingException", Message: "Rate exceeded" },
    ]);
    expect(open.world.changes).toBe(0);
    expect(open.world.attempts.map((attempt) => attempt.error?.code)).toEqual(["ThrottlingException"]);
  });

  test("a read whose record is not durable is answered 503", async () => {
    open.world.durable = false;
    const reply = await call(open.port, "GetTrail", { Name: "good-one" });
    expect([reply.status, reply.json()["__type"], reply.headers["retry-after"]]).toEqual([
      503,
      "ServiceUnavailable",
      "1",
    ]);
  });

  test("a change whose record is not durable says what is", async () => {
    open.world.durable = false;
    const reply = await call(open.port, "StartLogging", { Name: "good-one" });
    expect([reply.status, reply.json()]).toEqual([
      500,
      {
        __type: "InternalFailure",
        Message: "The change was made, but the record of this call could not be kept.",
      },
    ]);
  });
});

/** A signed call of a CloudTrail operation. */
async function signedCall(options: {
  readonly operation: string;
  readonly input?: object;
  readonly signing?: Partial<Signing>;
  readonly headers?: Readonly<Record<string, string>>;
}) {
  const signed = await sign(
    {
      method: "POST",
      path: "/",
      headers: {
        host: `127.0.0.1:${closed.port}`,
        "content-type": jsonType,
        "x-amz-target": `CloudTrail_20131101.${options.operation}`,
      },
      body: JSON.stringify(options.input ?? {}),
    },
    { credentials: mary, service: "cloudtrail", ...options.signing },
  );
  return send(closed.port, { ...signed, headers: { ...signed.headers, ...options.headers } });
}

describe("authentication and authorization (api.md §1.6)", () => {
  const fiveMinutes = 300_000;
  const rows: readonly (readonly [
    name: string,
    Parameters<typeof signedCall>[0],
    code: string,
    text: RegExp | string,
  ])[] = [
    [
      "unknown key",
      { operation: "GetTrail", signing: { credentials: { ...mary, accessKeyId: "AKIAOTHER" } } },
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ],
    [
      "wrong secret",
      { operation: "GetTrail", signing: { credentials: { ...mary, secretAccessKey: "x" } } },
      "InvalidSignatureException",
      /^The request signature we calculated does not match/,
    ],
    [
      "too old",
      { operation: "GetTrail", signing: { at: new Date(Date.now() - fiveMinutes - 5000) } },
      "InvalidSignatureException",
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    ],
    [
      "too new",
      { operation: "GetTrail", signing: { at: new Date(Date.now() + fiveMinutes + 5000) } },
      "InvalidSignatureException",
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
    ],
    [
      "wrong Region",
      { operation: "GetTrail", signing: { region: "us-west-9" } },
      "InvalidSignatureException",
      "Credential should be scoped to a valid region.",
    ],
    [
      "wrong service",
      { operation: "GetTrail", signing: { service: "sns" } },
      "InvalidSignatureException",
      "Credential should be scoped to correct service: 'cloudtrail'.",
    ],
    [
      "session without token",
      {
        operation: "GetTrail",
        signing: {
          credentials: { accessKeyId: session.accessKeyId, secretAccessKey: session.secretAccessKey },
        },
      },
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ],
    [
      "session with a wrong token",
      { operation: "GetTrail", signing: { credentials: { ...session, sessionToken: "other" } } },
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ],
    [
      "denied",
      { operation: "GetTrail", input: { Name: "some-trail" }, signing: { credentials: nobody } },
      "AccessDeniedException",
      "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: cloudtrail:GetTrail on resource: arn:aws:cloudtrail:us-east-1:123456789012:trail/some-trail because no identity-based policy allows the cloudtrail:GetTrail action",
    ],
    [
      "denied in another Region",
      {
        operation: "GetTrail",
        input: { Name: "some-trail" },
        signing: { credentials: nobody, region: "eu-west-1" },
      },
      "AccessDeniedException",
      /trail\/some-trail because/,
    ],
    [
      "denied lookup",
      { operation: "LookupEvents", signing: { credentials: nobody } },
      "AccessDeniedException",
      "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action",
    ],
  ];

  test.each(rows)("%s", async (_name, options, code, text) => {
    const reply = await signedCall(options);
    expect(reply.status).toBe(400);
    const { __type, message, ...rest } = reply.json();
    expect([__type, rest]).toEqual([code, {}]);
    if (typeof text === "string") expect(message).toBe(text);
    else expect(message).toMatch(text);
    expect(closed.world.attempts.length).toBe(code === "AccessDeniedException" ? 1 : 0);
  });

  test("no signature", async () => {
    const reply = await call(closed.port, "GetTrail", { Name: "good-one" });
    expect([reply.status, reply.json()]).toEqual([
      400,
      { __type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" },
    ]);
    expect(closed.world.attempts).toEqual([]);
  });

  test("an incomplete header names what is missing and shows nothing of it", async () => {
    const reply = await call(
      closed.port,
      "GetTrail",
      {},
      { authorization: "AWS4-HMAC-SHA256 Credential=secret/20260101/us-east-1/cloudtrail/aws4_request" },
    );
    const { __type, message } = reply.json();
    expect(__type).toBe("IncompleteSignatureException");
    expect(message).toMatch(
      /^Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. Authorization header requires existence of either a 'X-Amz-Date'/,
    );
    expect(reply.text).not.toContain("secret");
  });

  test("sign errors come before a body that cannot be read", async () => {
    const reply = await call(closed.port, "GetTrail", "{");
    expect(reply.json()["__type"]).toBe("MissingAuthenticationTokenException");
  });

  test("a changed body does not pass", async () => {
    const signed = await sign(
      {
        method: "POST",
        path: "/",
        headers: {
          host: `127.0.0.1:${closed.port}`,
          "content-type": jsonType,
          "x-amz-target": "CloudTrail_20131101.GetTrail",
        },
        body: '{"Name":"good-one"}',
      },
      { credentials: mary, service: "cloudtrail" },
    );
    const reply = await send(closed.port, { ...signed, body: '{"Name":"evil-one"}' });
    expect(reply.json()["__type"]).toBe("InvalidSignatureException");
  });

  test("a good session, a presigned call, and both times of the clock's edge pass", async () => {
    expect(
      (await signedCall({ operation: "GetTrail", input: { Name: "abc" }, signing: { credentials: session } }))
        .status,
    ).toBe(200);
    expect(
      (await signedCall({ operation: "GetTrail", input: { Name: "abc" }, signing: { presignSeconds: 60 } }))
        .text,
    ).toBe('{"Trail":{"Name":"abc"}}');
    expect(
      (
        await signedCall({
          operation: "GetTrail",
          signing: { at: new Date(Date.now() - fiveMinutes + 5000) },
        })
      ).status,
    ).toBe(200);
  });

  test("type errors come before authorization, and authorization before anything is changed", async () => {
    const wrong = await signedCall({
      operation: "StartLogging",
      input: { Name: 1 },
      signing: { credentials: nobody },
    });
    expect(wrong.json()["__type"]).toBe("SerializationException");
    const denied = await signedCall({
      operation: "StartLogging",
      input: { Name: "abc" },
      signing: { credentials: nobody },
    });
    expect(denied.json()["__type"]).toBe("AccessDeniedException");
    expect([closed.world.changes, closed.world.reserved]).toEqual([0, 0]);
  });

  test("an explicit deny wins and is named", async () => {
    const known = closed.world.identities.get(nobody.accessKeyId);
    if (!known) throw new Error("There is no such identity.");
    const policies = [
      policy({ Effect: "Allow", Action: "*", Resource: "*" }),
      policy({ Effect: "Deny", Action: "cloudtrail:StopLogging", Resource: "*" }),
    ];
    closed.world.identities.set("AKIADENIED", { ...known, policies });
    const credentials = { ...nobody, accessKeyId: "AKIADENIED" };
    const reply = await signedCall({
      operation: "StopLogging",
      input: { Name: "abc" },
      signing: { credentials },
    });
    expect(reply.json()["message"]).toBe(
      "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: cloudtrail:StopLogging on resource: arn:aws:cloudtrail:us-east-1:123456789012:trail/abc with an explicit deny in an identity-based policy",
    );
  });

  test("a rotated secret, a changed policy and a new day count at once", async () => {
    const known = closed.world.identities.get(nobody.accessKeyId);
    if (!known) throw new Error("There is no such identity.");
    const accessKeyId = "AKIAROTATED";
    const codeOf = async (secretAccessKey: string, at = new Date()) => {
      const signing = { credentials: { accessKeyId, secretAccessKey }, at };
      const reply = await signedCall({ operation: "GetTrail", input: { Name: "abc" }, signing });
      return reply.status === 200 ? "OK" : reply.json()["__type"];
    };
    const allowed = [policy({ Effect: "Allow", Action: "*", Resource: "*" })];
    const reload = (secretAccessKey: string, policies: typeof allowed) =>
      closed.world.identities.set(accessKeyId, { ...known, secretAccessKey, policies });
    reload("old", allowed);
    expect([await codeOf("old"), await codeOf("new")]).toEqual(["OK", "InvalidSignatureException"]);
    reload("new", allowed);
    expect([await codeOf("old"), await codeOf("new")]).toEqual(["InvalidSignatureException", "OK"]);
    reload("new", []);
    expect(await codeOf("new")).toBe("AccessDeniedException");
    reload("new", allowed);
    closed.world.clockShiftMs = 86_400_000;
    const tomorrow = new Date(Date.now() + closed.world.clockShiftMs);
    expect([await codeOf("new", tomorrow), await codeOf("old", tomorrow), await codeOf("new")]).toEqual([
      "OK",
      "InvalidSignatureException",
      "InvalidSignatureException",
    ]);
  });

  test("a skewed clock can be corrected from the Date header", async () => {
    closed.world.clockShiftMs = 3_600_000;
    const reply = await signedCall({ operation: "GetTrail" });
    expect(reply.json()["message"]).toMatch(/^Signature expired/);
    const served = Date.parse(reply.headers.date ?? "");
    expect(Math.abs(served - Date.now() - 3_600_000)).toBeLessThan(5000);
  });
});

describe("authentication off", () => {
  const credential = (key: string, region = "us-east-2") =>
    `AWS4-HMAC-SHA256 Credential=${key}/20260101/${region}/cloudtrail/aws4_request, SignedHeaders=host, Signature=00`;

  test.each([
    [
      "12 digits are the account",
      credential("111122223333"),
      { accountId: "111122223333", accessKeyId: "111122223333" },
      "us-east-2",
    ],
    [
      "any other key is of the default account",
      credential("AKIAX"),
      { accountId: "123456789012", accessKeyId: "AKIAX" },
      "us-east-2",
    ],
    ["garbage is nobody's key", "Bearer x", { accountId: "123456789012" }, "us-east-1"],
  ])("%s", async (_name, authorization, caller, region) => {
    const reply = await call(open.port, "GetTrail", { Name: "abc" }, { authorization });
    expect(reply.status).toBe(200);
    const seen = open.world.attempts[0]?.call;
    expect(seen?.region).toBe(region);
    expect(seen?.caller).toEqual({
      ...caller,
      kind: "unverified",
      arn: `arn:aws:iam::${caller.accountId}:root`,
      principalId: caller.accountId,
    });
  });

  test("a Region that is not configured is refused", async () => {
    const reply = await call(
      open.port,
      "GetTrail",
      {},
      { authorization: credential("AKIAX", "mars-north-1") },
    );
    expect(reply.json()["message"]).toBe("Credential should be scoped to a valid region.");
  });
});

describe("the real SDK", () => {
  const client = () =>
    new CloudTrailClient({
      endpoint: closed.url.href,
      region: "us-east-1",
      credentials: mary,
      maxAttempts: 1,
    });

  test("reads and changes", async () => {
    const sdk = client();
    expect((await sdk.send(new DescribeTrailsCommand({}))).trailList).toEqual([]);
    expect((await sdk.send(new GetTrailCommand({ Name: "abc" }))).Trail?.Name).toBe("abc");
    expect((await sdk.send(new CreateTrailCommand({ Name: "abc", S3BucketName: "b" }))).Name).toBe("abc");
    expect((await sdk.send(new GetTrailStatusCommand({ Name: "abc" }))).StartLoggingTime?.getTime()).toBe(
      1_441_139_757_497,
    );
    sdk.destroy();
  });

  test("sees errors by their class", async () => {
    const sdk = client();
    await expect(sdk.send(new DeleteTrailCommand({ Name: "missing" }))).rejects.toMatchObject({
      name: "TrailNotFoundException",
      message: "Unknown trail: missing for the user: 123456789012",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(sdk.send(new ListChannelsCommand({}))).rejects.toMatchObject({
      name: "UnsupportedOperationException",
    });
    sdk.destroy();
  });
});
