// Folders for the data of servers that are measured one after the other. What is in them is emptied when its server ends, and removed
// when the bench does: ext4 without a journal looks at each file that was deleted in the last minutes before it makes another nearby,
// so that the files of one run made those of the next three times as dear.
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string | undefined;

/** A new folder; all are removed when this process ends. */
export function newDataFolder(): string {
  if (root === undefined) {
    const made = mkdtempSync(join(tmpdir(), "cairn-bench-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    root = made;
  }
  return mkdtempSync(join(root, "data-"));
}

/** Gives back the room of its files, not the files. */
export function emptyDataFolder(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) truncateSync(join(entry.parentPath, entry.name));
  }
}
