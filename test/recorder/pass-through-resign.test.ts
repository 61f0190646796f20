// Endpoints with `resign`: callers are verified and authorized here, their requests signed again. versitygw judges the new
// signatures of S3, another door of Cairn those of the other protocols; the clients are real.
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createServiceBook } from "../../src/recorder/service-book.ts";
import {
  identityOf,
  mary,
  nobody,
  policy,
  type Reply,
  type Running,
  send,
  session,
  startDoor,
} from "../door/door-fixture.ts";
import { sign } from "../door/signing.ts";
import { describeWith } from "../harness/outside-program.ts";
import { type S3Server, versitygw, versitygwCredentials, versitygwServer } from "../harness/versitygw.ts";
import { type RecorderOptions, type RunningRecorder, startRecorder, until } from "./recorder-fixture.ts";

const region = "us-east-1";
const careful = { accessKeyId: "AKIACAREFUL", secretAccessKey: "carefuls-secret" };
const open: Running[] = [];
afterEach(async () => {
  for (const running of open.splice(0)) {
    expect(running.world.errors).toEqual([]);
    await running.close();
  }
});

async function start(more: RecorderOptions): Promise<RunningRecorder> {
  const running = await startRecorder({
    ...more,
    services: createServiceBook(),
    configuration: { auth: "on", s3Domains: ["s3.example.com"], ...more.configuration },
  });
  open.push(running);
  return running;
}

