// The real disk keeps its contract.
import { existsSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { roomBytes } from "./aligned-rooms.ts";
import type { DiskStep } from "./contract.ts";
import { nodeDisk } from "./node-disk.ts";
import { stepByStep } from "./step-by-step.ts";
import { StepThreads } from "./step-threads.ts";
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

const threads = new StepThreads();
const isThere = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;
const ways: Readonly<Record<string, (steps: readonly DiskStep[]) => Promise<void>>> = {
  "the disk's way": (steps) => disk.inOrder(steps),
  "in threads": (steps) => threads.run(steps),
  "step by step": (steps) => stepByStep({ ...disk, isThere }, steps),
};

describe.each(Object.entries(ways))("steps in order: %s", (way, inOrder) => {
  const write = (path: string, content: Uint8Array, isSynced = true) =>
    ({ kind: "write", path, bytes: content, isSynced }) as const;

  test("are taken one after the other", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const [a, b, c] = [join(folder, "a"), join(folder, "b"), join(folder, "c")];
    await inOrder([
      { kind: "expectNothing", path: b },
      write(a, bytes("one")),
      { kind: "rename", from: a, to: b },
      { kind: "link", from: b, to: c },
      write(a, bytes("two"), false),
      { kind: "syncDirectory", path: folder },
    ]);
    expect(await Promise.all([a, b, c].map((path) => readFile(path, "utf8")))).toEqual(["two", "one", "one"]);
    expect(await modeOf(a)).toBe(0o600);
    expect((await stat(b)).ino).toBe((await stat(c)).ino);
  });

  test.each(["file", "folder", "nowhere"])("end at the first that fails: %s", async (what) => {
    const folder = fresh();
    await disk.makeDirectory(join(folder, "folder"));
    await writeFile(join(folder, "file"), "was there");
    const failing: readonly DiskStep[] = {
      file: [write(join(folder, "file"), bytes("new"))],
      folder: [{ kind: "expectNothing", path: join(folder, "folder") } as const],
      nowhere: [{ kind: "rename", from: join(folder, "nothing"), to: join(folder, "c") } as const],
    }[what as "file"];
    const code = what === "nowhere" ? "ENOENT" : "EEXIST";
    const steps = [
      write(join(folder, "before"), bytes("b")),
      ...failing,
      write(join(folder, "after"), bytes("a")),
    ];
    await expect(inOrder(steps)).rejects.toMatchObject({ code });
    expect((await disk.list(folder)).sort()).toEqual(["before", "file", "folder"]);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("was there");
  });

  // Around the sizes at which bytes go to a room, fill a page, and are too many.
  const sizes = [
    0,
    1,
    65_535,
    65_536,
    65_537,
    1_000_003,
    1_003_520,
    ...(way === "in threads" ? [] : [roomBytes + 1]),
  ];
  test.each(sizes)("write %i bytes, also when they come again", async (size) => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const content = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) content[at] = (at * 2_654_435_761) >>> 13;
    const paths = Array.from({ length: 5 }, (_, n) => join(folder, String(n)));
    await Promise.all(paths.map((path) => inOrder([write(path, content)])));
    for (const path of paths) expect((await readFile(path)).equals(content)).toBe(true);
    await expect(inOrder([write(join(folder, "0"), content)])).rejects.toMatchObject({ code: "EEXIST" });
    expect((await readFile(join(folder, "0"))).equals(content)).toBe(true);
  });

  test("many of many contents at once", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const contents = Array.from({ length: 12 }, (_, n) => Buffer.alloc(70_000 + n * 4096, n + 1));
    const files = Array.from({ length: 60 }, (_, n) => ({
      path: join(folder, String(n)),
      content: contents[(n * 7) % 12] ?? Buffer.alloc(0),
    }));
    await Promise.all(files.map(({ path, content }) => inOrder([write(path, content)])));
    for (const { path, content } of files) expect((await readFile(path)).equals(content)).toBe(true);
  });
});

describe("jobs side by side", () => {
  /** As an object is put: written aside, then named. */
  const put = (folder: string, n: number, content: Uint8Array): readonly DiskStep[] => [
    { kind: "expectNothing", path: join(folder, `object-${n}`) },
    { kind: "write", path: join(folder, `aside-${n}`), bytes: content, isSynced: true },
    { kind: "write", path: join(folder, `description-${n}`), bytes: bytes(String(n)), isSynced: false },
    { kind: "rename", from: join(folder, `aside-${n}`), to: join(folder, `object-${n}`) },
    { kind: "syncDirectory", path: folder },
  ];

  test("have each their own answer, whatever becomes of their neighbours", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const contents = [bytes("small"), Buffer.alloc(100_000, 1), Buffer.alloc(70_001, 2)];
    // Of each ten: one finds its object there, one its aside file, one its folder missing at the end.
    for (let n = 0; n < 100; n += 10) await writeFile(join(folder, `object-${n}`), "was there");
    for (let n = 1; n < 100; n += 10) await writeFile(join(folder, `aside-${n}`), "was there");
    const missing = (n: number): readonly DiskStep[] => [
      ...put(folder, n, bytes("x")).slice(0, -1),
      { kind: "syncDirectory", path: join(folder, "missing") },
    ];
    const ended = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, n) =>
        threads.run(n % 10 === 2 ? missing(n) : put(folder, n, contents[n % 3] ?? bytes(""))),
      ),
    );
    for (const [n, outcome] of ended.entries()) {
      const code = { 0: "EEXIST", 1: "EEXIST", 2: "ENOENT" }[n % 10];
      if (code) expect(outcome, String(n)).toMatchObject({ status: "rejected", reason: { code } });
      else expect(outcome.status, String(n)).toBe("fulfilled");
    }
    for (let n = 3; n < 100; n += n % 10 === 9 ? 4 : 1) {
      const found = await readFile(join(folder, `object-${n}`));
      expect(found.equals(contents[n % 3] ?? bytes("")), String(n)).toBe(true);
    }
    expect((await disk.list(folder)).filter((name) => name.startsWith("aside"))).toHaveLength(10);
  });

  const openFiles = async () => (await readdir("/proc/self/fd")).length;
  test.skipIf(!existsSync("/proc/self/fd"))("leave no file open, however they end", async () => {
    const folder = fresh();
    await disk.makeDirectory(folder);
    const round = async (first: number) =>
      Promise.allSettled(
        Array.from({ length: 40 }, async (_, n) =>
          threads.run(put(folder, first + (n >> 1), Buffer.alloc(90_000))),
        ),
      );
    await round(0);
    const before = await openFiles();
    const ended = await round(100);
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["fulfilled", "rejected"]));
    expect(await openFiles()).toBe(before);
  });
});

describe("threads that end by themselves", () => {
  const steps = [{ kind: "write", path: "unused", bytes: Buffer.alloc(100_000), isSynced: true }] as const;

  test("fail what they had, and are given up after three times", async () => {
    const ending = new StepThreads(Buffer.from("throw new Error('no such luck')").toString("base64"));
    expect(ending.take(steps)).toBe(true);
    const runs = Array.from({ length: 200 }, () => ending.run(steps));
    const ended = await Promise.allSettled(runs);
    expect(ended.map(({ status }) => status)).toEqual(runs.map(() => "rejected"));
    expect(ended[0]).toMatchObject({ reason: { message: "no such luck" } });
    expect(ending.take(steps)).toBe(false);
  });
});
