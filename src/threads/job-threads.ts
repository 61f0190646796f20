// A few threads that do jobs beside the main one, started when there is work for them. While they have work the process stays.
// One that ends by itself fails what it had; another takes its place, until it has happened too often. Must not: know what the
// jobs are, or keep any waiting.
//
// What runs in a thread is a module that tools/setup.mjs compiles into text: so it is the same under the tests' loader, in dist
// and in a package. It answers each `Asked` with one `Answered`, in any order.
import { type ResourceLimits, Worker } from "node:worker_threads";

export interface Asked<Job> {
  readonly id: number;
  readonly job: Job;
}

export interface Answered<Answer> {
  readonly id: number;
  readonly answer: Answer;
}

export interface JobThreadsOptions {
  /** As errors have it: "a thread of the disk". */
  readonly name: string;
  /** JavaScript in base64. */
  readonly code: string;
  readonly workerData?: unknown;
  /** A thread has a heap of its own. */
  readonly resourceLimits: ResourceLimits;
  readonly threadsMax: number;
  readonly jobsPerThreadMax: number;
  /** When all have so many another one is started, if there may be one more. */
  readonly jobsForAnother: number;
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread<Answer> {
  readonly worker: Worker;
  readonly jobs: Map<number, Waiting<Answer>>;
}

const crashesMax = 3;

export class JobThreads<Job, Answer> {
  readonly #options: JobThreadsOptions;
  #threads: readonly Thread<Answer>[] = [];
  #lastId = 0;
  #crashes = 0;
  #lastFailure: unknown;
  #isClosed = false;

  constructor(options: JobThreadsOptions) {
    this.#options = options;
  }

  /** False when threads ended by themselves too often, and after `close`. */
  get areUsable(): boolean {
    return !this.#isClosed && this.#crashes < crashesMax;
  }

  /** Why a thread ended by itself the last time. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** Whether a thread takes one more; more than that wait in the thread that has the least. */
  get haveRoom(): boolean {
    const { threadsMax, jobsPerThreadMax } = this.#options;
    return (
      this.#threads.length < threadsMax || this.#threads.some(({ jobs }) => jobs.size < jobsPerThreadMax)
    );
  }

  /** Rejects when its thread ends: then nobody knows how much of it is done. */
  run(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { worker, jobs } = this.#leastBusy();
      const id = ++this.#lastId;
      jobs.set(id, { resolve, reject });
      worker.ref();
      const message: Asked<Job> = { id, job };
      worker.postMessage(message, []);
    });
  }

  /** Ends the threads; what they had is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #leastBusy(): Thread<Answer> {
    const { threadsMax, jobsForAnother } = this.#options;
    const [least] = this.#threads.toSorted((a, b) => a.jobs.size - b.jobs.size);
    const mayStart = this.#threads.length < threadsMax;
    return !least || (mayStart && least.jobs.size >= jobsForAnother) ? this.#start() : least;
  }

  #start(): Thread<Answer> {
    const { name, code, workerData, resourceLimits } = this.#options;
    const worker = new Worker(new URL(`data:text/javascript;base64,${code}`), {
      ...{ workerData, resourceLimits },
      execArgv: [],
    });
    worker.unref();
    const thread: Thread<Answer> = { worker, jobs: new Map() };
    worker.on("message", (message: Answered<Answer>) => answered(thread, message));
    let why: unknown = new Error(`${name} ended.`);
    worker.on("error", (error) => (why = error));
    worker.on("exit", () => this.#ended(thread, why));
    this.#threads = [...this.#threads, thread];
    return thread;
  }

  #ended(thread: Thread<Answer>, why: unknown): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    if (!this.#isClosed) {
      this.#crashes += 1;
      this.#lastFailure = why;
    }
    for (const { reject } of thread.jobs.values()) reject(why);
    thread.jobs.clear();
  }
}

function answered<Answer>({ worker, jobs }: Thread<Answer>, { id, answer }: Answered<Answer>): void {
  const job = jobs.get(id);
  jobs.delete(id);
  if (jobs.size === 0) worker.unref();
  job?.resolve(answer);
}
