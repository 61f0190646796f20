// `cairn verify` against `aws cloudtrail validate-logs` on the same 10,000 log files (bench/evidence-server.ts): over HTTP,
// and on the directory. Wall time of the whole process, start included; the best of several rounds each.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "../test/harness/cairn-process.ts";
import { awsCli } from "../test/harness/outside-program.ts";
import { evidence } from "./evidence.ts";
import type { BenchOptions, Figure, Report } from "./report.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const server = fileURLToPath(new URL("evidence-server.ts", import.meta.url));
const { bucket, trailArn, range } = evidence;
const fileCount = evidence.digests * evidence.filesPerDigest;

export async function verifyEvidence({ isQuick }: BenchOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  const child = spawn(process.execPath, ["--import", "tsx", server, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const keys = ["--public-keys", join(folder, "public-keys.json")];
    const measured = {
      directory: cairn(["--directory", join(folder, "buckets", bucket), ...keys]),
      http: cairn(["--bucket", bucket, "--endpoint-url", url]),
    };
    const hasCli = !isQuick && canMeasureCli(url);
    const best = bestSeconds({ ...measured, ...(hasCli && { cli: validateLogs(url) }) }, isQuick ? 1 : 3);
    const notes = hasCli ? [] : [`skipped: needs ${awsCli.name} that takes AWS_ENDPOINT_URL, and time`];
    return { tables: [], figures: figuresOf(best), notes };
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

const environment = {
  ...cleanEnvironment(),
  AWS_ACCESS_KEY_ID: "123456789012",
  AWS_SECRET_ACCESS_KEY: "anything",
  AWS_DEFAULT_REGION: evidence.region,
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
};

interface Measured {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Best = Readonly<Partial<Record<"directory" | "http" | "cli", number>>>;

function cairn(args: readonly string[]): Measured {
  return { command: process.execPath, args: [main, "verify", ...args], env: { NODE_NO_WARNINGS: "1" } };
}

function validateLogs(url: string): Measured {
  const args = ["cloudtrail", "validate-logs", "--trail-arn", trailArn, ...range];
  return { command: "aws", args, env: { AWS_ENDPOINT_URL: url } };
}

function canMeasureCli(url: string): boolean {
  const ask = ["cloudtrail", "describe-trails"];
  // Older ones do not know AWS_ENDPOINT_URL.
  return awsCli.present() && run({ command: "aws", args: ask, env: { AWS_ENDPOINT_URL: url } }).isDone;
}

/** In turns, so that a busy moment of the machine hits all alike. Believes a time only when every file was valid. */
function bestSeconds(all: Readonly<Record<string, Measured>>, rounds: number): Best {
  const best: Record<string, number> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measured] of Object.entries(all)) {
      const { seconds, isDone, text } = run(measured);
      const isValid = text.includes(`${String(fileCount)}/${String(fileCount)} log files valid`);
      if (!isDone || !isValid) throw new Error(`${measured.command} found the files not valid: ${text}`);
      best[name] = Math.min(best[name] ?? Infinity, seconds);
    }
  }
  return best;
}

function run({ command, args, env }: Measured) {
  const start = performance.now();
  const done = spawnSync(command, args, { encoding: "utf8", env: { ...environment, ...env } });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, isDone: done.status === 0, text: `${done.stdout}${done.stderr}` };
}

function figuresOf({ directory = Infinity, http = Infinity, cli }: Best): readonly Figure[] {
  const figures = [
    { what: `cairn verify, ${String(fileCount)} log files, a directory`, value: directory, unit: "s" },
    { what: `cairn verify, ${String(fileCount)} log files, over HTTP`, value: http, unit: "s" },
  ];
  if (cli === undefined) return figures;
  return [
    ...figures,
    { what: "aws cloudtrail validate-logs, the same files, over HTTP", value: cli, unit: "s" },
    {
      what: "speed on the directory against the AWS CLI",
      ...{ value: cli / directory, unit: "x", goal: { least: 20 } },
    },
    { what: "speed over HTTP against the AWS CLI", value: cli / http, unit: "x" },
  ];
}
