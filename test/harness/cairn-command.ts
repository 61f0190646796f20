// Runs the built `cairn` to its end, without AWS credentials or configuration of whoever runs the tests.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./cairn-process.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function runCairn(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { ...cleanEnvironment(), HOME: "/nonexistent", NODE_NO_WARNINGS: "1", ...environment };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}
