// A file of this machine that is open for reading. Must not: give its descriptor back while anything reads by it, for the next
// file that is opened would have the same.
import type { FileHandle } from "node:fs/promises";
import type { ByteRange, ReadFile } from "./contract.ts";
import { readEach } from "./read-each.ts";
import { rangesMax, readRoomBytes, ReadThreads } from "./read-threads.ts";

/** Of this process: threads that all files share. */
let sharedThreads: ReadThreads | undefined;

export class NodeReadFile implements ReadFile {
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #threads: ReadThreads | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  /** `threads`: only tests give others. */
  constructor(handle: FileHandle, sizeBytes: number, threads?: ReadThreads) {
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
    this.#threads = threads;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async readMany(
    ranges: readonly ByteRange[],
    take: (bytes: Uint8Array, index: number) => void,
  ): Promise<void> {
    if (this.#isClosed) throw Object.assign(new Error("EBADF: the file is closed, read"), { code: "EBADF" });
    const reading = this.#readMany(ranges, take);
    this.#underWay.add(reading);
    try {
      await reading;
    } finally {
      this.#underWay.delete(reading);
    }
  }

  async #readMany(
    ranges: readonly ByteRange[],
    take: (bytes: Uint8Array, index: number) => void,
  ): Promise<void> {
    const threads = this.#threads ?? (sharedThreads ??= new ReadThreads());
    for (let from = 0; from < ranges.length; ) {
      const part = ranges.slice(from, from + fitting(ranges, from));
      const first = from;
      const takePart = (bytes: Uint8Array, index: number) => take(bytes, first + index);
      const isRead = await threads.read({ file: this.#handle.fd, ranges: part, take: takePart });
      if (!isRead) await readEach(this, part, takePart);
      from += part.length;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await this.#handle.close();
  }
}

/** How many ranges from this one on go in one message; at least one. */
function fitting(ranges: readonly ByteRange[], from: number): number {
  let bytes = 0;
  let count = 0;
  for (let at = from; at < ranges.length && count < rangesMax; at += 1) {
    bytes += ranges[at]?.length ?? 0;
    if (count > 0 && bytes > readRoomBytes) break;
    count += 1;
  }
  return count;
}
