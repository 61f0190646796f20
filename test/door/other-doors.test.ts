// The doors beside the CloudTrail one, over a real listener: events, audit events, buckets, health, metrics, identity.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  account,
  connectRaw,
  mary,
  nobody,
  policy,
  region,
  type Running,
  type Sent,
  send,
  startDoor,
} from "./door-fixture.ts";
import type { TrailReport } from "../../src/door/ports.ts";
import { type Signing, sign, type Unsigned } from "./signing.ts";

let open: Running;
let closed: Running;
const organization = {
  id: "o-exampleorgid",
  managementAccount: account("123456789012"),
  members: [account("123456789012"), account("111122223333")],
};

beforeAll(async () => {
  open = await startDoor({ configuration: { organization } });
  closed = await startDoor({ configuration: { auth: "on", metricsToken: "the-metrics-token" } });
});
afterAll(async () => {
  await open.close();
  await closed.close();
});
beforeEach(() => {
  for (const { world } of [open, closed]) {
    world.batches.length = 0;
    world.bucketRequests.length = 0;
    world.errors.length = 0;
    Object.assign(world, { ready: true, intake: { kind: "answered", accepted: 1, rejected: [] } });
  }
});

async function signed(
  door: Running,
  request: Partial<Unsigned>,
  signing: Partial<Signing> & { service: string },
) {
  const host = `127.0.0.1:${door.port}`;
  const unsigned = { method: "POST", path: "/", ...request, headers: { host, ...request.headers } };
  const out = await sign(unsigned, { credentials: mary, ...signing });
  return send(door.port, out);
}

function trailReport(name: string, note?: string): TrailReport {
  return {
    arn: `arn:aws:cloudtrail:us-east-1:123456789012:trail/${name}`,
    isLogging: true,
    isDeleted: false,
    destinations: [
      {
        kind: "bucket",
        target: "s3://trail-logs/",
        failing: {
          sinceMs: 1_768_000_000_000,
          code: "AccessDenied",
          attempts: 3,
          nextTryMs: 1_768_000_070_000,
        },
        waiting: { files: 1, records: 2, bytes: 300, oldestMs: 1_768_000_000_000 },
        givenUp: { files: 0, records: 0 },
        ...(note !== undefined && { note }),
      },
    ],
  };
}

const events = (body: Sent["body"], headers: Sent["headers"] = {}) =>
  send(open.port, { method: "POST", target: "/events", headers, ...(body === undefined ? {} : { body }) });

