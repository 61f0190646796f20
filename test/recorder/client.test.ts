// The client for services of one's own against a running server: what is stored, what is told of failures, what is signed.
import { createServer, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRecorder, type RecorderProblem } from "../../src/client/recorder.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucket, startApi, type Api, writeConfig } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { logFiles } from "../harness/log-files.ts";

const account = "123456789012";

/** A server of a few lines that answers as it is told, in turn, and keeps what it got. */
async function scripted(
  answers: readonly ((request: IncomingMessage) => { status: number; body: object })[],
) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)]?.(request);
      bodies.push(body);
      response.writeHead(answer?.status ?? 500).end(JSON.stringify(answer?.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const idsOf = (body: string | undefined) =>
  (body ?? "").split("\n").map((line) => JSON.parse(line).eventID as string);

describe("against a server without authentication", () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.dispose());

  test("five lines are enough, and the record is in the log file", async () => {
    const own = api.newAccount();
    const client = api.as(own);
    await client.createTrail({ Name: "own-service", S3BucketName: bucket });
    await client.startLogging({ Name: "own-service" });
    const recorder = createRecorder({
      ...{ endpoint: api.url, region: "us-east-1", account: own, eventSource: "orders.example.com" },
    });
    const { eventID } = recorder.record({ eventName: "CancelOrder", requestParameters: { orderId: "42" } });
    await recorder.close();
    await expect
      .poll(
        () =>
          logFiles(api.cairn.dataDir, bucket)
            .flatMap(({ records }) => records)
            .find((record) => record["eventID"] === eventID),
        { timeout: 10_000 },
      )
      .toMatchObject({
        eventVersion: "1.11",
        eventSource: "orders.example.com",
        eventName: "CancelOrder",
        awsRegion: "us-east-1",
        requestParameters: { orderId: "42" },
        responseElements: null,
        readOnly: false,
        managementEvent: true,
        eventCategory: "Management",
        recipientAccountId: own,
      });
  });

  test("thousands go in batches, each acknowledged", async () => {
    const recorder = createRecorder({
      ...{ endpoint: api.url, region: "us-east-1", account, eventSource: "orders.example.com" },
    });
    const receipts = Array.from({ length: 3000 }, (_, at) =>
      recorder.record({ eventName: "Count", requestParameters: { at } }),
    );
    await recorder.flush();
    await Promise.all(receipts.map(({ stored }) => stored));
    await recorder.close();
  });

  test("an event that Cairn does not take is told, its neighbours are stored", async () => {
    const problems: RecorderProblem[] = [];
    const recorder = createRecorder({
      ...{ endpoint: api.url, region: "us-east-1", account, eventSource: "orders.example.com" },
      onProblem: (problem) => problems.push(problem),
    });
    const good = recorder.record({ eventName: "Good" });
    const bad = recorder.record({ eventName: "Bad", awsRegion: "nowhere" });
    await recorder.close();
    await good.stored;
    await expect(bad.stored).rejects.toThrow("InvalidRegion");
    expect(problems).toMatchObject([{ kind: "rejected", eventID: bad.eventID }]);
  });
});

describe("against a server with authentication", () => {
  let cairn: CairnProcess;
  let folder: string;
  const credentials = { accessKeyId: "AKIACLIENTTEST", secretAccessKey: "client-test-secret" };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cairn-client-"));
    const config = writeConfig(
      folder,
      `accounts: [{ id: "${account}", users: [{ name: orders, accessKeys: [{ accessKeyId: ${credentials.accessKeyId}, secretAccessKey: ${credentials.secretAccessKey} }], policies: [{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "cairn:PutEvents", Resource: "*" }] }] }] }]`,
    );
    cairn = await startCairn({ args: ["--config", config] });
  });
  afterAll(async () => {
    await cairn.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const options = () => ({
    ...{ endpoint: cairn.url, region: "eu-west-1", account, eventSource: "orders.example.com" },
    batchDelayMs: 1,
  });

  test("requests are signed", async () => {
    const recorder = createRecorder({ ...options(), credentials: async () => credentials });
    await recorder.record({ eventName: "Signed" }).stored;
    await recorder.close();
  });

  test.each([
    ["a wrong secret", { ...credentials, secretAccessKey: "another-secret" }, "InvalidSignatureException"],
    ["no credentials", undefined, "MissingAuthenticationTokenException"],
  ])("%s is refused at once, not for ever", async (_what, wrong, code) => {
    const recorder = createRecorder({ ...options(), ...(wrong ? { credentials: wrong } : {}) });
    await expect(recorder.record({ eventName: "Refused" }).stored).rejects.toThrow(code);
    await recorder.close();
  });
});

