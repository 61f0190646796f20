// Runs the built `cairn` for as long as a test wants, and hears what it writes meanwhile.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./cairn-process.ts";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface RunningCommand {
  /** What it wrote so far, line by line. */
  out(): readonly string[];
  err(): string;
  /** Stops and goes on taking its standard output. */
  pause(): void;
  resume(): void;
  /** Closes the reading end of its standard output. */
  closeOut(): void;
  /** Resolves to the exit code; with a signal, sends it first. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends it if it still runs. */
  dispose(): Promise<void>;
}

export function startCommand(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RunningCommand {
  const env = { ...cleanEnvironment(), HOME: "/nonexistent", NODE_NO_WARNINGS: "1", ...environment };
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "pipe"], env });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const closed = once(child, "close").then(() => child.exitCode);
  return {
    out: () => out.split("\n").slice(0, -1),
    err: () => err,
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    closeOut: () => void child.stdout.destroy(),
    end(signal) {
      if (signal) child.kill(signal);
      return closed;
    },
    async dispose() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