describe("POST /events", () => {
  test.each([
    ["all accepted", { kind: "answered", accepted: 2, rejected: [] }, 200],
    ["an empty batch", { kind: "answered", accepted: 0, rejected: [] }, 200],
    [
      "some rejected",
      { kind: "answered", accepted: 1, rejected: [{ index: 1, code: "InvalidData", message: "m" }] },
      200,
    ],
    [
      "all rejected",
      { kind: "answered", accepted: 0, rejected: [{ index: 0, code: "InvalidData", message: "m" }] },
      400,
    ],
  ] as const)("%s: %#", async (_name, outcome, status) => {
    open.world.intake = outcome;
    const reply = await events("[]");
    expect([reply.status, reply.json()]).toEqual([
      status,
      { accepted: outcome.accepted, rejected: outcome.rejected },
    ]);
    expect(reply.headers["content-type"]).toBe("application/json");
  });

  test("a body of no known form: 400 with the reason", async () => {
    open.world.intake = { kind: "malformed", message: "The body is no JSON." };
    const reply = await events("x");
    expect([reply.status, reply.json()]).toEqual([
      400,
      { __type: "SerializationException", message: "The body is no JSON." },
    ]);
  });

  test("a full journal: 503 and when to come back", async () => {
    open.world.intake = { kind: "busy", message: "The journal is full.", retryAfterSeconds: 7 };
    const reply = await events("[]");
    expect([reply.status, reply.headers["retry-after"]]).toEqual([503, "7"]);
    expect(reply.json()).toEqual({ __type: "ThrottlingException", message: "The journal is full." });
  });

  test("a broken intake: 500 without details", async () => {
    open.world.intake = "reject";
    const reply = await events("[]");
    expect([reply.status, reply.json()["__type"]]).toEqual([500, "InternalFailure"]);
    expect(reply.text).not.toContain("burns");
    expect(open.world.errors.join()).toContain("the disk burns");
  });

  const text = '{"eventID":"é"}\n';
  test.each([
    ["plain", Buffer.from(text), {}],
    ["gzip by header", gzipSync(text), { "content-encoding": "gzip" }],
    ["gzip by its first bytes", gzipSync(text), {}],
    ["gzip of two members", Buffer.concat([gzipSync(text.slice(0, 5)), gzipSync(text.slice(5))]), {}],
    ["identity", Buffer.from(text), { "content-encoding": "identity" }],
  ])("%s arrives as it was", async (_name, body, headers) => {
    expect((await events(body, headers)).status).toBe(200);
    expect(Buffer.from(open.world.batches[0]?.bytes ?? []).toString("utf8")).toBe(text);
  });

  test.each([
    ["said to be gzip", Buffer.from("[]"), { "content-encoding": "gzip" }, 400],
    ["gzip cut off", gzipSync(text).subarray(0, 15), {}, 400],
    ["gzip with a wrong checksum", Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)]), {}, 400],
    ["another encoding", Buffer.from("[]"), { "content-encoding": "br" }, 415],
  ])("%s: refused, the intake not asked", async (_name, body, headers, status) => {
    const reply = await events(body, headers);
    expect(reply.status).toBe(status);
    expect(reply.json()["message"]).toMatch(/\.$/);
    expect(open.world.batches).toEqual([]);
  });

  test.each(["GET", "PUT", "DELETE", "OPTIONS"])("%s: 405 with Allow, and no CORS", async (method) => {
    const reply = await send(open.port, { method, target: "/events" });
    expect([reply.status, reply.headers.allow]).toEqual([405, "POST"]);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("without authentication everybody may put records of every account", async () => {
    await events("[]");
    const [batch] = open.world.batches;
    expect(batch?.mayPut(account("999999999999"))).toBe(true);
    expect(batch?.caller.kind).toBe("unverified");
  });

  test("with authentication a signature is needed", async () => {
    const reply = await send(closed.port, { method: "POST", target: "/events", body: "[]" });
    expect([reply.status, reply.json()["__type"]]).toEqual([400, "MissingAuthenticationTokenException"]);
    expect(closed.world.batches).toEqual([]);
  });

  test.each([
    ["cairn", 200],
    ["execute-api", 200],
    ["cloudtrail", 200],
    ["sqs", 400],
  ])("signed for %s: %i", async (service, status) => {
    const reply = await signed(closed, { path: "/events", body: "[]" }, { service });
    expect(reply.status).toBe(status);
  });

  test("policies decide per account, and the Region is the signature's", async () => {
    const known = closed.world.identities.get(nobody.accessKeyId);
    if (!known) throw new Error("There is no such identity.");
    const policies = [
      policy({ Effect: "Allow", Action: "cairn:PutEvents", Resource: "arn:aws:cairn:*:111122223333:events" }),
      policy({
        Effect: "Allow",
        Action: "cairn:PutEvents",
        Resource: "arn:aws:cairn:us-east-2:444455556666:events",
      }),
    ];
    closed.world.identities.set("AKIASHIPPER", { ...known, policies });
    const credentials = { ...nobody, accessKeyId: "AKIASHIPPER" };
    await signed(closed, { path: "/events", body: "[]" }, { service: "cairn", credentials });
    await signed(
      closed,
      { path: "/events", body: "[]" },
      { service: "cairn", credentials, region: "us-east-2" },
    );
    const asked = closed.world.batches.map((batch) =>
      ["111122223333", "444455556666", "123456789012"].map((id) => batch.mayPut(account(id))),
    );
    expect(asked).toEqual([
      [true, false, false],
      [true, true, false],
    ]);
  });
});

