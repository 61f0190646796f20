// Looking at folders: what the bucket directory needs beyond the Disk contract. Never writes file content.
import { lstat, readdir, rmdir } from "node:fs/promises";

interface TreeEntry {
  readonly name: string;
  /** `other`: links, sockets and the like, which are never followed. */
  readonly kind: "file" | "folder" | "other";
}

export type TreeNode =
  | { readonly kind: "file"; readonly sizeBytes: number; readonly modifiedMs: number }
  | { readonly kind: "folder"; readonly modifiedMs: number }
  | { readonly kind: "other" };

export interface ObjectTree {
  /** What a folder holds, unsorted; [] when there is no such folder. */
  entries(path: string): Promise<readonly TreeEntry[]>;
  /** Undefined when there is nothing of this name. */
  look(path: string): Promise<TreeNode | undefined>;
  /** Removes an empty folder; false when it holds something. */
  removeFolder(path: string): Promise<boolean>;
}

/** The real file system. */
export function nodeObjectTree(): ObjectTree {
  return { entries, look, removeFolder };
}

async function entries(path: string): Promise<readonly TreeEntry[]> {
  try {
    const found = await readdir(path, { withFileTypes: true });
    return found.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other",
    }));
  } catch (error) {
    if (isNotThere(error)) return [];
    throw error;
  }
}

async function look(path: string): Promise<TreeNode | undefined> {
  try {
    const found = await lstat(path);
    const modifiedMs = Math.floor(found.mtimeMs);
    if (found.isFile()) return { kind: "file", sizeBytes: found.size, modifiedMs };
    return found.isDirectory() ? { kind: "folder", modifiedMs } : { kind: "other" };
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

async function removeFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (isNotThere(error)) return true;
    if (["ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** The `code` of a file system error, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function isNotThere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(systemCode(error) ?? "");
}
