// A file that is written from its beginning to its end. Large appends go past the page cache (O_DIRECT): the file is synced soon
// in any case, and the system need not find memory for the bytes and copy them there, which is most of what writing costs. Who
// reads them again reads them from the device. Must not: know what is written.
//
// Only whole blocks can go that way. What an append begins with, up to the next block of the file, and what is left behind its
// last whole one is written in the ordinary way: no byte is written twice, and the parts go one after the other, so that what a
// crash leaves is a prefix as ever. Where a file system has no such writing, everything goes in the ordinary way.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { AppendFile } from "./contract.ts";
import { beginsAtBlock, blockBytes, pageMemory } from "./page-memory.ts";

/** Smaller appends gain less than two more calls cost. */
export const directBytesMin = 64 * 1024;
/** Bytes that begin elsewhere are copied into a room, so much at once. */
const roomBytes = 1024 * 1024;
/** With all in use, an append goes in the ordinary way. */
const roomsMax = 4;
// One writev takes this many chunks on every system we run on (IOV_MAX).
const chunksPerWriteMax = 1024;
/** What systems answer that cannot do it here; ENOENT where there is no /proc. */
const cannot = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOENT"]);
/** Undefined on systems that have none. */
const direct: number | undefined = constants.O_DIRECT;

let mayBeDirect = direct !== undefined;
let roomsMade = 0;
const freeRooms: Uint8Array[] = [];

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
    const length = bytesOf(chunks);
    if (start === undefined || length < directBytesMin || !mayBeDirect) await this.#write(chunks);
    else await this.#writeBlocks(chunks, start, length);
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

  async #writeBlocks(chunks: readonly Uint8Array[], start: number, length: number): Promise<void> {
    const head = -start & (blockBytes - 1);
    const blocksEnd = length - ((start + length) & (blockBytes - 1));
    if (head > 0) await this.#write(between(chunks, 0, head));
    for (let at = head; at < blocksEnd; ) {
      const end = await this.#writeSomeBlocks(chunks, { start, at, blocksEnd });
      // Nothing was written past the cache: the rest goes in the ordinary way.
      if (end === at) return this.#write(between(chunks, at, length));
      at = end;
    }
    await this.#write(between(chunks, blocksEnd, length));
  }

  /** Returns up to where in `chunks` it came: to where it began when these blocks cannot go past the cache. */
  async #writeSomeBlocks(
    chunks: readonly Uint8Array[],
    { start, at, blocksEnd }: { readonly start: number; readonly at: number; readonly blocksEnd: number },
  ): Promise<number> {
    const all = between(chunks, at, blocksEnd);
    const [first] = all;
    if (first && all.length === 1 && beginsAtBlock(first)) {
      return at + (await this.#writeDirectly(first, start + at));
    }
    const room = takeRoom();
    if (!room) return at;
    try {
      const length = Math.min(roomBytes, blocksEnd - at);
      let used = 0;
      for (const part of between(chunks, at, at + length)) {
        room.set(part, used);
        used += part.length;
      }
      return at + (await this.#writeDirectly(room.subarray(0, length), start + at));
    } finally {
      freeRooms.push(room);
    }
  }

  /** Returns how many bytes are written: all, or none when this file system cannot. */
  async #writeDirectly(blocks: Uint8Array, position: number): Promise<number> {
    let written = 0;
    try {
      // By its number, not its name: it may have been renamed meanwhile.
      this.#direct ??= await open(`/proc/self/fd/${this.#handle.fd}`, constants.O_WRONLY | (direct ?? 0));
      ({ bytesWritten: written } = await this.#direct.write(blocks, 0, blocks.length, position));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && cannot.has(String(error.code)))) throw error;
      mayBeDirect = false;
      return 0;
    }
    // A device that takes a part may take any part, and what follows need not begin at a block.
    if (written < blocks.length) await this.#write([blocks.subarray(written)]);
    return blocks.length;
  }

  /** In the ordinary way, at the end of the file. */
  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, chunksPerWriteMax));
      rest = between(rest, bytesWritten, Infinity);
    }
  }
}

function takeRoom(): Uint8Array | undefined {
  const free = freeRooms.pop();
  if (free || roomsMade === roomsMax) return free;
  const memory = pageMemory(roomBytes);
  if (!memory) return undefined;
  roomsMade += 1;
  return new Uint8Array(memory, 0, roomBytes);
}

function bytesOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** What stands from `from` up to `to` of all chunks together. */
function between(chunks: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  for (const chunk of chunks) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, chunk.length);
    if (end > start) found.push(chunk.subarray(start, end));
    at += chunk.length;
  }
  return found;
}
