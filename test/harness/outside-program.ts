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
