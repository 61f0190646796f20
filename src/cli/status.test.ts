// `cairn status` against a small server that answers what the test says: words, exit codes, and what can go wrong.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DestinationReport, StatusReport, TrailReport } from "../door/ports.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import { status } from "./status.ts";
import { needsAttention, statusText } from "./status-text.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
const nowMs = Date.parse("2026-01-10T12:00:00Z");

/** The door's own type: what it may answer, the command must be able to read. */
type Answer = Omit<StatusReport, "trails"> & { readonly isCut: boolean; readonly trails: TrailReport[] };

function report(destinations: readonly DestinationReport[], changes: Partial<Answer> = {}): Answer {
  return {
    startedMs: nowMs - 3 * hour - 12 * minute,
    nowMs,
    health: { ready: true, parts: { journal: { ok: true } } },
    journal: { bytes: 5 * 1024 * 1024, bytesMax: 10 * 1024 ** 3 },
    isCut: false,
    trails: [
      {
        arn: "arn:aws:cloudtrail:us-east-1:123456789012:trail/t",
        isLogging: true,
        isDeleted: false,
        destinations,
      },
    ],
    ...changes,
  };
}

function region(text: string): Region {
  const known = parseRegion(text);
  if (!known) throw new Error(`${text} is no Region.`);
  return known;
}

const well: DestinationReport = {
  kind: "bucket",
  target: "s3://trail-logs/audit",
  delivered: { latestMs: nowMs - 12 * second },
  waiting: { files: 0, records: 0, bytes: 0 },
  givenUp: { files: 0, records: 0 },
};
const down: DestinationReport = {
  ...well,
  failing: {
    sinceMs: nowMs - 2 * hour,
    code: "AccessDenied",
    message: "Access Denied",
    attempts: 27,
    nextTryMs: nowMs + 90 * second,
  },
  waiting: { files: 24, records: 1204, bytes: 1_258_291, oldestMs: nowMs - 2 * hour },
};
const waitingFor = (ms: number): DestinationReport => ({
  ...well,
  waiting: { files: 1, records: 0, bytes: 0, oldestMs: nowMs - ms },
});
const lost = (msAgo?: number): DestinationReport => ({
  ...well,
  givenUp: { files: 2, records: 10, ...(msAgo !== undefined && { latestMs: nowMs - msAgo }) },
});

describe("what needs attention", () => {
  const notReady = { ready: false, parts: { journal: { ok: false, detail: "The journal is full." } } };
  const cases: readonly [string, Answer, boolean][] = [
    ["no trails", report([], { trails: [] }), false],
    ["all well", report([well]), false],
    ["a failing destination", report([well, down]), true],
    ["a file that waits for the next try", report([waitingFor(15 * minute)]), false],
    ["a file that waits too long", report([waitingFor(15 * minute + 1)]), true],
    [
      "a wait that is not told since when",
      report([{ ...well, waiting: { files: 1, records: 1, bytes: 1 } }]),
      false,
    ],
    ["given up just now", report([lost(0)]), true],
    ["given up some time", report([lost()]), true],
    ["given up the day before", report([lost(day)]), false],
    ["a server that is not ready", report([well], { health: notReady }), true],
    ["a note alone", report([{ ...well, note: "No SNS endpoint is configured." }]), false],
  ];
  test.each(cases)("%s", (_name, answer, expected) => {
    expect(needsAttention(answer)).toBe(expected);
    const text = statusText(answer, "http://127.0.0.1:4577");
    expect(text.endsWith("attention.")).toBe(expected);
  });
});

