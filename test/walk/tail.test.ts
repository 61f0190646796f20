// `cairn tail` against a real server: what comes shows within a second, for whom it may, whatever it holds, and for as long
// as somebody reads.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Api, makeTrail, startApi, writeConfig } from "../harness/api-fixture.ts";
import { runCairn } from "../harness/cairn-command.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { type RunningCommand, startCommand } from "../harness/running-command.ts";

const started: RunningCommand[] = [];
afterEach(async () => {
  for (const command of started.splice(0)) await command.dispose();
});

/** A tail that listens by the time this resolves: an event of its own marks it. */
async function startTail(
  url: string,
  words: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningCommand> {
  const before = await openTails(url);
  const tail = startCommand(["tail", "--endpoint-url", url, ...words], environment);
  started.push(tail);
  await expect.poll(() => openTails(url), { timeout: 20_000, interval: 50 }).toBeGreaterThan(before);
  await sleep(100);
  return tail;
}

async function openTails(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^cairn_tails (\d+)$/m.exec(text)?.[1] ?? "0");
}

const shows = (tail: RunningCommand, text: string | RegExp, timeout = 5000) =>
  expect.poll(() => tail.out().join("\n"), { timeout, interval: 20 }).toMatch(text);

describe("with authentication off", () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.dispose());

  test("own calls and posted events show within a second, one line each", async () => {
    const tail = await startTail(api.url);
    const account = api.newAccount();
    await api.as(account).describeTrails({});
    await shows(tail, new RegExp(`^\\S+Z  cloudtrail:DescribeTrails  ${account}  127\\.0\\.0\\.1$`, "m"));
    await postEvents(api.url, [
      managementEvent({ sourceIPAddress: "203.0.113.7", errorCode: "UnauthorizedOperation" }),
      managementEvent({
        ...{ eventSource: "s3.amazonaws.com", eventName: "GetObject", readOnly: true },
        ...{ managementEvent: false, eventCategory: "Data", sourceIPAddress: "203.0.113.8" },
        resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::b/k" }],
      }),
    ]);
    await shows(tail, /^2026-01-10T09:18:41Z {2}s3:GetObject {2}mary {2}203\.0\.113\.8 {2}b\/k$/m);
    await shows(tail, /ec2:RunInstances {2}mary {2}203\.0\.113\.7.* {2}UnauthorizedOperation$/m);
    const delaysMs: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await postEvents(api.url, [managementEvent({ eventName: `Round${round}` })]);
      const postedMs = performance.now();
      await shows(tail, `ec2:Round${round}`);
      delaysMs.push(performance.now() - postedMs);
    }
    // The median: on a busy machine one may be late.
    expect(delaysMs.toSorted((a, b) => a - b)[2]).toBeLessThan(1000);
    expect(tail.out().every((line) => !line.includes("\u001b"))).toBe(true);
    expect(await tail.end("SIGINT")).toBe(0);
    expect(tail.err()).toBe("");
  });

  test("filters, all of which must hold", async () => {
    const user = `user-${randomUUID()}`;
    const identity = { type: "IAMUser", userName: user, accessKeyId: "AKIAFILTER" };
    const tail = await startTail(api.url, ["--username", user, "--event-name", "PutObject", "--json"]);
    await postEvents(api.url, [
      managementEvent({ userIdentity: identity, eventName: "GetObject" }),
      managementEvent({ eventName: "PutObject" }),
      managementEvent({ userIdentity: identity, eventName: "PutObject", requestParameters: { n: 1 } }),
    ]);
    await expect.poll(() => tail.out().length, { timeout: 5000 }).toBe(1);
    expect(JSON.parse(tail.out()[0] ?? "")).toMatchObject({ requestParameters: { n: 1 } });
    expect(await tail.end("SIGTERM")).toBe(0);
  });

  test("a trail shows what it logs, as it was decided then", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "watched");
    await client.putEventSelectors({
      TrailName: arn,
      EventSelectors: [{ ReadWriteType: "WriteOnly", IncludeManagementEvents: true }],
    });
    const event = (eventName: string, readOnly: boolean) =>
      managementEvent({ recipientAccountId: account, eventName, readOnly });
    await postEvents(api.url, [event("BeforeLogging", false)]);
    await client.startLogging({ Name: arn });
    await postEvents(api.url, [
      event("Write", false),
      event("Read", true),
      managementEvent({ eventName: "Other" }),
    ]);
    await client.stopLogging({ Name: arn });
    await postEvents(api.url, [event("AfterLogging", false)]);
    const ask = ["tail", "--endpoint-url", api.url, "--since", "5m", "--follow", "false"];
    const found = await runCairn([...ask, "--trail", arn]);
    expect(found.code).toBe(0);
    const names = found.out.split("\n").flatMap((line) => line.split("  ")[1] ?? []);
    // The calls that begin and end the logging are writes that the trail logs itself.
    expect(names).toEqual(["cloudtrail:StartLogging", "ec2:Write", "cloudtrail:StopLogging"]);
    const missing = await runCairn([...ask, "--trail", arn.replace("watched", "nothing")]);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("TrailNotFoundException") });
  });

  test("control characters reach no terminal", async () => {
    const evil = "\u001b]0;owned\u0007\u009b31mred\u202egnp\r\n\u2028fake line";
    const tail = await startTail(api.url, ["--event-source", `evil${evil}`, "--color", "always"]);
    const json = await startTail(api.url, ["--event-source", `evil${evil}`, "--json"]);
    await postEvents(api.url, [
      managementEvent({
        ...{ eventSource: `evil${evil}`, eventName: evil, sourceIPAddress: evil, errorCode: evil },
        ...{ userIdentity: { type: "IAMUser", userName: evil }, userAgent: evil },
        resources: [{ type: evil, ARN: evil }],
      }),
    ]);
    await shows(tail, "owned");
    await shows(json, "owned");
    await sleep(200);
    expect(tail.out()).toHaveLength(1);
    expect(json.out()).toHaveLength(1);
    // oxlint-disable-next-line no-control-regex -- what is looked for
    const colors = /\u001b\[\d+m/g;
    expect(tail.out()[0]).toMatch(colors);
    for (const line of [tail.out()[0]?.replace(colors, "") ?? "", json.out()[0] ?? ""]) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
    expect(JSON.parse(json.out()[0] ?? "")).toMatchObject({
      eventName: evil,
      userIdentity: { userName: evil },
    });
  });

  test("goes on over a restart of the server, without loss or repetition", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "cairn-tail-"));
    // A quiet stream is longer under way than a request may take to arrive.
    const args = [
      ...["--auth", "off", "--delivery-interval", "1s"],
      ...["--headers-timeout", "1s", "--request-timeout", "1s"],
    ];
    let cairn = await startCairn({ args, dataDir });
    try {
      const port = Number(new URL(cairn.url).port);
      const tail = await startTail(cairn.url, ["--event-source", "restart.amazonaws.com"]);
      const post = (eventName: string) =>
        postEvents(cairn.url, [managementEvent({ eventSource: "restart.amazonaws.com", eventName })]);
      await sleep(2500);
      await post("Before");
      await shows(tail, "restart:Before");
      await cairn.end("SIGTERM");
      await expect.poll(() => tail.err(), { timeout: 10_000 }).toContain("trying again.");
      cairn = await startCairn({ args, dataDir, port });
      await post("While");
      await expect.poll(() => tail.err(), { timeout: 15_000 }).toContain("The server is back.");
      await post("After");
      await shows(tail, "restart:After");
      expect(tail.out().map((line) => line.split("  ")[1])).toEqual([
        ...["restart:Before", "restart:While", "restart:After"],
      ]);
      expect(await tail.end("SIGINT")).toBe(0);
    } finally {
      await cairn.dispose();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test("ends at its limit, when nobody reads it, and says what it does not understand", async () => {
    const tail = await startTail(api.url, ["--event-source", "limit.amazonaws.com", "--limit", "2"]);
    const unread = await startTail(api.url, ["--event-source", "limit.amazonaws.com"]);
    unread.closeOut();
    const events = ["A", "B", "C"].map((eventName) =>
      managementEvent({ eventSource: "limit.amazonaws.com", eventName }),
    );
    await postEvents(api.url, events);
    expect(await tail.end()).toBe(0);
    expect(tail.out()).toHaveLength(2);
    await sleep(200);
    await postEvents(api.url, events);
    expect(await unread.end()).toBe(0);

    const ask = (...words: string[]) => runCairn(["tail", "--endpoint-url", api.url, ...words]);
    expect(await ask("--colour", "always")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--colour: cairn tail has no such flag; it has --endpoint-url,/),
    });
    expect((await ask("--color", "sometimes")).err).toContain("is not auto, always or never.");
    expect((await ask("--since", "yesterday")).err).toContain(
      "The parameter since must be a duration such as 5m",
    );
    expect((await ask("--since", "5m", "--from-start")).err).toContain("give one of them.");
    expect(await runCairn(["tail", "--endpoint-url", "http://127.0.0.1:9"])).toMatchObject({ code: 2 });
    expect((await runCairn(["tail", "--help"])).out).toContain("Usage: cairn tail");
  });

  test("somebody who reads nothing slows nobody down, and gets everything later", async () => {
    const source = "slow.amazonaws.com";
    const path = `/tail?eventSource=${source}&from=now`;
    const { hostname, port } = new URL(api.url);
    const slow = connect({ host: hostname, port: Number(port) });
    let received = "";
    slow.setEncoding("utf8").on("data", (text: string) => (received += text));
    slow.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    await expect.poll(() => received, { timeout: 5000 }).toContain('"start"');
    slow.pause();
    const padding = "x".repeat(2000);
    let slowestMs = 0;
    for (let batch = 0; batch < 40; batch += 1) {
      const records = Array.from({ length: 250 }, (_, index) =>
        managementEvent({ eventSource: source, eventName: `E${batch * 250 + index}`, padding }),
      );
      const startedMs = performance.now();
      expect((await postEvents(api.url, records)).accepted).toBe(250);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
    // Not a measurement: the door was not made to wait for the reader.
    expect(slowestMs).toBeLessThan(10_000);
    slow.resume();
    const last = "E9999";
    await expect.poll(() => received.includes(`"${last}"`), { timeout: 30_000 }).toBe(true);
    slow.destroy();
    const names = [...received.matchAll(/"eventName":"(E\d+)"/g)].map(([, name]) => name);
    expect(names).toEqual(Array.from({ length: 10_000 }, (_, index) => `E${index}`));
    await expect.poll(() => openTails(api.url), { timeout: 5000 }).toBe(0);
  });

  test("as many tails as there may be, and no more", async () => {
    const before = await openTails(api.url);
    const requests = Array.from({ length: 32 - before }, () => request(`${api.url}/tail`));
    const answers = requests.map((one) => once(one.end(), "response"));
    await Promise.all(answers);
    const refused = await fetch(`${api.url}/tail`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refused.json()).toMatchObject({ __type: "ServiceUnavailable" });
    for (const one of requests) one.destroy();
    await expect.poll(() => openTails(api.url), { timeout: 5000 }).toBe(before);
  });
});

