// The load generator: a process of its own, driven over IPC (load-plan.ts). Requests are bytes before the clock starts.
import { generatedRecords } from "../records/generated-records.ts";
import { Connection } from "./connection.ts";
import type { LoadResult, Order, PreparedRequest, Reply, Run } from "./load-plan.ts";

let lines: Buffer[] = [];
const lineFeed = Buffer.from("\n");

process.on("message", (order: Order) => {
  answer(order).then(reply, (error: unknown) => reply({ kind: "failed", message: String(error) }));
});
process.on("disconnect", () => process.exit(0));

function reply(message: Reply): void {
  process.send?.(message);
}

async function answer(order: Order): Promise<Reply> {
  if (order.kind === "run") return { kind: "done", result: await run(order) };
  lines = [];
  for (const record of generatedRecords(order.count, order.profile))
    lines.push(Buffer.from(JSON.stringify(record)));
  return { kind: "prepared" };
}

async function run(plan: Run): Promise<LoadResult> {
  const url = new URL(plan.url);
  const { requests, total } = requestsOf(plan, url);
  const round = new Round(requests, total);
  const connections = Array.from(
    { length: plan.connections },
    () => new Connection(url, (error) => round.fail(error)),
  );
  for (const connection of connections) await connection.open();
  try {
    return await round.drive(connections, plan.requestsPerSecond);
  } finally {
    for (const connection of connections) connection.close();
  }
}

function requestsOf(
  { load }: Run,
  { host }: URL,
): { readonly requests: readonly Buffer[]; readonly total: number } {
  if (load.kind === "calls") {
    const requests = load.requests.map((request) =>
      requestBytes({ ...request, body: Buffer.from(request.body) }),
    );
    return { requests, total: requests.length * load.times };
  }
  const headers = { host, "content-type": "application/x-ndjson" };
  const requests: Buffer[] = [];
  const made = Math.min(load.count, lines.length);
  for (let first = 0; first < made; first += load.perBody) {
    const parts: Buffer[] = [];
    for (let at = first; at < Math.min(first + load.perBody, made); at += 1) {
      parts.push(lines[(load.first + at) % lines.length] ?? lineFeed, lineFeed);
    }
    requests.push(requestBytes({ path: "/events", headers, body: Buffer.concat(parts) }));
  }
  return { requests, total: Math.ceil(load.count / load.perBody) };
}

function requestBytes({
  method = "POST",
  path = "/",
  headers,
  body,
}: PreparedRequest & { readonly body: Buffer }): Buffer {
  const lines = Object.entries({ ...headers, "content-length": String(body.length) });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** One run: hands the requests out in their order and notes the answers. */
class Round {
  readonly #requests: readonly Buffer[];
  readonly #total: number;
  readonly #latenciesMs: Float64Array;
  readonly #answeredMs: Float64Array;
  readonly #statuses: Record<string, number> = {};
  #firstFailure: string | undefined;
  #next = 0;
  #answered = 0;
  #accepted = 0;
  #finish: (() => void) | undefined;
  #break: ((error: Error) => void) | undefined;

  constructor(requests: readonly Buffer[], total: number) {
    this.#requests = requests;
    this.#total = total;
    this.#latenciesMs = new Float64Array(total);
    this.#answeredMs = new Float64Array(total);
  }

  async drive(connections: readonly Connection[], requestsPerSecond?: number): Promise<LoadResult> {
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    await new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#break = reject;
      if (requestsPerSecond === undefined) for (const connection of connections) this.#sendOn(connection);
      else this.#pace([...connections], requestsPerSecond);
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      ...{
        seconds: (performance.now() - start) / 1000,
        cpuSeconds: (user + system) / 1e6,
        requests: this.#total,
      },
      ...{ accepted: this.#accepted, statuses: this.#statuses },
      ...{ latenciesMs: this.#latenciesMs, answeredMs: this.#answeredMs },
      ...(this.#firstFailure !== undefined && { firstFailure: this.#firstFailure }),
    };
  }

  fail(error: Error): void {
    this.#break?.(error);
  }

  /** Sends the next request, and the one after it when the answer is there. */
  #sendOn(connection: Connection): void {
    const index = this.#next;
    if (index >= this.#total) return;
    this.#next += 1;
    this.#send(connection, { index, dueMs: performance.now() }, () => this.#sendOn(connection));
  }

  /** Open loop: a request that is due waits for a free connection, and its waiting counts. */
  #pace(free: Connection[], perSecond: number): void {
    const start = performance.now();
    const sendDue = () => {
      while (this.#next < this.#total && free.length > 0) {
        const dueMs = start + (this.#next * 1000) / perSecond;
        if (dueMs > performance.now()) break;
        const connection = free.pop();
        if (!connection) break;
        const index = this.#next;
        this.#next += 1;
        this.#send(connection, { index, dueMs }, () => {
          free.push(connection);
          sendDue();
        });
      }
    };
    const timer = setInterval(() => {
      if (this.#next >= this.#total) clearInterval(timer);
      else sendDue();
    }, 2);
  }

  #send(
    connection: Connection,
    { index, dueMs }: { readonly index: number; readonly dueMs: number },
    then: () => void,
  ): void {
    const request = this.#requests[index % this.#requests.length] ?? lineFeed;
    connection.send(request, ({ status, body }) => {
      this.#latenciesMs[index] = performance.now() - dueMs;
      this.#answeredMs[index] = Date.now();
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
      if (status !== 200) this.#firstFailure ??= `${status} ${body}`;
      const accepted = /"accepted":(\d+)/.exec(body)?.[1];
      if (accepted !== undefined) this.#accepted += Number(accepted);
      this.#answered += 1;
      if (this.#answered === this.#total) this.#finish?.();
      else then();
    });
  }
}
