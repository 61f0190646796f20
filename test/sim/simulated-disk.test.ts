// The simulated disk forgets, fails and dies as it says; without that, no test that uses it means anything.
import { describe, expect, test } from "vitest";
import { writeAtomically } from "../../src/disk/write-atomically.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const bytes = (text: string) => Buffer.from(text);
const textOf = async (disk: SimulatedDisk, path: string) => {
  const whole = await disk.readWhole(path);
  return whole && Buffer.from(whole).toString();
};
const all = { keepBytes: () => Number.POSITIVE_INFINITY, keepName: () => true, garble: false };
const nothing = { keepBytes: () => 0, keepName: () => false, garble: false };

/** A synced and named file with `synced`, and `unsynced` behind it. */
async function withFile(synced: string, unsynced: string, seed = 1) {
  const disk = new SimulatedDisk({ seed });
  await disk.makeDirectory("/d");
  const file = await disk.create("/d/f");
  await file.append([bytes(synced)]);
  await file.sync();
  await disk.syncDirectory("/d");
  if (unsynced) await file.append([bytes(unsynced)]);
  return { disk, file };
}

describe("simulated disk: a crash", () => {
  test("keeps what was synced and may lose the rest", async () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const { disk } = await withFile("synced", "tail", seed);
      const text = await textOf(disk.crash({ garble: false }), "/d/f");
      expect(text).toMatch(/^synced/);
      kept.add(text ?? "");
    }
    expect([...kept].sort()).toEqual(["synced", "syncedt", "syncedta", "syncedtai", "syncedtail"]);
  });

  test("may garble what was not synced, and nothing else", async () => {
    let garbled = 0;
    for (let seed = 0; seed < 100; seed += 1) {
      const { disk } = await withFile("synced", "unsynced tail", seed);
      const text = (await textOf(disk.crash({ garble: true, keepBytes: () => 99 }), "/d/f")) ?? "";
      expect(text.startsWith("synced")).toBe(true);
      if (text !== "syncedunsynced tail") garbled += 1;
    }
    expect(garbled).toBeGreaterThan(50);
  });

  test("loses bytes whose sync failed, even when a later one answers well", async () => {
    const { disk, file } = await withFile("synced", "lost");
    disk.failCall(1, "before");
    await expect(file.sync()).rejects.toThrow("simulated failure of sync");
    await file.append([bytes("later")]);
    await file.sync();
    expect(await textOf(disk, "/d/f")).toBe("syncedlostlater");
    expect(await textOf(disk.crash(), "/d/f")).toBe("synced\0\0\0\0later");
  });

  test.each([
    { name: "created", act: (disk: SimulatedDisk) => disk.create("/d/new"), before: "f", after: "f new" },
    { name: "renamed", act: (disk: SimulatedDisk) => disk.rename("/d/f", "/d/g"), before: "f", after: "g" },
    { name: "removed", act: (disk: SimulatedDisk) => disk.remove("/d/f"), before: "f", after: "" },
  ])("may forget that a name was $name, until the folder is synced", async ({ act, before, after }) => {
    const names = async (disk: SimulatedDisk) => (await disk.list("/d")).sort().join(" ");
    const run = async () => {
      const { disk } = await withFile("x", "");
      await act(disk);
      return disk;
    };
    expect(await names(await run())).toBe(after);
    expect(await names((await run()).crash(all))).toBe(after);
    expect(await names((await run()).crash(nothing))).toBe(before);
    const synced = await run();
    await synced.syncDirectory("/d");
    expect(await names(synced.crash(nothing))).toBe(after);
  });

  test("a rename between folders needs both synced, and never loses the file", async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const { disk } = await withFile("x", "", seed);
      await disk.makeDirectory("/e");
      await disk.rename("/d/f", "/e/f");
      if (seed % 3 === 1) await disk.syncDirectory("/d");
      if (seed % 3 === 2) await disk.syncDirectory("/e");
      const files = disk.crash().files();
      expect(files.length).toBeGreaterThan(0);
      if (seed % 3 === 2) expect(files).toContain("/e/f");
    }
  });

  test("is the end of the old disk and its files, and a kill too; a kill loses nothing by itself", async () => {
    const { disk, file } = await withFile("synced", "tail");
    const next = disk.restart();
    expect(disk.isDead).toBe(true);
    await expect(file.append([bytes("x")])).rejects.toThrow("down");
    await expect(disk.list("/d")).rejects.toThrow("down");
    expect(await textOf(next, "/d/f")).toBe("syncedtail");
    expect(await textOf(next.crash(nothing), "/d/f")).toBe("synced");
  });

  test("is the same for the same seed", async () => {
    const run = async () => {
      const { disk } = await withFile("synced", "a long unsynced tail of the file", 42);
      await disk.create("/d/other");
      const after = disk.crash();
      return [after.files(), await textOf(after, "/d/f")];
    };
    expect(await run()).toEqual(await run());
  });
});

