// Threads of their own for ReadFile.readMany: one message there and one back for all ranges that are asked for at this moment, of
// one file or of several, when each read by itself would cost a hop to Node's thread pool. Not the threads of Disk.inOrder: a
// read would wait behind their syncs. Must not: know whose descriptors they are, or read when it is cheaper without them.
import { JobThreads } from "../threads/job-threads.ts";
import type { ByteRange } from "./contract.ts";
import { threadCode } from "./generated/read-code.ts";
import type { ReadAnswer, ReadFailure, ReadJob } from "./read-thread.ts";

/** What is read with one message; memory that nothing was read into is not taken. */
export const readRoomBytes = 1024 * 1024;
export const rangesMax = 512;
const threadsMax = 2;
/** One that it reads, one that waits there. */
const jobsPerThreadMax = 2;
const roomsMax = threadsMax * jobsPerThreadMax;

/** One read costs less by itself: 50 µs of CPU, as much as a message for fifty (docs/performance.md). */
const rangesMin = 2;

export interface WantedRanges {
  /** Its descriptor, which stays open until all is read. */
  readonly file: number;
  /** Not more than `rangesMax`, nor together more than `readRoomBytes`. */
  readonly ranges: readonly ByteRange[];
  /** What was read of each, lent until it returns. */
  readonly take: (bytes: Uint8Array, index: number) => void;
}

interface Waiting {
  readonly wanted: WantedRanges;
  readonly bytes: number;
  readonly resolve: (isRead: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export class ReadThreads {
  readonly #memory = new SharedArrayBuffer(roomsMax * readRoomBytes);
  readonly #freeRooms = Array.from({ length: roomsMax }, (_, room) => room * readRoomBytes);
  readonly #threads: JobThreads<ReadJob, ReadAnswer>;
  /** As many as their callers have under way. */
  #waiting: readonly Waiting[] = [];
  /** Whether what waits will be looked at when this turn is over. */
  #isGathering = false;
  #start: "none" | "under way" | "done" = "none";

  /** `code`: what a thread runs, in base64; only tests give another. */
  constructor(code: string = threadCode) {
    this.#threads = new JobThreads({
      ...{ name: "A reading thread", code, workerData: this.#memory },
      // It has a heap of its own, in which nearly nothing lies.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
      // What lies in the page cache one thread reads for all.
      ...{ threadsMax, jobsPerThreadMax, jobsForAnother: jobsPerThreadMax },
    });
  }

  /**
   * False when nothing was read, nor taken: it is too little or too much, or the threads fail; then it is read without them.
   * Rejects with the error of a read, or of `take`.
   */
  read(wanted: WantedRanges): Promise<boolean> {
    const bytes = wanted.ranges.reduce((sum, { length }) => sum + length, 0);
    if (bytes > readRoomBytes || wanted.ranges.length > rangesMax) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { wanted, bytes, resolve, reject }];
      if (this.#isGathering) return;
      this.#isGathering = true;
      // What else is asked for in this turn goes with it, also by promises that are just being resolved.
      process.nextTick(() => {
        this.#isGathering = false;
        this.#startNext();
      });
    });
  }

  #startNext(): void {
    while (this.#waiting.length > 0) {
      const room = this.#freeRooms.pop();
      if (room === undefined) return;
      const together = this.#takeWaiting();
      const count = together.reduce((sum, { wanted }) => sum + wanted.ranges.length, 0);
      if (count >= rangesMin && this.#areReady()) {
        void this.#readTogether(together, room);
        continue;
      }
      this.#freeRooms.push(room);
      for (const { resolve } of together) resolve(false);
    }
  }

  /** A thread takes tens of milliseconds to start: what is read meanwhile does not wait for it. */
  #areReady(): boolean {
    if (this.#start === "none" && this.#threads.areUsable) {
      this.#start = "under way";
      void this.#threads.run({ start: 0, ranges: [] }).then(
        () => (this.#start = "done"),
        () => (this.#start = "none"),
      );
    }
    return this.#start === "done";
  }

  /** From the first on, as many as go together. */
  #takeWaiting(): readonly Waiting[] {
    let [bytes, ranges, count] = [0, 0, 0];
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      ranges += waiting.wanted.ranges.length;
      if (bytes > readRoomBytes || ranges > rangesMax) break;
      count += 1;
    }
    const together = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return together;
  }

  async #readTogether(together: readonly Waiting[], start: number): Promise<void> {
    try {
      const ranges = together.flatMap(({ wanted: { file, ranges: own } }) =>
        own.flatMap(({ offset, length }) => [file, offset, length]),
      );
      const answer = await this.#threads.run({ start, ranges });
      this.#handOut(together, answer, start);
    } catch {
      // The thread ended. Reading changes nothing: it can be done again.
      this.#start = "none";
      for (const { resolve } of together) resolve(false);
    } finally {
      this.#freeRooms.push(start);
      this.#startNext();
    }
  }

  #handOut(together: readonly Waiting[], { lengths, failures }: ReadAnswer, start: number): void {
    let at = start;
    let first = 0;
    for (const { wanted, bytes, resolve, reject } of together) {
      const own = { at, lengths: lengths.slice(first, first + wanted.ranges.length) };
      const failure = failures.find(({ range }) => range >= first && range < first + wanted.ranges.length);
      at += bytes;
      first += wanted.ranges.length;
      try {
        if (failure) throw errorOf(failure);
        this.#lend(wanted, own);
        resolve(true);
      } catch (error) {
        reject(error);
      }
    }
  }

  #lend(
    { ranges, take }: WantedRanges,
    { at, lengths }: { readonly at: number; readonly lengths: readonly number[] },
  ): void {
    let start = at;
    for (const [index, { length }] of ranges.entries()) {
      take(new Uint8Array(this.#memory, start, lengths[index] ?? 0), index);
      start += length;
    }
  }
}

function errorOf({ message, code }: ReadFailure): Error {
  return Object.assign(new Error(message), code !== undefined && { code });
}
