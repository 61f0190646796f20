// Runs boto3, the vendor's SDK for Python, against a server: one Python process makes a list of calls.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./cairn-process.ts";
import { type OutsideProgram, program } from "./outside-program.ts";

export const boto3: OutsideProgram = program("boto3 (python3 -m pip install boto3)", "python3", [
  "-c",
  "import boto3",
]);

const script = fileURLToPath(new URL("./boto3-calls.py", import.meta.url));

export interface BotoCredentials {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly anonymous?: boolean;
}

export interface BotoCall {
  /** boto3's name of the service. */
  readonly service: string;
  readonly operation: string;
  /** `{{name.Member}}` stands for a member of a saved answer, `{ $bytes: text }` for bytes. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly save?: string;
  readonly credentials?: BotoCredentials;
  readonly region?: string;
  readonly endpoint?: string;
  readonly addressing?: "path" | "virtual";
  /** Seconds that the client waits for an answer. */
  readonly timeout?: number;
}

export interface BotoAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly requestId?: string;
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly message?: string;
}

export interface BotoScript {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: BotoCredentials;
  readonly calls: readonly BotoCall[];
}

/** The answers in the order of the calls. */
export async function runBoto3(calls: BotoScript): Promise<readonly BotoAnswer[]> {
  const child = spawn("python3", [script], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...cleanEnvironment(),
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
    },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(JSON.stringify(calls));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`boto3 ended with ${String(code)}: ${stderr}`);
  const answers: BotoAnswer[] = JSON.parse(stdout);
  return answers;
}
