// A service that has heard enough answers before the whole body came, and closes: its answer is the client's, whatever the
// connection says to the rest of the body.
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { certificate, privateKey } from "../../src/config-loading.test-world.ts";
import { scoped, startRecorder, type RecorderOptions, type RunningRecorder } from "./recorder-fixture.ts";

const size = 20_000_000;
const open: { close(): unknown }[] = [];
// The certificate of the service is its own.
const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
beforeAll(() => void (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"));
afterAll(() => {
  if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A recorder before a service that reads one piece, says this and closes; what it has not read resets the connection. */
async function startBefore(
  said: string,
  isTls: boolean,
  settings: NonNullable<RecorderOptions["settings"]> = {},
) {
  const onConnection = (socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.pause();
      socket.write(said);
      socket.destroySoon();
    });
  };
  const service: Server = isTls
    ? createTlsServer({ cert: certificate, key: privateKey }, onConnection)
    : createServer(onConnection);
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  const url = `${isTls ? "https" : "http"}://localhost:${port}`;
  const running = await startRecorder({ endpoints: { s3: url }, settings });
  open.push(running, service);
  return running;
}

/** Sends 20 MB as fast as they go, and gives what was answered meanwhile. */
async function upload({ port }: RunningRecorder): Promise<string> {
  const request = httpRequest({
    ...{ host: "127.0.0.1", port, agent: false, method: "PUT", path: "/b/k" },
    headers: { ...scoped("s3"), "content-length": size },
  });
  const failed = once(request, "error").then(([error]: unknown[]) => String(error));
  const answered = (once(request, "response") as Promise<[IncomingMessage]>).then(
    async ([answer]) => `${answer.statusCode} ${(await answer.toArray().catch(String)).toString()}`,
    () => failed,
  );
  const piece = Buffer.alloc(size / 100);
  const sending = (async () => {
    for (let sent = 0; sent < size && !request.destroyed; sent += piece.length) {
      if (!request.write(piece)) await Promise.race([once(request, "drain"), failed, answered]);
    }
    request.end();
  })().catch(() => undefined);
  const answer = await answered;
  request.destroy();
  await sending;
  return answer;
}

const refusals = [
  "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied",
  "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndenied\r\n0\r\n\r\n",
  "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\ndenied",
];

describe.each([
  ["http", false],
  ["https", true],
])("over %s", (_scheme, isTls) => {
  test.each(["pass-and-count", "record-or-refuse"] as const)(
    "an upload that the service refuses in its middle is refused, not lost: %s",
    async (policy) => {
      for (const refusal of refusals) {
        const running = await startBefore(refusal, isTls, { policy });
        for (let turn = 1; turn <= 10; turn += 1) {
          expect(await upload(running), `turn ${turn} of ${refusal}`).toBe("403 denied");
          expect(running.recorded.calls.splice(0)).toMatchObject([{ answer: { status: 403 }, bytesOut: 6 }]);
        }
        expect(running.recorded.roomsOpen).toBe(0);
        expect(running.world.errors).toEqual([]);
      }
    },
  );

  test("one that hangs up without a word is a failure at once", async () => {
    const running = await startBefore("", isTls);
    const startedMs = performance.now();
    expect(await upload(running)).toMatch(/^502 /);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(running.recorded.calls).toMatchObject([{ failure: { code: "BadGateway" } }]);
  });
});
