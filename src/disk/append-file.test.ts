// Appends, past the page cache or not: the file holds exactly what was appended, in order.
import { constants } from "node:fs";
import { type FileHandle, mkdtemp, open, readdir, readFile, readlink, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { NodeAppendFile } from "./append-file.ts";
import { blockBytes, directBytesMin, pageMemory } from "./page-memory.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-append-"));
afterAll(async () => rm(root, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(root, String(++count));

const create = async (path: string) => new NodeAppendFile(await open(path, "ax", 0o600));

let drawn = 1;
/** Bytes that are unlike those before and after them. */
function fill(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at += 1) {
    drawn = (drawn * 48_271) % 2_147_483_647;
    bytes[at] = drawn;
  }
  return bytes;
}

/** Bytes that lie in memory of pages as they will in a file of `start` bytes. */
function inPages(start: number, length: number): Uint8Array {
  const within = start % blockBytes;
  const memory = pageMemory(within + length + 1);
  if (!memory) throw new Error("This process gets no memory of pages.");
  return fill(new Uint8Array(memory, within, length));
}

const some = (length: number) => fill(new Uint8Array(length));

/** The flags with which this process has the file open, as many times as it has. */
async function openFlags(path: string): Promise<number[]> {
  const flags: number[] = [];
  for (const fd of await readdir("/proc/self/fd")) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
    if (target !== path) continue;
    const info = await readFile(`/proc/self/fdinfo/${fd}`, "utf8");
    flags.push(Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? "0", 8));
  }
  return flags;
}

/** Whether files here can be written past the page cache, found out without the code under test. */
async function hasDirectWrites(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const file = await open(fresh(), constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT).catch(
    () => undefined,
  );
  await file?.close();
  return file !== undefined;
}

const hasDirect = await hasDirectWrites();

describe("an append", () => {
  test.skipIf(!hasDirect)(
    "goes past the page cache when it is large and lies as the file will, and only then",
    async () => {
      const path = fresh();
      const file = await create(path);
      const isDirect = async () =>
        (await openFlags(path)).some((flags) => (flags & constants.O_DIRECT) !== 0);
      await file.append([some(directBytesMin)]);
      await file.append([inPages(0, directBytesMin - 1)]);
      await file.append([inPages(5, directBytesMin)]);
      expect(await isDirect()).toBe(false);
      await file.append([inPages(3 * directBytesMin - 1, directBytesMin)]);
      expect(await isDirect()).toBe(true);
      await file.close();
      expect(await openFlags(path)).toEqual([]);
    },
  );

  test("is whole, however long it is, wherever it begins, and wherever its bytes lie", async () => {
    const chunk = fc.record({
      length: fc.oneof(
        fc.integer({ min: 0, max: 3 * blockBytes }),
        fc.integer({ min: 0, max: 40 }).map((blocks) => blocks * blockBytes),
        fc.integer({ min: directBytesMin - 1, max: 1_300_000 }),
      ),
      /** Whether it lies as the file will; else in a buffer of Node's. */
      lies: fc.boolean(),
    });
    const appends = fc.array(fc.array(chunk, { maxLength: 2 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(appends, async (all) => {
        const path = fresh();
        const file = await create(path);
        const expected: Uint8Array[] = [];
        for (const chunks of all) {
          const start = expected.reduce((sum, { length }) => sum + length, 0);
          const bytes = chunks.map(({ length, lies }) => (lies ? inPages(start, length) : some(length)));
          expected.push(...bytes);
          await file.append(bytes);
          await file.sync();
          expect((await readFile(path)).equals(Buffer.concat(expected))).toBe(true);
        }
        await file.close();
        await rm(path);
      }),
      { seed: 20_261_122, numRuns: 30 },
    );
  });

  test("goes on in a file that got another name", async () => {
    const [before, after] = [fresh(), fresh()];
    const file = await create(before);
    const parts = [some(64), inPages(64, 300_000), some(77)];
    await file.append(parts.slice(0, 1));
    await rename(before, after);
    for (const part of parts.slice(1)) await file.append([part]);
    await file.close();
    expect((await readFile(after)).equals(Buffer.concat(parts))).toBe(true);
  });
});

/** The handle of a file whose ordinary writes fail once, as a full disk's do, after `written` bytes. */
function failingOnce(handle: FileHandle, written: number): FileHandle {
  let isOver = false;
  return new Proxy(handle, {
    get(target, name) {
      if (name === "writev" && !isOver) {
        return async (chunks: Uint8Array[]) => {
          isOver = true;
          await target.write(Buffer.concat(chunks).subarray(0, written));
          throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("an append that failed leaves a prefix, and the next ones stand behind it", async () => {
  const path = fresh();
  const file = new NodeAppendFile(failingOnce(await open(path, "ax"), 10));
  const [first, second] = [some(5000), inPages(5000, 200_000)];
  await expect(file.append([first])).rejects.toMatchObject({ code: "ENOSPC" });
  await file.append([second]);
  await file.close();
  expect((await readFile(path)).equals(Buffer.concat([first.subarray(0, 10), second]))).toBe(true);
});
