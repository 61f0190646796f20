// What passes the recorder passes unchanged: heads byte for byte, bodies of any size at the pace of their reader, ends as
// they came. The service behind it is a bare HTTP server that says what it got.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, createServer as createNetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createServiceBook } from "../../src/recorder/service-book.ts";
import { connectRaw, send } from "../door/door-fixture.ts";
import {
  type RecorderOptions,
  type RunningRecorder,
  scoped,
  startRecorder,
  until,
} from "./recorder-fixture.ts";

let upstream: Server;
let url: string;
/** What the service does with the next requests. */
let handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
let onContinue: ((incoming: IncomingMessage, outgoing: ServerResponse) => void) | undefined;

beforeAll(async () => {
  upstream = createServer((incoming, outgoing) => handle(incoming, outgoing));
  upstream.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (onContinue) onContinue(incoming, outgoing);
    else {
      outgoing.writeContinue();
      handle(incoming, outgoing);
    }
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

const open: RunningRecorder[] = [];
async function start(more: Partial<RecorderOptions> = {}): Promise<RunningRecorder> {
  const running = await startRecorder({ endpoints: { s3: url, dynamodb: url, lambda: url }, ...more });
  open.push(running);
  return running;
}
afterEach(async () => {
  onContinue = undefined;
  for (const running of open.splice(0)) {
    expect(running.world.errors).toEqual([]);
    await running.close();
    expect(running.recorded.roomsOpen).toBe(0);
  }
});

/** Answers with what came: its size and hash, and the raw head. */
function echo(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const hash = createHash("sha256");
  let size = 0;
  incoming.on("data", (piece: Buffer) => {
    size += piece.length;
    hash.update(piece);
  });
  incoming.on("end", () => {
    const { method, url: target, rawHeaders, rawTrailers } = incoming;
    outgoing.setHeader("Content-Type", "application/json");
    outgoing.end(JSON.stringify({ method, target, rawHeaders, rawTrailers, size, hash: hash.digest("hex") }));
  });
}

interface Echo {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: string[];
  readonly rawTrailers: string[];
  readonly size: number;
  readonly hash: string;
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** Deterministic bytes that do not compress, piece by piece. */
function* generated(bytes: number, piece = 256 * 1024): Generator<Buffer> {
  const pattern = randomBytes(piece);
  for (let left = bytes; left > 0; left -= piece) yield left >= piece ? pattern : pattern.subarray(0, left);
}

async function writeAll(request: ClientRequest, pieces: Iterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for (const piece of pieces) {
    hash.update(piece);
    if (!request.write(piece)) await once(request, "drain");
  }
  request.end();
  return hash.digest("hex");
}

function sendTo(port: number, more: object): ClientRequest {
  return httpRequest({ host: "127.0.0.1", port, agent: false, ...more });
}

describe("the head", () => {
  test("passes unchanged: method, target, names, order, case and values", async () => {
    const { port } = await start();
    handle = echo;
    const lines = [
      "POST /a%2Fb//c/../d?x=%20+1&Y&z= HTTP/1.1",
      "hOST: 127.0.0.1:4577",
      `Authorization: ${scoped("dynamodb")["authorization"] ?? ""}`,
      "X-Amz-Target: DynamoDB_20120810.PutItem",
      "x-odd:   two  spaces\xe9  ",
      "X-Twice: 1",
      "X-Twice: 2",
      "Content-Length: 2",
      "TE: trailers",
      "Connection: keep-alive, X-Hop",
      "X-Hop: gone",
      "Keep-Alive: timeout=5",
    ];
    const connection = connectRaw(port, Buffer.from(`${lines.join("\r\n")}\r\n\r\n{}`, "latin1"));
    await until(() => connection.socket.bytesRead > 0, "an answer");
    await sleep(20);
    connection.socket.end();
    const text = Buffer.from(await connection.received(), "latin1").toString("utf8");
    const got = JSON.parse(text.slice(text.indexOf("{"))) as Echo;
    expect(got.target).toBe("/a%2Fb//c/../d?x=%20+1&Y&z=");
    const pairs = got.rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${got.rawHeaders[at + 1]}`] : [],
    );
    expect(pairs).toEqual([
      "hOST: 127.0.0.1:4577",
      lines[2],
      lines[3],
      "x-odd: two  spaces\xe9",
      "X-Twice: 1",
      "X-Twice: 2",
      "Content-Length: 2",
      "TE: trailers",
      "Via: 1.1 cairn-testinstallation",
      "Connection: keep-alive",
    ]);
  });

  test("of the answer passes unchanged too", async () => {
    const { port, recorded } = await start();
    handle = (_incoming, outgoing) => {
      outgoing.sendDate = false;
      outgoing.writeHead(299, "Odd But Fine", [
        ...["X-B", "1", "x-a", "2", "X-B", "3", "Date", "yesterday", "x-amzn-RequestId", "theirs"],
        ...["Content-Length", "2"],
      ]);
      outgoing.end("ok");
    };
    const connection = connectRaw(
      port,
      `GET /f HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${scoped("lambda")["authorization"] ?? ""}\r\nConnection: close\r\n\r\n`,
    );
    const text = await connection.received();
    expect(text.split("\r\n\r\n")[0]?.split("\r\n")).toEqual([
      "HTTP/1.1 299 Odd But Fine",
      ...["X-B: 1", "x-a: 2", "X-B: 3", "Date: yesterday", "x-amzn-RequestId: theirs", "Content-Length: 2"],
      "Connection: close",
    ]);
    expect(text.endsWith("\r\n\r\nok")).toBe(true);
    const [call] = recorded.calls;
    expect(call?.answer.status).toBe(299);
    expect(call?.answer.headers.get("x-b")).toEqual(["1", "3"]);
    expect(Buffer.from(call?.answer.body.bytes ?? []).toString()).toBe("ok");
    expect(call?.caller).toMatchObject({
      accessKeyId: "AKIAEXAMPLE",
      sourceIp: "127.0.0.1",
      signature: { version: "SigV4", method: "AuthHeader" },
    });
  });

  test("of HEAD, 204 and 304 has no body and keeps its length", async () => {
    const { port } = await start();
    handle = (incoming, outgoing) => {
      const status = Number(incoming.url?.slice(1));
      outgoing.writeHead(status, incoming.method === "HEAD" ? { "Content-Length": "12345" } : {});
      outgoing.end();
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const status = (method: string, path: string) =>
      new Promise<string>((resolve, reject) => {
        httpRequest({ host: "127.0.0.1", port, agent, method, path, headers: scoped("s3") }, (answer) => {
          answer
            .resume()
            .on("end", () => resolve(`${answer.statusCode} ${answer.headers["content-length"]}`));
        })
          .on("error", reject)
          .end();
      });
    // On one connection: what is left over of one answer would spoil the next.
    expect(await status("HEAD", "/200")).toBe("200 12345");
    expect(await status("GET", "/204")).toBe("204 undefined");
    expect(await status("GET", "/304")).toBe("304 undefined");
    expect(await status("HEAD", "/404")).toBe("404 12345");
    agent.destroy();
  });

  test("goes to the service that the scope names, whatever the path says", async () => {
    const { port, recorded } = await start({ endpoints: { s3: url, default: url } });
    handle = echo;
    const paths = [
      "/events",
      "/healthz",
      "/service/CloudTrail_20131101/operation/GetTrail",
      "/PutAuditEvents",
    ];
    for (const target of paths) {
      expect((await send(port, { target, headers: scoped("s3") })).json()["target"]).toBe(target);
      expect((await send(port, { target, headers: scoped("monitoring") })).json()["target"]).toBe(target);
    }
    expect(recorded.calls).toHaveLength(8);
    expect((await send(port, { target: "/healthz" })).text).toBe("alive\n");
    // Cairn's own services never go on, also not to the default endpoint.
    expect((await send(port, { target: "/healthz", headers: scoped("cloudtrail") })).text).toBe("alive\n");
    expect(
      (await send(port, { method: "POST", target: "/events", headers: scoped("cairn"), body: "[]" })).status,
    ).toBe(200);
    expect(recorded.calls).toHaveLength(8);
  });

  test("of presigned, SigV4A and old S3 requests tells where they go", async () => {
    const { port, recorded } = await start();
    handle = echo;
    const presigned =
      "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAQ%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0";
    await send(port, { target: presigned });
    await send(port, {
      headers: {
        authorization:
          "AWS4-ECDSA-P256-SHA256 Credential=AKIAA/20260101/s3/aws4_request, SignedHeaders=host, Signature=0",
        "x-amz-region-set": "us-east-2,eu-west-1",
      },
    });
    await send(port, { target: "/b/k", headers: { authorization: "AWS AKIAOLD:abc=" } });
    await send(port, { target: "/b/k?AWSAccessKeyId=AKIAOLD&Expires=1&Signature=abc" });
    expect(
      recorded.calls.map(({ head, caller }) => [
        head.service,
        head.region,
        caller.accessKeyId,
        caller.signature.version,
      ]),
    ).toEqual([
      ["s3", "eu-west-1", "AKIAQ", "SigV4"],
      ["s3", "us-east-2", "AKIAA", "SigV4A"],
      ["s3", "us-east-1", "AKIAOLD", "SigV2"],
      ["s3", "us-east-1", "AKIAOLD", "SigV2"],
    ]);
  });

  test("of virtual-host style S3 passes with its host, signed or not", async () => {
    const { port, recorded } = await start({ configuration: { s3Domains: ["s3.example.com"] } });
    handle = echo;
    const hosts = [
      "photos.s3.example.com",
      "photos.localhost:4577",
      "my.photos.s3.localhost",
      "s3.example.com",
    ];
    for (const host of hosts) {
      const got = (await send(port, { target: "/cat.jpg", headers: { ...scoped("s3"), host } })).json();
      expect(got["rawHeaders"]).toContain(host);
    }
    expect(recorded.calls.map(({ head }) => head.hostBucket)).toEqual([
      "photos",
      "photos",
      "my.photos",
      undefined,
    ]);
    recorded.calls.length = 0;
    // Public objects; a page of another origin may ask for them, that is the bucket's business.
    const origin = "https://www.example.org";
    for (const host of hosts) await send(port, { target: "/cat.jpg", headers: { host, origin } });
    await send(port, { target: "/events", headers: { host: "photos.s3.example.com" } });
    expect(recorded.calls.map(({ head, caller }) => [head.hostBucket, caller.accessKeyId])).toEqual([
      ["photos", undefined],
      [undefined, undefined],
      ["photos", undefined],
    ]);
    recorded.calls.length = 0;
    await send(port, { target: "/cat.jpg", headers: { host: "photos.localhost" } });
    expect(recorded.calls.map(({ head }) => head.hostBucket)).toEqual(["photos"]);
    expect((await send(port, { headers: { ...scoped("s3"), host: "s3.elsewhere.example" } })).status).toBe(
      403,
    );
  });
});

describe("a body", () => {
  test.each([0, 1, 65_536, 8 * 1024 * 1024])(
    "of %i bytes passes both ways, with a length and in chunks",
    async (size) => {
      const { port, recorded } = await start();
      const body = Buffer.concat([...generated(size)]);
      handle = (incoming, outgoing) => {
        const pieces: Buffer[] = [];
        incoming.on("data", (piece: Buffer) => pieces.push(piece));
        incoming.on("end", () => {
          const all = Buffer.concat(pieces);
          const isChunked = incoming.headers["transfer-encoding"] !== undefined;
          outgoing.setHeader(
            isChunked ? "Transfer-Encoding" : "Content-Length",
            isChunked ? "chunked" : all.length,
          );
          outgoing.end(all);
        });
      };
      for (const framing of [{ "content-length": String(size) }, { "transfer-encoding": "chunked" }]) {
        const request = sendTo(port, {
          method: "PUT",
          path: "/b/k",
          headers: { ...scoped("s3"), ...framing },
        });
        request.end(body);
        const [answer] = (await once(request, "response")) as [IncomingMessage];
        const pieces: Buffer[] = [];
        for await (const piece of answer) pieces.push(piece as Buffer);
        expect(Buffer.concat(pieces).equals(body)).toBe(true);
        expect(answer.headers["content-length"]).toBe("content-length" in framing ? String(size) : undefined);
      }
      await until(() => recorded.calls.length === 2, "two records");
      for (const call of recorded.calls) {
        expect([call.bytesIn, call.bytesOut]).toEqual([size, size]);
        expect(call.request).toEqual({ kind: size === 0 ? "whole" : "cut", bytes: new Uint8Array(0) });
      }
    },
  );

  test("of 1 GiB passes both ways, at once, and memory stays where it is", { timeout: 180_000 }, async () => {
    const { port, recorded } = await start();
    const size = 1024 ** 3;
    const pattern = [...generated(1024 * 1024, 1024 * 1024)][0] ?? Buffer.alloc(0);
    handle = (incoming, outgoing) => {
      const hash = createHash("sha1");
      incoming.on("data", (piece: Buffer) => hash.update(piece));
      incoming.on("end", () => outgoing.setHeader("x-got", hash.digest("hex")));
      incoming.on("end", () => {
        outgoing.setHeader("Content-Length", size);
        let left = size / pattern.length;
        const more = () => {
          while (left-- > 0) {
            if (!outgoing.write(pattern)) {
              outgoing.once("drain", more);
              return;
            }
          }
          outgoing.end();
        };
        more();
      });
    };
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
    const before = process.memoryUsage().rss;
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/large",
      headers: { ...scoped("s3"), "content-length": String(size) },
    });
    const answered = once(request, "response");
    const sent = createHash("sha1");
    for (let at = 0; at < size; at += pattern.length) {
      sent.update(pattern);
      if (!request.write(pattern)) await once(request, "drain");
    }
    request.end();
    const [answer] = (await answered) as [IncomingMessage];
    const wanted = sent.digest("hex");
    expect(answer.headers["x-got"]).toBe(wanted);
    const got = createHash("sha1");
    for await (const piece of answer) got.update(piece as Buffer);
    clearInterval(watch);
    expect(got.digest("hex")).toBe(wanted);
    expect(recorded.calls.map(({ bytesIn, bytesOut }) => [bytesIn, bytesOut])).toEqual([[size, size]]);
    // Client, recorder and service are this one process.
    expect(most - before).toBeLessThan(200 * 1024 * 1024);
  });

  test("with trailers keeps them, both ways", async () => {
    const { port } = await start();
    handle = (incoming, outgoing) => {
      incoming.resume().on("end", () => {
        outgoing.writeHead(200, { Trailer: "x-sum", "Transfer-Encoding": "chunked" });
        outgoing.write("body");
        outgoing.addTrailers({ "x-sum": incoming.rawTrailers.join("=") });
        outgoing.end();
      });
    };
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), trailer: "x-checksum", "transfer-encoding": "chunked" },
    });
    request.write("some");
    request.addTrailers({ "X-Checksum": "abc" });
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    answer.resume();
    await once(answer, "end");
    expect(answer.trailers).toEqual({ "x-sum": "X-Checksum=abc" });
  });

  test("of a POST that announces none is none", async () => {
    const { port } = await start();
    handle = echo;
    const connection = connectRaw(
      port,
      `POST /b/k?uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${scoped("s3")["authorization"] ?? ""}\r\nConnection: close\r\n\r\n`,
    );
    const text = await connection.received();
    const got = JSON.parse(text.slice(text.indexOf("{"))) as Echo;
    expect(got.size).toBe(0);
    expect(got.rawHeaders.join()).toContain("Content-Length,0");
    expect(got.rawHeaders.join()).not.toContain("chunked");
  });

  test("is kept for the record as far as it is asked for, and no further", async () => {
    const { port, recorded } = await start();
    handle = (incoming, outgoing) => {
      incoming.resume().on("end", () => outgoing.end("x".repeat(70_000)));
    };
    await send(port, { method: "POST", headers: scoped("dynamodb"), body: "y".repeat(65_536) });
    const [call] = recorded.calls;
    expect(call?.request.kind).toBe("whole");
    expect(call?.request.bytes.length).toBe(65_536);
    expect(call?.answer.body.kind).toBe("cut");
    expect(call?.answer.body.bytes.length).toBe(65_536);
    expect(call?.bytesOut).toBe(70_000);
  });

  test("is not kept when memory is short, and passes all the same", async () => {
    const { port, recorded } = await start({ limits: { bytesInFlightMax: 1000 } });
    handle = echo;
    const reply = await send(port, { method: "POST", headers: scoped("dynamodb"), body: "y".repeat(60_000) });
    expect(reply.json()["size"]).toBe(60_000);
    expect(recorded.calls[0]?.request.kind).toBe("cut");
  });
});

describe("Expect: 100-continue", () => {
  test("the body is asked for when the service asks, and not before", async () => {
    const { port } = await start();
    let asked = 0;
    onContinue = (incoming, outgoing) => {
      setTimeout(() => {
        asked = Date.now();
        outgoing.writeContinue();
        echo(incoming, outgoing);
      }, 150);
    };
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), expect: "100-continue", "content-length": "5" },
    });
    request.flushHeaders();
    await once(request, "continue");
    expect(asked).toBeGreaterThan(0);
    request.end("hello");
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    const text = (await answer.toArray()).join("");
    expect((JSON.parse(text) as Echo).size).toBe(5);
    expect((JSON.parse(text) as Echo).rawHeaders.join().toLowerCase()).toContain("expect,100-continue");
  });

  test("a refusal comes instead, and the body is never asked for", async () => {
    const { port, recorded } = await start();
    onContinue = (_incoming, outgoing) => {
      outgoing.writeHead(403, { "Content-Length": "6" });
      outgoing.end("denied");
    };
    const connection = connectRaw(
      port,
      `PUT /b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\nAuthorization: ${scoped("s3")["authorization"] ?? ""}\r\n\r\n`,
    );
    const text = await connection.received();
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text).not.toContain("100 Continue");
    expect(text).toMatch(/connection: close/i);
    expect(text.endsWith("denied")).toBe(true);
    expect(recorded.calls[0]).toMatchObject({ bytesIn: 0, answer: { status: 403 } });
  });

  test("a client that does not wait is not kept waiting by a service that does not ask", async () => {
    const { port } = await start();
    onContinue = echo;
    const connection = connectRaw(
      port,
      `PUT /b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\nAuthorization: ${scoped("s3")["authorization"] ?? ""}\r\n\r\nhello`,
    );
    expect(await connection.received()).toContain('"size":5');
  });
});

describe("streams", () => {
  test("an answer's head and pieces come as the service sends them", async () => {
    const { port } = await start();
    let push: ServerResponse | undefined;
    handle = (_incoming, outgoing) => {
      outgoing.writeHead(200, { "Content-Type": "application/vnd.amazon.eventstream" });
      outgoing.flushHeaders();
      push = outgoing;
    };
    const request = sendTo(port, { path: "/stream", headers: scoped("lambda") });
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    for (const text of ["one", "two", "three"]) {
      push?.write(text);
      const [piece] = (await once(answer, "data")) as [Buffer];
      expect(piece.toString()).toBe(text);
    }
    push?.end();
    await once(answer, "end");
  });

  test("a slow reader slows the service, not the memory", async () => {
    const { port, recorded } = await start();
    let written = 0;
    const piece = Buffer.alloc(64 * 1024);
    handle = (_incoming, outgoing) => {
      const more = () => {
        while (written < 500 * 1024 * 1024) {
          written += piece.length;
          if (!outgoing.write(piece)) {
            outgoing.once("drain", more);
            return;
          }
        }
        outgoing.end();
      };
      more();
    };
    const request = sendTo(port, { path: "/b/large", headers: scoped("s3") });
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    answer.pause();
    await sleep(500);
    const first = written;
    await sleep(300);
    expect(written).toBe(first);
    expect(written).toBeLessThan(50 * 1024 * 1024);
    // Hangs up: the service hears of it, and the record tells what had passed.
    answer.destroy();
    await until(() => recorded.calls.length === 1, "a record");
    expect(recorded.calls[0]?.bytesOut).toBeLessThan(50 * 1024 * 1024);
  });

  test("a slow service slows the sender", async () => {
    const { port } = await start();
    let incomingThere: IncomingMessage | undefined;
    handle = (incoming, outgoing) => {
      incomingThere = incoming;
      incoming.on("end", () => outgoing.end("done"));
    };
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), "content-length": String(200 * 1024 * 1024) },
    });
    let sent = 0;
    const piece = Buffer.alloc(256 * 1024);
    const finished = (async () => {
      for (; sent < 200 * 1024 * 1024; sent += piece.length) {
        if (!request.write(piece)) await once(request, "drain");
      }
      request.end();
    })();
    await sleep(500);
    expect(sent).toBeLessThan(50 * 1024 * 1024);
    incomingThere?.resume();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect((await answer.toArray()).join("")).toBe("done");
    await finished;
  });

  test("an upload that takes longer than the time for requests passes as long as it moves", async () => {
    const { port } = await start({ limits: { requestTimeoutMs: 1000, headersTimeoutMs: 800 } });
    handle = echo;
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), "transfer-encoding": "chunked" },
    });
    for (let at = 0; at < 25; at++) {
      request.write("x");
      await sleep(100);
    }
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect((JSON.parse((await answer.toArray()).join("")) as Echo).size).toBe(25);
  });

  test("a thousand connections at once, every answer to its own request", { timeout: 60_000 }, async () => {
    const { port, recorded } = await start({ limits: { connectionsMax: 2000 } });
    handle = (incoming, outgoing) => {
      const pieces: Buffer[] = [];
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("end", () => setTimeout(() => outgoing.end(Buffer.concat(pieces)), 200));
    };
    const agent = new Agent({ maxSockets: 1000 });
    const one = (number: number) =>
      new Promise<boolean>((resolve, reject) => {
        const body = `${number} `.repeat(200);
        const request = httpRequest(
          {
            host: "127.0.0.1",
            port,
            agent,
            method: "POST",
            headers: { ...scoped("dynamodb"), "content-length": body.length },
          },
          (answer) => void answer.toArray().then((pieces) => resolve(pieces.join("") === body), reject),
        );
        request.on("error", reject).end(body);
      });
    const results = await Promise.all(Array.from({ length: 1000 }, (_, number) => one(number)));
    expect(results.every(Boolean)).toBe(true);
    await until(() => recorded.calls.length === 1000, "all records");
    agent.destroy();
  });
});

describe("one side goes", () => {
  test("an upload that its client gives up ends at the service and is recorded", async () => {
    const { port, recorded } = await start();
    let isGone = false;
    handle = (incoming) => {
      incoming.on("error", () => undefined);
      incoming.resume().on("close", () => (isGone = true));
    };
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), "content-length": "1000000" },
    });
    request.on("error", () => undefined);
    request.write(Buffer.alloc(100_000));
    await sleep(100);
    request.destroy();
    await until(() => isGone && recorded.calls.length === 1, "the service to hear of it");
    expect(recorded.calls[0]).toMatchObject({ bytesIn: 100_000, failure: { code: "ClientDisconnected" } });
  });

  test("a client that goes while it waits ends the call at the service", async () => {
    const { port, recorded } = await start();
    let isGone = false;
    handle = (incoming) => void incoming.resume().socket.on("close", () => (isGone = true));
    const request = sendTo(port, { path: "/poll", headers: scoped("lambda") });
    request.on("error", () => undefined);
    request.end();
    await sleep(100);
    request.destroy();
    await until(() => isGone && recorded.calls.length === 1, "the service to hear of it");
    expect(recorded.calls[0]?.failure?.code).toBe("ClientDisconnected");
  });

  test("a service that dies in the middle of an answer: the client sees that it is not whole", async () => {
    const { port, recorded } = await start();
    handle = (incoming, outgoing) => {
      outgoing.writeHead(200, incoming.url === "/length" ? { "Content-Length": "1000" } : {});
      outgoing.write("half");
      setTimeout(() => outgoing.socket?.destroy(), 50);
    };
    for (const path of ["/length", "/chunked"]) {
      const request = sendTo(port, { path, headers: scoped("lambda") });
      request.end();
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      await expect(answer.toArray()).rejects.toThrow("aborted");
    }
    await until(() => recorded.calls.length === 2, "two records");
    expect(recorded.calls.map(({ answer, bytesOut }) => [answer.status, bytesOut])).toEqual([
      [200, 4],
      [200, 4],
    ]);
  });

  test("a service that answers before the whole body came is heard", async () => {
    const { port } = await start();
    handle = (incoming, outgoing) => {
      outgoing.writeHead(413, { "Content-Length": "7" });
      outgoing.end("too big");
      incoming.on("error", () => undefined).resume();
    };
    const request = sendTo(port, {
      method: "PUT",
      path: "/b/k",
      headers: { ...scoped("s3"), "content-length": String(50 * 1024 * 1024) },
    });
    request.on("error", () => undefined);
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    void writeAll(request, generated(50 * 1024 * 1024)).catch(() => undefined);
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    expect((await answer.toArray()).join("")).toBe("too big");
  });

  test("nobody there, garbage, and silence: 502 and 504 in the form of the service, recorded", {
    timeout: 20_000,
  }, async () => {
    const garbage = createNetServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    });
    const silent = createNetServer((socket) => void socket.on("error", () => undefined).resume());
    const hangUp = createNetServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.destroy());
    });
    for (const server of [garbage, silent, hangUp]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    const urlOf = (server: typeof garbage) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { port, recorded } = await start({
      endpoints: {
        dynamodb: "http://127.0.0.1:1",
        sqs: urlOf(garbage),
        s3: urlOf(silent),
        lambda: urlOf(hangUp),
      },
      settings: { upstreamTimeoutMs: 600 },
    });
    const replies = await Promise.all(
      ["dynamodb", "sqs", "s3", "lambda"].map((service) =>
        send(port, { method: "POST", headers: scoped(service), body: "{}" }),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual([502, 502, 504, 502]);
    expect(replies[0]?.json()["__type"]).toBe("BadGateway");
    expect(replies[2]?.text).toContain("<Code>GatewayTimeout</Code>");
    expect(replies[0]?.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(recorded.calls.map(({ failure }) => failure?.code ?? "").toSorted(byText)).toEqual([
      ...["BadGateway", "BadGateway", "BadGateway", "GatewayTimeout"],
    ]);
    for (const server of [garbage, silent, hangUp]) server.close();
  });

  test("a client that stops in the middle of its body is given up: 408", async () => {
    const { port, recorded } = await start({ settings: { clientTimeoutMs: 500 } });
    handle = (incoming) => void incoming.on("error", () => undefined).resume();
    const connection = connectRaw(
      port,
      `PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nAuthorization: ${scoped("s3")["authorization"] ?? ""}\r\n\r\nhalf`,
    );
    const text = await connection.received(8000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain("<Code>RequestTimeout</Code>");
    expect(recorded.calls[0]?.failure?.code).toBe("RequestTimeout");
  });

  test("a connection that the service closed while it was idle is no error", async () => {
    const { port } = await start();
    let closed = 0;
    handle = (incoming, outgoing) => {
      const { socket } = incoming;
      outgoing.end("ok");
      // Just when the next request is on its way.
      outgoing.on("finish", () => setTimeout(() => void (socket.destroy(), closed++), 3));
    };
    for (let at = 0; at < 60; at++) {
      expect((await send(port, { target: "/b/k", headers: scoped("s3") })).status).toBe(200);
      await sleep(at % 6);
    }
    await until(() => closed >= 59, "closed connections");
  });

  test("connections to the service are used again", async () => {
    const { port } = await start();
    handle = echo;
    let connections = 0;
    const count = () => connections++;
    upstream.on("connection", count);
    for (let at = 0; at < 20; at++)
      await send(port, { method: "POST", headers: scoped("dynamodb"), body: "{}" });
    upstream.off("connection", count);
    expect(connections).toBeLessThan(3);
  });
});

test("pipelined requests are answered in order", async () => {
  const { port } = await start();
  handle = (incoming, outgoing) => {
    setTimeout(() => outgoing.end(incoming.url), incoming.url === "/1" ? 100 : 0);
  };
  const authorization = scoped("s3")["authorization"] ?? "";
  const one = (path: string, more = "") =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n${more}\r\n`;
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(one("/1") + one("/2") + one("/3", "Connection: close\r\n"));
  const text = (await socket.toArray()).join("");
  expect([...text.matchAll(/^2?\r?\n?(\/\d)/gm)].map((match) => match[1])).toEqual(["/1", "/2", "/3"]);
});

test("whatever comes, the door answers on, and nothing is a failure of its own", {
  timeout: 60_000,
}, async () => {
  const { port, world } = await start({ services: createServiceBook() });
  handle = (incoming, outgoing) => {
    incoming.on("error", () => undefined).resume();
    incoming.on("end", () => outgoing.end("fine"));
  };
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(Math.random() * values.length)] as Value;
  const odd = [
    "",
    "\t",
    "a=b",
    "x".repeat(3000),
    "\xff\xfe",
    "chunked",
    "-1",
    "100-continue",
    "1.1 cairn-testinstallation",
    "aws-chunked",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "0",
    "AWS4-ECDSA-P256-SHA256 Credential=/",
    "AWS :",
    "a.localhost",
    "[::1]",
  ];
  const names = [
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Via",
    "Connection",
    "Content-Encoding",
    "Trailer",
    "TE",
    "X-Amz-Target",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "Authorization",
    "Content-Type",
    "Upgrade",
    "X-Forwarded-For",
  ];
  const services = ["s3", "dynamodb", "lambda", "sqs", "", "%00", "constructor", "__proto__"];
  const paths = [
    "/",
    "/events",
    "/b/k",
    "/?X-Amz-Algorithm=&X-Amz-Credential=%",
    "//",
    "/%",
    "/service/X/operation/Y",
    "/?AWSAccessKeyId=a&Signature=",
  ];
  for (let round = 0; round < 400; round++) {
    const lines = [
      `${pick(["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", "QUERY"])} ${pick(paths)} HTTP/1.${pick([0, 1])}`,
    ];
    if (Math.random() < 0.8) lines.push("Host: localhost");
    if (Math.random() < 0.9) lines.push(`Authorization: ${scoped(pick(services))["authorization"] ?? ""}`);
    for (let at = 0; at < 3; at++) if (Math.random() < 0.6) lines.push(`${pick(names)}: ${pick(odd)}`);
    const connection = connectRaw(
      port,
      Buffer.from(`${lines.join("\r\n")}\r\n\r\n${pick(["", "{}", "0\r\n\r\n", "\0"])}`, "latin1"),
    );
    connection.socket.on("data", (bytes: Buffer) =>
      expect(bytes.toString("latin1")).not.toMatch(/^HTTP\/1\.1 50[01]/),
    );
    setTimeout(() => connection.socket.destroy(), pick([1, 5, 30]));
    await connection.received(30);
  }
  expect((await send(port, { target: "/healthz" })).status).toBe(200);
  expect(world.errors).toEqual([]);
});
