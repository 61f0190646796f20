// Answers that are made while they are written: the client's pace, either side's end, and lengths that are kept.
import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { DoorAnswer } from "../../src/door/exchange.ts";
import { writeAnswer } from "../../src/door/write-answer.ts";
import { connectRaw } from "./door-fixture.ts";

interface Written {
  readonly port: number;
  readonly closing: AbortController;
  /** How the writing of each answer ended. */
  readonly ends: Promise<void>[];
}

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = undefined;
});

/** A server whose every answer is the one that `answer` makes. */
async function serve(answer: (path: string) => DoorAnswer, stalledMsMax = 60_000): Promise<Written> {
  const closing = new AbortController();
  const ends: Promise<void>[] = [];
  server = createServer((incoming, outgoing) => {
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => performance.now(),
      sleep: (ms: number, signal?: AbortSignal) =>
        sleep(ms, undefined, signal ? { signal } : {}).catch(() => {}),
    };
    const frame = {
      requestId: "id",
      clock,
      connection: "keep",
      stalledMsMax,
      closing: closing.signal,
    } as const;
    // By then the request is complete, as it is when a door has looked at it.
    const end = once(incoming.resume(), "end").then(() =>
      writeAnswer({ incoming, outgoing }, answer(incoming.url ?? ""), frame),
    );
    end.catch(() => incoming.socket.destroy());
    ends.push(end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, closing, ends };
}

async function get(port: number, method = "GET"): Promise<IncomingMessage> {
  const request = httpRequest({ host: "127.0.0.1", port, method, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of response) text += String(piece);
  return text;
}

/** Counts what is asked for, and hears of its end even while it waits. */
class Pieces implements AsyncIterableIterator<Uint8Array> {
  asked = 0;
  ended = 0;
  readonly #make: (index: number) => Uint8Array | "wait" | undefined;
  #wake: (() => void) | undefined;

  constructor(make: (index: number) => Uint8Array | "wait" | undefined) {
    this.#make = make;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.ended > 0) return { done: true, value: undefined };
    const value = this.#make(this.asked++);
    if (value === "wait") await new Promise<void>((resolve) => (this.#wake = resolve));
    return value instanceof Uint8Array ? { done: false, value } : { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.ended++;
    this.#wake?.();
    return Promise.resolve({ done: true, value: undefined });
  }
}

const letters = (text: string): Pieces =>
  new Pieces((index) => (index < text.length ? Buffer.from(text.charAt(index)) : undefined));

describe("a streamed answer", () => {
  test("is chunked without a length, and whole with one; the connection serves on", async () => {
    const { port, ends } = await serve((path) => ({
      status: 200,
      headers: path === "/length" ? { "Content-Length": "3" } : {},
      body: letters("abc"),
    }));
    const { socket } = connectRaw(port);
    let received = "";
    socket.on("data", (piece: Buffer) => (received += piece.toString()));
    socket.write("GET /chunked HTTP/1.1\r\nHost: x\r\n\r\nGET /length HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(() => ends.length).toBe(2);
    await Promise.all(ends);
    await expect.poll(() => received).toMatch(/Transfer-Encoding: chunked[^]*0\r\n\r\nHTTP[^]*\r\n\r\nabc$/);
    socket.destroy();
  });

  test("empty pieces do not end it", async () => {
    const body = new Pieces((index) => [Buffer.from("a"), Buffer.alloc(0), Buffer.from("b")][index]);
    const { port } = await serve(() => ({ status: 200, headers: {}, body }));
    expect(await textOf(await get(port))).toBe("ab");
  });

  test("is not read for HEAD, but ended", async () => {
    const body = letters("abc");
    const { port, ends } = await serve(() => ({ status: 200, headers: { "Content-Length": "3" }, body }));
    const response = await get(port, "HEAD");
    expect(response.headers["content-length"]).toBe("3");
    await Promise.all(ends);
    expect([body.asked, body.ended]).toEqual([0, 1]);
  });

  test("shorter or longer than promised: the connection is cut", async () => {
    const { port } = await serve(() => ({
      status: 200,
      headers: { "content-length": "5" },
      body: letters("abc"),
    }));
    await expect(get(port).then(textOf)).rejects.toThrow("aborted");
  });

  test("that breaks off looks broken to its client", async () => {
    const { port, ends } = await serve(() => ({
      status: 200,
      headers: {},
      body: new Pieces((index) => {
        if (index === 1) throw new Error("the disk burns");
        return Buffer.from("a");
      }),
    }));
    await expect(get(port).then(textOf)).rejects.toThrow("aborted");
    await expect(ends[0]).rejects.toThrow("the disk burns");
  });
});

describe("the client's pace", () => {
  test("no more is asked for than the connection takes", async () => {
    const body = new Pieces(() => Buffer.alloc(65_536));
    const { port, ends } = await serve(() => ({ status: 200, headers: {}, body }));
    const response = await get(port);
    response.pause();
    await expect.poll(() => body.asked, { timeout: 5000 }).toBeGreaterThan(2);
    await sleep(300);
    const asked = body.asked;
    // What the systems' buffers take, of an endless body.
    expect(asked).toBeLessThan(400);
    await sleep(300);
    expect(body.asked).toBe(asked);
    response.destroy();
    await Promise.all(ends);
    expect(body.ended).toBe(1);
  });

  test("who takes nothing is cut off; a quiet stream is not", async () => {
    const busy = new Pieces(() => Buffer.alloc(65_536));
    const quiet = new Pieces((index) => (index === 0 ? Buffer.from("a") : "wait"));
    const { port, ends } = await serve(
      (path) => ({ status: 200, headers: {}, body: path === "/quiet" ? quiet : busy }),
      200,
    );
    const stalled = connectRaw(port, "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    stalled.socket.pause();
    const still = connectRaw(port, "GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(() => busy.ended, { timeout: 5000 }).toBe(1);
    await ends[0];
    await sleep(600);
    expect([quiet.ended, still.socket.destroyed]).toEqual([0, false]);
    still.socket.destroy();
    stalled.socket.destroy();
    await Promise.all(ends);
    expect(quiet.ended).toBe(1);
  });
});

describe("the end", () => {
  test("a client that goes away ends an iterator that waits, also of an answer that is not its turn yet", async () => {
    const waiting: Pieces[] = [];
    const { port, ends } = await serve(() => {
      const body = new Pieces(() => "wait");
      waiting.push(body);
      return { status: 200, headers: {}, body };
    });
    const { socket } = connectRaw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
    await expect.poll(() => waiting.map(({ asked }) => asked)).toEqual([1, 1, 1]);
    socket.destroy();
    await Promise.all(ends);
    expect(waiting.map(({ ended }) => ended)).toEqual([1, 1, 1]);
  });

  test("a server that closes ends endless streams politely and lets others finish", async () => {
    const endless = new Pieces((index) => (index === 0 ? Buffer.from("a") : "wait"));
    const finite = letters("abc");
    const { port, closing } = await serve((path) =>
      path === "/endless"
        ? { status: 200, headers: {}, body: endless, endsAtClosing: true }
        : { status: 200, headers: {}, body: slowly(finite) },
    );
    const live = connectRaw(port, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    const whole = connectRaw(port, "GET /finite HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(() => finite.asked + endless.asked).toBeGreaterThan(2);
    closing.abort();
    expect(await live.received()).toMatch(/Connection: close[^]*\r\n1\r\na\r\n0\r\n\r\n$/);
    expect(await whole.received()).toMatch(/a\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n$/);
  });
});

async function* slowly(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    await sleep(50);
    yield piece;
  }
}
