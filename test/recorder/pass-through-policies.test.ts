// What becomes of calls whose record the journal refuses, by each policy; and loops, which end at once.
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDeliveryMark } from "../../src/recorder/delivery-mark.ts";
import { type Reply, send } from "../door/door-fixture.ts";
import {
  type RecorderOptions,
  type RunningRecorder,
  scoped,
  startRecorder,
  until,
} from "./recorder-fixture.ts";

let upstream: Server;
let url: string;
let asked = 0;
let handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void;

beforeAll(async () => {
  upstream = createServer((incoming, outgoing) => {
    asked++;
    handle(incoming, outgoing);
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
  const running = await startRecorder({ endpoints: { s3: url, dynamodb: url }, ...more });
  open.push(running);
  asked = 0;
  return running;
}
afterEach(async () => {
  for (const running of open.splice(0)) {
    expect(running.world.errors).toEqual([]);
    await running.close();
    expect(running.recorded.roomsOpen).toBe(0);
  }
});

const strict = { settings: { policy: "record-or-refuse" } } as const;
const put = { method: "POST", headers: scoped("dynamodb"), body: "{}" };

describe("pass-and-count", () => {
  test("a call whose record is refused passes, is counted, shown, and logged once in a while", async () => {
    const { port, recorded, recorder } = await start();
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    recorded.durable = false;
    for (let at = 0; at < 20; at++) expect((await send(port, put)).text).toBe("fine");
    expect(recorder.unrecorded().count).toBe(20);
    expect(recorder.unrecorded().latestMs).toBeGreaterThan(Date.now() - 10_000);
    expect(recorded.counts.get("recorder_unrecorded_total")).toBe(20);
    expect(recorded.logged).toEqual(["Calls passed without a record: the journal did not take it."]);
  });

  test("an answer does not wait for its record", async () => {
    const { port, recorded } = await start();
    let release = (): void => undefined;
    recorded.gate = new Promise((resolve) => (release = resolve));
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    expect((await send(port, put)).text).toBe("fine");
    expect(recorded.calls).toHaveLength(0);
    release();
    await until(() => recorded.calls.length === 1, "the record");
  });

  test("stopping waits for the records of what has passed", async () => {
    const { port, recorded, recorder } = await start();
    recorded.gate = sleep(300).then(() => undefined);
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    await send(port, put);
    await recorder.close();
    expect(recorded.calls).toHaveLength(1);
  });
});

describe("record-or-refuse", () => {
  test("nothing is passed on while the journal takes nothing: 503 in the form of the service", async () => {
    const { port, recorded } = await start(strict);
    recorded.hasRoom = false;
    const json = await send(port, put);
    const xml = await send(port, { target: "/b/k", headers: scoped("s3") });
    expect([json.status, xml.status, asked]).toEqual([503, 503, 0]);
    expect(json.json()["__type"]).toBe("ServiceUnavailable");
    expect(xml.text).toContain("<Code>ServiceUnavailable</Code>");
    expect(recorded.calls).toEqual([]);
    recorded.hasRoom = true;
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    expect((await send(port, put)).text).toBe("fine");
  });

  /** Reads an answer and tells what had come before the record was made. */
  async function watched(running: RunningRecorder, path: string): Promise<{ before: string; after: string }> {
    let release = (): void => undefined;
    running.recorded.gate = new Promise((resolve) => (release = resolve));
    let text = "";
    let isOver = false;
    const request = httpRequest({
      ...{ host: "127.0.0.1", port: running.port, path, agent: false, headers: scoped("s3") },
    });
    request.on("response", (answer) => {
      text += `${answer.statusCode} `;
      answer.on("data", (piece: Buffer) => (text += piece.toString()));
      answer.on("end", () => (isOver = true));
    });
    request.end();
    await sleep(300);
    expect(isOver).toBe(false);
    const before = text;
    release();
    await until(() => isOver, "the rest");
    return { before, after: text };
  }

  test("the end of an answer waits for the record", async () => {
    const running = await start(strict);
    handle = (incoming, outgoing) => {
      if (incoming.url === "/empty") outgoing.writeHead(204).end();
      else if (incoming.url === "/small") outgoing.writeHead(200, { "Content-Length": "5" }).end("small");
      else {
        const isChunked = incoming.url === "/chunked";
        outgoing.writeHead(200, isChunked ? {} : { "Content-Length": "10" });
        outgoing.write("first");
        setTimeout(() => outgoing.end("later"), 50);
      }
    };
    expect(await watched(running, "/empty")).toEqual({ before: "", after: "204 " });
    expect(await watched(running, "/small")).toEqual({ before: "", after: "200 small" });
    expect(await watched(running, "/pieces")).toEqual({ before: "200 first", after: "200 firstlater" });
    // Of a chunked answer only its end is held.
    expect(await watched(running, "/chunked")).toEqual({ before: "200 firstlater", after: "200 firstlater" });
  });

  test("a call that was made and could not be recorded is not answered as done", async () => {
    const { port, recorded } = await start(strict);
    handle = (incoming, outgoing) => {
      incoming.resume();
      if (incoming.url !== "/large") outgoing.writeHead(200, { "Content-Length": "5" }).end("small");
      else {
        outgoing.writeHead(200, { "Content-Length": "10" }).write("first");
        setTimeout(() => outgoing.end("later"), 50);
      }
    };
    recorded.durable = false;
    const small = await send(port, put);
    expect([small.status, small.json()["__type"]]).toEqual([500, "InternalFailure"]);
    const request = httpRequest({
      ...{ host: "127.0.0.1", port, path: "/large", agent: false, headers: scoped("s3") },
    });
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    await expect(answer.toArray()).rejects.toThrow("aborted");
  });

  test("refusals made here are recorded first too", async () => {
    const { port, recorded } = await start({ ...strict, endpoints: { dynamodb: "http://127.0.0.1:1" } });
    expect((await send(port, put)).status).toBe(502);
    recorded.durable = false;
    expect((await send(port, put)).status).toBe(500);
  });
});

describe("loops", () => {
  const byPath = (port: number): Promise<Reply> => send(port, { target: "/b/k", headers: scoped("s3") });

  test("a request that bears this installation's name is refused", async () => {
    const { port, recorded } = await start();
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    const via = (value: string) => send(port, { ...put, headers: { ...put.headers, via: value } });
    const refused = await via("1.0 fred, 1.1 cairn-testinstallation (x)");
    expect([refused.status, refused.json()["__type"], asked]).toEqual([508, "LoopDetected", 0]);
    // Neither the name of another, nor one that only looks alike.
    expect((await via("1.1 cairn-another")).text).toBe("fine");
    expect((await via("1.1 cairn-testinstallation2, 1.1 x-cairn-testinstallation")).text).toBe("fine");
    expect(recorded.counts.get("recorder_refused_total loop")).toBe(1);
  });

  test("Cairn behind Cairn is fine; in front of itself, or in a circle, it ends at once", async () => {
    handle = (incoming, outgoing) =>
      void incoming.resume().on("end", () => outgoing.end(String(incoming.headers.via)));
    const last = await start({ installationId: "last0000" });
    const first = await start({ installationId: "first000", endpoints: { s3: last.url.href } });
    expect((await byPath(first.port)).text).toBe("1.1 cairn-first000, 1.1 cairn-last0000");

    // The port is known only when it listens; the configuration is read at each request.
    const circle = { target: { kind: "url" as const, url: "" } };
    const one = await start({ installationId: "one00000", endpoints: { s3: circle } });
    circle.target.url = one.url.href;
    expect((await byPath(one.port)).status).toBe(508);
    expect(one.recorded.calls).toHaveLength(1);

    const back = { target: { kind: "url" as const, url: "" } };
    const b = await start({ installationId: "bbbbbbbb", endpoints: { s3: back } });
    const a = await start({ installationId: "aaaaaaaa", endpoints: { s3: b.url.href } });
    back.target.url = a.url.href;
    const began = Date.now();
    expect((await byPath(a.port)).status).toBe(508);
    expect(Date.now() - began).toBeLessThan(2000);
    expect([a.recorded.calls.length, b.recorded.calls.length]).toEqual([1, 1]);
  });

  test("Cairn's own deliveries pass and leave no record; nobody else can claim to be one", async () => {
    let now = 1_800_000_000_000;
    const clock = { nowMs: () => now };
    const mark = createDeliveryMark("a secret", clock);
    const { port, recorded } = await start({ isOwnDelivery: (headers) => mark.isOn(headers) });
    handle = (incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("fine"));
    const from = (userAgent: string) =>
      send(port, { ...put, headers: { ...put.headers, "user-agent": userAgent } });
    const appId = await mark.appId();
    expect(appId.length).toBeLessThanOrEqual(50);
    expect((await from(`aws-sdk-js/3.1 ua/2.1 app/${appId} m/E`)).text).toBe("fine");
    expect(recorded.calls).toHaveLength(0);
    expect(recorded.counts.get("recorder_own_deliveries_total")).toBe(1);

    const forged = await createDeliveryMark("a guess", clock).appId();
    await from(`app/${forged}`);
    await from(`app/${appId}0`);
    await from("app/cairn-delivery-0-000000000000000000000000");
    now += 600_000;
    await from(`app/${appId}`);
    expect(recorded.calls).toHaveLength(4);
  });
});

test.each(["pass-and-count", "record-or-refuse"] as const)(
  "%s: whoever hangs up at whatever moment, every call that arrived is recorded once and nothing is held",
  { timeout: 60_000 },
  async (policy) => {
    const { port, recorded } = await start({
      settings: { policy, clientTimeoutMs: 800, upstreamTimeoutMs: 800 },
    });
    const pick = <Value>(values: readonly Value[]): Value =>
      values[Math.floor(Math.random() * values.length)] as Value;
    handle = (incoming, outgoing) => {
      incoming.on("error", () => undefined);
      outgoing.on("error", () => undefined);
      const kill = () => incoming.socket.destroy();
      const answer = () => {
        if (incoming.headers["x-length"]) outgoing.setHeader("Content-Length", 200_000);
        outgoing.write("a".repeat(100_000));
        setTimeout(() => outgoing.end("b".repeat(100_000)), 5);
      };
      const act = pick([
        answer,
        answer,
        answer,
        kill,
        () => (answer(), setTimeout(kill, 2)),
        () => undefined,
      ]);
      if (Math.random() < 0.2) act();
      else incoming.resume().on("end", act);
    };
    const one = () =>
      new Promise<void>((resolve) => {
        const size = pick([0, 10, 300_000]);
        const request = httpRequest({
          ...{ host: "127.0.0.1", port, method: pick(["PUT", "POST", "GET"]), path: "/b/k", agent: false },
          headers: scoped("s3", {
            ...(size > 0 && { "content-length": String(size) }),
            ...(Math.random() < 0.5 && { "x-length": "1" }),
            ...(size > 0 && Math.random() < 0.3 && { expect: "100-continue" }),
          }),
        });
        request.on("close", resolve).on("error", () => undefined);
        request.on("response", (answer) => {
          answer.on("error", () => undefined);
          if (Math.random() < 0.2) answer.destroy();
          else answer.resume();
        });
        const body = () => void (size > 0 ? request.end(Buffer.alloc(size)) : request.end());
        if (request.getHeader("expect") === undefined) body();
        else {
          request.flushHeaders();
          request.on("continue", body);
          setTimeout(body, 500);
        }
        if (Math.random() < 0.3) setTimeout(() => request.destroy(), 60 + Math.random() * 60);
      });
    for (let batch = 0; batch < 5; batch++) await Promise.all(Array.from({ length: 60 }, one));
    await until(() => recorded.calls.length >= recorded.passing, "all records", 10_000).catch(
      () => undefined,
    );
    await sleep(100);
    // On a busy machine some give up before their head has arrived.
    expect(recorded.passing).toBeGreaterThan(100);
    expect(recorded.calls).toHaveLength(recorded.passing);
    expect(recorded.roomsOpen).toBe(0);
    expect(new Set(recorded.calls.map(({ requestId }) => requestId)).size).toBe(recorded.passing);
  },
);
