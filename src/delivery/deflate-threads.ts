// A few threads that deflate with Cairn's own encoder (deflate-thread.ts), and the shared memory in which they get their texts.
// Must not: know what else deflates.
import { JobThreads } from "../threads/job-threads.ts";
import type { DeflateAnswer, DeflateJob, Effort } from "./deflate-thread.ts";
import { encoderCode, threadCode } from "./generated/deflate-code.ts";
import type { DeflatedText } from "./gzip-member.ts";

/** One deflates more than the main thread gathers; two are done sooner when a cut is made. */
const threadsMax = 2;
/** One that it works on, one that waits there: the main thread need not be free just when the first is done. */
const jobsPerThreadMax = 2;

/** What most texts fit in: so much shared memory each is kept for the next. */
const sharedBytes = 1024 * 1024;

export class DeflateThreads {
  readonly #threads = new JobThreads<DeflateJob, DeflateAnswer>({
    ...{ name: "A deflating thread", code: threadCode },
    workerData: new Uint8Array(Buffer.from(encoderCode, "base64")),
    // It has a heap of its own, in which nearly nothing lies.
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 },
    ...{ threadsMax, jobsPerThreadMax, jobsForAnother: jobsPerThreadMax },
  });
  /** Of `sharedBytes` each; never more than jobs at once. */
  readonly #rooms: SharedArrayBuffer[] = [];

  /** How many texts may be under way at once. */
  static readonly jobsMax = threadsMax * jobsPerThreadMax;

  /** False when threads ended by themselves too often, and after `close`. */
  get areUsable(): boolean {
    return this.#threads.areUsable;
  }

  /** At most `jobsMax` at once. Rejects when its thread ends. */
  async deflate(text: Uint8Array, effort: Effort): Promise<DeflatedText> {
    const shared = this.#shared(text);
    const { blocks, crc } = await this.#threads.run({ text: shared, effort });
    if (shared.buffer.byteLength === sharedBytes) this.#rooms.push(shared.buffer);
    return { blocks, crc, textBytes: text.length };
  }

  /** Ends the threads; what they had is rejected. */
  async close(): Promise<void> {
    await this.#threads.close();
  }

  /** Both begin where a word does: else a copy into shared memory would go byte by byte. */
  #shared(text: Uint8Array): Uint8Array<SharedArrayBuffer> {
    const isUsual = text.length <= sharedBytes;
    const room =
      (isUsual ? this.#rooms.pop() : undefined) ?? new SharedArrayBuffer(Math.max(text.length, sharedBytes));
    const shared = new Uint8Array(room, 0, text.length);
    shared.set(text);
    return shared;
  }
}