describe("with authentication on", () => {
  const [main, other] = ["123456789012", "210987654321"];
  const keys = {
    watcher: {
      AWS_ACCESS_KEY_ID: "AKIAWATCHER000000001",
      AWS_SECRET_ACCESS_KEY: "watcher-secret-of-the-tests-0001",
    },
    nobody: {
      AWS_ACCESS_KEY_ID: "AKIANOBODY0000000001",
      AWS_SECRET_ACCESS_KEY: "nobody-secret-of-the-tests-00001",
    },
    stranger: {
      AWS_ACCESS_KEY_ID: "AKIASTRANGER00000001",
      AWS_SECRET_ACCESS_KEY: "stranger-secret-of-the-tests-001",
    },
  };
  const user = (name: keyof typeof keys, ...Action: string[]) => ({
    name,
    accessKeys: [
      { accessKeyId: keys[name].AWS_ACCESS_KEY_ID, secretAccessKey: keys[name].AWS_SECRET_ACCESS_KEY },
    ],
    policies: [
      {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: [...Action, "cloudtrail:DescribeTrails"], Resource: "*" }],
      },
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), "cairn-tail-"));
  const configure = (...ofWatcher: string[]) =>
    writeConfig(
      folder,
      JSON.stringify({
        accounts: [
          { id: main, name: "main", users: [user("watcher", ...ofWatcher), user("nobody")] },
          { id: other, name: "other", users: [user("stranger", "cairn:TailEvents")] },
        ],
      }),
    );
  let cairn: CairnProcess;
  beforeAll(async () => {
    const config = configure("cairn:TailEvents");
    cairn = await startCairn({ args: ["--auth", "on", "--config", config] });
  });
  afterAll(async () => {
    await cairn.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const callAs = (name: keyof typeof keys) =>
    new CloudTrail({
      endpoint: cairn.url,
      region: "us-east-1",
      credentials: {
        accessKeyId: keys[name].AWS_ACCESS_KEY_ID,
        secretAccessKey: keys[name].AWS_SECRET_ACCESS_KEY,
      },
    }).describeTrails({});

  test("everybody sees the own account, and nobody without a policy anything", async () => {
    const tail = (name: keyof typeof keys, ...words: string[]) => {
      const command = startCommand(
        ["tail", "--endpoint-url", cairn.url, "--from-start", ...words],
        keys[name],
      );
      started.push(command);
      return command;
    };
    const [watcher, stranger] = [tail("watcher"), tail("stranger")];
    for (const name of ["watcher", "stranger", "nobody"] as const) await callAs(name);
    await shows(watcher, "nobody");
    await shows(stranger, "stranger");
    await sleep(300);
    const whoOf = (command: RunningCommand) => command.out().map((line) => line.split("  ")[2]);
    expect(whoOf(watcher)).toEqual(["watcher", "nobody"]);
    expect(whoOf(stranger)).toEqual(["stranger"]);

    const denied = tail("nobody");
    expect(await denied.end()).toBe(2);
    expect(denied.err()).toContain(
      "AccessDeniedException: User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: cairn:TailEvents",
    );
    const foreign = tail("watcher", "--account-id", other);
    expect(await foreign.end()).toBe(2);
    expect(foreign.err()).toContain("Events of the caller's own account can be seen only.");
    const unknown = startCommand(["tail", "--endpoint-url", cairn.url]);
    started.push(unknown);
    expect(await unknown.end()).toBe(2);
    expect(unknown.err()).toContain("UnrecognizedClientException");

    configure();
    process.kill(cairn.pid, "SIGHUP");
    expect(await watcher.end()).toBe(1);
    expect(watcher.err()).toContain("no longer allow cairn:TailEvents.");
    expect(await stranger.end("SIGINT")).toBe(0);
  });
});
