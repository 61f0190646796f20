// Where the main thread's time goes under the load of the pipeline bench: five trails, batches of 640. The built
// server runs with a profiler; self times are summed by part of the code and by function.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectRecords } from "./expected-records.ts";
import { startLoadGenerator } from "./load/load-generator.ts";
import { measurePipeline, type PipelineLoad, type PipelineResult } from "./pipeline-run.ts";
import type { BenchOptions, Report } from "./report.ts";
import { installTrails, serverUnderTest } from "./server-under-test.ts";
import { fiveTrails } from "./trails.ts";

const preload = fileURLToPath(new URL("profiled-server.mjs", import.meta.url));

export async function profile({ isQuick }: BenchOptions): Promise<Report> {
  const size = isQuick ? { count: 6_400, warmUp: 640 } : { count: 128_000, warmUp: 64_000 };
  const load: PipelineLoad = { ...size, trails: fiveTrails, perBody: 640, connections: 8, quietMs: 2_200 };
  const records = { count: load.count + load.warmUp, profile: "mixed" } as const;
  const generator = startLoadGenerator();
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  const file = join(folder, "main.cpuprofile");
  try {
    await generator.prepare(records);
    const expected = expectRecords(records, fiveTrails);
    const preloaded = { NODE_OPTIONS: `--import ${preload}`, BENCH_PROFILE: file };
    const server = await serverUnderTest(["--auth", "off", "--delivery-interval", "1s"], preloaded);
    try {
      await installTrails(server, fiveTrails);
      const startProfiler = () => void process.kill(server.pid, "SIGUSR2");
      const result = await measurePipeline({ server, generator, expected, whenWarm: startProfiler }, load);
      // The profile is written by a process that ends by itself.
      await server.end("SIGTERM");
      return reportOf(JSON.parse(readFileSync(file, "utf8")) as CpuProfile, result);
    } finally {
      await server.dispose();
    }
  } finally {
    generator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

function reportOf(main: CpuProfile, { cpuMicrosPerEvent, mainShare }: PipelineResult): Report {
  // Samples count time on the wall, in which the thread may have waited for a core: shares of it are believed, sums not.
  const mainMicros = cpuMicrosPerEvent * mainShare;
  return {
    tables: [
      { title: "Main thread, self time by part", rows: rowsOf(main, mainMicros, partOf) },
      { title: "Main thread, by function", rows: rowsOf(main, mainMicros, functionOf).slice(0, 40) },
    ],
    figures: [
      { what: "CPU of the main thread, profiler included", value: mainMicros, unit: "µs/event" },
      {
        what: "CPU of the other threads: zlib, disk, garbage collection",
        ...{ value: cpuMicrosPerEvent - mainMicros, unit: "µs/event" },
      },
    ],
  };
}

/** `micros`: what all rows are together. Rows of less than a percent are left out. */
function rowsOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  micros: number,
  nameOf: (frame: Frame) => string,
) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const idle = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id),
  );
  const sums = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const name = names.get(id);
    if (name === undefined || idle.has(id)) continue;
    sums.set(name, (sums.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  }
  const total = [...sums.values()].reduce((sum, own) => sum + own, 0);
  return [...sums]
    .map(([where, own]) => ({ where, "µs/event": (own / total) * micros, "%": (own / total) * 100 }))
    .filter((row) => row["%"] >= 1)
    .sort((a, b) => b["%"] - a["%"]);
}

function partOf({ functionName, url }: Frame): string {
  const own = /\/dist\/([\w-]+)/.exec(url)?.[1];
  if (own !== undefined) return own;
  const other = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (other !== undefined) return `package ${other}`;
  if (url.startsWith("node:")) return url.replace(/^node:(internal\/)?/, "node: ");
  if (url.startsWith("wasm:")) return "WebAssembly";
  return functionName.startsWith("(") ? functionName : `native ${functionName}`;
}

function functionOf({ functionName, url, lineNumber }: Frame): string {
  const place = url.replace(/^.*\/(dist|node_modules)\//, "");
  return `${functionName || "(anonymous)"} ${place}${lineNumber >= 0 ? `:${String(lineNumber + 1)}` : ""}`;
}
