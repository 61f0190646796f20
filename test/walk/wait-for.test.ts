// `cairn wait-for` as test suites use it: in a script, before and after the event, with a clear word when nothing comes.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Api, makeBucket, s3, startApi } from "../harness/api-fixture.ts";
import { type Ended, runCairn } from "../harness/cairn-command.ts";
import { cleanEnvironment, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { type RunningCommand, startCommand } from "../harness/running-command.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());
const started: RunningCommand[] = [];
afterEach(async () => {
  for (const command of started.splice(0)) await command.dispose();
});

const waitFor = (...words: string[]): Promise<Ended> =>
  runCairn(["wait-for", "--endpoint-url", api.url, ...words]);

let sources = 0;
/** Nobody else's events have it. */
const newSource = () => `source${++sources}.amazonaws.com`;

function object(eventSource: string, changes: object = {}) {
  return managementEvent({
    ...{ eventSource, eventName: "PutObject", managementEvent: false, eventCategory: "Data" },
    resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::my-bucket/report.pdf" }],
    ...changes,
  });
}

describe("what is there", () => {
  test("an event that came just before, data events too", async () => {
    const source = newSource();
    await postEvents(api.url, [object(source)]);
    expect(await waitFor("--event-name", "PutObject", "--event-source", source, "--timeout", "10s")).toEqual({
      code: 0,
      out: `2026-01-10T09:18:41Z  source1:PutObject  mary  198.51.100.7  my-bucket/report.pdf\n`,
      err: "",
    });
    const json = await waitFor("--event-source", source, "--resource-name", "report.pdf", "--json");
    expect([json.code, JSON.parse(json.out)]).toMatchObject([0, { eventName: "PutObject" }]);
  });

  test("an event that comes while it waits", async () => {
    const source = newSource();
    const waiting = startCommand([
      ...["wait-for", "--endpoint-url", api.url, "--event-source", source, "--error-code", "AccessDenied"],
      ...["--timeout", "20s"],
    ]);
    started.push(waiting);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(waiting.out()).toEqual([]);
    await postEvents(api.url, [object(source), object(source, { errorCode: "AccessDenied" })]);
    expect(await waiting.end()).toBe(0);
    expect(waiting.out()).toEqual([expect.stringMatching(/PutObject.* {2}AccessDenied$/)]);
  });

  test("as many as are wanted", async () => {
    const source = newSource();
    await postEvents(api.url, [object(source), object(source), object(source)]);
    const words = ["--event-source", source, "--timeout", "1s"];
    const three = await waitFor(...words, "--count", "3");
    expect([three.code, three.out.split("\n").length]).toEqual([0, 4]);
    const four = await waitFor(...words, "--count", "4");
    expect(four.code).toBe(1);
    expect(four.err).toMatch(/^3 of 4 such events came within 1s\. Seen instead: /);
  });
});

describe("what is not there", () => {
  test("says what was seen instead, the likeliest first", async () => {
    const source = newSource();
    await postEvents(api.url, [
      object(source, { eventName: "GetObject" }),
      object(source, { userIdentity: { type: "IAMUser", userName: "b\u001bob" }, errorCode: "AccessDenied" }),
    ]);
    const missed = await waitFor(
      ...[
        "--event-name",
        "PutObject",
        "--event-source",
        source,
        "--username",
        "nobody",
        "--timeout",
        "500ms",
      ],
    );
    expect(missed).toMatchObject({ code: 1, out: "" });
    expect(missed.err).toMatch(/^No such event came within 500ms\. Seen instead: .*1 x /);
    expect(missed.err).toContain(
      `${source.replace(".amazonaws.com", "")}:PutObject by b\\u001bob on my-bucket/report.pdf (AccessDenied)`,
    );
    // Others of the name there are, so what has another one is left out.
    expect(missed.err).not.toContain("GetObject");
  });

  test("looks back no further than it is told", async () => {
    const source = newSource();
    await postEvents(api.url, [object(source)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const words = ["--event-source", source, "--timeout", "300ms"];
    expect((await waitFor(...words, "--since", "0s")).code).toBe(1);
    expect((await waitFor(...words, "--since", new Date(Date.now() + 60_000).toISOString())).code).toBe(1);
    expect((await waitFor(...words, "--since", "2026-01-01T00:00:00Z")).code).toBe(0);
  });
});

describe("what is wrong", () => {
  test.each([
    [["--timeout", "1s"], "Say which event, with --event-name or another flag."],
    [["--event-name", "X", "--timeout", "soon"], "--timeout: "],
    [["--event-name", "X", "--count", "0"], "--count: write a whole number from 1 to 1000000."],
    [["--event-name", "X", "--limit", "1"], "--limit: cairn wait-for has no such flag"],
    [["--event-name", ""], "--event-name: the value is empty."],
    [["--event-name", "X", "--since", "yesterday"], "The parameter since must be a duration"],
    [["--event-name", "X", "--trail", "not-there"], "TrailNotFoundException"],
  ])("%j", async (words, text) => {
    const ended = await waitFor(...words);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(text);
  });

  test("a server that never comes", async () => {
    const url = await freeAddress();
    const words = ["wait-for", "--endpoint-url", url, "--event-name", "X", "--timeout", "500ms"];
    expect(await runCairn(words)).toEqual({
      ...{ code: 2, out: "" },
      err: `${url}/ does not answer: no server listens there.\n`,
    });
  });
});

/** Where nobody listens. */
async function freeAddress(): Promise<string> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  await new Promise((resolve) => holder.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

test("a call to the embedded bucket, by bucket and key", async () => {
  await makeBucket(api.url, "waited-for");
  expect((await s3(api.url, "PUT", "waited-for/report.pdf", "hello")).status).toBe(200);
  const words = ["--event-name", "PutObject", "--resource-name", "waited-for/report.pdf", "--timeout", "10s"];
  expect(await waitFor(...words)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/ {2}s3:PutObject {2}123456789012 {2}127\.0\.0\.1 {2}waited-for\/report\.pdf/),
  });
});

test("a server that comes later is waited for", async () => {
  const url = await freeAddress();
  const waiting = startCommand(["wait-for", "--endpoint-url", url, "--event-name", "RunInstances"]);
  started.push(waiting);
  const cairn = await startCairn({ port: Number(new URL(url).port) });
  try {
    await postEvents(cairn.url, [managementEvent()]);
    expect(await waiting.end()).toBe(0);
  } finally {
    await cairn.dispose();
  }
});

test("a script of a test suite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-wait-"));
  const script = `
    set -e
    since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    post() { curl -sf -o /dev/null --data-binary "@$1" "$AWS_ENDPOINT_URL/events"; }
    post created.json
    cairn wait-for --event-name CreateThing --username mary --since "$since" --timeout 10s
    if cairn wait-for --event-name DeleteThing --since "$since" --timeout 300ms; then exit 9; fi
    post deleted.json &
    cairn wait-for --event-name DeleteThing --since "$since" --timeout 10s --json > deleted.out
    wait
    grep -q '"eventName":"DeleteThing"' deleted.out
    echo passed`;
  for (const [file, eventName] of [
    ["created.json", "CreateThing"],
    ["deleted.json", "DeleteThing"],
  ] as const) {
    writeFileSync(join(folder, file), JSON.stringify(managementEvent({ eventName })));
  }
  writeFileSync(join(folder, "cairn"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, {
    mode: 0o755,
  });
  const environment = cleanEnvironment();
  const env = { ...environment, PATH: `${folder}:${environment["PATH"]}`, AWS_ENDPOINT_URL: api.url };
  const ended = await new Promise<string>((resolve) => {
    execFile("sh", ["-c", script], { cwd: folder, env }, (error, out, err) =>
      resolve(`${error?.code ?? 0} ${out}${err}`),
    );
  });
  rmSync(folder, { recursive: true, force: true });
  expect(ended).toMatch(
    /^0 .*ec2:CreateThing {2}mary.*\npassed\nNo such event came within 300ms\. Seen instead:/,
  );
});
