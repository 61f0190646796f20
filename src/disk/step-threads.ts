// A few threads that do the steps of Disk.inOrder (step-thread.ts), started when there is work for them. One that ends by itself
// fails what it had; another takes its place, until it has happened too often. Must not: know what the steps are for.
import { Worker } from "node:worker_threads";
import { AlignedRooms, roomBytes } from "./aligned-rooms.ts";
import type { DiskStep } from "./contract.ts";
import { threadCode } from "./generated/step-code.ts";
import type { StepsAnswer, StepsJob } from "./step-thread.ts";

const threadsMax = 2;
/** One that it works on, one that waits there: the main thread need not be free just when the first is done. */
const jobsPerThreadMax = 2;
const crashesMax = 3;
/** Below this a copy for the thread costs less than a room. */
const roomyBytesMin = 64 * 1024;

export interface Job {
  readonly steps: readonly DiskStep[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Started extends Job {
  /** Where its bytes lie. */
  readonly entered: readonly Uint8Array[];
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Started>;
}

export class StepThreads {
  #threads: Thread[] = [];
  /** Jobs that wait for a thread or for a room, as many as their callers have under way. */
  readonly #waiting: Job[] = [];
  readonly #rooms = AlignedRooms.open();
  readonly #code: string;
  #lastId = 0;
  #crashes = 0;

  /** `code`: what a thread runs, in base64; only tests give another. */
  constructor(code: string = threadCode) {
    this.#code = code;
  }

  /** False when threads ended by themselves too often. */
  get areUsable(): boolean {
    return this.#crashes < crashesMax;
  }

  /** Whether threads take these steps: not what no room is large enough for, nor what needs two of them. */
  take(steps: readonly DiskStep[]): boolean {
    const [roomy, second] = steps.filter((step) => step.kind === "write" && needsRoom(step));
    const isTooLarge = roomy?.kind === "write" && (roomy.bytes.length > roomBytes || !this.#rooms);
    return this.areUsable && !isTooLarge && !second;
  }

  /** Rejects with the error of the first step that fails, or when the thread ends. */
  run(steps: readonly DiskStep[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ steps, resolve, reject });
      this.#startNext();
    });
  }

  #startNext(): void {
    for (let job = this.#waiting[0]; job; job = this.#waiting[0]) {
      const thread = this.#leastBusy();
      const started = thread && this.#enter(job);
      if (!started) return;
      this.#waiting.shift();
      const id = ++this.#lastId;
      thread.jobs.set(id, started);
      // While there is work the process stays.
      thread.worker.ref();
      const message: StepsJob = { id, steps: started.steps };
      thread.worker.postMessage(message, []);
    }
  }

  /** The job with its bytes where a thread may have them; undefined when there is no room. */
  #enter(job: Job): Started | undefined {
    const entered: Uint8Array[] = [];
    const steps: DiskStep[] = [];
    for (const step of job.steps) {
      if (step.kind !== "write") {
        steps.push(step);
      } else if (needsRoom(step)) {
        const bytes = this.#rooms?.enter(step.bytes);
        if (!bytes) return undefined;
        entered.push(bytes);
        steps.push({ ...step, bytes });
      } else {
        // A message takes the whole buffer that bytes lie in.
        steps.push({ ...step, bytes: new Uint8Array(step.bytes) });
      }
    }
    return { ...job, steps, entered };
  }

  #leastBusy(): Thread | undefined {
    const [least] = this.#threads.toSorted((a, b) => a.jobs.size - b.jobs.size);
    if (least?.jobs.size === 0) return least;
    if (this.#threads.length < threadsMax) return this.#start();
    return least && least.jobs.size < jobsPerThreadMax ? least : undefined;
  }

  #start(): Thread {
    const worker = new Worker(new URL(`data:text/javascript;base64,${this.#code}`), {
      // It has a heap of its own, in which nearly nothing lies.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
      execArgv: [],
    });
    worker.unref();
    const thread: Thread = { worker, jobs: new Map() };
    worker.on("message", (answer: StepsAnswer) => this.#answered(thread, answer));
    let why: unknown = new Error("A thread of the disk ended.");
    worker.on("error", (error) => (why = error));
    worker.on("exit", () => this.#ended(thread, why));
    this.#threads.push(thread);
    return thread;
  }

  #answered({ worker, jobs }: Thread, { id, failure }: StepsAnswer): void {
    const job = jobs.get(id);
    jobs.delete(id);
    if (jobs.size === 0) worker.unref();
    if (!job) return;
    for (const bytes of job.entered) this.#rooms?.leave(bytes);
    if (failure) job.reject(Object.assign(new Error(failure.message), { code: failure.code }));
    else job.resolve();
    this.#startNext();
  }

  /** What it had may be done in part: nobody knows. */
  #ended(thread: Thread, why: unknown): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.#crashes += 1;
    for (const { reject, entered } of thread.jobs.values()) {
      for (const bytes of entered) this.#rooms?.leave(bytes);
      reject(why);
    }
    thread.jobs.clear();
    if (this.areUsable) return this.#startNext();
    for (const { reject } of this.#waiting.splice(0)) reject(why);
  }
}

function needsRoom({ bytes, isSynced }: DiskStep & { readonly kind: "write" }): boolean {
  return isSynced && bytes.length >= roomyBytesMin;
}
