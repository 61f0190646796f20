// A few threads that deflate with Cairn's own encoder (deflate-thread.ts), started when there is work for them. One that ends
// by itself fails what it had; another takes its place, until it has happened too often. Must not: know what else deflates.
import { Worker } from "node:worker_threads";
import type { DeflateAnswer, DeflateJob, Effort } from "./deflate-thread.ts";
import { encoderCode, threadCode } from "./generated/deflate-code.ts";
import type { DeflatedText } from "./gzip-member.ts";

/** One deflates more than the main thread gathers; two are done sooner when a cut is made. */
const threadsMax = 2;
/** One that it works on, one that waits there: the main thread need not be free just when the first is done. */
const jobsPerThreadMax = 2;
const crashesMax = 3;

/** What most texts fit in: so much shared memory each is kept for the next. */
const sharedBytes = 1024 * 1024;

interface Waiting {
  readonly text: Uint8Array<SharedArrayBuffer>;
  readonly resolve: (done: DeflatedText) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Waiting>;
}

export class DeflateThreads {
  #threads: Thread[] = [];
  /** Of `sharedBytes` each; never more than jobs at once. */
  readonly #rooms: SharedArrayBuffer[] = [];
  #lastId = 0;
  #crashes = 0;
  #isClosed = false;

  /** How many texts may be under way at once. */
  static readonly jobsMax = threadsMax * jobsPerThreadMax;

  /** False when threads ended by themselves too often, and after `close`. */
  get areUsable(): boolean {
    return !this.#isClosed && this.#crashes < crashesMax;
  }

  /** At most `jobsMax` at once. Rejects when its thread ends. */
  deflate(text: Uint8Array, effort: Effort): Promise<DeflatedText> {
    return new Promise((resolve, reject) => {
      const thread = this.#leastBusy();
      const id = ++this.#lastId;
      const job: DeflateJob = { id, text: this.#shared(text), effort };
      thread.jobs.set(id, { text: job.text, resolve, reject });
      // While there is work the process stays.
      thread.worker.ref();
      thread.worker.postMessage(job, []);
    });
  }

  /** Ends the threads; what they had is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
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

  #leastBusy(): Thread {
    const [least] = this.#threads.toSorted((a, b) => a.jobs.size - b.jobs.size);
    const isFull = !least || (least.jobs.size >= jobsPerThreadMax && this.#threads.length < threadsMax);
    return isFull ? this.#start() : least;
  }

  #start(): Thread {
    const worker = new Worker(new URL(`data:text/javascript;base64,${threadCode}`), {
      workerData: new Uint8Array(Buffer.from(encoderCode, "base64")),
      // It has a heap of its own, in which nearly nothing lies.
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 },
      execArgv: [],
    });
    worker.unref();
    const thread: Thread = { worker, jobs: new Map() };
    worker.on("message", (answer: DeflateAnswer) => this.#answered(thread, answer));
    let why: unknown = new Error("A deflating thread ended.");
    worker.on("error", (error) => (why = error));
    worker.on("exit", () => this.#ended(thread, why));
    this.#threads.push(thread);
    return thread;
  }

  #answered({ worker, jobs }: Thread, { id, blocks, crc }: DeflateAnswer): void {
    const job = jobs.get(id);
    jobs.delete(id);
    if (jobs.size === 0) worker.unref();
    if (!job) return;
    const { text, resolve } = job;
    if (text.buffer.byteLength === sharedBytes) this.#rooms.push(text.buffer);
    resolve({ blocks, crc, textBytes: text.length });
  }

  #ended(thread: Thread, why: unknown): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    if (!this.#isClosed) this.#crashes += 1;
    for (const { reject } of thread.jobs.values()) reject(why);
    thread.jobs.clear();
  }
}