describe("the text", () => {
  test("of a trail in trouble says what, since when and why", () => {
    const regions = [
      { region: region("us-east-1"), latestMs: nowMs - 12 * second },
      { region: region("eu-west-1"), latestError: "AccessDenied" },
    ];
    const notices: DestinationReport = {
      ...lost(3 * day + 4 * hour),
      kind: "notification",
      target: "arn:aws:sns:us-east-1:123456789012:topic",
      note: "The topic was changed.",
    };
    const never: DestinationReport = {
      kind: "digest",
      target: "s3://trail-logs/audit",
      failing: { sinceMs: nowMs - minute, code: "Unknown", attempts: 1 },
      waiting: { files: 1, records: 0, bytes: 0, oldestMs: nowMs - minute },
      givenUp: { files: 0, records: 0 },
    };
    expect(statusText(report([{ ...down, regions }, never, notices]), "http://127.0.0.1:4577")).toBe(
      `http://127.0.0.1:4577 is ready, running since 2026-01-10T08:48:00Z (3 h 12 min ago).
Its journal holds 5.0 MiB of at most 10.0 GiB.

arn:aws:cloudtrail:us-east-1:123456789012:trail/t is logging.
  Log files to s3://trail-logs/audit
    delivered  last 2026-01-10T11:59:48Z (12 s ago)
    waiting    24 files, 1,204 records, 1.2 MiB, the oldest since 2026-01-10T10:00:00Z (2 h 0 min ago)
    FAILING    since 2026-01-10T10:00:00Z (2 h 0 min ago), 27 attempts; next try in 1 min
               AccessDenied: Access Denied
    in Region  us-east-1: last 2026-01-10T11:59:48Z (12 s ago)
    in Region  eu-west-1: nothing yet; AccessDenied
  Digests to s3://trail-logs/audit
    delivered  nothing yet
    waiting    1 digest, the oldest since 2026-01-10T11:59:00Z (1 min ago)
    FAILING    since 2026-01-10T11:59:00Z (1 min ago), 1 attempt; being tried right now
               Unknown
  Notifications to arn:aws:sns:us-east-1:123456789012:topic
    delivered  last 2026-01-10T11:59:48Z (12 s ago)
    GIVEN UP   2 notifications with 10 records since the start, last 2026-01-07T08:00:00Z (3 d 4 h ago); they will not be delivered
    note       The topic was changed.

1 of 1 trail needs attention.`,
    );
  });

  test.each<[string, Partial<TrailReport>, string]>([
    ["stopped", { isLogging: false }, "trail/t is not logging."],
    ["deleted", { isDeleted: true }, "trail/t is deleted and delivers the rest."],
  ])("of a trail that is %s", (_name, changes, words) => {
    const { trails } = report([well]);
    const answer = report([], { trails: trails.map((trail) => ({ ...trail, ...changes })) });
    expect(statusText(answer, "http://x")).toContain(words);
  });

  test("says when trails are left out, what is not ready, and what waits too long", () => {
    const parts = { journal: { ok: false, detail: "The journal is full." }, delivery: { ok: true } };
    const answer = report([waitingFor(hour)], { isCut: true, health: { ready: false, parts } });
    const text = statusText(answer, "http://x");
    expect(text).toContain("http://x is NOT READY");
    expect(text).toContain("\n  journal: The journal is full.\n");
    expect(text).toContain("(1 h 0 min ago); that is too long");
    expect(text).toMatch(/There are more trails than are listed; ask for one with --trail\.$/);
  });

  test("shows control characters of others escaped", () => {
    const nasty = "\u001b[2J\nAll is well.";
    const trails = [
      {
        arn: nasty,
        isLogging: true,
        isDeleted: false,
        destinations: [
          {
            ...down,
            kind: nasty as "bucket",
            target: nasty,
            note: nasty,
            failing: { sinceMs: 0, code: nasty, message: nasty, attempts: 1 },
          },
        ],
      },
    ];
    const text = statusText(report([], { trails }), nasty);
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => line.startsWith("All is well."))).toEqual([]);
  });
});