describe("PutAuditEvents (api.md §1.8)", () => {
  const path = "/PutAuditEvents";
  const query = { channelArn: "arn:aws:cloudtrail:us-east-1:123456789012:channel/x" };

  test("is not there yet, in the shape of REST JSON", async () => {
    const reply = await signed(closed, { path, query, body: "{}" }, { service: "cloudtrail-data" });
    expect([reply.status, reply.headers["x-amzn-errortype"], reply.headers["content-type"]]).toEqual([
      400,
      "UnsupportedOperationException",
      "application/json",
    ]);
    expect(reply.json()).toEqual({ message: "The operation requested is not supported in the region." });
  });

  test.each([
    ["unsigned", undefined, "MissingAuthenticationTokenException"],
    ["signed for another service", { service: "cloudtrail" }, "InvalidSignatureException"],
    ["not allowed", { service: "cloudtrail-data", credentials: nobody }, "AccessDeniedException"],
  ])("%s", async (_name, signing, code) => {
    const reply = signing
      ? await signed(closed, { path, query, body: "{}" }, signing)
      : await send(closed.port, { method: "POST", target: path, body: "{}" });
    expect([reply.status, reply.headers["x-amzn-errortype"]]).toEqual([400, code]);
  });

  test("without a channel, and at another path", async () => {
    const without = await signed(closed, { path, body: "{}" }, { service: "cloudtrail-data" });
    expect([without.status, without.headers["x-amzn-errortype"]]).toEqual([400, "ValidationException"]);
    const elsewhere = await signed(closed, { path: "/Other", body: "{}" }, { service: "cloudtrail-data" });
    expect([elsewhere.status, elsewhere.headers["x-amzn-errortype"]]).toEqual([
      404,
      "UnknownOperationException",
    ]);
  });
});

describe("the way to the bucket door", () => {
  const hashed = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };

  test("a signed request arrives with its body, its caller and what the caller may do", async () => {
    const request = {
      method: "PUT",
      path: "/a-bucket/events%2Fk%C3%A9y",
      query: { tagging: "" },
      body: "bytes",
    };
    const reply = await signed(
      closed,
      { ...request, headers: { ...hashed, "x-amz-meta-a": "b" } },
      { service: "s3" },
    );
    expect([reply.status, reply.text]).toEqual([200, "an object"]);
    const [seen] = closed.world.bucketRequests;
    expect(seen).toMatchObject({ method: "PUT", path: "/a-bucket/events%2Fk%C3%A9y" });
    expect(seen?.query.has("tagging")).toBe(true);
    expect(seen?.headers["x-amz-meta-a"]).toBe("b");
    expect(Buffer.from(seen?.body ?? []).toString()).toBe("bytes");
    expect(seen?.caller.userName).toBe("mary");
    expect(seen?.may("s3:PutObject", "arn:aws:s3:::a-bucket/x")).toBe(true);
    expect(seen?.requestId).toBe(reply.headers["x-amzn-requestid"]);
  });

  test("by default nothing is allowed", async () => {
    await signed(
      closed,
      { method: "GET", path: "/b", headers: hashed },
      { service: "s3", credentials: nobody },
    );
    expect(closed.world.bucketRequests[0]?.may("s3:GetObject", "arn:aws:s3:::b/k")).toBe(false);
  });

  test("a bucket may be called like one of the door's own paths", async () => {
    for (const path of ["/events", "/healthz", "/metrics"]) {
      await signed(closed, { method: "GET", path, headers: hashed }, { service: "s3" });
    }
    expect(closed.world.bucketRequests.map((request) => request.path)).toEqual([
      "/events",
      "/healthz",
      "/metrics",
    ]);
  });

  test("a presigned link works, and its signature is no query of the bucket's", async () => {
    const reply = await signed(
      closed,
      { method: "GET", path: "/b/k", headers: hashed },
      { service: "s3", presignSeconds: 60 },
    );
    expect(reply.status).toBe(200);
    expect([...(closed.world.bucketRequests[0]?.query.keys() ?? [])]).toEqual([]);
  });

  test.each([
    ["unknown key", { ...mary, accessKeyId: "AKIAOTHER" }, 403, "InvalidAccessKeyId"],
    ["wrong secret", { ...mary, secretAccessKey: "x" }, 403, "SignatureDoesNotMatch"],
  ])("%s: as S3 says it", async (_name, credentials, status, code) => {
    const reply = await signed(
      closed,
      { method: "GET", path: "/b", headers: hashed },
      { service: "s3", credentials },
    );
    expect([reply.status, reply.headers["content-type"]]).toEqual([status, "application/xml"]);
    expect(reply.text).toContain(`<Code>${code}</Code>`);
    expect(closed.world.bucketRequests).toEqual([]);
  });

  test("a streamed body loses its framing", async () => {
    const body = "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    const headers = {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "11",
      "x-amz-trailer": "x-amz-checksum-crc32",
      "content-encoding": "aws-chunked",
    };
    const reply = await signed(closed, { method: "PUT", path: "/b/k", headers, body }, { service: "s3" });
    expect(reply.status).toBe(200);
    const [seen] = closed.world.bucketRequests;
    expect(Buffer.from(seen?.body ?? []).toString()).toBe("hello world");
    expect(seen?.headers).toMatchObject({ "content-length": "11", "x-amz-checksum-crc32": "AAAAAA==" });
    expect(seen?.headers).not.toHaveProperty("content-encoding");
    const cut = await signed(
      closed,
      { method: "PUT", path: "/b/k", headers, body: body.slice(0, 12) },
      { service: "s3" },
    );
    expect([cut.status, cut.text]).toEqual([400, expect.stringContaining("<Code>IncompleteBody</Code>")]);
  });

  test("behind an S3 endpoint the door says where buckets are", async () => {
    const door = await startDoor({ withoutBucketDoor: true });
    const reply = await signed(door, { method: "GET", path: "/b", headers: hashed }, { service: "s3" });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("endpoints.s3")]);
    await door.close();
  });

  test("a header that HTTP does not allow becomes a 500, not a crash", async () => {
    open.world.bucketAnswer = { status: 200, headers: { "x-amz-meta-a": "line\nbreak" }, body: "" };
    const reply = await signed(open, { method: "GET", path: "/b/k", headers: hashed }, { service: "s3" });
    expect(reply.status).toBe(500);
    expect(open.world.errors.join()).toContain("cannot be written");
    open.world.bucketAnswer = { status: 200, headers: {}, body: "" };
  });

  test("HEAD keeps the length the door tells, 304 has none", async () => {
    open.world.bucketAnswer = { status: 200, headers: { "Content-Length": "123" }, body: "" };
    const head = await signed(open, { method: "HEAD", path: "/b/k", headers: hashed }, { service: "s3" });
    expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "123", ""]);
    open.world.bucketAnswer = { status: 304, headers: {}, body: "" };
    const same = await signed(open, { method: "GET", path: "/b/k", headers: hashed }, { service: "s3" });
    expect([same.status, same.headers["content-length"]]).toEqual([304, undefined]);
  });
});

