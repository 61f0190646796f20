// CloudTrail's own calls with authentication on: every signature is verified, every call journaled before its answer
// and delivered. Beside them the same calls to moto's server, which verifies, records and delivers nothing.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { moto, startMoto } from "../test/harness/moto.ts";
import { median, quantile } from "./cpu-time.ts";
import { type LoadGenerator, startLoadGenerator } from "./load/load-generator.ts";
import type { BenchOptions, Report } from "./report.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";
import { benchCredentials, benchRegion, signedRequest } from "./signed-request.ts";
import { apiSelectors, fiveTrails } from "./trails.ts";
import { waitUntil } from "./wait-until.ts";

const configuration = `
accounts:
  - id: "123456789012"
    users:
      - name: bench
        accessKeys: [{ accessKeyId: ${benchCredentials.accessKeyId}, secretAccessKey: ${benchCredentials.secretAccessKey} }]
        policies: [{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }]
`;

const operations = ["GetTrail", "PutEventSelectors", "CreateTrail"] as const;
type Operation = (typeof operations)[number];

interface Endpoint {
  readonly name: "cairn" | "moto";
  readonly url: string;
  /** Absent for moto. */
  readonly server?: ServerUnderTest;
}

interface Call {
  readonly operation: Operation;
  readonly connections: number;
  readonly count: number;
}

interface CallResult extends Call {
  readonly server: Endpoint["name"];
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function api(options: BenchOptions): Promise<Report> {
  const generator = startLoadGenerator();
  const results: CallResult[] = [];
  const run = async (endpoints: readonly Endpoint[]) => {
    for (const endpoint of endpoints) await makeFirstTrail(endpoint.url);
    for (const call of callsOf(options.isQuick)) {
      // In turns, so that a busy moment of the machine hits both.
      for (const endpoint of endpoints) results.push(await measureCall(endpoint, call, generator));
    }
  };
  try {
    await withCairn(async (cairn) => {
      if (!moto.present()) return run([cairn]);
      const stub = await startMoto();
      try {
        await run([cairn, { name: "moto", url: stub.url }]);
      } finally {
        await stub.stop();
      }
    });
  } finally {
    generator.stop();
  }
  return reportOf(results);
}

function callsOf(isQuick: boolean): Call[] {
  const rounds = isQuick ? 1 : 3;
  const sizes: Readonly<Record<Operation, number>> = isQuick
    ? { GetTrail: 200, PutEventSelectors: 50, CreateTrail: 30 }
    : { GetTrail: 15_000, PutEventSelectors: 1_500, CreateTrail: 300 };
  const once = operations.flatMap((operation) =>
    [1, 32].map((connections) => ({
      ...{ operation, connections },
      count: connections === 1 ? Math.ceil(sizes[operation] / 4) : sizes[operation],
    })),
  );
  return Array.from({ length: rounds }, () => once).flat();
}

async function withCairn(work: (endpoint: Endpoint) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  const config = join(folder, "cairn.yaml");
  writeFileSync(config, configuration, { mode: 0o600 });
  const server = await serverUnderTest(["--auth", "on", "--config", config, "--delivery-interval", "1s"]);
  try {
    await work({ name: "cairn", url: server.url, server });
  } finally {
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

const bucket = "bench-calls";
const trail = "bench-trail";

async function makeFirstTrail(endpoint: string): Promise<void> {
  const client = { endpoint, region: benchRegion, credentials: benchCredentials };
  await new S3Client({ ...client, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  const trails = new CloudTrailClient(client);
  await trails.send(new CreateTrailCommand({ Name: trail, S3BucketName: bucket }));
  await trails.send(new StartLoggingCommand({ Name: trail }));
}

let made = 0;

/** One request that is sent again and again, or as many as there are trails to make. */
async function requestsOf(url: string, { operation, count }: Call) {
  if (operation === "CreateTrail") {
    const names = Array.from({ length: count }, () => `made-${String(made++)}`);
    const requests = names.map((Name) => signedRequest(url, operation, { Name, S3BucketName: bucket }));
    return { requests: await Promise.all(requests), times: 1 };
  }
  // All management events among them: the trail must go on logging these calls.
  const AdvancedEventSelectors = ["management", "objects"].flatMap((name) => {
    const selectors = fiveTrails[name];
    return selectors ? apiSelectors(selectors) : [];
  });
  const input = operation === "GetTrail" ? { Name: trail } : { TrailName: trail, AdvancedEventSelectors };
  return { requests: [await signedRequest(url, operation, input)], times: count };
}

async function measureCall(endpoint: Endpoint, call: Call, generator: LoadGenerator): Promise<CallResult> {
  const { url, server } = endpoint;
  // Moto answers a thirtieth as fast; waiting for as many answers would tell nothing more.
  const count = server ? call.count : Math.ceil(call.count / 10);
  const load = { kind: "calls", ...(await requestsOf(url, { ...call, count })) } as const;
  const cpuBefore = await server?.cpuSeconds();
  const deliveredBefore = (await server?.deliveredRecords()) ?? 0;
  const { seconds, statuses, latenciesMs, firstFailure } = await generator.run({
    ...{ url, connections: call.connections, load },
  });
  if (statuses["200"] !== count)
    throw new Error(`${call.operation} of ${endpoint.name}: ${firstFailure ?? "?"}`);
  if (server)
    await waitUntil(
      "every call is delivered",
      async () => (await server.deliveredRecords()) >= deliveredBefore + count,
    );
  const cpuSeconds = ((await server?.cpuSeconds()) ?? Number.NaN) - (cpuBefore ?? Number.NaN);
  return {
    ...{ ...call, server: endpoint.name, perSecond: count / seconds, cpuMicros: (cpuSeconds / count) * 1e6 },
    ...{ p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) },
  };
}

function reportOf(results: readonly CallResult[]): Report {
  const rows = operations.flatMap((operation) =>
    (["cairn", "moto"] as const).flatMap((server) =>
      [1, 32].flatMap((connections) => {
        const rounds = results.filter(
          (one) => one.operation === operation && one.server === server && one.connections === connections,
        );
        return rounds.length === 0 ? [] : [rowOf(rounds, { operation, server, connections })];
      }),
    ),
  );
  const perSecond = (server: string) =>
    rows.find((row) => row.operation === "GetTrail" && row.server === server && row.connections === 32)?.[
      "calls/s"
    ];
  const [own = Number.NaN, stub] = [perSecond("cairn"), perSecond("moto")];
  return {
    tables: [{ title: "Calls with SigV4, medians of the rounds", rows }],
    figures: [
      { what: "GetTrail, 32 connections", value: own, unit: "calls/s" },
      ...(stub === undefined
        ? []
        : [{ what: "GetTrail against moto's server", value: own / stub, unit: "x", goal: { least: 15 } }]),
    ],
    notes: stub === undefined ? ["moto's server: skipped: needs moto"] : [],
  };
}

function rowOf(
  rounds: readonly CallResult[],
  what: Pick<CallResult, "operation" | "server" | "connections">,
) {
  const middle = (of: (one: CallResult) => number) => median(rounds.map(of));
  return {
    ...what,
    "calls/s": Math.round(middle((one) => one.perSecond)),
    "CPU µs/call": what.server === "moto" ? "" : String(Math.round(middle((one) => one.cpuMicros))),
    "p50 ms": middle((one) => one.p50Ms),
    "p99 ms": middle((one) => one.p99Ms),
  };
}
