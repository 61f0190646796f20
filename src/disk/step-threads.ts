// A few threads that do the steps of Disk.inOrder (step-thread.ts). Steps wait here for a thread, and for rooms where their bytes
// need some. Must not: know what the steps are for.
import { JobThreads } from "../threads/job-threads.ts";
import { AlignedRooms, roomBytes } from "./aligned-rooms.ts";
import { directBytesMin } from "./page-memory.ts";
import type { DiskStep } from "./contract.ts";
import { threadCode } from "./generated/step-code.ts";
import type { StepsAnswer, StepsJob } from "./step-thread.ts";

export interface Job {
  readonly steps: readonly DiskStep[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Steps with their bytes where a thread may have them. */
interface Entered {
  readonly steps: readonly DiskStep[];
  readonly rooms: readonly Uint8Array[];
}

export class StepThreads {
  readonly #threads: JobThreads<StepsJob, StepsAnswer>;
  /** Jobs that wait for a thread or for a room, as many as their callers have under way. */
  readonly #waiting: Job[] = [];
  readonly #rooms = AlignedRooms.open();

  /** `code`: what a thread runs, in base64; only tests give another. */
  constructor(code: string = threadCode) {
    this.#threads = new JobThreads({
      ...{ name: "A thread of the disk", code },
      // It has a heap of its own, in which nearly nothing lies.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
      threadsMax: 2,
      jobsForAnother: 1,
      // What comes while it works goes side by side next: the more, the less each costs.
      jobsPerThreadMax: 32,
    });
  }

  /** Whether threads take these steps: not what no room is large enough for, nor what needs two of them. */
  take(steps: readonly DiskStep[]): boolean {
    const [roomy, second] = steps.filter((step) => step.kind === "write" && needsRoom(step));
    const isTooLarge = roomy?.kind === "write" && (roomy.bytes.length > roomBytes || !this.#rooms);
    return this.#threads.areUsable && !isTooLarge && !second;
  }

  /** Rejects with the error of the first step that fails, or when the thread ends. */
  run(steps: readonly DiskStep[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ steps, resolve, reject });
      this.#startNext();
    });
  }

  #startNext(): void {
    for (let job = this.#waiting[0]; job && this.#threads.haveRoom; job = this.#waiting[0]) {
      const entered = this.#enter(job.steps);
      if (!entered) return;
      this.#waiting.shift();
      void this.#run(entered).then(job.resolve, job.reject);
    }
  }

  async #run({ steps, rooms }: Entered): Promise<void> {
    try {
      const { failure } = await this.#threads.run({ steps });
      if (failure) throw Object.assign(new Error(failure.message), { code: failure.code });
    } finally {
      for (const bytes of rooms) this.#rooms?.leave(bytes);
      if (this.#threads.areUsable) this.#startNext();
      else this.#giveUp();
    }
  }

  #giveUp(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(this.#threads.lastFailure);
  }

  /** Undefined when there is no room. */
  #enter(all: readonly DiskStep[]): Entered | undefined {
    const rooms: Uint8Array[] = [];
    const steps: DiskStep[] = [];
    for (const step of all) {
      if (step.kind !== "write") {
        steps.push(step);
      } else if (needsRoom(step)) {
        const bytes = this.#rooms?.enter(step.bytes);
        if (!bytes) return undefined;
        rooms.push(bytes);
        steps.push({ ...step, bytes });
      } else {
        // A message takes the whole buffer that bytes lie in.
        steps.push({ ...step, bytes: new Uint8Array(step.bytes) });
      }
    }
    return { steps, rooms };
  }
}

function needsRoom({ bytes, isSynced }: DiskStep & { readonly kind: "write" }): boolean {
  return isSynced && bytes.length >= directBytesMin;
}
