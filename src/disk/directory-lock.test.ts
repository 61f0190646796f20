// One process at a time has a data directory, however the one before it ended.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-lock-"));
afterAll(async () => rm(root, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(root, String(++count));
const claims = (directory: string) => readdir(join(directory, ".lock"));

/** A process of its own that prints `locked` or the refusal, and then stays. */
function locker(directory: string): { child: ChildProcess; says: Promise<string> } {
  const script = `
    import { lockDirectory } from ${JSON.stringify(new URL("directory-lock.ts", import.meta.url).href)};
    setInterval(() => {}, 1000);
    try { await lockDirectory(${JSON.stringify(directory)}); console.log("locked"); }
    catch (error) { console.log(error.message); }
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, says: once(child.stdout, "data").then(([data]) => String(data).trim()) };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

describe("directory lock", () => {
  test("is taken, refused to a second, and taken again after release", async () => {
    const directory = fresh();
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(`${directory} is in use by another Cairn process`);
    await expect(lockDirectory(directory)).rejects.toThrow(`process id ${process.pid}`);
    await lock.release();
    await lock.release();
    const again = await lockDirectory(directory);
    await again.release();
    expect(await claims(directory)).toEqual([]);
  });

  test("another name of the same directory is the same directory; another directory is not", async () => {
    const directory = fresh();
    const lock = await lockDirectory(directory);
    const alias = fresh();
    await symlink(directory, alias);
    await expect(lockDirectory(alias)).rejects.toThrow("in use");
    const other = await lockDirectory(fresh());
    await other.release();
    await lock.release();
  });

  test("works in a directory whose path is too long for a socket", async () => {
    const directory = join(fresh(), "long".repeat(40), "é".repeat(60));
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow("in use");
    await lock.release();
    await (await lockDirectory(directory)).release();
  });

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "holds while its process lives, ends with it: %s",
    async (signal) => {
      const directory = fresh();
      const { child, says } = locker(directory);
      expect(await says).toBe("locked");
      await expect(lockDirectory(directory)).rejects.toThrow(`process id ${child.pid}`);
      const second = locker(directory);
      expect(await second.says).toContain("in use by another Cairn process");
      await kill(second.child, "SIGKILL");
      await kill(child, signal);
      const lock = await lockDirectory(directory);
      expect(await claims(directory)).toHaveLength(1);
      await lock.release();
    },
    30_000,
  );

  test("holds while its process is stopped", async () => {
    const directory = fresh();
    const { child, says } = locker(directory);
    expect(await says).toBe("locked");
    child.kill("SIGSTOP");
    await expect(lockDirectory(directory)).rejects.toThrow("in use");
    await kill(child, "SIGKILL");
    await (await lockDirectory(directory)).release();
  }, 30_000);

  test("many at the same instant: never more than one has it", async () => {
    const directory = fresh();
    for (let round = 0; round < 20; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
      const locks = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(locks.length).toBeLessThanOrEqual(1);
      const refusals = results.flatMap((result) =>
        result.status === "rejected" ? [String(result.reason)] : [],
      );
      for (const refusal of refusals) expect(refusal).toMatch(/another Cairn process/i);
      for (const lock of locks) await lock.release();
    }
    expect(await claims(directory)).toEqual([]);
  });

  test("what a process left that died while it made its claim is cleared away", async () => {
    const directory = fresh();
    await mkdir(join(directory, ".lock", "claim-1-aaaaaa"), { recursive: true });
    await mkdir(join(directory, ".lock", "claim-1-bbbbbb"), { recursive: true });
    await writeFile(join(directory, ".lock", "claim-1-bbbbbb", "new"), "");
    await writeFile(join(directory, ".lock", "notes"), "not a claim");
    const lock = await lockDirectory(directory);
    await lock.release();
    expect(await claims(directory)).toEqual(["notes"]);
  });
});
