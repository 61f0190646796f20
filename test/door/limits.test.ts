// Too much, too slow, too many, and no HTTP at all: each has a clear answer, and the door goes on answering others.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { call, connectRaw, type FixtureOptions, type Running, send, startDoor } from "./door-fixture.ts";

let running: Running | undefined;

async function start(options: FixtureOptions = {}): Promise<Running> {
  running = await startDoor(options);
  return running;
}

afterEach(async () => {
  const door = running;
  running = undefined;
  if (!door) return;
  // Whatever was done to it, it still answers, and nothing was logged as a failure.
  expect((await send(door.port, { target: "/healthz" })).status).toBe(200);
  expect(door.world.errors).toEqual([]);
  await door.close();
});

/** What takes no time takes some on a busy machine. */
const patient = { timeout: 10_000, interval: 20 };

const post = {
  method: "POST",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "CloudTrail_20131101.GetTrail" },
};

describe("too much", () => {
  test("a call's body beyond its limit: 413 in the form of the API", async () => {
    const { port } = await start({ limits: { callBodyBytesMax: 1000 } });
    const reply = await send(port, { ...post, body: "x".repeat(1001) });
    expect(reply.status).toBe(413);
    expect(reply.headers["content-type"]).toBe("application/x-amz-json-1.1");
    expect(reply.json()).toEqual({
      __type: "RequestEntityTooLargeException",
      Message: "The request body is larger than the limit of 1000 bytes.",
    });
    expect(reply.headers.connection).toBe("close");
    expect((await send(port, { ...post, body: `{"Name":"${"x".repeat(980)}"}` })).status).toBe(200);
  });

  test("a chunked body beyond its limit is not read to its end", async () => {
    const { port } = await start({ limits: { callBodyBytesMax: 1000 } });
    const connection = connectRaw(
      port,
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    let written = 0;
    while (!connection.socket.destroyed && written < 500) {
      connection.socket.write(chunk);
      written++;
      await sleep(1);
    }
    expect(await connection.received()).toMatch(/^HTTP\/1\.1 413 /);
    // 500 chunks are 32 MB; the door drops a few MB politely and then hangs up.
    expect(written).toBeLessThan(500);
  });

  test("a batch of events beyond its limit, plain and inflated: 413", async () => {
    const { port } = await start({ limits: { eventsBodyBytesMax: 10_000 } });
    const plain = await send(port, { method: "POST", target: "/events", body: "x".repeat(10_001) });
    const bomb = await send(port, {
      method: "POST",
      target: "/events",
      body: gzipSync(Buffer.alloc(50_000_000)).subarray(0),
    });
    const small = await send(port, { method: "POST", target: "/events", body: gzipSync("[]") });
    expect([plain.status, bomb.status, small.status]).toEqual([413, 413, 200]);
    expect(plain.json()["__type"]).toBe("RequestEntityTooLargeException");
  });

  test("a gzip bomb is stopped at the limit", async () => {
    const { port } = await start({ limits: { eventsBodyBytesMax: 1_000_000 } });
    // 300 kB that would be 300 MB.
    const bomb = gzipSync(Buffer.alloc(300_000_000, 0));
    expect(bomb.length).toBeLessThan(1_000_000);
    const before = process.memoryUsage().rss;
    const reply = await send(port, {
      method: "POST",
      target: "/events",
      headers: { "content-encoding": "gzip" },
      body: bomb,
    });
    expect(reply.status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  test("headers beyond their limit: 431", async () => {
    const { port } = await start({ limits: { headerBytesMax: 4096 } });
    const reply = await send(port, { headers: { "x-long": "y".repeat(5000) } });
    expect(reply.status).toBe(431);
    expect(reply.json()["message"]).toBe("The request line and headers are larger than 4096 bytes.");
    expect(reply.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers.date).toMatch(/GMT$/);
  });

  test("more bytes in flight than the budget: 503 and Retry-After, and room again afterwards", async () => {
    const { port } = await start({ limits: { bytesInFlightMax: 100_000, eventsBodyBytesMax: 90_000 } });
    const head = "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n";
    const holding = connectRaw(port, head + "x".repeat(80_000));
    await sleep(50);
    const refused = await send(port, { method: "POST", target: "/events", body: "x".repeat(30_000) });
    expect([refused.status, refused.headers["retry-after"], refused.json()["__type"]]).toEqual([
      503,
      "1",
      "ThrottlingException",
    ]);
    const callRefused = await call(port, "GetTrail", { Name: "x".repeat(30_000) });
    expect([callRefused.status, callRefused.json()["__type"]]).toEqual([503, "ServiceUnavailable"]);
    const inflated = await send(port, {
      method: "POST",
      target: "/events",
      body: gzipSync(Buffer.alloc(60_000)),
    });
    expect(inflated.status).toBe(503);
    holding.socket.destroy();
    await sleep(50);
    expect((await send(port, { method: "POST", target: "/events", body: "x".repeat(30_000) })).status).toBe(
      200,
    );
  });

  test("more connections than allowed: 503, then none at all; closing one makes room", async () => {
    const { port } = await start({ limits: { connectionsMax: 5 } });
    const held = Array.from({ length: 5 }, () => connectRaw(port));
    await Promise.all(held.map(({ socket }) => once(socket, "connect")));
    const refused = await send(port, { target: "/healthz" });
    expect([refused.status, refused.headers["retry-after"], refused.headers.connection]).toEqual([
      503,
      "1",
      "close",
    ]);
    const flood = Array.from({ length: 200 }, () => connectRaw(port));
    await expect
      .poll(() => flood.filter(({ socket }) => socket.destroyed).length, patient)
      .toBeGreaterThan(100);
    for (const { socket } of [...held, ...flood]) socket.destroy();
    // Until the door has heard of that, one more is dropped too.
    await expect.poll(async () => (await send(port, { target: "/healthz" })).status, patient).toBe(200);
  });

  test("a flood of pipelined requests is answered, most of it with 503", async () => {
    const { port, world } = await start();
    let openGate = () => undefined as void;
    world.gate = new Promise((resolve) => {
      openGate = () => resolve();
    });
    const body = '{"Name":"slow"}';
    const one = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: CloudTrail_20131101.GetTrail\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const connection = connectRaw(port, one.repeat(300));
    await sleep(200);
    openGate();
    await expect.poll(() => connection.received(0), patient).toContain("HTTP/1.1 503 ");
    connection.socket.destroy();
    const text = await connection.received();
    expect(text.split("HTTP/1.1 200 OK").length - 1).toBe(64);
    expect(text).toContain("HTTP/1.1 503 ");
  });
});

describe("too slow", () => {
  const slow = { limits: { headersTimeoutMs: 400, requestTimeoutMs: 800, keepAliveTimeoutMs: 300 } };

  test.each([
    ["headers that never end", "POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"],
    ["a body that never ends", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"],
    [
      "a chunked body that never ends",
      "POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
  ])("%s: 408", async (_name, bytes) => {
    const { port } = await start(slow);
    const text = await connectRaw(port, bytes).received();
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(text).toContain('{"__type":"RequestTimeout","message":"The request did not arrive in time."}');
    expect(text).toMatch(/\r\nx-amzn-RequestId: [0-9a-f-]{36}\r\n/);
  });

  test("a byte now and then does not keep a connection for ever", async () => {
    const { port } = await start(slow);
    const connection = connectRaw(port, "POST / HTTP/1.1\r\nHost: localhost\r\n");
    const started = Date.now();
    while (!connection.socket.destroyed && Date.now() - started < 5000) {
      connection.socket.write("X-A: b\r\n");
      await sleep(50);
    }
    expect(Date.now() - started).toBeLessThan(3000);
    expect(await connection.received()).toContain("408 Request Timeout");
  });

  test("a connection that says nothing, and one that is idle after an answer, are closed", async () => {
    const { port } = await start(slow);
    const silent = connectRaw(port);
    const idle = connectRaw(port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await idle.received()).toContain("200 OK");
    expect(idle.socket.destroyed).toBe(true);
    await silent.received();
    expect(silent.socket.destroyed).toBe(true);
  });

  test("a client that does not take its answer is cut off", async () => {
    const { port, world } = await start(slow);
    world.bucketAnswer = { status: 200, headers: {}, body: Buffer.alloc(30_000_000) };
    const authorization =
      "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    const connection = connectRaw(
      port,
      `GET /b/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`,
    );
    connection.socket.pause();
    await sleep(3000);
    connection.socket.resume();
    expect((await connection.received()).length).toBeLessThan(30_000_000);
    expect(connection.socket.destroyed).toBe(true);
  });
});

describe("Expect: 100-continue", () => {
  const head = (length: number) =>
    `POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;

  test("is answered, then the body is read", async () => {
    const { port } = await start();
    const connection = connectRaw(port, head(2));
    await sleep(100);
    connection.socket.write("[]");
    expect(await connection.received()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test("a body beyond the limit is refused before it is sent", async () => {
    const { port } = await start({ limits: { eventsBodyBytesMax: 100 } });
    expect(await connectRaw(port, head(101)).received()).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("another expectation: 417", async () => {
    const { port } = await start();
    const text = await connectRaw(port, head(2).replace("100-continue", "tea")).received(1000);
    expect(text).toMatch(/^HTTP\/1\.1 417 /);
  });
});

describe("no HTTP", () => {
  test.each([
    ["noise", "\x00\x01\x02\xff\xfe\r\n\r\n", 400],
    ["a TLS hello", Buffer.from("16030100c8010000c4030363", "hex"), 400],
    ["no request line", "hello\r\n\r\n", 400],
    ["a space in a header name", "GET / HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n", 400],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      400,
    ],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a negative length", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400],
    [
      "a bad chunk",
      "POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
    ["an absolute target", "GET http://example.com/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["a star", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 405],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 403],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400],
  ])("%s", async (_name, bytes, status) => {
    const { port } = await start();
    const text = await connectRaw(port, bytes).received(1500);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(/\r\nx-amzn-RequestId: [0-9a-f-]{36}\r\n/i);
    expect(text).toMatch(/\r\nDate: [^\r]+ GMT\r\n/);
  });

  test("HTTP/1.0 without Host and a head that ends early do no harm", async () => {
    const { port } = await start();
    expect(await connectRaw(port, "GET /healthz HTTP/1.0\r\n\r\n").received()).toContain("200 OK");
    const cut = connectRaw(port, "POST / HTTP/1.1\r\nHost: loc");
    await sleep(20);
    cut.socket.destroy();
  });

  test("clients that go away in the middle of a body or before their answer do no harm", async () => {
    const { port, world } = await start();
    world.gate = sleep(100);
    const body = '{"Name":"slow"}';
    for (const bytes of [
      "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc",
      `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: CloudTrail_20131101.StartLogging\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ]) {
      const connection = connectRaw(port, bytes);
      await sleep(30);
      connection.socket.resetAndDestroy();
    }
    // The change of the client that went away was still made, and recorded.
    await expect.poll(() => [world.changes, world.attempts.length], patient).toEqual([1, 1]);
  });
});

describe("closing", () => {
  test("what is under way is answered, new connections are refused, idle ones closed", async () => {
    const door = await startDoor();
    door.world.gate = sleep(300);
    const idle = connectRaw(door.port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const underWay = call(door.port, "StartLogging", { Name: "slow" });
    await sleep(100);
    const started = Date.now();
    await door.door.close(5000);
    expect(Date.now() - started).toBeLessThan(2000);
    expect((await underWay).status).toBe(200);
    expect(await idle.received(100)).toContain("200 OK");
    expect(idle.socket.destroyed).toBe(true);
    await expect(send(door.port, { target: "/healthz" })).rejects.toThrow(/ECONNREFUSED/);
  });

  test("what does not finish in time is cut off", async () => {
    const door = await startDoor();
    door.world.gate = new Promise(() => undefined);
    const underWay = call(door.port, "StartLogging", { Name: "slow" }).catch((error: Error) => error.message);
    await sleep(100);
    const started = Date.now();
    await door.door.close(200);
    expect(Date.now() - started).toBeLessThan(2000);
    expect(await underWay).toMatch(/socket hang up|ECONNRESET/);
  });

  test("a port that is taken is an error that says so", async () => {
    const first = await startDoor();
    await expect(startDoor({ configuration: { port: first.port } })).rejects.toThrow(/EADDRINUSE/);
    await first.close();
  });
});
