// The pipeline that most would write first in Node, as a yardstick: node:http, JSON.parse per line, a closure per
// trail, the body written and synced before the answer, and once a second JSON.stringify and gzip per trail.
// Usage: tsx bench/naive/naive-pipeline.ts FOLDER, with the trails as JSON on standard input. Prints { url }.
import { mkdirSync } from "node:fs";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { bucketOf } from "../server-under-test.ts";
import type { BenchTrails } from "../trails.ts";
import { eventFilter, type ParsedEvent } from "./event-filter.ts";

const gzipAsync = promisify(gzip);
const [folder = ""] = process.argv.slice(2);
const wanted = JSON.parse(await text(process.stdin)) as BenchTrails;
const trails = Object.entries(wanted).map(([name, selectors]) => ({
  folder: join(folder, "buckets", bucketOf(name)),
  matches: eventFilter(selectors),
  events: [] as ParsedEvent[],
}));
for (const trail of trails) mkdirSync(trail.folder, { recursive: true });
const log = await open(join(folder, "events.log"), "a");
let delivered = 0;
let files = 0;

async function takeEvents(request: IncomingMessage, log: FileHandle): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const lines = body.toString("utf8").split("\n");
  let accepted = 0;
  for (const line of lines) {
    if (line === "") continue;
    const event = JSON.parse(line) as ParsedEvent;
    accepted += 1;
    for (const trail of trails) if (trail.matches(event)) trail.events.push(event);
  }
  await log.write(body);
  await log.datasync();
  return accepted;
}

async function deliver(): Promise<void> {
  for (const trail of trails) {
    const Records = trail.events;
    if (Records.length === 0) continue;
    trail.events = [];
    files += 1;
    const bytes = await gzipAsync(JSON.stringify({ Records }), { level: 6 });
    await writeFile(join(trail.folder, `${String(files)}.json.gz`), bytes);
    delivered += Records.length;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === "/metrics") {
    const { user, system } = process.cpuUsage();
    response.end(
      `process_cpu_seconds_total ${String((user + system) / 1e6)}\nlog_file_records_total ${String(delivered)}\n`,
    );
    return;
  }
  const accepted = await takeEvents(request, log);
  const body = JSON.stringify({ accepted, rejected: [] });
  response.setHeader("content-length", body.length);
  response.end(body);
}

function deliverForEver(): void {
  setTimeout(() => void deliver().then(deliverForEver), 1000);
}

deliverForEver();
const server = createServer((request, response) => void answer(request, response)).listen(
  0,
  "127.0.0.1",
  () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${String(port)}` })}\n`);
  },
);
