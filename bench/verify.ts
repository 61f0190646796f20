// `cairn verify` against `aws cloudtrail validate-logs` on the same 10,000 log files (bench/evidence-server.ts): over HTTP,
// and on the directory. Wall time of the whole process, start included; the best of several runs each.
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
import type { Figure } from "./main.ts";

const runs = 3;
const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const server = fileURLToPath(new URL("evidence-server.ts", import.meta.url));
const { bucket, trailArn, range } = evidence;
const fileCount = evidence.digests * evidence.filesPerDigest;

export async function verifyEvidence(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  const child = spawn(process.execPath, ["--import", "tsx", server, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const keys = ["--public-keys", join(folder, "public-keys.json")];
    const overDirectory = cairnSeconds(["--directory", join(folder, "buckets", bucket), ...keys]);
    const overHttp = cairnSeconds(["--bucket", bucket, "--endpoint-url", url]);
    const figures = [
      { what: `cairn verify, ${String(fileCount)} log files, a directory`, value: overDirectory, unit: "s" },
      { what: `cairn verify, ${String(fileCount)} log files, over HTTP`, value: overHttp, unit: "s" },
    ];
    const cli = cliSeconds(url);
    if (cli === undefined) return figures;
    return [
      ...figures,
      { what: "aws cloudtrail validate-logs, the same files, over HTTP", value: cli, unit: "s" },
      {
        what: "speed on the directory against the AWS CLI (goal: 20)",
        value: cli / overDirectory,
        unit: "x",
      },
      { what: "speed over HTTP against the AWS CLI", value: cli / overHttp, unit: "x" },
    ];
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

function cairnSeconds(args: readonly string[]): number {
  return bestSeconds(process.execPath, [main, "verify", ...args], {});
}

/** Undefined, with a line that says so, when there is no AWS CLI that can be measured. */
function cliSeconds(url: string): number | undefined {
  if (!awsCli.present()) {
    process.stdout.write(`  skipped: needs ${awsCli.name}\n`);
    return undefined;
  }
  const args = ["cloudtrail", "validate-logs", "--trail-arn", trailArn, ...range];
  try {
    return bestSeconds("aws", args, { AWS_ENDPOINT_URL: url });
  } catch (error) {
    // Older ones do not know AWS_ENDPOINT_URL.
    const reason = error instanceof Error ? error.message : String(error);
    process.stdout.write(`  skipped: needs an AWS CLI that takes AWS_ENDPOINT_URL: ${reason}\n`);
    return undefined;
  }
}

/** Believes a time only when every file was said to be valid. */
function bestSeconds(
  command: string,
  args: readonly string[],
  more: Readonly<Record<string, string>>,
): number {
  let best = Infinity;
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    const done = spawnSync(command, args, { encoding: "utf8", env: { ...environment, ...more } });
    best = Math.min(best, (performance.now() - start) / 1000);
    const isValid = done.stdout.includes(`${String(fileCount)}/${String(fileCount)} log files valid`);
    if (done.status !== 0 || !isValid) {
      throw new Error(`${command} ended with ${String(done.status)}: ${done.stdout}${done.stderr}`);
    }
  }
  return best;
}
