// What the bucket door tells the recorder of its calls: who, what, how many bytes; and what happens when there is no room.
import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import type { DirectoryStore } from "../../src/bucket/object-contract.ts";
import { createBucketDoor } from "../../src/bucket/s3-door.ts";
import { createMetrics } from "../../src/door/metrics.ts";
import { type AnsweredCalls, createAnsweredCalls } from "../../src/recorder/answered-calls.ts";
import type { CallDescription, PassedCall } from "../../src/recorder/contract.ts";
import type { RecorderPolicy } from "../../src/recorder/ports.ts";
import { createServiceBook } from "../../src/recorder/service-book.ts";
import { account, mary, nobody, type Reply, type Running, send, startDoor } from "./door-fixture.ts";
import { sign } from "./signing.ts";

const clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms: number) => sleep(ms),
};
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** What the journal does, and what it was told. */
const journal = {
  policy: "pass-and-count" as RecorderPolicy,
  hasRoom: true,
  isDurable: true,
  /** Records wait for this. */
  gate: Promise.resolve(),
  calls: [] as { call: PassedCall; description: CallDescription }[],
  rooms: 0,
  released: 0,
};

let root = "";
let store: DirectoryStore;
let answered: AnsweredCalls;
let door: Running;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cairn-records-"));
  store = openDirectoryBuckets({ root, clock });
  answered = createAnsweredCalls({
    ...{ services: createServiceBook(), clock, log, metrics: createMetrics().metrics },
    policy: () => journal.policy,
    calls: {
      reserve() {
        if (!journal.hasRoom) return undefined;
        journal.rooms++;
        return { release: () => void journal.released++ };
      },
      async record(call, understood) {
        await journal.gate;
        journal.calls.push({ call, description: understood.describe(call, account("123456789012")) });
        return journal.isDurable;
      },
    },
  });
  const buckets = { bucketDoor: createBucketDoor(store, { log }), bucketCalls: answered };
  door = await startDoor({ configuration: { auth: "on" }, buckets });
  await store.create("a-bucket");
});
afterEach(async () => {
  await answered.settled();
  Object.assign(journal, {
    policy: "pass-and-count",
    hasRoom: true,
    isDurable: true,
    gate: Promise.resolve(),
  });
  journal.calls.length = 0;
});
afterAll(async () => {
  expect(door.world.errors).toEqual([]);
  await door.close();
  await rm(root, { recursive: true, force: true });
});

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly as?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

async function signed(
  method: string,
  path: string,
  { query = {}, headers = {}, body = "", as = mary }: Asked = {},
) {
  const host = `127.0.0.1:${door.port}`;
  const request = { method, path, query, headers: { host, "user-agent": "tests/1", ...headers }, body };
  return sign(request, { credentials: as, service: "s3" });
}

async function ask(method: string, path: string, asked: Asked = {}): Promise<Reply> {
  return send(door.port, await signed(method, path, asked));
}

/** The one record that was made. */
async function recorded() {
  // A client may have its answer before the record is made.
  for (let waited = 0; waited < 100 && journal.calls.length === 0; waited++) await sleep(20);
  await answered.settled();
  expect(journal.calls).toHaveLength(1);
  const [only] = journal.calls;
  if (!only) throw new Error("There is no record.");
  return only;
}

