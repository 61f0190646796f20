// What the recorder adds to calls to a service behind it: the same requests to the service alone and through Cairn, which
// records each of them. In turns, so that a busy moment of the machine hits both.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { median, quantile } from "./cpu-time.ts";
import { type LoadGenerator, startLoadGenerator } from "./load/load-generator.ts";
import type { PreparedRequest } from "./load/load-plan.ts";
import type { BenchOptions, Report } from "./report.ts";
import { metric, type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

interface Call {
  readonly name: string;
  readonly connections: number;
  readonly count: number;
  readonly request: Omit<PreparedRequest, "headers"> & { readonly service: string };
  readonly headers?: Readonly<Record<string, string>>;
}

interface Result {
  readonly call: Call;
  readonly way: "direct" | "cairn";
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros?: number;
}

export async function recorder(options: BenchOptions): Promise<Report> {
  const service = fork(fileURLToPath(new URL("recorder-upstream.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
  });
  const generator = startLoadGenerator();
  let cairn: ServerUnderTest | undefined;
  try {
    const [port] = (await once(service, "message")) as [number];
    const url = `http://127.0.0.1:${port}`;
    cairn = await serverUnderTest(["--auth", "off", "--s3-endpoint", url, "--endpoints", `default=${url}`]);
    const results: Result[] = [];
    for (let round = 0; round <= (options.isQuick ? 1 : 3); round += 1) {
      for (const call of callsOf(options.isQuick)) {
        const direct = await measure(call, { url, way: "direct" }, generator);
        const through = await measure(call, { url: cairn.url, way: "cairn", server: cairn }, generator);
        // The first round warms up.
        if (round > 0) results.push(direct, through);
      }
    }
    const unrecorded = await metric(cairn.url, "cairn_recorder_unrecorded_total");
    return reportOf(results, unrecorded);
  } finally {
    await cairn?.dispose();
    generator.stop();
    service.kill();
  }
}

function callsOf(isQuick: boolean): Call[] {
  const scale = isQuick ? 0.05 : 1;
  const item = JSON.stringify({ TableName: "bench", Key: { id: { S: "0123456789" } } });
  const dynamodb = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.GetItem",
  };
  const calls = [
    {
      name: "S3 GET, 1 KB",
      request: { service: "s3", method: "GET", path: "/bench/1024", body: "" },
      count: 6000,
    },
    {
      name: "DynamoDB GetItem",
      request: { service: "dynamodb", path: "/300", body: item },
      headers: dynamodb,
      count: 6000,
    },
    {
      name: "S3 GET, 64 KB",
      request: { service: "s3", method: "GET", path: "/bench/65536", body: "" },
      count: 3000,
    },
    {
      name: "S3 PUT, 64 KB",
      request: { service: "s3", method: "PUT", path: "/bench/0", body: Buffer.alloc(65_536, "y") },
      count: 3000,
    },
    {
      name: "S3 PUT, 8 MB",
      request: { service: "s3", method: "PUT", path: "/bench/0", body: Buffer.alloc(8 * 1024 ** 2, "y") },
      count: 60,
    },
  ];
  return calls.flatMap((call) =>
    [1, 32].map((connections) => ({
      ...call,
      connections,
      count: Math.max(20, Math.ceil((connections === 1 ? call.count / 3 : call.count) * scale)),
    })),
  );
}

async function measure(
  { request, headers = {}, connections, count, name }: Call,
  to: { readonly url: string; readonly way: Result["way"]; readonly server?: ServerUnderTest },
  generator: LoadGenerator,
): Promise<Result> {
  const { service, ...rest } = request;
  const authorization = `AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  const prepared = { ...rest, headers: { host: new URL(to.url).host, authorization, ...headers } };
  const before = (await to.server?.cpuSeconds()) ?? 0;
  const result = await generator.run({
    ...{ url: to.url, connections },
    load: { kind: "calls", requests: [prepared], times: count },
  });
  const cpuSeconds = ((await to.server?.cpuSeconds()) ?? 0) - before;
  if (result.statuses["200"] !== count) throw new Error(`${name}: ${result.firstFailure ?? "a failure"}`);
  return {
    call: { name, connections, count, request, headers },
    way: to.way,
    perSecond: count / result.seconds,
    p50Ms: quantile(result.latenciesMs, 0.5),
    p99Ms: quantile(result.latenciesMs, 0.99),
    ...(to.server && { cpuMicros: (cpuSeconds / count) * 1e6 }),
  };
}

function reportOf(results: readonly Result[], unrecorded: number): Report {
  const kinds = [...new Set(results.map(({ call }) => `${call.name}|${call.connections}`))];
  const of = (kind: string, way: Result["way"]) =>
    results.filter((one) => one.way === way && `${one.call.name}|${one.call.connections}` === kind);
  const middle = (rounds: readonly Result[], value: (one: Result) => number) => median(rounds.map(value));
  const rows = kinds.map((kind) => {
    const [direct, cairn] = [of(kind, "direct"), of(kind, "cairn")];
    const [name = "", connections = ""] = kind.split("|");
    const difference = (value: (one: Result) => number) =>
      (middle(cairn, value) - middle(direct, value)).toFixed(2);
    return {
      call: name,
      connections,
      "calls/s alone": Math.round(middle(direct, (one) => one.perSecond)),
      "through Cairn": Math.round(middle(cairn, (one) => one.perSecond)),
      "p50 ms alone": middle(direct, (one) => one.p50Ms).toFixed(2),
      "added p50": difference((one) => one.p50Ms),
      "p99 ms alone": middle(direct, (one) => one.p99Ms).toFixed(2),
      "added p99": difference((one) => one.p99Ms),
      "CPU µs/call": Math.round(middle(cairn, (one) => one.cpuMicros ?? Number.NaN)),
    };
  });
  const added = (kind: string) =>
    Number(rows.find((row) => row.call === kind && row.connections === "1")?.["added p50"]);
  return {
    tables: [{ title: "The service alone and through Cairn, medians of the rounds", rows }],
    figures: [
      { what: "added p50, S3 GET of 1 KB", value: added("S3 GET, 1 KB"), unit: "ms", goal: { most: 1 } },
      {
        what: "added p50, DynamoDB GetItem",
        value: added("DynamoDB GetItem"),
        unit: "ms",
        goal: { most: 1 },
      },
      { what: "calls that passed without a record", value: unrecorded, unit: "", goal: { most: 0 } },
    ],
  };
}
