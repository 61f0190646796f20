// The other AWS services when they answer badly or not at all. Servers of our own on loopback.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogGroup, ServiceOutcome, Services } from "../../src/aws/contract.ts";
import { clientOptions } from "../../src/aws/endpoint.ts";
import { openServices, type ServiceEndpoints } from "../../src/aws/services.ts";
import { parseRegion } from "../../src/model/regions.ts";
import { realClock } from "../../src/world.ts";
import { freePort } from "../harness/versitygw.ts";
import { useCredentials } from "./aws-credentials.ts";

const topicArn = "arn:aws:sns:eu-west-1:123456789012:log-files";
const keyArn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000";
const trailArn = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/my-trail";
const group: LogGroup = {
  arn: "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*",
  roleArn: "arn:aws:iam::123456789012:role/cairn-logs",
};
const secret = "secret-of-the-test-key";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
const closers: (() => void)[] = [];

beforeEach(() => useCredentials({ accessKeyId: "AKIAEXAMPLE000000000", secretAccessKey: secret }));
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that treats every request in one way. */
async function serverThat(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then((body) => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has a port
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function openAt(url: string, changes: Partial<ServiceEndpoints> = {}, clock = realClock): Services {
  const here = { kind: "url", url } as const;
  const services = openServices(
    { sns: here, logs: here, events: here, kms: here, eventBusName: "default", ...changes },
    clock,
  );
  closers.push(() => services.close());
  return services;
}

type AnyCall = (services: Services, signal?: AbortSignal) => Promise<{ readonly kind: string } | undefined>;
const region = parseRegion("eu-west-1");
const calls: readonly (readonly [string, AnyCall])[] = [
  ["Publish", async ({ topics }, signal) => topics?.publish(topicArn, "x", signal)],
  ["CreateLogStream", async ({ logGroups }, signal) => logGroups?.createStream(group, "s", signal)],
  [
    "PutLogEvents",
    async ({ logGroups }, signal) => logGroups?.putEvents({ group, stream: "s", events: [] }, signal),
  ],
  ["PutEvents", async ({ buses }, signal) => (region ? buses?.putEvents(region, [], signal) : undefined)],
  ["DescribeKey", async ({ keys }, signal) => keys?.describe(keyArn, signal)],
  ["GenerateDataKey", async ({ keys }, signal) => keys?.probe(keyArn, trailArn, signal)],
];

describe.each(calls)("%s", (_name, call) => {
  test("ends as unknown when its signal aborts a request that nobody answers", async () => {
    const stop = new AbortController();
    const url = await serverThat(() => stop.abort());
    expect(await call(openAt(url), stop.signal)).toEqual({
      kind: "unknown",
      message: "No answer came before the request was given up.",
    });
  });

  test("is not sent when it was given up before", async () => {
    let requests = 0;
    const url = await serverThat((_request, response) => void (requests++, response.end()));
    expect(await call(openAt(url), AbortSignal.abort())).toMatchObject({ kind: "unknown" });
    expect(requests).toBe(0);
  });

  test("is unknown when the connection is refused", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await call(openAt(url))).toMatchObject({
      kind: "unknown",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("is unknown when the server falls over, after one attempt", async () => {
    let requests = 0;
    const url = await serverThat((_request, response) => {
      requests++;
      response.writeHead(500, { "content-type": "text/html" }).end("<html>a stack</html>");
    });
    expect(await call(openAt(url))).toMatchObject({ kind: "unknown" });
    expect(requests).toBe(1);
  });

  test("is unknown when the connection breaks instead of an answer", async () => {
    const url = await serverThat((_request, response) => response.destroy());
    expect(await call(openAt(url))).toMatchObject({ kind: "unknown" });
  });

  test("is refused by a proxy's 403 without a code", async () => {
    const url = await serverThat((_request, response) => void response.writeHead(403).end("forbidden"));
    expect(await call(openAt(url))).toMatchObject({ kind: "refused", code: "AccessDenied" });
  });

  test("never says the secret, whatever the server echoes about the request", async () => {
    const url = await serverThat((_request, response) => void response.writeHead(418).end());
    expect(JSON.stringify(await call(openAt(url)))).not.toContain(secret);
  });
});

function json(status: number, body: unknown): Answer {
  return (_request, response) =>
    void response
      .writeHead(status, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify(body));
}

describe("an error code", () => {
  test.each([
    [400, "AccessDeniedException", { kind: "refused", code: "AccessDeniedException" }],
    [400, "ThrottlingException", { kind: "refused", code: "ThrottlingException" }],
    [503, "ThrottlingException", { kind: "refused", code: "ThrottlingException" }],
    [500, "KMSInternalException", { kind: "unknown" }],
    [408, "RequestTimeoutException", { kind: "unknown" }],
  ])("%i %s of KMS", async (status, __type, outcome) => {
    const { keys } = openAt(await serverThat(json(status, { __type, message: "why" })));
    expect(await keys?.probe(keyArn, trailArn)).toMatchObject(outcome);
  });

  test("of SNS is the one on the wire, not the SDK's name for it", async () => {
    const error = "<Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error>";
    const url = await serverThat((_request, response) => {
      response.writeHead(403, { "content-type": "text/xml" }).end(`<ErrorResponse>${error}</ErrorResponse>`);
    });
    expect(await openAt(url).topics?.publish(topicArn, "x")).toEqual({
      kind: "refused",
      code: "AuthorizationError",
      message: "no",
    });
  });
});

test("entries that the bus says nothing about are unknown", async () => {
  const { buses } = openAt(await serverThat(json(200, { FailedEntryCount: 0, Entries: [] })));
  const event = { source: "a", detailType: "b", detail: "{}", timeMs: 0, resources: [] };
  expect(region && (await buses?.putEvents(region, [event]))).toMatchObject({ kind: "unknown" });
});

test("a data key is asked for with the trail as its context", async () => {
  let asked: unknown;
  const url = await serverThat((request, response, body) => {
    asked = JSON.parse(body);
    json(200, { KeyId: keyArn, Plaintext: "AAAA", CiphertextBlob: "AAAA" })(request, response, body);
  });
  expect(await openAt(url).keys?.probe(keyArn, trailArn)).toEqual({ kind: "done" });
  expect(asked).toEqual({
    KeyId: keyArn,
    KeySpec: "AES_256",
    EncryptionContext: { "aws:cloudtrail:arn": trailArn },
  });
});

describe("AWS's own endpoint", () => {
  /** Where a client with these options would send a message; nothing is sent. */
  async function hostOf(options: ReturnType<typeof clientOptions>): Promise<string | undefined> {
    let host: string | undefined;
    const handle = (request: { readonly hostname: string }) => {
      host = request.hostname;
      return Promise.reject(new Error("Nothing is sent."));
    };
    const client = new SNSClient({ ...options, requestHandler: { handle } });
    await client.send(new PublishCommand({ TopicArn: topicArn, Message: "x" })).catch(() => {});
    return host;
  }

  test("is AWS's, also where AWS_ENDPOINT_URL points clients at Cairn", async () => {
    process.env["AWS_ENDPOINT_URL"] = "http://cairn.internal:4577";
    closers.push(() => delete process.env["AWS_ENDPOINT_URL"]);
    const options = clientOptions({ kind: "aws" }, "eu-west-1");
    expect(await hostOf(options)).toBe("sns.eu-west-1.amazonaws.com");
    expect(await hostOf({ ...options, ignoreConfiguredEndpointUrls: false })).toBe("cairn.internal");
  });

  test("gives way to a given one", async () => {
    const given = { kind: "url", url: "http://moto.internal:5000" } as const;
    expect(await hostOf(clientOptions(given, "eu-west-1"))).toBe("moto.internal");
  });
});

describe("an assumed role", () => {
  const startMs = Date.UTC(2026, 0, 10, 9);
  let nowMs = startMs;
  /** Requests in order: `sts` and the session token of the others. */
  let seen: string[] = [];
  let expiresMs = 0;
  let logs: { readonly status: number; readonly body: unknown } = { status: 200, body: {} };
  let stsStatus = 200;
  const clock = { ...realClock, nowMs: () => nowMs };

  beforeEach(() => {
    nowMs = startMs;
    seen = [];
    expiresMs = startMs + 3_600_000;
    logs = { status: 200, body: {} };
    stsStatus = 200;
  });

  async function services(): Promise<Services> {
    const url = await serverThat((request, response, body) => {
      if (!body.includes("Action=AssumeRole")) {
        seen.push(String(request.headers["x-amz-security-token"]));
        json(logs.status, logs.body)(request, response, body);
        return;
      }
      expect(new URLSearchParams(body).get("RoleSessionName")).toBe("cairn");
      seen.push("sts");
      response.writeHead(stsStatus, { "content-type": "text/xml" }).end(assumed());
    });
    return openAt(url, { sts: { kind: "url", url } }, clock);
  }

  function assumed(): string {
    const session = seen.filter((what) => what === "sts").length;
    const expiration = new Date(expiresMs).toISOString();
    return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>session-${session}</SessionToken><Expiration>${expiration}</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
  }

  test("is assumed once for many requests at once and after each other", async () => {
    const { logGroups } = await services();
    const streams = ["a", "b", "c"].map(async (name) => logGroups?.createStream(group, name));
    expect(await Promise.all(streams)).toEqual([{ kind: "done" }, { kind: "done" }, { kind: "done" }]);
    await logGroups?.createStream(group, "d");
    expect(seen).toEqual(["sts", "session-1", "session-1", "session-1", "session-1"]);
  });

  test("is assumed again shortly before its credentials expire", async () => {
    // The SDK keeps the credentials, too, by the real clock.
    nowMs = realClock.nowMs();
    expiresMs = nowMs + 3_600_000;
    const { logGroups } = await services();
    const assumptions = () => seen.filter((what) => what === "sts").length;
    await logGroups?.createStream(group, "a");
    nowMs += 3_600_000 - 7 * 60_000;
    await logGroups?.createStream(group, "b");
    expect(assumptions()).toBe(1);
    nowMs += 2 * 60_000;
    await logGroups?.createStream(group, "c");
    expect(assumptions()).toBe(2);
  });

  test("is assumed again when the log service finds its credentials invalid", async () => {
    nowMs = realClock.nowMs();
    expiresMs = nowMs + 3_600_000;
    const { logGroups } = await services();
    logs = { status: 400, body: { __type: "UnrecognizedClientException" } };
    expect(await logGroups?.createStream(group, "a")).toMatchObject({ kind: "refused" });
    logs = { status: 200, body: {} };
    expect(await logGroups?.createStream(group, "a")).toEqual({ kind: "done" });
    expect(seen).toEqual(["sts", "session-1", "sts", "session-2"]);
  });

  test("a caller who gives up leaves the others waiting for the same answer", async () => {
    let answerSts = () => {};
    const asked = new Promise<void>((resolve) => {
      answerSts = resolve;
    });
    const url = await serverThat((request, response, body) => {
      if (!body.includes("Action=AssumeRole")) json(200, {})(request, response, body);
      else void asked.then(() => response.end(assumed()));
    });
    const { logGroups } = openAt(url, { sts: { kind: "url", url } }, clock);
    const stop = new AbortController();
    const hasty = logGroups?.createStream(group, "a", stop.signal);
    const patient: Promise<ServiceOutcome | undefined> = (async () => logGroups?.createStream(group, "b"))();
    stop.abort();
    expect(await hasty).toMatchObject({ kind: "unknown" });
    answerSts();
    expect(await patient).toEqual({ kind: "done" });
  });

  test("is not refused but unknown when STS falls over", async () => {
    stsStatus = 503;
    const { logGroups } = await services();
    expect(await logGroups?.createStream(group, "a")).toMatchObject({ kind: "unknown" });
    expect(seen).toEqual(["sts"]);
  });
});
