// A file that is written from its beginning to its end. A large append whose bytes lie in memory as they will in the file
// (page-memory.ts) goes past the page cache (O_DIRECT): who asks for such memory writes what is synced soon and hardly ever read
// back, as the journal does, and the system need not find memory for the bytes and copy them there, which is most of what writing
// costs. All else goes in the ordinary way, and is there for who reads it next. Must not: know what is written.
//
// Only whole blocks can go that way. What an append begins with, up to the next block of the file, and what is left behind its
// last whole one is written in the ordinary way: no byte is written twice, and the parts go one after the other, so that what a
// crash leaves is a prefix as ever. Where a file system has no such writing, everything goes in the ordinary way.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { AppendFile } from "./contract.ts";
import { beginsAtBlock, blockBytes, directBytesMin } from "./page-memory.ts";

// One writev takes this many chunks on every system we run on (IOV_MAX).
const chunksPerWriteMax = 1024;
/** What systems answer that cannot do it here; ENOENT where there is no /proc. */
const cannot = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOENT"]);
/** Undefined on systems that have none. */
const direct: number | undefined = constants.O_DIRECT;

let mayBeDirect = direct !== undefined;

export class NodeAppendFile implements AppendFile {
  readonly #handle: FileHandle;
  /** The same file, for writing past the page cache; opened when it is needed. */
  #direct: FileHandle | undefined;
  /** As long as every append came to its end. */
  #sizeBytes: number | undefined = 0;

  /** `handle` has an empty file open for appending, and is closed with this. */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(chunks: readonly Uint8Array[]): Promise<void> {
    const start = this.#sizeBytes;
    this.#sizeBytes = undefined;
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const [only] = chunks;
    const blocks = only && chunks.length === 1 && start !== undefined ? blocksOf(only, start) : undefined;
    if (blocks === undefined || !mayBeDirect) await this.#write(chunks);
    else await this.#writeParts(blocks);
    if (start !== undefined) this.#sizeBytes = start + length;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  async close(): Promise<void> {
    try {
      await this.#direct?.close();
    } finally {
      await this.#handle.close();
    }
  }

  async #writeParts({ head, whole, tail, position }: Blocks): Promise<void> {
    await this.#write([head]);
    const isWritten = await this.#writeDirectly(whole, position);
    await this.#write(isWritten ? [tail] : [whole, tail]);
  }

  /** False when this file system cannot: then none is written. */
  async #writeDirectly(blocks: Uint8Array, position: number): Promise<boolean> {
    let written = 0;
    try {
      // By its number, not its name: it may have been renamed meanwhile.
      this.#direct ??= await open(`/proc/self/fd/${this.#handle.fd}`, constants.O_WRONLY | (direct ?? 0));
      ({ bytesWritten: written } = await this.#direct.write(blocks, 0, blocks.length, position));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && cannot.has(String(error.code)))) throw error;
      mayBeDirect = false;
      return false;
    }
    // A device that takes a part may take any part, and what follows need not begin at a block.
    if (written < blocks.length) await this.#write([blocks.subarray(written)]);
    return true;
  }

  /** In the ordinary way, at the end of the file. */
  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, chunksPerWriteMax));
      rest = afterBytes(rest, bytesWritten);
    }
  }
}

interface Blocks {
  /** What stands before the first whole block of the file, and behind the last; either may be empty. */
  readonly head: Uint8Array;
  readonly whole: Uint8Array;
  readonly tail: Uint8Array;
  /** Where the whole blocks begin in the file. */
  readonly position: number;
}

/** Undefined when the bytes are few, or do not lie in memory as they will in a file of `start` bytes. */
function blocksOf(bytes: Uint8Array, start: number): Blocks | undefined {
  if (bytes.length < directBytesMin) return undefined;
  const from = -start & (blockBytes - 1);
  const to = bytes.length - ((start + bytes.length) & (blockBytes - 1));
  const whole = bytes.subarray(from, to);
  if (!beginsAtBlock(whole)) return undefined;
  return { head: bytes.subarray(0, from), whole, tail: bytes.subarray(to), position: start + from };
}

/** What is left of `chunks` when their first `count` bytes were written. */
function afterBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let whole = 0;
  for (const chunk of chunks) {
    if (chunk.length > left) break;
    left -= chunk.length;
    whole += 1;
  }
  const rest = chunks.slice(whole);
  const [first] = rest;
  if (first && left > 0) rest[0] = first.subarray(left);
  return rest;
}