describe("while the server has trouble", () => {
  test("a batch is sent again with the same ids until it is taken", async () => {
    const server = await scripted([
      () => ({ status: 503, body: { __type: "ThrottlingException", message: "Full." } }),
      () => ({
        status: 200,
        body: { accepted: 1, rejected: [{ index: 1, code: "Throttling", message: "Full." }] },
      }),
      () => ({ status: 200, body: { accepted: 1, rejected: [] } }),
    ]);
    const recorder = createRecorder({
      ...{ endpoint: server.url, region: "us-east-1", account, eventSource: "s", batchDelayMs: 5 },
    });
    const receipts = [recorder.record({ eventName: "A" }), recorder.record({ eventName: "B" })];
    await Promise.all(receipts.map(({ stored }) => stored));
    await recorder.close();
    const ids = receipts.map(({ eventID }) => eventID);
    expect(server.bodies.map(idsOf)).toEqual([ids, ids, ids.slice(1)]);
    await server.close();
  });

  test("a batch that is too large is halved", async () => {
    let count = 0;
    const server = await scripted([
      () => (++count === 1 ? { status: 413, body: {} } : { status: 200, body: { rejected: [] } }),
    ]);
    const recorder = createRecorder({
      ...{ endpoint: server.url, region: "us-east-1", account, eventSource: "s", batchDelayMs: 5 },
    });
    const receipts = [1, 2, 3].map((at) => recorder.record({ eventName: `E${at}` }));
    await recorder.flush();
    await Promise.all(receipts.map(({ stored }) => stored));
    expect(server.bodies.map((body) => idsOf(body).length)).toEqual([3, 2, 1]);
    await server.close();
  });

  test("the buffer is bounded: new events are refused, or the oldest given up", async () => {
    const down = { endpoint: "http://127.0.0.1:9", region: "us-east-1", account, eventSource: "s" };
    const small = { ...down, bufferBytesMax: 1000, batchDelayMs: 60_000, batchBytesMax: 100_000 };
    const refusing = createRecorder(small);
    refusing.record({ eventName: "One" });
    expect(() => {
      for (let count = 0; count < 10; count++) refusing.record({ eventName: "More" });
    }).toThrow("buffer is full");
    await refusing.close({ timeoutMs: 50 });

    const problems: RecorderProblem[] = [];
    const dropping = createRecorder({
      ...small,
      whenFull: "drop-oldest",
      onProblem: (problem) => problems.push(problem),
    });
    const receipts = Array.from({ length: 10 }, () => dropping.record({ eventName: "Many" }));
    const dropped = problems.filter(({ kind }) => kind === "dropped").map(({ eventID }) => eventID);
    expect(dropped.length).toBeGreaterThan(5);
    expect(dropped).toEqual(receipts.slice(0, dropped.length).map(({ eventID }) => eventID));
    await dropping.close({ timeoutMs: 50 });
    await expect(receipts.at(-1)?.stored).rejects.toThrow("closed");
  });

  test("what is no event is refused on the spot", () => {
    const recorder = createRecorder({ endpoint: "http://127.0.0.1:9", region: "us-east-1", account });
    expect(() => recorder.record({ eventName: "A" })).toThrow("eventSource");
    expect(() => recorder.record({ eventName: "", eventSource: "s" })).toThrow("eventName");
    expect(() =>
      recorder.record({ eventName: "A", eventSource: "s", requestParameters: { text: "x".repeat(300_000) } }),
    ).toThrow("262144");
    expect(() => createRecorder({ endpoint: "http://x", region: "us-east-1", account: "1" })).toThrow(
      "12 digits",
    );
  });
});