describe("a call", () => {
  test("that puts an object: who, which, how many bytes, and nothing of the object", async () => {
    const body = "the object itself";
    expect(
      (await ask("PUT", "/a-bucket/dir/k", { body, headers: { "content-type": "text/x" } })).status,
    ).toBe(200);
    const { call, description } = await recorded();
    expect(call).toMatchObject({
      head: { service: "s3", region: "us-east-1", method: "PUT", path: "/a-bucket/dir/k" },
      ...{ bytesIn: body.length, bytesOut: 0, answer: { status: 200 } },
      request: { kind: "cut" },
      caller: {
        verified: { kind: "user", arn: "arn:aws:iam::123456789012:user/mary" },
        signature: { version: "SigV4", method: "AuthHeader" },
        ...{ sourceIp: "127.0.0.1", userAgent: "tests/1" },
      },
    });
    expect(call.request.bytes).toHaveLength(0);
    expect(call.finishedMs).toBeGreaterThanOrEqual(call.startedMs);
    expect(description).toMatchObject({
      ...{ eventSource: "s3.amazonaws.com", eventName: "PutObject", readOnly: false, eventCategory: "Data" },
      requestParameters: { bucketName: "a-bucket", key: "dir/k" },
      requestID: call.requestId,
    });
  });

  const names: readonly [string, string, Asked, string, "Management" | "Data"][] = [
    ["PUT", "/b-new", {}, "CreateBucket", "Management"],
    ["GET", "/", {}, "ListBuckets", "Management"],
    ["GET", "/a-bucket", { query: { location: "" } }, "GetBucketLocation", "Management"],
    ["DELETE", "/a-bucket", { query: { policy: "" } }, "DeleteBucketPolicy", "Management"],
    ["GET", "/a-bucket", { query: { "list-type": "2" } }, "ListObjects", "Data"],
    ["POST", "/a-bucket/k", { query: { uploads: "" } }, "CreateMultipartUpload", "Data"],
    ["GET", "/a-bucket", { query: { uploads: "" } }, "ListMultipartUploads", "Management"],
    ["DELETE", "/a-bucket/k", {}, "DeleteObject", "Data"],
    ["PUT", "/a-bucket/c", { headers: { "x-amz-copy-source": "a-bucket/dir/k" } }, "CopyObject", "Data"],
    ["GET", "/a-bucket/c", { query: { tagging: "" } }, "GetObjectTagging", "Data"],
  ];
  test.each(names)("%s %s %j is a %s event", async (method, path, asked, eventName, eventCategory) => {
    await ask(method, path, asked);
    const { description } = await recorded();
    expect(description).toMatchObject({ eventName, eventCategory });
    expect(description.errorCode).toBeUndefined();
  });

  test("that is denied, or fails", async () => {
    expect((await ask("GET", "/a-bucket/dir/k", { as: nobody })).status).toBe(403);
    const denied = await recorded();
    expect(denied.description).toMatchObject({ eventName: "GetObject", errorCode: "AccessDenied" });
    expect(denied.call.caller.verified?.arn).toBe("arn:aws:iam::123456789012:user/nobody");
    journal.calls.length = 0;
    await ask("GET", "/a-bucket/none");
    expect((await recorded()).description).toMatchObject({ errorCode: "NoSuchKey" });
    journal.calls.length = 0;
    await ask("PUT", "/a-bucket/k", { headers: { "content-md5": "nonsense" }, body: "x" });
    expect((await recorded()).description).toMatchObject({
      eventName: "PutObject",
      errorCode: "InvalidDigest",
    });
  });

  test("by a presigned URL says so, and keeps the signature to itself", async () => {
    const host = `127.0.0.1:${door.port}`;
    const request = await sign(
      {
        method: "GET",
        path: "/a-bucket/dir/k",
        headers: { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      },
      { credentials: mary, service: "s3", presignSeconds: 60 },
    );
    expect((await send(door.port, request)).text).toBe("the object itself");
    const { call, description } = await recorded();
    expect(call.caller.signature).toEqual({ version: "SigV4", method: "QueryString" });
    expect(description.additionalEventData).toMatchObject({ AuthenticationMethod: "QueryString" });
    const signature = /X-Amz-Signature=([0-9a-f]{64})/.exec(request.target)?.[1] ?? "none";
    expect(JSON.stringify(description)).not.toContain(signature);
  });

  test("by a presigned URL of the old kind does so too", async () => {
    const expires = Math.floor(Date.now() / 1000) + 60;
    const text = `GET\n\n\n${expires}\n/a-bucket/dir/k`;
    const signature = createHmac("sha1", mary.secretAccessKey).update(text).digest("base64");
    const query = new URLSearchParams({
      ...{ AWSAccessKeyId: mary.accessKeyId, Signature: signature, Expires: String(expires) },
    });
    const reply = await send(door.port, { target: `/a-bucket/dir/k?${query.toString()}` });
    expect(reply.text).toBe("the object itself");
    const { call, description } = await recorded();
    expect(call.caller).toMatchObject({
      verified: { arn: "arn:aws:iam::123456789012:user/mary" },
      signature: { version: "SigV2", method: "QueryString" },
    });
    expect(description.eventName).toBe("GetObject");
    expect(JSON.stringify(description)).not.toContain(signature);
    expect(JSON.stringify(description)).not.toContain(encodeURIComponent(signature));
  });

  test("by somebody who is not known leaves no record", async () => {
    const stranger = { accessKeyId: "AKIASTRANGER", secretAccessKey: "x" };
    expect((await ask("GET", "/a-bucket/dir/k", { as: stranger })).status).toBe(403);
    expect((await ask("GET", "/a-bucket/dir/k", { as: { ...mary, secretAccessKey: "wrong" } })).status).toBe(
      403,
    );
    await answered.settled();
    expect(journal.calls).toEqual([]);
  });

  test("with a configuration in its body shows that, as far as it is asked for", async () => {
    const resource = "arn:aws:s3:::a-bucket/*";
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: resource };
    const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    expect((await ask("PUT", "/a-bucket", { query: { policy: "" }, body })).status).toBe(204);
    const { description } = await recorded();
    expect(JSON.stringify(description.requestParameters)).toContain(resource);
  });
});

