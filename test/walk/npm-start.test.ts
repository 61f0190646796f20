// `npm start` and signals: npm hands them to its shell alone, so the server must be what became of that shell.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { cleanEnvironment } from "../harness/cairn-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("SIGTERM to npm alone stops the server, and npm says so with 0", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "cairn-npm-start-"));
  // A process group of its own, so that whatever is left behind can be ended.
  const npm = spawn("npm", ["start", "--silent", "--", "--port", "0", "--data-dir", dataDir], {
    ...{ cwd: root, env: cleanEnvironment(), detached: true },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      let text = "";
      npm.stdout.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        const found = /listening on (http:\S+)\n/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const exited = once(npm, "exit");
    npm.kill("SIGTERM");
    expect((await exited)[0]).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
  } finally {
    endGroup(npm.pid);
    rmSync(dataDir, { recursive: true, force: true });
  }
});

function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch {
    // All of it has ended, as it should.
  }
}
