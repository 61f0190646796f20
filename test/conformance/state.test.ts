// Runs the state suite over every implementation, and kills a process that writes.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { openLmdbState } from "../../src/state/lmdb-state.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import { stateSuite } from "./state.suite.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-state-"));
afterAll(async () => rm(root, { recursive: true, force: true }));
let count = 0;
const nextDirectory = () => join(root, `with.dot.${++count}`);

stateSuite("memory", () => ({ open: async (clock) => openMemoryState({ clock }) }));

stateSuite("lmdb", () => {
  const directory = nextDirectory();
  return {
    open: async (clock) => openLmdbState({ directory, clock }),
    reopen: async (clock) => openLmdbState({ directory, clock }),
  };
});

describe("state: lmdb under kill -9", () => {
  const clock = { nowMs: () => 0 };
  // Several writers raise keys of their own; a line is printed only after its put was acknowledged.
  // At once and not by process.stdout, which keeps lines in the process that a busy reader does not take in time.
  const writer = (directory: string) => `
    import { writeSync } from "node:fs";
    import { openLmdbState } from ${JSON.stringify(new URL("../../src/state/lmdb-state.ts", import.meta.url).href)};
    const store = await openLmdbState({ directory: ${JSON.stringify(directory)}, clock: { nowMs: () => 0 } });
    const write = async (name) => {
      const found = await store.get(name);
      let version = found ? found.version : "absent";
      for (let n = found ? found.value.n + 1 : 1; ; n++) {
        const outcome = await store.put(name, { n, pad: "x".repeat(n % 5000) }, version);
        if (outcome.kind !== "stored") throw new Error("nobody else writes " + name);
        version = outcome.version;
        writeSync(1, name + " " + n + "\\n");
      }
    };
    await Promise.all(["a", "b", "c"].map(write));
  `;

  const writeUntilKilled = async (directory: string, linesMax: number) => {
    const acknowledged = new Map<string, number>();
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", writer(directory)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const exited = new Promise<string | null>((resolve) =>
      child.once("exit", (_code, signal) => resolve(signal)),
    );
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [name = "", n = "0"] = line.split(" ");
      acknowledged.set(name, Number(n));
      if (++lines === linesMax) child.kill("SIGKILL");
    }
    expect(await exited).toBe("SIGKILL");
    return acknowledged;
  };

  test("every acknowledged put is there after reopen, over and over", async () => {
    const directory = nextDirectory();
    for (const linesMax of [1, 40, 7, 111, 250]) {
      const acknowledged = await writeUntilKilled(directory, linesMax);
      expect(acknowledged.size).toBeGreaterThan(0);
      const store = await openLmdbState({ directory, clock });
      for (const [name, n] of acknowledged) {
        const value = (await store.get(name))?.value as { n: number; pad: string };
        expect(value.n).toBeGreaterThanOrEqual(n);
        // At most one put per writer was on its way.
        expect(value.n).toBeLessThanOrEqual(n + 1);
        expect(value.pad).toHaveLength(value.n % 5000);
      }
      await store.close();
    }
  }, 60_000);

  test("a directory that cannot be opened is named", async () => {
    await expect(openLmdbState({ directory: "/dev/null/state", clock })).rejects.toThrow("/dev/null/state");
  });
});