const large = Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef");

describe("a large object", () => {
  beforeAll(async () => {
    await store.put({ bucket: "a-bucket", key: "large", body: large, metadata: {} });
  });

  test("is recorded when it has been read, with the bytes that passed", async () => {
    const reply = await ask("GET", "/a-bucket/large");
    expect([reply.status, reply.headers["content-length"], reply.text === large.toString()]).toEqual([
      200,
      String(large.length),
      true,
    ]);
    const { call } = await recorded();
    expect([call.bytesOut, call.answer.body.bytes.length]).toEqual([large.length, 0]);
    journal.calls.length = 0;
    const part = await ask("GET", "/a-bucket/large", { headers: { range: "bytes=5-9" } });
    expect([part.status, part.text]).toEqual([206, "56789"]);
    expect((await recorded()).call.bytesOut).toBe(5);
  });

  test("is refused, and recorded, while too many are being read", async () => {
    const buckets = { bucketDoor: createBucketDoor(store, { log }), bucketCalls: answered };
    const narrow = await startDoor({ buckets, limits: { bytesInFlightMax: 200 * 1024 } });
    const host = `127.0.0.1:${narrow.port}`;
    const request = await sign(
      { method: "GET", path: "/a-bucket/large", headers: { host } },
      { credentials: mary, service: "s3" },
    );
    const reply = await send(narrow.port, request);
    expect([reply.status, reply.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await recorded()).description).toMatchObject({ errorCode: "ServiceUnavailable" });
    await narrow.close();
  });

  test("whose reader goes away is recorded too, and let go", async () => {
    await store.put({ bucket: "a-bucket", key: "huge", body: Buffer.alloc(48 * 1024 * 1024), metadata: {} });
    const request = await signed("GET", "/a-bucket/huge");
    const socket = connect(door.port, "127.0.0.1");
    const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
    socket.write([`GET ${request.target} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    const { call } = await recorded();
    expect(call.bytesOut).toBeLessThan(48 * 1024 * 1024);
    await store.deleteObject("a-bucket", "huge");
  });

  test("ends only when its record is made, where it must be", async () => {
    journal.policy = "record-or-refuse";
    let openGate = (): void => undefined;
    journal.gate = new Promise((resolve) => {
      openGate = resolve;
    });
    let isOver = false;
    const reply = ask("GET", "/a-bucket/large").finally(() => {
      isOver = true;
    });
    await sleep(300);
    expect(isOver).toBe(false);
    openGate();
    expect((await reply).text.length).toBe(large.length);
  });

  test("is cut off when its record cannot be made", async () => {
    Object.assign(journal, { policy: "record-or-refuse", isDurable: false });
    await expect(ask("GET", "/a-bucket/large")).rejects.toMatchObject({ code: "ECONNRESET" });
    door.world.errors.length = 0;
  });
});

describe("while the journal takes nothing", () => {
  test("calls pass and are counted", async () => {
    journal.isDurable = false;
    const before = answered.unrecorded().count;
    expect((await ask("GET", "/a-bucket/dir/k")).status).toBe(200);
    await answered.settled();
    expect(answered.unrecorded().count).toBe(before + 1);
  });

  test("or are refused before anything is done", async () => {
    Object.assign(journal, { policy: "record-or-refuse", hasRoom: false });
    const reply = await ask("PUT", "/a-bucket/refused", { body: "x" });
    expect([reply.status, reply.headers["retry-after"], /<Code>(\w+)</.exec(reply.text)?.[1]]).toEqual([
      503,
      "1",
      "ServiceUnavailable",
    ]);
    expect(await store.head("a-bucket", "refused")).toBeUndefined();
    expect(journal.calls).toEqual([]);
  });

  test("or get no answer that says they were done", async () => {
    Object.assign(journal, { policy: "record-or-refuse", isDurable: false });
    const reply = await ask("PUT", "/a-bucket/unsure", { body: "x" });
    expect([reply.status, /<Code>(\w+)</.exec(reply.text)?.[1]]).toEqual([500, "InternalError"]);
  });

  test("the room of a call is used or given back", async () => {
    journal.policy = "record-or-refuse";
    await ask("GET", "/a-bucket/dir/k");
    await ask("PUT", "/a-bucket/k", { headers: { "content-md5": "nonsense" }, body: "x" });
    expect(journal.calls).toHaveLength(2);
  });
});
