// An S3 store for the benches that keeps no object, only how many records each one held; it can go down and come back.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { occurrences } from "./delivered-files.ts";

export interface CountingStore {
  readonly url: string;
  /** Records in the objects of a bucket, Cairn's own calls left out. */
  records(bucket: string): number;
  /** Puts of an object that was there already. */
  repeatedPuts(): number;
  /** Refuses connections from now on; those that are open break. */
  goDown(): void;
  comeBack(): Promise<void>;
  close(): void;
}

export async function startCountingStore(): Promise<CountingStore> {
  const counts = new Map<string, Map<string, number>>();
  let repeated = 0;
  const put = (bucket: string, key: string, body: Buffer) => {
    if (key.includes("CloudTrail-Digest")) return;
    const objects = counts.get(bucket) ?? new Map<string, number>();
    counts.set(bucket, objects);
    if (objects.has(key)) repeated += 1;
    objects.set(key, recordsIn(body));
  };
  const listen = async (port: number) => {
    const server = createServer((request, response) => void answer(request, response, put)).listen(
      port,
      "127.0.0.1",
    );
    await once(server, "listening");
    return server;
  };
  let server = await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    records: (bucket) => [...(counts.get(bucket)?.values() ?? [])].reduce((sum, count) => sum + count, 0),
    repeatedPuts: () => repeated,
    goDown: () => end(server),
    async comeBack() {
      server = await listen(port);
    },
    close: () => end(server),
  };
}

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}

function recordsIn(body: Buffer): number {
  const text = gunzipSync(body);
  return occurrences(text, '"eventID":"') - occurrences(text, '"sourceIPAddress":"127.0.0.1"');
}

type Put = (bucket: string, key: string, body: Buffer) => void;

async function answer(request: IncomingMessage, response: ServerResponse, put: Put): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const [, bucket = "", ...rest] = pathname.split("/");
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The store went down in the middle of this put.
    return;
  }
  if (request.method === "PUT" && rest.length > 0) {
    put(bucket, decodeURIComponent(rest.join("/")), Buffer.concat(chunks));
    response.setHeader("etag", '"counted"');
  } else if (searchParams.has("policy")) {
    response.statusCode = 404;
    response.setHeader("content-type", "application/xml");
    response.end("<Error><Code>NoSuchBucketPolicy</Code><Message>There is none.</Message></Error>");
    return;
  }
  response.end();
}
