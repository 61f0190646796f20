// What runs in a reading thread: many reads, one after the other, by Node's synchronous calls into a room that the main thread
// shares. tools/setup.mjs compiles it into generated/read-code.ts as text, which a thread is started from. Must not: import
// anything but Node's own and types, or run in the main thread.
import { readSync } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Answered, Asked } from "../threads/job-threads.ts";

export interface ReadJob {
  /** Where in the shared memory what is read goes, each behind the one before. */
  readonly start: number;
  /** Per range: descriptor, offset, length. */
  readonly ranges: readonly number[];
}

export interface ReadAnswer {
  /** By range: so many bytes were read, fewer than wanted at the end of the file. Each has the room it wanted all the same. */
  readonly lengths: readonly number[];
  readonly failures: readonly ReadFailure[];
}

export interface ReadFailure {
  readonly range: number;
  readonly message: string;
  readonly code?: string;
}

/** Words of a range in a job. */
const rangeWords = 3;

if (parentPort) serve(parentPort);

function serve(port: MessagePort): void {
  const shared: SharedArrayBuffer = workerData;
  const memory = new Uint8Array(shared);
  port.on("message", ({ id, job }: Asked<ReadJob>) => {
    const message: Answered<ReadAnswer> = { id, answer: answerTo(job, memory) };
    port.postMessage(message, []);
  });
}

function answerTo({ start, ranges }: ReadJob, memory: Uint8Array): ReadAnswer {
  const lengths: number[] = [];
  const failures: ReadFailure[] = [];
  let at = start;
  for (let word = 0; word < ranges.length; word += rangeWords) {
    const [file = -1, offset = 0, length = 0] = ranges.slice(word, word + rangeWords);
    let filled = 0;
    try {
      filled = read(file, offset, memory.subarray(at, at + length));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? { code: String(error.code) } : {};
      const message = error instanceof Error ? error.message : String(error);
      failures.push({ range: lengths.length, message, ...code });
    }
    lengths.push(filled);
    at += length;
  }
  return { lengths, failures };
}

function read(file: number, offset: number, room: Uint8Array): number {
  let filled = 0;
  while (filled < room.length) {
    const bytesRead = readSync(file, room, filled, room.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
