// Reads files of a directory, several at once. Follows no symbolic link, opens nothing but plain files.
//
// Small files are read in this thread as long as that is quick: from a local disk it takes a tenth of a way through the
// thread pool. As soon as reading turns out to be slow (a network file system) they are read by the pool, side by side.
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { AtOnce } from "./at-once.ts";
import { type EvidenceContent, wholeBytesMax } from "./evidence.ts";

const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Above this mean, reading moves to the thread pool. */
const quickMsMax = 1;
/** No read counts for more: a busy machine makes a few reads very slow, a network makes all of them slow. */
const countedMsMax = 2;
/** So that signals and the progress line get their turn. */
const inlineMsMax = 20;
/** Weight of the newest read in the mean. */
const newestWeight = 0.05;

export class FileReader {
  private meanMs = 0;
  private inlineSinceMs = performance.now();

  /** The content of a plain file; undefined when there is none of that name. */
  read(path: string): AtOnce<EvidenceContent | undefined> {
    if (this.meanMs > quickMsMax) return readByPool(path);
    const startMs = performance.now();
    if (startMs - this.inlineSinceMs <= inlineMsMax) return this.readTimed(path, startMs);
    return new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.inlineSinceMs = performance.now();
      return this.readTimed(path, this.inlineSinceMs);
    });
  }

  private readTimed(path: string, startMs: number): EvidenceContent | undefined {
    try {
      return readInline(path);
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    } finally {
      const readMs = Math.min(countedMsMax, performance.now() - startMs);
      this.meanMs += (readMs - this.meanMs) * newestWeight;
    }
  }
}

function readInline(path: string): EvidenceContent | undefined {
  const file = openSync(path, openFlags);
  let isKept = false;
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    if (stat.size > wholeBytesMax) {
      isKept = true;
      return createReadStream(path, { fd: file, start: 0 });
    }
    const bytes = Buffer.allocUnsafe(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(file, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    if (!isKept) closeSync(file);
  }
}

async function readByPool(path: string): Promise<EvidenceContent | undefined> {
  try {
    const file = await open(path, openFlags);
    const stat = await file.stat();
    if (stat.isFile() && stat.size > wholeBytesMax) return file.createReadStream({ start: 0 });
    try {
      return stat.isFile() ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

/** ELOOP and ENXIO: a symbolic link or a socket, which are no objects. */
function isNotThere(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return ["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "ENXIO"].includes(String(error.code));
}
