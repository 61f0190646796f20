// Lets the bucket directory live on a SimulatedDisk: looks at its folders, and hides those that were removed.
import { basename, dirname } from "node:path/posix";
import type { ObjectTree } from "../../src/bucket/object-tree.ts";
import type { Disk } from "../../src/disk/contract.ts";
import { stepByStep } from "../../src/disk/step-by-step.ts";

/** A view of `disk` with removable folders. Pass both parts to openDirectoryBuckets. */
export function simulatedTree(disk: Disk): { disk: Disk; tree: ObjectTree } {
  const removed = new Set<string>();
  const sizeOf = async (path: string) => {
    const file = await disk.openForReading(path);
    await file?.close();
    return file?.sizeBytes;
  };
  // The disk keeps every folder for ever, so a file may come to have the name of one that was removed.
  const names = async (path: string) => {
    const seen: string[] = [];
    for (const name of new Set(await disk.list(path))) {
      const inside = `${path}/${name}`;
      if (!removed.has(inside) || (await sizeOf(inside)) !== undefined) seen.push(name);
    }
    return seen;
  };
  const tree: ObjectTree = {
    async entries(path) {
      const found: { name: string; kind: "file" | "folder" }[] = [];
      for (const name of await names(path)) {
        const isFile = (await sizeOf(`${path}/${name}`)) !== undefined;
        found.push({ name, kind: isFile ? "file" : "folder" });
      }
      return found;
    },
    async look(path) {
      const sizeBytes = await sizeOf(path);
      if (sizeBytes !== undefined) return { kind: "file", sizeBytes, modifiedMs: 0 };
      const isFolder = (await names(dirname(path))).includes(basename(path));
      return isFolder ? { kind: "folder", modifiedMs: 0 } : undefined;
    },
    async removeFolder(path) {
      if ((await names(path)).length > 0) return false;
      removed.add(path);
      return true;
    },
  };
  const withFolders: Disk = {
    makeDirectory: async (path) => {
      await disk.makeDirectory(path);
      removed.delete(path);
    },
    list: (path) => disk.list(path),
    create: (path) => disk.create(path),
    openForReading: (path) => disk.openForReading(path),
    readWhole: (path) => disk.readWhole(path),
    truncate: (path, length) => disk.truncate(path, length),
    link: (from, to) => disk.link(from, to),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    inOrder: (steps) =>
      stepByStep({ ...withFolders, isThere: async (path) => (await tree.look(path)) !== undefined }, steps),
  };
  return { disk: withFolders, tree };
}