describeWith([versitygw])("S3 behind versitygw", () => {
  let server: S3Server;
  let running: RunningRecorder;
  beforeAll(async () => {
    server = await versitygwServer();
    await server.start();
  });
  afterAll(() => server.dispose());

  async function client(
    credentials: { accessKeyId: string; secretAccessKey: string } = mary,
  ): Promise<S3Client> {
    running = await start({
      endpoints: { s3: { target: { kind: "url", url: server.url }, resign: versitygwCredentials } },
    });
    return new S3Client({
      endpoint: running.url.href,
      region,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
  }

  test("objects go up and down by the SDK: buffers, streams with trailing checksums, parts, copies, deletions", async () => {
    const s3 = await client();
    await s3.send(new CreateBucketCommand({ Bucket: "resigned" }));
    const where = { Bucket: "resigned", Key: "ein Name/mit ü+&=?" };
    await s3.send(
      new PutObjectCommand({ ...where, Body: "hello", ContentType: "text/plain", Metadata: { a: "b  c" } }),
    );
    const got = await s3.send(new GetObjectCommand(where));
    expect([await got.Body?.transformToString(), got.ContentType, got.Metadata]).toEqual([
      "hello",
      "text/plain",
      { a: "b  c" },
    ]);
    const large = Buffer.alloc(3_000_000, "abcdefg");
    await s3.send(
      new PutObjectCommand({
        Bucket: "resigned",
        Key: "stream",
        Body: Readable.from([large]),
        ContentLength: large.length,
      }),
    );
    expect((await s3.send(new HeadObjectCommand({ Bucket: "resigned", Key: "stream" }))).ContentLength).toBe(
      3_000_000,
    );

    const upload = { Bucket: "resigned", Key: "parts" };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...upload, ChecksumAlgorithm: "CRC32" }),
    );
    const Body = Buffer.alloc(5 * 1024 * 1024, "p");
    const part = await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body }));
    const { ETag, ChecksumCRC32 } = part;
    const Parts = [{ PartNumber: 1, ...(ETag && { ETag }), ...(ChecksumCRC32 && { ChecksumCRC32 }) }];
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
    await s3.send(new CopyObjectCommand({ Bucket: "resigned", Key: "copy", CopySource: "resigned/parts" }));
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: "resigned" }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(["copy", where.Key, "parts", "stream"]);
    await s3.send(
      new DeleteObjectsCommand({
        Bucket: "resigned",
        Delete: { Objects: [{ Key: "copy" }, { Key: "parts" }] },
      }),
    );
    await until(() => running.recorded.calls.length === 11, "eleven records");
    for (const call of running.recorded.calls) {
      expect(call.caller.verified?.userName).toBe("mary");
      expect(call.caller.accessKeyId).toBe(mary.accessKeyId);
    }
    s3.destroy();
  });

  test("who may not is refused in S3's form, and that is recorded; who is not known is refused without a record", async () => {
    const denied = await client(nobody);
    const attempt = denied.send(new GetObjectCommand({ Bucket: "resigned", Key: "stream" }));
    await expect(attempt).rejects.toMatchObject({ name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
    expect(running.recorded.calls).toHaveLength(1);
    const [call] = running.recorded.calls;
    expect(call?.failure?.code).toBe("AccessDenied");
    expect(call?.failure?.message).toContain("s3:GetObject");
    expect(call?.caller.verified?.userName).toBe("nobody");
    const wrong = await client({ ...mary, secretAccessKey: "guessed" });
    const guess = wrong.send(new GetObjectCommand({ Bucket: "resigned", Key: "stream" }));
    await expect(guess).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
    const stranger = await client({ accessKeyId: "AKIASTRANGER", secretAccessKey: "x" });
    const strange = stranger.send(new GetObjectCommand({ Bucket: "resigned", Key: "stream" }));
    await expect(strange).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
    expect(running.recorded.calls).toHaveLength(0);
    expect(running.recorded.counts.get("recorder_refused_total not authenticated")).toBe(1);
  });

  test("deletions and copies need to be allowed for each object", async () => {
    const s3 = await client();
    const allBut = policy(
      { Effect: "Allow", Action: "*", Resource: "*" },
      {
        Effect: "Deny",
        Action: ["s3:DeleteObject", "s3:GetObject"],
        Resource: "arn:aws:s3:::resigned/keep/*",
      },
    );
    const user = identityOf("careful", careful.secretAccessKey, [allBut]);
    running.world.identities.set(careful.accessKeyId, user);
    for (const Key of ["keep/it", "drop/it"])
      await s3.send(new PutObjectCommand({ Bucket: "resigned", Key, Body: "x" }));
    const their = new S3Client({
      ...{ endpoint: running.url.href, region, credentials: careful, forcePathStyle: true, maxAttempts: 1 },
    });
    const remove = (...keys: string[]) =>
      their.send(
        new DeleteObjectsCommand({ Bucket: "resigned", Delete: { Objects: keys.map((Key) => ({ Key })) } }),
      );
    await expect(remove("drop/it", "keep/it")).rejects.toMatchObject({ name: "AccessDenied" });
    await remove("drop/it");
    const copy = (source: string) =>
      their.send(new CopyObjectCommand({ Bucket: "resigned", Key: "copied", CopySource: source }));
    await expect(copy("resigned/keep/it")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(copy("/resigned/keep%2Fit")).rejects.toMatchObject({ name: "AccessDenied" });
    await copy("resigned/shared-not").catch((error: Error) => expect(error.name).toBe("NoSuchKey"));
    for (const client of [s3, their]) client.destroy();
  });

  test("presigned requests and virtual-host style ones are signed again", async () => {
    const s3 = await client();
    await s3.send(new PutObjectCommand({ Bucket: "resigned", Key: "shared", Body: "for you" }));
    const signing = { credentials: mary, service: "s3", region, presignSeconds: 60 };
    const presigned = await sign(
      {
        method: "GET",
        path: "/resigned/shared",
        query: { "response-content-type": "text/odd" },
        headers: { host: running.url.host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      },
      signing,
    );
    const got = await send(running.port, { target: presigned.target });
    expect([got.status, got.text, got.headers["content-type"]]).toEqual([200, "for you", "text/odd"]);
    const forged = presigned.target.replace("/resigned/shared", "/resigned/stream");
    expect((await send(running.port, { target: forged })).status).toBe(403);

    const expires = Math.floor(Date.now() / 1000) + 60;
    const text = `GET\n\n\n${expires}\n/resigned/shared`;
    const signature = createHmac("sha1", mary.secretAccessKey).update(text).digest("base64");
    const old = `AWSAccessKeyId=${mary.accessKeyId}&Expires=${expires}&Signature=${encodeURIComponent(signature)}`;
    expect((await send(running.port, { target: `/resigned/shared?${old}` })).text).toBe("for you");

    const host = "resigned.s3.example.com";
    const hosted = await sign(
      { method: "GET", path: "/shared", headers: { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } },
      { credentials: mary, service: "s3", region },
    );
    const virtual = await send(running.port, { target: hosted.target, headers: hosted.headers });
    expect([virtual.status, virtual.text]).toEqual([200, "for you"]);
    s3.destroy();
  });

  test("a body that is not what was signed is refused by the service, which checks the hash", async () => {
    const s3 = await client();
    const path = "/resigned/hashed";
    const put = async (signed: string, sent: string): Promise<Reply> => {
      const headers = {
        host: running.url.host,
        "content-length": String(sent.length),
        "x-amz-content-sha256": createHash("sha256").update(signed).digest("hex"),
      };
      const request = await sign(
        { method: "PUT", path, headers, body: signed },
        { credentials: mary, service: "s3", region },
      );
      return send(running.port, {
        method: "PUT",
        target: request.target,
        headers: request.headers,
        body: sent,
      });
    };
    expect((await put("true words", "true words")).status).toBe(200);
    expect((await put("true words", "lies, lies")).status).toBe(400);
    s3.destroy();
  });

  test.each([
    { kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", size: 0 },
    { kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", size: 200_000 },
    { kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", size: 0 },
    { kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", size: 65_536 },
    { kind: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", size: 200_001 },
  ])(
    "signed chunks ($kind, $size bytes) are verified and framed anew",
    async ({ kind, size }) => {
      const s3 = await client();
      const body = Buffer.alloc(size, "chunks of bytes ");
      for (const pieceBytes of [7, 1000, 100_000]) {
        const answer = await putChunked(running, { kind, body, pieceBytes });
        expect([answer.status, answer.text]).toEqual([200, ""]);
        const got = await s3.send(new GetObjectCommand({ Bucket: "resigned", Key: "chunked" }));
        expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
        // Of a framed body versitygw keeps the word aws-chunked.
        expect(got.ContentEncoding).toMatch(/^(aws-chunked,)?gzip$/);
      }
      s3.destroy();
    },
    30_000,
  );

  test("chunks that are not signed right never become an object", async () => {
    const s3 = await client();
    const kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    const body = Buffer.alloc(200_000, "x");
    for (const damage of ["data", "signature", "trailer", "end"] as const) {
      const answer = await putChunked(running, { kind, body, pieceBytes: 5000, damage, key: "damaged" });
      expect(answer.status, damage).toBe(400);
      expect(answer.text).toContain("<Code>IncompleteBody</Code>");
    }
    await expect(
      s3.send(new HeadObjectCommand({ Bucket: "resigned", Key: "damaged" })),
    ).rejects.toMatchObject({
      name: "NotFound",
    });
    s3.destroy();
  });
});

interface Chunked {
  readonly kind: string;
  readonly body: Buffer;
  /** The body goes out in pieces of so many bytes. */
  readonly pieceBytes: number;
  readonly damage?: "data" | "signature" | "trailer" | "end";
  readonly key?: string;
}

/** Uploads by mary, in chunks that she signs. */
async function putChunked(
  running: RunningRecorder,
  chunked: Chunked,
): Promise<{ status: number; text: string }> {
  const { kind, body, pieceBytes, damage, key = "chunked" } = chunked;
  const hasTrailer = kind.endsWith("-TRAILER");
  const at = new Date();
  const headers = {
    host: running.url.host,
    "content-encoding": "aws-chunked,gzip",
    "x-amz-content-sha256": kind,
    "x-amz-decoded-content-length": String(body.length),
    ...(hasTrailer && { "x-amz-trailer": "x-amz-checksum-crc32" }),
  };
  const signed = await sign(
    { method: "PUT", path: `/resigned/${key}`, headers },
    { credentials: mary, service: "s3", region, at },
  );
  const framed = Buffer.from(chunksOf(signed.headers, body, hasTrailer));
  if (damage === "data") framed[40_000] = 0x79;
  if (damage === "signature") spoil(framed, 30);
  if (damage === "trailer") spoil(framed, framed.length - 10);
  const sent = damage === "end" ? framed.subarray(0, framed.length - 300) : framed;
  const request = httpRequest({
    ...{ host: "127.0.0.1", port: running.port, method: "PUT", path: signed.target, agent: false },
    headers: { ...signed.headers, "content-length": sent.length },
  });
  request.on("error", () => undefined);
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  for (let start = 0; start < sent.length && !request.destroyed; start += pieceBytes) {
    if (!request.write(sent.subarray(start, start + pieceBytes)))
      await Promise.race([once(request, "drain"), answered]);
  }
  request.end();
  const [answer] = await answered;
  return { status: answer.statusCode ?? 0, text: (await answer.toArray()).join("") };
}

/** Another hexadecimal digit than the one that is there. */
function spoil(bytes: Buffer, at: number): void {
  bytes[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
}

function chunksOf(headers: Readonly<Record<string, string>>, body: Buffer, hasTrailer: boolean): Buffer {
  const [, date = "", previous = ""] =
    /Credential=[^/]+\/(\d+)\/.*Signature=([0-9a-f]+)/.exec(headers["authorization"] ?? "") ?? [];
  const hmac = (secret: string | Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
  const sha = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
  const signingKey = [date, region, "s3", "aws4_request"].reduce<Buffer | string>(
    hmac,
    `AWS4${mary.secretAccessKey}`,
  );
  let last = previous;
  const next = (what: "PAYLOAD" | "TRAILER", hashes: string) => {
    const scope = `${date}/${region}/s3/aws4_request`;
    const text = [`AWS4-HMAC-SHA256-${what}`, headers["x-amz-date"], scope, last, hashes].join("\n");
    last = hmac(signingKey, text).toString("hex");
    return last;
  };
  const pieces: Buffer[] = [];
  for (let start = 0; start <= body.length; start += 66_000) {
    const data = body.subarray(start, start + 66_000);
    if (data.length === 0) break;
    const signature = next("PAYLOAD", `${sha("")}\n${sha(data)}`);
    pieces.push(
      Buffer.from(`${data.length.toString(16)};chunk-signature=${signature}\r\n`),
      data,
      Buffer.from("\r\n"),
    );
  }
  pieces.push(Buffer.from(`0;chunk-signature=${next("PAYLOAD", `${sha("")}\n${sha("")}`)}\r\n`));
  if (hasTrailer) {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    const line = `x-amz-checksum-crc32:${sum.toString("base64")}`;
    pieces.push(Buffer.from(`${line}\r\nx-amz-trailer-signature:${next("TRAILER", sha(`${line}\n`))}\r\n`));
  }
  pieces.push(Buffer.from("\r\n"));
  return Buffer.concat(pieces);
}

describe("other protocols", () => {
  /** Cairn itself as the service: it verifies signatures and says who called. */
  async function behind(credentials: {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
  }) {
    const service = await startDoor({ configuration: { auth: "on" } });
    open.push(service);
    const running = await start({
      endpoints: { sts: { target: { kind: "url", url: service.url.href }, resign: credentials } },
    });
    return { service, running };
  }

  const ask = (
    running: RunningRecorder,
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  ) =>
    new STSClient({ endpoint: running.url.href, region, credentials, maxAttempts: 1 }).send(
      new GetCallerIdentityCommand({}),
    );

  test("the service sees the credentials of the endpoint, the record the caller's", async () => {
    const { running } = await behind(nobody);
    expect((await ask(running, mary)).Arn).toMatch(/:user\/nobody$/);
    expect(running.recorded.calls[0]?.caller.verified?.userName).toBe("mary");
    expect(Buffer.from(running.recorded.calls[0]?.request.bytes ?? []).toString()).toContain(
      "Action=GetCallerIdentity",
    );
  });

  test("session tokens are replaced, not passed on", async () => {
    const { running } = await behind(session);
    expect((await ask(running, mary)).Arn).toMatch(/:user\/role$/);
    const other = await behind(nobody);
    expect((await ask(other.running, session)).Arn).toMatch(/:user\/nobody$/);
  });

  test("who may not is refused in the service's form, and that is recorded", async () => {
    const { running } = await behind(mary);
    await expect(ask(running, nobody)).rejects.toMatchObject({ name: "AccessDenied" });
    expect(running.recorded.calls[0]).toMatchObject({
      failure: { code: "AccessDenied" },
      answer: { status: 403 },
    });
    await expect(ask(running, { ...mary, secretAccessKey: "guessed" })).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
    expect(running.recorded.calls).toHaveLength(1);
  });

  test("refusals of JSON, REST and CBOR clients have their statuses, and one request id", async () => {
    const { url } = await startDoor({ configuration: { auth: "on" } }).then(
      (door) => (open.push(door), door),
    );
    const to = { target: { kind: "url" as const, url: url.href }, resign: mary };
    const running = await start({ endpoints: { default: to } });
    const refused = async (service: string, path: string, more: Record<string, string>) => {
      const headers = { host: running.url.host, "content-length": "2", ...more };
      const request = await sign(
        { method: "POST", path, headers, body: "{}" },
        { credentials: nobody, service, region },
      );
      return send(running.port, { method: "POST", target: path, headers: request.headers, body: "{}" });
    };
    const answers = [
      await refused("dynamodb", "/", {
        "x-amz-target": "DynamoDB_20120810.ListTables",
        "content-type": "application/x-amz-json-1.0",
      }),
      await refused("lambda", "/2015-03-31/functions/f/invocations", {}),
      await refused("monitoring", "/service/GraniteServiceVersion20100801/operation/ListMetrics", {
        "smithy-protocol": "rpc-v2-cbor",
        "content-type": "application/cbor",
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 403, 400]);
    for (const { headers } of answers) expect(headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answers[0]?.json()["__type"]).toBe("AccessDeniedException");
    expect(answers[1]?.headers["x-amzn-errortype"]).toBe("AccessDeniedException");
    expect(running.recorded.calls).toHaveLength(3);
  });

  test("a body beyond the limit is not read to its end: 413", async () => {
    const { running } = await behind(mary);
    const body = Buffer.alloc(5 * 1024 * 1024, "a");
    const request = await sign(
      {
        method: "POST",
        path: "/",
        headers: { host: running.url.host, "content-length": String(body.length) },
        body,
      },
      { credentials: mary, service: "sts", region },
    );
    expect(
      (await send(running.port, { method: "POST", target: "/", headers: request.headers, body })).status,
    ).toBe(413);
  });
});
