// What the S3 client makes of a store's answers: refused, unknown, missing, and features that a store lacks.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PutOutcome, PutRequest } from "../../src/bucket/contract.ts";
import { openS3Buckets, type S3Buckets } from "../../src/bucket/s3.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer = () => undefined;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  request.resume().on("end", () => answer(request, response));
});
let store: S3Buckets;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  store = await openStore((server.address() as AddressInfo).port);
});
beforeEach(() => requests.splice(0));
afterAll(() => {
  store.close();
  server.closeAllConnections();
  server.close();
});

function openStore(port: number): Promise<S3Buckets> {
  return openS3Buckets({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  });
}

function says(status: number, code?: string, html?: string): Answer {
  const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>As it is.</Message></Error>`;
  return (request, response) => {
    response.writeHead(status, { "content-type": code === undefined ? "text/html" : "application/xml" });
    response.end(request.method === "HEAD" ? undefined : code === undefined ? html : xml);
  };
}

const stores: Answer = (_request, response) => void response.writeHead(200, { etag: '"0123"' }).end();
const request: PutRequest = {
  bucket: "logs",
  key: "AWSLogs/x.json.gz",
  body: Buffer.from("bytes"),
  metadata: { contentType: "application/json", encryption: { algorithm: "AES256" } },
  acl: "bucket-owner-full-control",
};

describe("put", () => {
  const page = "<html><body>proxy</body></html>";
  const cases: readonly [string, Answer, Partial<PutOutcome & { code: string }>][] = [
    ["200", stores, { kind: "stored", ...{ etag: "0123" } }],
    ["403", says(403, "AccessDenied"), { kind: "refused", code: "AccessDenied" }],
    ["404", says(404, "NoSuchBucket"), { kind: "refused", code: "NoSuchBucket" }],
    ["KMS", says(400, "KMS.DisabledException"), { kind: "refused", code: "KMS.DisabledException" }],
    ["wrong Region", says(301, "PermanentRedirect"), { kind: "refused", code: "PermanentRedirect" }],
    [
      "a key that is not ours",
      says(403, "InvalidAccessKeyId"),
      { kind: "refused", code: "InvalidAccessKeyId" },
    ],
    ["slow down", says(503, "SlowDown"), { kind: "refused", code: "SlowDown" }],
    ["unavailable", says(503, "ServiceUnavailable"), { kind: "unknown" }],
    ["internal error", says(500, "InternalError"), { kind: "unknown" }],
    ["the store's time-out", says(400, "RequestTimeout"), { kind: "unknown" }],
    ["408", says(408, undefined, page), { kind: "unknown" }],
    ["429", says(429, undefined, page), { kind: "unknown" }],
    ["a proxy's 403", says(403, undefined, page), { kind: "refused", code: "AccessDenied" }],
    ["a proxy's 413", says(413, undefined, page), { kind: "refused", code: "Http413" }],
    ["a proxy's 502", says(502, undefined, page), { kind: "unknown" }],
    ["an empty 500", says(500, undefined, ""), { kind: "unknown" }],
    ["a closed connection", (incoming) => void incoming.socket.destroy(), { kind: "unknown" }],
  ];
  test.each(cases)("%s", async (_name, given, expected) => {
    answer = given;
    expect(await store.put(request)).toMatchObject(expected);
    expect(requests, "one attempt").toHaveLength(1);
  });

  test("sends what a log file needs, and nothing that older stores refuse", async () => {
    answer = stores;
    await store.put({
      ...request,
      metadata: { ...request.metadata, contentEncoding: "gzip", user: { signature: "ab" } },
    });
    const { headers, url, method } = requests[0] ?? {};
    expect([method, url?.split("?")[0]]).toEqual(["PUT", "/logs/AWSLogs/x.json.gz"]);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-encoding": "gzip",
      "content-length": "5",
      "content-md5": createHash("md5").update("bytes").digest("base64"),
      "x-amz-acl": "bucket-owner-full-control",
      "x-amz-server-side-encryption": "AES256",
      "x-amz-meta-signature": "ab",
    });
    expect(headers?.["x-amz-trailer"]).toBeUndefined();
    expect(headers?.["transfer-encoding"]).toBeUndefined();
  });

  test("a key of the caller's own", async () => {
    answer = stores;
    const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/0";
    await store.put({ ...request, metadata: { encryption: { algorithm: "aws:kms", keyArn } } });
    expect(requests[0]?.headers).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": keyArn,
    });
  });

  test("an abort is unknown", async () => {
    answer = () => undefined;
    const outcome = await store.put({ ...request, signal: AbortSignal.timeout(100) });
    expect(outcome.kind).toBe("unknown");
  });

  test("nobody there is unknown", async () => {
    const nowhere = await openStore(1);
    expect((await nowhere.put(request)).kind).toBe("unknown");
    expect(await nowhere.presence("logs")).toBe("unknown");
    expect((await nowhere.policy("logs")).kind).toBe("unreadable");
    await expect(nowhere.get("logs", "k")).rejects.toThrow();
    nowhere.close();
  });

  test("what a store lacks is left out, and left out from then on", async () => {
    const sent = (name: string) => requests.map(({ headers }) => headers[name] !== undefined);
    answer = (incoming, response) => {
      const { headers } = incoming;
      if (headers["x-amz-server-side-encryption"]) return says(501, "NotImplemented")(incoming, response);
      if (headers["x-amz-acl"]) return says(400, "AccessControlListNotSupported")(incoming, response);
      stores(incoming, response);
    };
    expect((await store.put({ ...request, bucket: "small" })).kind).toBe("stored");
    expect(sent("x-amz-server-side-encryption")).toEqual([true, false, false]);
    expect(sent("x-amz-acl")).toEqual([true, true, false]);
    requests.splice(0);
    expect((await store.put({ ...request, bucket: "small" })).kind).toBe("stored");
    expect(requests).toHaveLength(1);
    answer = stores;
    requests.splice(0);
    await store.put({ ...request, bucket: "large" });
    expect(sent("x-amz-acl"), "another bucket").toEqual([true]);
  });

  test("a store that implements nothing is refused in the end", async () => {
    answer = says(501, "NotImplemented");
    expect(await store.put({ ...request, bucket: "none" })).toMatchObject({
      kind: "refused",
      code: "NotImplemented",
    });
    expect(requests).toHaveLength(3);
  });

  test("a key of KMS is never left out", async () => {
    answer = says(501, "NotImplemented");
    const metadata = { encryption: { algorithm: "aws:kms", keyArn: "arn:aws:kms:x:1:key/0" } } as const;
    const { acl: _acl, ...bare } = request;
    expect((await store.put({ ...bare, bucket: "kms", metadata })).kind).toBe("refused");
    expect(requests).toHaveLength(1);
  });
});

describe("reading", () => {
  test.each([
    [200, "exists"],
    [301, "exists"],
    [403, "exists"],
    [404, "missing"],
    [400, "unknown"],
    [500, "unknown"],
    [503, "unknown"],
  ] as const)("HEAD of a bucket %i: %s", async (status, presence) => {
    answer = says(status);
    expect(await store.presence("logs")).toBe(presence);
  });

  test.each([
    ["NoSuchBucketPolicy", 404, "none"],
    ["AccessDenied", 403, "unreadable"],
    ["NotImplemented", 501, "unreadable"],
    ["NoSuchBucket", 404, "unreadable"],
    ["InternalError", 500, "unreadable"],
  ] as const)("policy, %s: %s", async (code, status, kind) => {
    answer = says(status, code);
    expect((await store.policy("logs")).kind).toBe(kind);
  });

  test("a policy", async () => {
    answer = (_request, response) => void response.writeHead(200).end('{"Version":"2012-10-17"}');
    expect(await store.policy("logs")).toEqual({ kind: "policy", text: '{"Version":"2012-10-17"}' });
  });

  test("answers of the store are BucketErrors, other failures are not", async () => {
    answer = says(403, "AccessDenied");
    await expect(store.get("logs", "k")).rejects.toMatchObject({ name: "BucketError", code: "AccessDenied" });
    await expect(store.list({ bucket: "logs" })).rejects.toMatchObject({
      name: "BucketError",
      code: "AccessDenied",
    });
    await expect(store.head("logs", "k")).rejects.toMatchObject({
      name: "BucketError",
      code: "AccessDenied",
    });
    answer = says(404, "NoSuchKey");
    expect(await store.get("logs", "k")).toBeUndefined();
    answer = (incoming) => void incoming.socket.destroy();
    await expect(store.get("logs", "k")).rejects.not.toMatchObject({ name: "BucketError" });
  });
});
