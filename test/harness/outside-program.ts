// Outside programs that some suites need. A missing one makes its suite report one line and count as skipped.
import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** `describe` when every program runs; else prints "skipped: needs …" once and skips, which vitest counts. */
export function describeWith(programs: readonly OutsideProgram[]): typeof describe | typeof describe.skip {
  const missing = programs.filter((program) => !program.present());
  if (missing.length === 0) return describe;
  process.stdout.write(`skipped: needs ${missing.map((program) => program.name).join(", ")}\n`);
  return describe.skip;
}

export interface OutsideProgram {
  readonly name: string;
  present(): boolean;
}

/** A program that is there when `command args` exits with 0. */
export function program(name: string, command: string, args: readonly string[]): OutsideProgram {
  return { name, present: () => spawnSync(command, args, { stdio: "ignore" }).status === 0 };
}

export const awsCli = program("the AWS CLI (aws)", "aws", ["--version"]);

/** An AWS CLI that takes the endpoint of every service from AWS_ENDPOINT_URL, as validate-logs needs it (formats.md §3.7). */
export const awsCliWithEndpoints: OutsideProgram = {
  name: "an AWS CLI that knows AWS_ENDPOINT_URL (aws 1.29 or 2.13, or newer)",
  present: () => {
    const { stdout, stderr } = spawnSync("aws", ["--version"], { encoding: "utf8" });
    // Older ones of version 1 write it to stderr; both are null when there is no such program.
    return knowsEndpointUrl(`${stdout ?? ""}${stderr ?? ""}`);
  },
};

/** `text`: what `aws --version` says. */
function knowsEndpointUrl(text: string): boolean {
  const [, major = 0, minor = 0] = (/aws-cli\/(\d+)\.(\d+)\./.exec(text) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 13) || (major === 1 && minor >= 29);
}
