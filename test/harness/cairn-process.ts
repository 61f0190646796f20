// Starts the built server as a real process, on a port of its own and a data directory that is thrown away.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nodeFlags } from "../../tools/node-flags.mjs";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface CairnProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** What the server wrote to its log so far. */
  log(): string;
  /** Sends a signal and resolves to the exit code (null when a signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends the server if it still runs and removes the data directory. */
  dispose(): Promise<void>;
}

export interface CairnOptions {
  /** Flags beyond --port and --data-dir; default `--auth off --delivery-interval 1s`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Reuse this directory (and keep it at dispose). */
  readonly dataDir?: string;
  readonly port?: number;
}

export async function startCairn(options: CairnOptions = {}): Promise<CairnProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "cairn-test-"));
  const args = options.args ?? ["--auth", "off", "--delivery-interval", "1s"];
  const child = spawn(
    process.execPath,
    [...nodeFlags, main, "serve", "--port", String(options.port ?? 0), "--data-dir", dataDir, ...args],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...cleanEnvironment(), ...options.env } },
  );
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-1_000_000);
  });
  const url = await listeningUrl(child, () => log);
  return {
    url,
    dataDir,
    pid: child.pid ?? 0,
    log: () => log,
    end: (signal) => end(child, signal),
    async dispose() {
      await end(child, "SIGKILL");
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The environment without settings or credentials that would leak into the server. */
export function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !/^(CAIRN|AWS)_/.test(entry[0]),
    ),
  );
}

async function listeningUrl(child: ChildProcess, log: () => string): Promise<string> {
  if (!child.stdout) throw new Error("The server has no standard output.");
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, "line").then(([text]) => String(text)),
    once(child, "exit").then(([code]) => `exited with ${String(code)}`),
    new Promise<string>((resolve) => setTimeout(() => resolve("said nothing for 30 s"), 30_000).unref()),
  ]);
  const url = /^Cairn is listening on (https?:\/\/\S+)$/.exec(line)?.[1];
  if (url === undefined) {
    child.kill("SIGKILL");
    throw new Error(`The server did not start: ${line}\n${log()}`);
  }
  return url;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
  return child.exitCode;
}
