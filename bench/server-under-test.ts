// The built server as a process for the benches: its CPU time and deliveries as it reports them itself on /metrics,
// its threads and memory as the operating system does.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CloudTrailClient,
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from "@aws-sdk/client-cloudtrail";
import { type CairnProcess, startCairn } from "../test/harness/cairn-process.ts";
import { emptyDataFolder, newDataFolder } from "./data-folders.ts";
import { apiSelectors, type BenchTrails } from "./trails.ts";

/** A server of the pipeline benches: Cairn, or what it is compared with. */
export interface MeasuredServer {
  readonly url: string;
  readonly pid: number;
  /** The folder in which a trail's log files arrive. */
  folderOf(trail: string): string;
  /** User and system seconds of all threads since the start of the process. */
  cpuSeconds(): Promise<number>;
  /** Records in the log files delivered so far, over all trails. */
  deliveredRecords(): Promise<number>;
  dispose(): Promise<void>;
}

export interface ServerUnderTest extends CairnProcess, MeasuredServer {
  readonly client: CloudTrailClient;
}

/** Starts `cairn serve` with these flags; its client calls without a valid signature, for `--auth off`. */
export async function serverUnderTest(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerUnderTest> {
  const quotas = ["--quota-trails-per-region", "100000"];
  const dataDir = newDataFolder();
  const cairn = await startCairn({ args: ["--log-level", "warn", ...quotas, ...args], env, dataDir });
  const client = new CloudTrailClient({
    endpoint: cairn.url,
    region: "us-east-1",
    credentials: { accessKeyId: "123456789012", secretAccessKey: "x" },
  });
  return {
    ...cairn,
    async dispose() {
      await cairn.dispose();
      emptyDataFolder(dataDir);
    },
    client,
    folderOf: (trail) => join(cairn.dataDir, "buckets", bucketOf(trail)),
    cpuSeconds: () => metric(cairn.url, "process_cpu_seconds_total"),
    deliveredRecords: () => metric(cairn.url, "cairn_log_file_records_total"),
  };
}

/** The sum of a metric over its labels; 0 while nothing was counted. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  if (!text.includes(name)) throw new Error(`/metrics has no ${name}`);
  const values = [...text.matchAll(new RegExp(`^(?:cairn_)?${name}(?:\\{[^}]*\\})? (\\S+)`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Makes trails of all Regions, each with a bucket of its own, which is made too unless the server has another store. */
export async function installTrails(
  { url, client }: ServerUnderTest,
  trails: BenchTrails,
  { hasBuckets } = { hasBuckets: false },
): Promise<void> {
  for (const [Name, selectors] of Object.entries(trails)) {
    const S3BucketName = bucketOf(Name);
    if (!hasBuckets) await makeBucket(url, S3BucketName);
    await client.send(new CreateTrailCommand({ Name, S3BucketName, IsMultiRegionTrail: true }));
    const AdvancedEventSelectors = apiSelectors(selectors);
    await client.send(new PutEventSelectorsCommand({ TrailName: Name, AdvancedEventSelectors }));
    await client.send(new StartLoggingCommand({ Name }));
  }
}

export function bucketOf(trail: string): string {
  return `bench-${trail}`;
}

/** Makes a bucket through the bucket door. */
async function makeBucket(url: string, bucket: string): Promise<void> {
  const authorization =
    "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
  const made = await fetch(`${url}/${bucket}`, { method: "PUT", headers: { authorization } });
  if (made.status !== 200) throw new Error(`Making the bucket ${bucket} was answered ${made.status}.`);
}

export interface ThreadTimes {
  readonly mainSeconds: number;
  readonly otherSeconds: number;
}

/** CPU of the main thread and of all others (zlib's pool, garbage collection, workers); undefined where /proc is not. */
export function threadTimes(pid: number): ThreadTimes | undefined {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const seconds = tasks.map((task) => [task, ticksOf(`/proc/${pid}/task/${task}/stat`) / 100] as const);
    const sum = (isMain: boolean) =>
      seconds.reduce((total, [task, own]) => total + ((task === String(pid)) === isMain ? own : 0), 0);
    return { mainSeconds: sum(true), otherSeconds: sum(false) };
  } catch {
    return undefined;
  }
}

/** User and system time of a thread in clock ticks of 10 ms; its name, in parentheses, may hold anything. */
function ticksOf(path: string): number {
  const fields = readFileSync(path, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Resident memory now and at its highest, bytes; undefined where /proc is not. */
export function memoryOf(pid: number): { readonly bytes: number; readonly bytesMax: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]);
    return { bytes: kilobytes("VmRSS") * 1024, bytesMax: kilobytes("VmHWM") * 1024 };
  } catch {
    return undefined;
  }
}
