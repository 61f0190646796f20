// Serves the bucket door by plain HTTP on a free port, without authentication: for S3 clients in tests.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { DirectoryStore } from "../../src/bucket/object-contract.ts";
import { createBucketDoor } from "../../src/bucket/s3-door.ts";
import { parseAccountId } from "../../src/model/arn.ts";
import type { Caller } from "../../src/model/call.ts";
import type { Log } from "../../src/model/environment.ts";

const accountId = parseAccountId("111122223333");
if (!accountId) throw new Error("12 digits are an account.");

export const testCaller: Caller = {
  accountId,
  kind: "user",
  arn: "arn:aws:iam::111122223333:user/mary",
  principalId: "AIDAEXAMPLE",
  userName: "mary",
};

export interface ServedDoor {
  readonly endpoint: string;
  /** Failures the door logged; a test that expects none looks here. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

export async function serveBucketDoor(store: DirectoryStore): Promise<ServedDoor> {
  const errors: string[] = [];
  const silent = () => undefined;
  const log: Log = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (fields, message) => void errors.push(`${message} ${JSON.stringify(fields)}`),
  };
  let requests = 0;
  const door = createBucketDoor(store, { log });
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const [path = "/", search = ""] = (incoming.url ?? "/").split("?", 2);
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(",")]),
      );
      const body = Buffer.concat(chunks);
      const query = new URLSearchParams(search);
      const requestId = `R${(requests += 1)}`;
      const request = { path, query, headers, body, caller: testCaller, requestId, may: () => true };
      void door({ ...request, method: incoming.method ?? "GET" }).then((answer) => {
        outgoing.writeHead(answer.status, answer.headers);
        if (typeof answer.body === "string" || answer.body instanceof Uint8Array) outgoing.end(answer.body);
        else Readable.from(answer.body).pipe(outgoing);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    errors,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