describe("simulated disk: a failing call", () => {
  test.each([
    { effect: "before", pattern: /^$/ },
    { effect: "partial", pattern: /^(w(r(i(t(t(e(n)?)?)?)?)?)?)?$/ },
    { effect: "after", pattern: /^written$/ },
  ] as const)("$effect", async ({ effect, pattern }) => {
    const { disk, file } = await withFile("", "");
    disk.failCall(1, effect);
    await expect(file.append([bytes("wri"), bytes("tten")])).rejects.toThrow("simulated failure of append");
    expect(await textOf(disk, "/d/f")).toMatch(pattern);
    await file.append([bytes("!")]);
    expect(await textOf(disk, "/d/f")).toMatch(/!$/);
  });

  test("is the one that was asked for; calls are counted by kind", async () => {
    const disk = new SimulatedDisk();
    await disk.makeDirectory("/d");
    disk.failCall(2, "before");
    await disk.list("/d");
    await expect(disk.list("/d")).rejects.toThrow("list");
    await disk.list("/d");
    expect([disk.calls(), disk.calls("list"), disk.calls("sync")]).toEqual([4, 3, 0]);
  });

  test("may be the last one of the process", async () => {
    const { disk, file } = await withFile("", "");
    disk.dieAtCall(2);
    await file.append([bytes("x")]);
    await expect(file.sync()).rejects.toThrow("down");
    await expect(file.close()).rejects.toThrow("down");
    expect(disk.isDead).toBe(true);
  });
});

describe("simulated disk: like a real one", () => {
  test.each([
    { name: "create in no folder", act: (disk: SimulatedDisk) => disk.create("/no/f"), code: "ENOENT" },
    { name: "create what exists", act: (disk: SimulatedDisk) => disk.create("/d/f"), code: "EEXIST" },
    { name: "rename nothing", act: (disk: SimulatedDisk) => disk.rename("/d/x", "/d/y"), code: "ENOENT" },
    { name: "truncate nothing", act: (disk: SimulatedDisk) => disk.truncate("/d/x", 0), code: "ENOENT" },
  ])("refuses to $name", async ({ act, code }) => {
    const { disk } = await withFile("x", "");
    await expect(act(disk)).rejects.toMatchObject({ code });
  });

  test("an open file outlives its name", async () => {
    const { disk, file } = await withFile("old", "");
    const reader = await disk.openForReading("/d/f");
    await disk.remove("/d/f");
    await file.append([bytes("+")]);
    expect(Buffer.from((await reader?.read(0, 9)) ?? []).toString()).toBe("old+");
    await file.close();
    await expect(file.append([bytes("+")])).rejects.toMatchObject({ code: "EBADF" });
  });
});

test("an atomic write is the old content or the new one, whichever call dies or fails", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 300; seed += 1) {
    const { disk } = await withFile("old", "", seed);
    const call = (seed % 8) + 1;
    if (seed % 2 === 0) disk.dieAtCall(call);
    else disk.failCall(call, (["before", "partial", "after"] as const)[seed % 3] ?? "before");
    const result = await writeAtomically(disk, "/d/f", bytes("new content")).then(
      () => "done",
      () => "failed",
    );
    const text = await textOf(disk.crash(), "/d/f");
    expect(["old", "new content"]).toContain(text);
    if (result === "done") expect(text).toBe("new content");
    outcomes.add(`${result} ${text}`);
  }
  expect([...outcomes].sort()).toEqual(["done new content", "failed new content", "failed old"]);
});
