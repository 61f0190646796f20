// Runs the installed AWS CLI against a server, unmodified, with throw-away credentials.
import { spawn } from "node:child_process";
import { cleanEnvironment } from "./cairn-process.ts";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly url: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

/** Runs `aws …args` to its end. */
export async function awsRaw(options: CliOptions, args: readonly string[]): Promise<CliResult> {
  const child = spawn("aws", ["--endpoint-url", options.url, "--output", "json", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...cleanEnvironment(),
      AWS_ACCESS_KEY_ID: options.accessKeyId ?? "123456789012",
      AWS_SECRET_ACCESS_KEY: options.secretAccessKey ?? "anything",
      AWS_DEFAULT_REGION: options.region ?? "us-east-2",
      // Commands that talk to several services use --endpoint-url for one of them alone.
      AWS_ENDPOINT_URL: options.url,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_PAGER: "",
    },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** The parsed JSON that a successful command prints; {} when it prints none. Throws what it said on failure. */
export async function aws(options: CliOptions, args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await awsRaw(options, args);
  if (code !== 0) throw new Error(`aws ${args.join(" ")} ended with ${String(code)}: ${stderr}`);
  return stdout.startsWith("{") ? JSON.parse(stdout) : {};
}
