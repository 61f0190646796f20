// Starts the naive pipeline as a process that is measured as Cairn is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { emptyDataFolder, newDataFolder } from "../data-folders.ts";
import { bucketOf, type MeasuredServer, metric } from "../server-under-test.ts";
import type { BenchTrails } from "../trails.ts";

export async function startNaivePipeline(trails: BenchTrails): Promise<MeasuredServer> {
  const folder = newDataFolder();
  const file = fileURLToPath(new URL("naive-pipeline.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", "--max-old-space-size=4096", file, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(trails));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    pid: child.pid ?? 0,
    folderOf: (trail) => join(folder, "buckets", bucketOf(trail)),
    cpuSeconds: () => metric(url, "process_cpu_seconds_total"),
    deliveredRecords: () => metric(url, "log_file_records_total"),
    async dispose() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      emptyDataFolder(folder);
    },
  };
}