describe("pages for operators", () => {
  test("alive and ready", async () => {
    expect((await send(open.port, { target: "/healthz" })).text).toBe("alive\n");
    const ready = await send(open.port, { target: "/readyz" });
    expect([ready.status, ready.json()]).toEqual([200, { ready: true, parts: { journal: { ok: true } } }]);
    open.world.ready = false;
    const notReady = await send(open.port, { target: "/readyz" });
    expect([notReady.status, notReady.json()["parts"]]).toEqual([
      503,
      { journal: { ok: false, detail: "The journal is full." } },
    ]);
    expect((await send(open.port, { target: "/healthz" })).status).toBe(200);
  });

  test.each(["/healthz", "/readyz", "/metrics", "/statusz"])("%s is for reading", async (target) => {
    const reply = await send(open.port, { method: "POST", target, body: "x" });
    expect([reply.status, reply.headers.allow]).toEqual([405, "GET, HEAD"]);
    expect((await send(open.port, { method: "HEAD", target })).text).toBe("");
  });

  test("metrics are for this machine without a token, and need it when there is one", async () => {
    const free = await send(open.port, { target: "/metrics" });
    expect([free.status, free.headers["content-type"]]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    expect(free.text).toMatch(/^cairn_connections \d+$/m);
    expect((await send(closed.port, { target: "/metrics" })).status).toBe(401);
    const wrong = { authorization: "Bearer the-metrics-tokem" };
    expect((await send(closed.port, { target: "/metrics", headers: wrong })).status).toBe(401);
    const right = { authorization: "Bearer the-metrics-token" };
    expect((await send(closed.port, { target: "/metrics", headers: right })).status).toBe(200);
  });

  test("the status is guarded like the metrics", async () => {
    expect((await send(open.port, { target: "/statusz" })).status).toBe(200);
    const stranger = await send(closed.port, { target: "/statusz" });
    expect([stranger.status, stranger.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect(stranger.json()["message"]).toContain("The status can be read with the header Authorization");
    const wrong = { authorization: "Bearer the-metrics-tokem" };
    expect((await send(closed.port, { target: "/statusz", headers: wrong })).status).toBe(401);
    const right = { authorization: "Bearer the-metrics-token" };
    expect((await send(closed.port, { target: "/statusz", headers: right })).status).toBe(200);
  });

  test("the status is the report, narrowed to one trail by name or ARN", async () => {
    const trails = ["first", "my-first", "second"].map((name) => trailReport(name));
    open.world.trails = trails;
    const ask = (target: string) => send(open.port, { target });
    const whole = await ask("/statusz");
    expect(whole.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
    expect(whole.json()).toEqual({
      startedMs: 1_768_000_000_000,
      nowMs: 1_768_000_060_000,
      health: { ready: true, parts: { journal: { ok: true } } },
      journal: { bytes: 4096, bytesMax: 1_000_000 },
      isCut: false,
      trails,
    });
    const narrowed = async (trail: string) =>
      (await ask(`/statusz?trail=${encodeURIComponent(trail)}`)).json()["trails"];
    expect(await narrowed("first")).toEqual([trails[0]]);
    expect(await narrowed(trails[2]?.arn ?? "")).toEqual([trails[2]]);
    expect(await narrowed("third")).toEqual([]);
    expect(await narrowed("")).toEqual([]);
  });

  test("a deleted trail is told of while there is something to tell", async () => {
    const report = trailReport("gone");
    const [destination] = report.destinations;
    if (!destination) throw new Error("The report has no destination.");
    const { failing: _, ...quiet } = { ...destination, waiting: { files: 0, records: 0, bytes: 0 } };
    const lost = { ...quiet, givenUp: { files: 1, records: 1 } };
    const cases = [[quiet], [quiet, destination], [lost], []];
    open.world.trails = cases.map((destinations) => ({ ...report, isDeleted: true, destinations }));
    const { trails } = (await send(open.port, { target: "/statusz" })).json();
    expect(trails).toMatchObject([{ destinations: cases[1] }, { destinations: cases[2] }]);
    open.world.trails = [{ ...report, destinations: [quiet] }];
    expect((await send(open.port, { target: "/statusz" })).json()["trails"]).toHaveLength(1);
  });

  test("the status lists so many trails, says when there are more, and asks for no more of them", async () => {
    let made = 0;
    open.world.trails = {
      *[Symbol.iterator]() {
        for (;;) yield trailReport(`trail-${(made += 1)}`);
      },
    };
    const cut = (await send(open.port, { target: "/statusz" })).json();
    expect([cut["isCut"], cut["trails"]]).toEqual([true, expect.objectContaining({ length: 10_000 })]);
    expect(made).toBe(10_001);
    const note = "n".repeat(1024 * 1024);
    open.world.trails = Array.from({ length: 40 }, (_, index) => trailReport(`trail-${index}`, note));
    const large = (await send(open.port, { target: "/statusz" })).json();
    expect([large["isCut"], large["trails"]]).toEqual([true, expect.objectContaining({ length: 31 })]);
    open.world.trails = [];
  });

  test("the front page says what this is; elsewhere there is nothing", async () => {
    expect((await send(open.port, { target: "/" })).text).toContain("This is Cairn");
    const nothing = await send(open.port, { target: "/favicon.ico" });
    expect([nothing.status, nothing.json()["__type"]]).toEqual([404, "NotFound"]);
  });
});

describe("identity calls and other services", () => {
  const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const identity = "Action=GetCallerIdentity&Version=2011-06-15";

  test("GetCallerIdentity", async () => {
    const reply = await signed(
      closed,
      { headers: form, body: identity },
      { service: "sts", credentials: nobody },
    );
    expect([reply.status, reply.headers["content-type"]]).toEqual([200, "text/xml"]);
    expect(reply.text).toContain(
      "<Arn>arn:aws:iam::123456789012:user/nobody</Arn><UserId>AIDANOBODY</UserId><Account>123456789012</Account>",
    );
    const link = await signed(
      closed,
      { method: "GET", query: Object.fromEntries(new URLSearchParams(identity)) },
      { service: "sts", presignSeconds: 60 },
    );
    expect(link.status).toBe(200);
  });

  test.each([
    ["unsigned", undefined, identity, 403, "MissingAuthenticationToken"],
    [
      "unknown key",
      { credentials: { ...mary, accessKeyId: "AKIAX" } },
      identity,
      403,
      "InvalidClientTokenId",
    ],
    ["another action", {}, "Action=AssumeRole", 400, "InvalidAction"],
  ])("STS, %s", async (_name, signing, body, status, code) => {
    const reply = signing
      ? await signed(closed, { headers: form, body }, { service: "sts", ...signing })
      : await send(closed.port, { method: "POST", headers: form, body });
    expect([reply.status, /<Code>(\w+)<\/Code>/.exec(reply.text)?.[1]]).toEqual([status, code]);
  });

  const describeOrganization = {
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSOrganizationsV20161128.DescribeOrganization",
    },
    body: "{}",
  };
  test("DescribeOrganization", async () => {
    const reply = await signed(open, describeOrganization, { service: "organizations" });
    expect(reply.json()).toEqual({
      Organization: {
        Id: "o-exampleorgid",
        Arn: "arn:aws:organizations::123456789012:organization/o-exampleorgid",
        FeatureSet: "ALL",
        MasterAccountArn: "arn:aws:organizations::123456789012:account/o-exampleorgid/123456789012",
        MasterAccountId: "123456789012",
        AvailablePolicyTypes: [],
      },
    });
    const none = await signed(closed, describeOrganization, { service: "organizations" });
    expect([none.status, none.json()["__type"]]).toEqual([400, "AWSOrganizationsNotInUseException"]);
    const denied = await signed(closed, describeOrganization, {
      service: "organizations",
      credentials: nobody,
    });
    expect(denied.json()["__type"]).toBe("AccessDeniedException");
  });

  test.each([
    [
      "dynamodb",
      { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables" },
      "UnknownOperationException",
    ],
    ["iam", form, "<Code>UnsupportedOperation</Code>"],
    [
      "lambda",
      { "content-type": "application/json" },
      "No endpoint is configured for the service lambda (setting endpoints.lambda).",
    ],
  ])("%s has no endpoint here: 400, which nobody retries", async (service, headers, text) => {
    const reply = await signed(closed, { headers, body: "x" }, { service });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(text)]);
    expect(reply.text).toContain(`endpoints.${service}`);
  });
});

const openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"].find((path) =>
  existsSync(path),
);

describe.skipIf(!openssl)("TLS (skipped without openssl)", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cairn-tls-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function certificateFor(name: string) {
    const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const subject = ["-subj", `/CN=${name}`, "-days", "2", "-nodes", "-newkey", "rsa:2048"];
    execFileSync(openssl ?? "", ["req", "-x509", ...subject, "-keyout", key, "-out", certificate], {
      stdio: "ignore",
    });
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  }

  /** Status, the server's name and the body of one HTTPS request. */
  function get(port: number, headers: Readonly<Record<string, string>>, body: string) {
    return new Promise<{ status: number | undefined; name: string | undefined }>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port,
          method: "POST",
          headers: { ...headers },
          rejectUnauthorized: false,
          agent: false,
        },
        (response) => {
          const socket = response.socket as TLSSocket;
          resolve({ status: response.statusCode, name: String(socket.getPeerCertificate().subject.CN) });
          response.resume();
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  test("a call has its TLS details, a reload takes the new certificate, plain HTTP does no harm", async () => {
    const tls = certificateFor("first");
    const configuration = { tls };
    const door = await startDoor({ configuration });
    expect(door.url.protocol).toBe("https:");
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "CloudTrail_20131101.ListTrails",
    };
    expect(await get(door.port, headers, "{}")).toEqual({ status: 200, name: "first" });
    expect(door.world.attempts[0]?.call.tls).toEqual({
      tlsVersion: "TLSv1.3",
      cipherSuite: expect.stringMatching(/^TLS_/),
      clientProvidedHostHeader: `127.0.0.1:${door.port}`,
    });
    await connectRaw(door.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").received(500);
    Object.assign(tls, certificateFor("second"));
    door.door.reload();
    expect(await get(door.port, headers, "{}")).toEqual({ status: 200, name: "second" });
    // A handshake that never comes does not keep the door from closing.
    const silent = connectRaw(door.port);
    await new Promise((resolve) => silent.socket.once("connect", resolve));
    const started = Date.now();
    await door.close();
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

test("the Region of an unsigned request is the configured one", async () => {
  const door = await startDoor({ configuration: { defaultRegion: region("eu-west-1") } });
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "CloudTrail_20131101.ListTrails",
  };
  await send(door.port, { method: "POST", headers, body: "{}" });
  expect(door.world.attempts[0]?.call.region).toBe("eu-west-1");
  await door.close();
});
