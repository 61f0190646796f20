// GET /tail and POST /explain at the door: what may be asked and by whom; never a 5xx for what clients write.
import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { TailQuestion } from "../../src/tail/tails.ts";
import { account, connectRaw, mary, nobody, policy, type Running, send, startDoor } from "./door-fixture.ts";
import { sign } from "./signing.ts";

let running: Running | undefined;

async function start(options: Parameters<typeof startDoor>[0] = {}): Promise<Running> {
  running = await startDoor(options);
  return running;
}

afterEach(async () => {
  expect(running?.world.errors ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

const mayGoOn: unknown = expect.any(Function);
const secured = { configuration: { auth: "on" } } as const;

async function signed(path: string, query: Record<string, string>, credentials = mary) {
  const method = path === "/explain" ? "POST" : "GET";
  return sign(
    { method, path, query, headers: { host: "localhost" } },
    { credentials, service: "cloudtrail" },
  );
}

/** A tail that tells one line and then waits until it is ended. */
function waitingTail(): AsyncIterableIterator<Uint8Array> & { ends: number } {
  let wake: (() => void) | undefined;
  let asked = 0;
  return {
    ends: 0,
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      asked += 1;
      if (asked === 1) return { done: false, value: Buffer.from("{}\n") };
      await new Promise<void>((resolve) => (wake = resolve));
      return { done: true, value: undefined };
    },
    async return() {
      this.ends += 1;
      wake?.();
      return { done: true, value: undefined };
    },
  };
}

describe("what is asked", () => {
  test("everything from now on, of all accounts, when nothing is said", async () => {
    const { port, world } = await start();
    const reply = await send(port, { target: "/tail" });
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/x-ndjson");
    expect(world.tailQuestions).toEqual([
      { filter: { attributes: [] }, start: { kind: "now" }, follow: true, derived: false, mayGoOn },
    ]);
  });

  test("the attributes of LookupEvents and more", async () => {
    const { port, world } = await start();
    const query = [
      ...["eventName=PutObject", "username=m%C3%A4ry", "readOnly=false", "errorCode=AccessDenied", "limit=7"],
      ...["account=123456789012", "region=eu-west-1", "trail=my-trail", "from=start", "derived=true"],
      "follow=false",
    ];
    expect((await send(port, { target: `/tail?${query.join("&")}` })).status).toBe(200);
    expect(world.tailQuestions).toEqual([
      {
        filter: {
          attributes: [
            ["EventName", "PutObject"],
            ["Username", "märy"],
            ["ReadOnly", "false"],
          ],
          errorCode: "AccessDenied",
          account: "123456789012",
          region: "eu-west-1",
          incarnation: "incarnation of my-trail",
        },
        start: { kind: "start" },
        ...{ follow: false, derived: true, limit: 7, mayGoOn },
      },
    ]);
  });

  test.each<readonly [string, TailQuestion["start"]]>([
    ["since=0s", { kind: "since", sinceMs: 0 }],
    ["since=5m", { kind: "since", sinceMs: -300_000 }],
    ["since=1970-01-01T00:00:01.5Z", { kind: "since", sinceMs: 1500 }],
    ["from=now", { kind: "now" }],
    ["cursor=0.17.3", { kind: "positions", positions: [{ partition: "0", seq: 17, index: 3 }] }],
  ])("%s", async (query, begin) => {
    const { port, world } = await start();
    world.clockShiftMs = -Date.now();
    expect((await send(port, { target: `/tail?${query}` })).status).toBe(200);
    const [question] = world.tailQuestions;
    if (question?.start.kind !== "since" || begin.kind !== "since") expect(question?.start).toEqual(begin);
    else expect(Math.abs(question.start.sinceMs - begin.sinceMs)).toBeLessThan(2000);
  });

  test.each([
    ["nonsense=1", /^There is no parameter of that name; there are eventId, eventName/],
    ["eventName=a&eventName=b", "The parameter eventName is given twice."],
    ["eventName=", "The parameter eventName must have 1 to 2000 characters."],
    [`eventName=${"x".repeat(2001)}`, "The parameter eventName must have 1 to 2000 characters."],
    ["limit=0", "The parameter limit must be a number from 1 to 1000000000."],
    ["limit=1e3", "The parameter limit must be a number from 1 to 1000000000."],
    ["follow=yes", "The parameter follow must be true or false."],
    ["region=nowhere", "The parameter region is no Region."],
    ["account=12", "The parameter account must be 12 digits."],
    ["since=5", /^The parameter since must be a duration/],
    ["since=2026-13-01T00:00:00Z", /^The parameter since must be a duration/],
    ["from=there", "The parameter from must be now or start."],
    ["cursor=x", "The parameter cursor is not one that this server gave."],
    ["cursor=0.1.0&since=5m", "Of the parameters since, from and cursor one can be given only."],
  ])("%s is refused", async (query, text) => {
    const { port } = await start();
    const reply = await send(port, { target: `/tail?${query}` });
    expect(reply.status).toBe(400);
    expect(reply.json()).toEqual({
      __type: "ValidationException",
      message: typeof text === "string" ? text : expect.stringMatching(text),
    });
  });

  test("a trail that is not there, another method, and too many tails", async () => {
    const { port, world } = await start();
    expect((await send(port, { target: "/tail?trail=missing" })).json()["__type"]).toBe(
      "TrailNotFoundException",
    );
    expect((await send(port, { target: "/tail", method: "POST" })).status).toBe(405);
    world.tail = () => "full";
    const full = await send(port, { target: "/tail" });
    expect([full.status, full.headers["retry-after"]]).toEqual([503, "5"]);
  });
});

describe("the stream", () => {
  test("ends when its client goes, and when the server closes", async () => {
    const { port, world, door } = await start();
    const tails = [waitingTail(), waitingTail()];
    let opened = 0;
    world.tail = () => tails[opened++] ?? "full";
    const gone = connectRaw(port, "GET /tail HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(() => opened).toBe(1);
    const stays = connectRaw(port, "GET /tail HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(() => opened).toBe(2);
    gone.socket.destroy();
    await expect.poll(() => tails[0]?.ends).toBe(1);
    expect(tails[1]?.ends).toBe(0);
    const startedMs = performance.now();
    await door.close(5000);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(tails[1]?.ends).toBe(1);
    // The last chunk is there: an end, not a break.
    expect(await stays.received()).toMatch(/\{\}\n\r\n0\r\n\r\n$/);
    running = undefined;
  });
});

describe("who may", () => {
  test("sees the own account's events only", async () => {
    const { port, world } = await start(secured);
    expect((await send(port, await signed("/tail", { eventName: "Put Object/*" }))).status).toBe(200);
    expect(world.tailQuestions[0]?.filter).toEqual({
      attributes: [["EventName", "Put Object/*"]],
      account: "123456789012",
    });
    const other = await send(port, await signed("/tail", { account: "210987654321" }));
    expect([other.status, other.json()["__type"]]).toEqual([400, "AccessDeniedException"]);
    expect((await send(port, await signed("/tail", { account: "123456789012" }))).status).toBe(200);
  });

  test("nobody without a signature or a policy", async () => {
    const { port, world } = await start(secured);
    const unsigned = await send(port, { target: "/tail" });
    expect(unsigned.json()["__type"]).toBe("MissingAuthenticationTokenException");
    expect((await send(port, await signed("/tail", {}, nobody))).json()).toEqual({
      __type: "AccessDeniedException",
      message:
        "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: cairn:TailEvents on resource: arn:aws:cairn:us-east-1:123456789012:events because no identity-based policy allows the cairn:TailEvents action",
    });
    expect(world.tailQuestions).toEqual([]);
  });

  test("may no longer when the key is gone, has expired, or its policies say so", async () => {
    const { port, world } = await start(secured);
    const identity = world.identities.get(mary.accessKeyId);
    if (!identity) throw new Error("There is no mary.");
    const presigned = await sign(
      { method: "GET", path: "/tail", query: { limit: "3" }, headers: { host: "localhost" } },
      { credentials: mary, service: "cloudtrail", presignSeconds: 60 },
    );
    expect((await send(port, presigned)).status).toBe(200);
    const [question] = world.tailQuestions;
    expect(question?.limit).toBe(3);
    const mayStill = (changed: typeof identity | undefined) => {
      if (changed) world.identities.set(mary.accessKeyId, changed);
      else world.identities.delete(mary.accessKeyId);
      return question?.mayGoOn();
    };
    expect(mayStill(identity)).toBe(true);
    expect(mayStill({ ...identity })).toBe(true);
    expect(mayStill({ ...identity, expiresMs: Date.now() + 60_000 })).toBe(true);
    expect(mayStill({ ...identity, expiresMs: Date.now() - 1 })).toBe(false);
    expect(mayStill({ ...identity, policies: [] })).toBe(false);
    expect(mayStill(undefined)).toBe(false);
  });

  test("a trail needs GetTrail too; an explanation GetTrail and GetEventSelectors", async () => {
    const { port, world } = await start(secured);
    const watcher = { accessKeyId: "AKIAWATCHER", secretAccessKey: "watch" };
    const only = (...Action: string[]) =>
      world.identities.set(watcher.accessKeyId, {
        caller: {
          ...{ accountId: account("123456789012"), kind: "user", principalId: "AIDAWATCHER" },
          arn: "arn:aws:iam::123456789012:user/watcher",
        },
        secretAccessKey: watcher.secretAccessKey,
        policies: [policy({ Effect: "Allow", Action, Resource: "*" })],
      });
    const codeOf = async (path: string, query: Record<string, string>) => {
      const reply = await send(port, await signed(path, query, watcher));
      return reply.status === 200 ? 200 : reply.json()["__type"];
    };
    only("cairn:TailEvents");
    expect(await codeOf("/tail", {})).toBe(200);
    expect(await codeOf("/tail", { trail: "t" })).toBe("AccessDeniedException");
    expect(await codeOf("/explain", { trail: "t" })).toBe("AccessDeniedException");
    only("cairn:TailEvents", "cloudtrail:GetTrail");
    expect(await codeOf("/tail", { trail: "t" })).toBe(200);
    expect(await codeOf("/explain", { trail: "t" })).toBe("AccessDeniedException");
    only("cloudtrail:GetTrail", "cloudtrail:GetEventSelectors");
    expect(await codeOf("/explain", { trail: "t" })).toBe(200);
    expect(await codeOf("/explain", { trail: "missing" })).toBe("TrailNotFoundException");
    // Neither in the journal nor in the history may it look.
    expect(await codeOf("/explain", { trail: "t", eventId: "x" })).toBe("AccessDeniedException");
    only("cloudtrail:*");
    expect(await codeOf("/explain", { trail: "t", eventId: "x" })).toBe("EventNotFoundException");
    only("cloudtrail:Get*", "cairn:TailEvents");
    expect(await codeOf("/explain", { trail: "t", eventId: "x" })).toBe("EventNotFoundException");
  });
});

test("whatever stands in the query, nothing is a 5xx", async () => {
  const { port } = await start();
  const names = fc.constantFrom(
    ...["eventId", "eventName", "readOnly", "username", "resourceType", "errorCode", "account", "region"],
    ...["trail", "since", "from", "cursor", "limit", "follow", "derived", "X-Amz-Date", "__proto__", ""],
  );
  const values = fc.oneof(
    fc.string({ maxLength: 30, unit: "binary" }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom(
      "%",
      "%zz",
      "%00",
      "true",
      "5m",
      "99999999999d",
      "0.1.1",
      "0.999999999999999.9",
      "+",
      "=",
      "now",
    ),
    fc.constantFrom("2026-01-10T00:00:00Z", "123456789012", "us-east-1", "-1", "x".repeat(3000)),
  );
  const queries = fc.array(fc.tuple(names, values), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("/tail", "/explain"), queries, async (path, pairs) => {
      const query = pairs.map((pair) => pair.join("=")).join("&");
      const method = path === "/tail" ? "GET" : "POST";
      const { status } = await send(port, { method, target: `${path}?${query}` });
      expect(status).toBeLessThan(500);
    }),
    { seed: 20_261_121, numRuns: 400 },
  );
});
