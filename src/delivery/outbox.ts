// The outbox: composed log files that could not be written to their bucket yet, one file each, named by the plan.
// Must not: know lanes, retries or what is worth keeping.
//
// A file and its name are on stable storage before the plan's document says that it exists. Its size and SHA-256 stand in that document and are checked when it is read. A file that
// no document names is a left-over of a crash and is removed at the start.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "../disk/contract.ts";
import { writeAtomically } from "../disk/write-atomically.ts";

export interface OutboxFile {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export class Outbox {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Makes the folder and removes every file that `isKnown` does not claim. Returns how many it removed. */
  async open(isKnown: (id: string) => boolean): Promise<number> {
    await this.#disk.makeDirectory(this.#directory);
    const orphans = (await this.#disk.list(this.#directory)).filter((name) => !isKnown(name));
    for (const name of orphans) await this.#disk.remove(join(this.#directory, name));
    if (orphans.length > 0) await this.#disk.syncDirectory(this.#directory);
    return orphans.length;
  }

  /** Resolves when the file is on stable storage. Throws what the disk throws; no file is promised then. */
  async write(id: string, bytes: Uint8Array): Promise<OutboxFile> {
    await writeAtomically(this.#disk, join(this.#directory, id), bytes);
    return { sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
  }

  /** `damaged`: missing, or not what was written. Throws when the disk fails, which says nothing about the file. */
  async read(id: string, expected: OutboxFile): Promise<Uint8Array | "damaged"> {
    const bytes = await this.#disk.readWhole(join(this.#directory, id));
    const isWhole = bytes?.length === expected.sizeBytes && sha256Hex(bytes) === expected.sha256;
    return bytes && isWhole ? bytes : "damaged";
  }

  /** Not synced: a file that comes back after a crash is removed at the next start. */
  async remove(id: string): Promise<void> {
    await this.#disk.remove(join(this.#directory, id));
  }
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
