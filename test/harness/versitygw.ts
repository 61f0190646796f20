// Starts versitygw, a real S3 server over a directory, on loopback. Looked up by CAIRN_TEST_VERSITYGW, then on PATH.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutsideProgram } from "./outside-program.ts";

export const versitygwCredentials = {
  accessKeyId: "test-access-key",
  secretAccessKey: "test-secret-key-of-versitygw",
};

export const versitygw: OutsideProgram = {
  name: "versitygw (CAIRN_TEST_VERSITYGW or on PATH)",
  present: () => versitygwPath() !== undefined,
};

/** Path of a binary that runs, or undefined. */
export function versitygwPath(): string | undefined {
  const candidates = [process.env["CAIRN_TEST_VERSITYGW"], ".cairn/bin/versitygw", "versitygw"];
  return candidates.find(
    (path) =>
      path !== undefined && path !== "" && spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0,
  );
}

export interface S3Server {
  readonly url: string;
  /** The directory whose folders are the buckets. */
  readonly root: string;
  start(): Promise<void>;
  /** Kills the server; its objects stay. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

/** A stopped server with a port and a directory of its own. */
export async function versitygwServer(): Promise<S3Server> {
  const root = mkdtempSync(join(tmpdir(), "cairn-versitygw-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    url,
    root,
    async start() {
      child = spawn(
        versitygwPath() ?? "versitygw",
        ["--port", `127.0.0.1:${port}`, "--quiet", "posix", root],
        {
          stdio: "ignore",
          env: {
            ...process.env,
            ROOT_ACCESS_KEY_ID: versitygwCredentials.accessKeyId,
            ROOT_SECRET_ACCESS_KEY: versitygwCredentials.secretAccessKey,
          },
        },
      );
      await untilAnswering(url);
    },
    stop,
    async dispose() {
      await stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function untilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`versitygw does not answer at ${url}.`);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return address.port;
}
