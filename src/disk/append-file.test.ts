// Appends, past the page cache or not: the file holds exactly what was appended, in order.
import { constants } from "node:fs";
import { type FileHandle, mkdtemp, open, readdir, readFile, readlink, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { directBytesMin, NodeAppendFile } from "./append-file.ts";
import { beginsAtBlock, blockBytes, pageMemory } from "./page-memory.ts";

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
  test.skipIf(!hasDirect)("goes past the page cache when it is large, and only then", async () => {
    const path = fresh();
    const file = await create(path);
    const isDirect = async () => (await openFlags(path)).some((flags) => (flags & constants.O_DIRECT) !== 0);
    await file.append([some(directBytesMin - 1)]);
    expect(await isDirect()).toBe(false);
    await file.append([some(directBytesMin)]);
    expect(await isDirect()).toBe(true);
    await file.close();
    expect(await openFlags(path)).toEqual([]);
  });

  test("is whole, however long it is, wherever it begins, and wherever its bytes lie", async () => {
    const chunk = fc.record({
      length: fc.oneof(
        fc.integer({ min: 0, max: 3 * blockBytes }),
        fc.integer({ min: 0, max: 40 }).map((blocks) => blocks * blockBytes),
        fc.integer({ min: directBytesMin - 1, max: 1_300_000 }),
      ),
      /** Where it begins in memory that begins at a page; undefined: in a buffer of Node's. */
      within: fc.option(fc.constantFrom(0, 64, blockBytes - 1, blockBytes), { nil: undefined }),
    });
    const appends = fc.array(fc.array(chunk, { maxLength: 4 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(appends, async (all) => {
        const path = fresh();
        const file = await create(path);
        const expected: Uint8Array[] = [];
        for (const chunks of all) {
          const bytes = chunks.map(({ length, within }) => {
            const memory = within === undefined ? undefined : pageMemory(length + within + 1);
            return fill(memory ? new Uint8Array(memory, within, length) : new Uint8Array(length));
          });
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

  test("lies in memory as in the file: written from there", async () => {
    const memory = pageMemory(1_000_000);
    if (!memory) throw new Error("This process gets no memory of pages.");
    const path = fresh();
    const file = await create(path);
    const begin = some(100);
    const body = fill(new Uint8Array(memory, 100, 700_000));
    await file.append([begin]);
    await file.append([body]);
    await file.append([some(5)]);
    await file.close();
    const read = await readFile(path);
    expect(read.subarray(0, 700_100).equals(Buffer.concat([begin, body]))).toBe(true);
    expect(read.length).toBe(700_105);
    expect(beginsAtBlock(body.subarray(blockBytes - 100))).toBe(true);
    expect(beginsAtBlock(body)).toBe(false);
    expect(beginsAtBlock(new Uint8Array(blockBytes))).toBe(false);
  });

  test("goes on in a file that got another name", async () => {
    const [before, after] = [fresh(), fresh()];
    const file = await create(before);
    const parts = [some(64), some(300_000), some(77)];
    await file.append(parts.slice(0, 1));
    await rename(before, after);
    for (const part of parts.slice(1)) await file.append([part]);
    await file.close();
    expect((await readFile(after)).equals(Buffer.concat(parts))).toBe(true);
  });

  test("of several files at once takes turns with the rooms", async () => {
    const files = await Promise.all(
      Array.from({ length: 9 }, async () => {
        const path = fresh();
        return { path, file: await create(path), bytes: some(2_500_000) };
      }),
    );
    await Promise.all(files.map(({ file, bytes }) => file.append([bytes])));
    for (const { path, file, bytes } of files) {
      await file.close();
      expect((await readFile(path)).equals(bytes)).toBe(true);
    }
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
  const [first, second] = [some(5000), some(200_000)];
  await expect(file.append([first])).rejects.toMatchObject({ code: "ENOSPC" });
  await file.append([second]);
  await file.close();
  expect((await readFile(path)).equals(Buffer.concat([first.subarray(0, 10), second]))).toBe(true);
});