describe("asking", () => {
  const seen: IncomingMessage[] = [];
  let answer: (response: ServerResponse) => void;
  const server = createServer((request, response) => {
    seen.push(request);
    answer(response);
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => void (seen.length = 0));

  async function ask(flags: Readonly<Record<string, string>>, environment: Record<string, string> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const terminal = {
      environment,
      out: (line: string) => void out.push(line),
      err: (line: string) => void err.push(line),
    };
    const code = await status(flags, terminal);
    return { code, out: out.join("\n"), err: err.join("\n") };
  }
  const say = (statusCode: number, body: unknown) => (response: ServerResponse) => {
    response.writeHead(statusCode, { location: "http://127.0.0.1:1/", connection: "close" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

  test("exits with 0 when all is well and with 1 when not", async () => {
    answer = say(200, report([well]));
    expect(await ask({ "endpoint-url": url })).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining(`${url} is ready`),
    });
    answer = say(200, report([down]));
    expect(await ask({ "endpoint-url": url })).toMatchObject({ code: 1, err: "" });
    expect(seen.map((request) => [request.url, request.headers.authorization])).toEqual([
      ["/statusz", undefined],
      ["/statusz", undefined],
    ]);
  });

  test("sends the token and the trail", async () => {
    answer = say(200, report([well]));
    await ask({ "endpoint-url": `${url}/base/?x=y`, token: "t0ken", trail: "arn:a/b&c" });
    await ask({}, { AWS_ENDPOINT_URL: url, CAIRN_METRICS_TOKEN: "another" });
    await ask(
      { token: "flag" },
      {
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        AWS_ENDPOINT_URL_CLOUDTRAIL: url,
        CAIRN_METRICS_TOKEN: "variable",
      },
    );
    expect(seen.map((request) => [request.url, request.headers.authorization])).toEqual([
      ["/base/statusz?trail=arn%3Aa%2Fb%26c", "Bearer t0ken"],
      ["/statusz", "Bearer another"],
      ["/statusz", "Bearer flag"],
    ]);
  });

  test("--json prints the whole answer, what is new in it too", async () => {
    const whole = { ...report([down]), newMember: ["\u001b"] };
    answer = say(200, whole);
    const { code, out } = await ask({ "endpoint-url": url, json: "true" });
    expect([code, JSON.parse(out)]).toEqual([1, whole]);
    expect(out).not.toContain("\u001b");
  });

  test("a trail that is not there is a mistake of the caller", async () => {
    answer = say(200, report([], { trails: [] }));
    expect(await ask({ "endpoint-url": url, trail: "nosuch" })).toEqual({
      code: 2,
      out: "",
      err: '--trail: "nosuch" is the name or ARN of no trail.',
    });
  });

  const tokenHint = "give the token with --token or CAIRN_METRICS_TOKEN";
  test.each<[string, (response: ServerResponse) => void, string]>([
    ["no token", say(401, { message: "It needs\u0007 one." }), `${tokenHint}. It needs\\u0007 one.`],
    ["not from this machine", say(403, "<html>"), tokenHint],
    ["another server", say(404, {}), "answered 404 to GET /statusz; is it a Cairn, and not an older one?"],
    ["a redirect is not followed", say(302, {}), "answered 302 to GET /statusz."],
    ["no JSON", say(200, "hello"), "is no status report of a Cairn."],
    ["another form", say(200, { ...report([]), nowMs: 1e300 }), "is no status report of a Cairn."],
    ["a connection cut", (response) => void response.destroy(), "does not answer: "],
  ])("%s: exits with 2 and a sentence", async (_name, act, sentence) => {
    answer = act;
    const { code, out, err } = await ask({ "endpoint-url": url });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
  });

  test.each<[Record<string, string>, string]>([
    [
      { "endpoint-url": "4577" },
      '--endpoint-url: "4577" is not an address; write for example http://127.0.0.1:4577.',
    ],
    [{ "endpoint-url": "file:///etc/passwd" }, "is not an address"],
    [
      { port: "1" },
      "--port: cairn status has no such flag; it has --endpoint-url, --token, --trail and --json.",
    ],
    [{ "endpoint-url": "http://127.0.0.1:1", token: "a\nb" }, "--token (CAIRN_METRICS_TOKEN): "],
  ])("%j is refused with 2", async (flags, sentence) => {
    const { code, out, err } = await ask(flags);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
  });

  test("where nobody listens: exits with 2 and the reason", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect(await ask({ "endpoint-url": `http://127.0.0.1:${port}` })).toEqual({
      code: 2,
      out: "",
      err: `http://127.0.0.1:${port}/ does not answer: no server listens there.`,
    });
  });

  test("a password in the address is neither sent nor shown", async () => {
    const { code, err } = await ask({ "endpoint-url": "http://mary:hunter2@127.0.0.1:1" });
    expect(code).toBe(2);
    expect(err).toMatch(/^--endpoint-url: /);
    expect(err).not.toContain("hunter2");
  });
});
