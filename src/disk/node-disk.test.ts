// The real disk keeps its contract.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { nodeDisk } from "./node-disk.ts";
import { writeAtomically } from "./write-atomically.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-disk-"));
afterAll(async () => rm(root, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(root, String(++count));
const disk = nodeDisk();

const bytes = (text: string) => Buffer.from(text);
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("node disk", () => {
  test("makes folders with their parents for the owner alone, also when they exist", async () => {
    const path = join(fresh(), "a", "b");
    await disk.makeDirectory(path);
    await disk.makeDirectory(`${path}/`);
    expect(await modeOf(path)).toBe(0o700);
    expect(await modeOf(join(path, ".."))).toBe(0o700);
  });

  test("lists names; a missing folder is empty", async () => {
    const folder = fresh();
    expect(await disk.list(folder)).toEqual([]);
    await disk.makeDirectory(join(folder, "sub"));
    await writeFile(join(folder, "file"), "");
    expect((await disk.list(folder)).sort()).toEqual(["file", "sub"]);
  });

  test.each([
    { name: "nothing", chunks: [] },
    { name: "an empty chunk", chunks: [""] },
    { name: "some", chunks: ["one", "", "two", "three"] },
    { name: "more than one writev takes", chunks: Array.from({ length: 5000 }, (_, n) => `${n};`) },
    { name: "much", chunks: Array.from({ length: 40 }, (_, n) => String(n % 10).repeat(300_000)) },
  ])("appends all chunks in order: $name", async ({ chunks }) => {
    const path = fresh();
    const file = await disk.create(path);
    await file.append(chunks.map(bytes));
    await file.append([bytes("end")]);
    await file.sync();
    await file.close();
    expect((await readFile(path, "utf8")) === `${chunks.join("")}end`).toBe(true);
    expect(await modeOf(path)).toBe(0o600);
  });

  test("creates no file that exists", async () => {
    const path = fresh();
    await (await disk.create(path)).close();
    await expect(disk.create(path)).rejects.toMatchObject({ code: "EEXIST" });
  });

  test("reads at offsets, less only at the end", async () => {
    const path = fresh();
    await writeFile(path, "0123456789");
    const file = await disk.openForReading(path);
    const read = async (offset: number, length: number) =>
      Buffer.from((await file?.read(offset, length)) ?? []).toString();
    expect(file?.sizeBytes).toBe(10);
    expect(await read(0, 4)).toBe("0123");
    expect(await read(8, 4)).toBe("89");
    expect(await read(10, 4)).toBe("");
    expect(await read(99, 4)).toBe("");
    expect(await read(3, 0)).toBe("");
    await file?.close();
  });

  test("a missing file is undefined to read and nothing to remove", async () => {
    const path = fresh();
    expect(await disk.openForReading(path)).toBeUndefined();
    expect(await disk.readWhole(path)).toBeUndefined();
    await disk.remove(path);
  });

  test("truncates, renames over, removes, syncs", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    await writeFile(a, "0123456789");
    await writeFile(b, "old");
    await disk.truncate(a, 4);
    await disk.rename(a, b);
    await disk.syncDirectory(folder);
    expect(bytes("0123").equals((await disk.readWhole(b)) ?? bytes(""))).toBe(true);
    await disk.remove(b);
    expect(await disk.list(folder)).toEqual([]);
  });

  test("other errors are passed on", async () => {
    const path = fresh();
    await writeFile(path, "");
    await expect(disk.list(path)).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(disk.readWhole(join(path, "x"))).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(disk.truncate(join(root, "missing"), 0)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a whole file is replaced at once and leaves nothing beside it", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const path = join(folder, "file");
    for (const text of ["first", "second, longer", ""]) {
      await writeAtomically(disk, path, bytes(text));
      expect(await readFile(path, "utf8")).toBe(text);
      expect(await disk.list(folder)).toEqual(["file"]);
    }
  });
});
