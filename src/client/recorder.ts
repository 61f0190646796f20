// A small client for services of one's own: hands event records to Cairn's events door, in batches, again until they are
// taken. The package exports it as `cairn/client`. Needs nothing but Node. Must not: know anything of the server's inside.
//
//   const recorder = createRecorder({ endpoint: "http://127.0.0.1:4577", region: "eu-west-1", account: "123456789012",
//     eventSource: "orders.example.com" });
//   recorder.record({ eventName: "CancelOrder", requestParameters: { orderId: "42" } });
//   await recorder.close();
import { realClock, realRandom } from "../world.ts";
import { completeEvent, type EventInput } from "./complete-event.ts";
import { type Credentials, sendBatch, type SendOutcome } from "./send-batch.ts";

export type { EventInput } from "./complete-event.ts";
export type { Credentials } from "./send-batch.ts";

export interface RecorderOptions {
  /** Where Cairn listens: `http://127.0.0.1:4577`. */
  readonly endpoint: string;
  readonly region: string;
  /** The account that the records belong to, 12 digits. */
  readonly account: string;
  /** Of events that name none: `orders.example.com`. */
  readonly eventSource?: string;
  /** Requests are signed with these; or a function that gives fresh ones. Without any, the server must have auth off. */
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>);
  /** A batch is sent when it has so many events, so many bytes, or is so old. */
  readonly batchEventsMax?: number;
  readonly batchBytesMax?: number;
  readonly batchDelayMs?: number;
  /** Bytes of events that wait, at most. */
  readonly bufferBytesMax?: number;
  /** When it is full: `record` throws, or the events that wait longest are given up. */
  readonly whenFull?: "reject" | "drop-oldest";
  /** For one request, its answer included. */
  readonly timeoutMs?: number;
  /** Hears of every event that is given up, and of requests that failed and will be sent again. */
  readonly onProblem?: (problem: RecorderProblem) => void;
}

export interface RecorderProblem {
  /** `rejected`: Cairn does not take it. `dropped`: there was no room, or no time. `retrying`: nothing is lost yet. */
  readonly kind: "rejected" | "dropped" | "retrying";
  readonly message: string;
  /** Of the event that is given up. */
  readonly eventID?: string;
}

export interface Receipt {
  readonly eventID: string;
  /** Resolves when Cairn has it on disk; rejects when it was given up. Nobody needs to look at it. */
  readonly stored: Promise<void>;
}

export interface Recorder {
  /** Throws when the event is no event, larger than 256 KB, or when the buffer is full and `whenFull` says `reject`. */
  record(event: EventInput): Receipt;
  /** Resolves when everything recorded until now is stored or given up. */
  flush(): Promise<void>;
  /** Takes no more events and flushes; what is not stored after `timeoutMs` (10 s) is given up. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

export function createRecorder(options: RecorderOptions): Recorder {
  return new BatchingRecorder(options);
}

const eventBytesMax = 256 * 1024;
const firstPauseMs = 200;
const longestPauseMs = 30_000;

interface Waiting {
  readonly eventID: string;
  readonly text: string;
  readonly bytes: number;
  readonly settle: { readonly stored: () => void; readonly givenUp: (why: Error) => void };
}

const defaults = {
  batchEventsMax: 500,
  batchBytesMax: 1024 * 1024,
  batchDelayMs: 1000,
  bufferBytesMax: 16 * 1024 * 1024,
  whenFull: "reject",
  timeoutMs: 30_000,
} as const;

class BatchingRecorder implements Recorder {
  readonly #options: RecorderOptions & Required<Pick<RecorderOptions, keyof typeof defaults>>;
  /** Oldest first; those of the batch under way are its head. */
  readonly #queue: Waiting[] = [];
  #bytes = 0;
  /** How many of the queue's head are on their way. */
  #sending = 0;
  #run: Promise<void> | undefined;
  #hurry = new AbortController();
  readonly #end = new AbortController();
  #isClosed = false;

  constructor(options: RecorderOptions) {
    if (!/^\d{12}$/.test(options.account)) throw new TypeError("account must be 12 digits.");
    if (!URL.canParse(options.endpoint)) throw new TypeError("endpoint must be a URL.");
    this.#options = { ...defaults, ...options };
  }

  record(input: EventInput): Receipt {
    if (this.#isClosed) throw new Error("The recorder is closed.");
    const nowMs = realClock.nowMs();
    const event = completeEvent(input, { ...this.#options, nowMs, newId: () => realRandom.uuid() });
    const text = JSON.stringify(event);
    const bytes = Buffer.byteLength(text);
    if (bytes > eventBytesMax)
      throw new RangeError(`The event has ${bytes} bytes; ${eventBytesMax} are the most.`);
    this.#makeRoom(bytes);
    const stored = new Promise<void>((resolve, reject) => {
      this.#queue.push({ eventID: event.eventID, text, bytes, settle: { stored: resolve, givenUp: reject } });
    });
    // Who does not look at the receipt hears of problems by onProblem; an unhandled rejection would end the process.
    stored.catch(() => {});
    this.#bytes += bytes;
    this.#start();
    return { eventID: event.eventID, stored };
  }

  async flush(): Promise<void> {
    this.#hurry.abort();
    while (this.#run) await this.#run;
  }

  async close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isClosed = true;
    const done = new AbortController();
    const flushed = this.flush().then(() => done.abort());
    await realClock.sleep(timeoutMs, done.signal);
    this.#end.abort();
    await flushed;
    this.#giveUp(this.#queue.splice(0), "The recorder was closed before it could be sent.");
  }

  #makeRoom(bytes: number): void {
    const { bufferBytesMax, whenFull } = this.#options;
    if (this.#bytes + bytes <= bufferBytesMax) return;
    if (whenFull === "reject")
      throw new Error("The recorder's buffer is full: Cairn takes no events at the moment.");
    const dropped: Waiting[] = [];
    while (this.#bytes + bytes > bufferBytesMax && this.#queue.length > this.#sending) {
      for (const oldest of this.#queue.splice(this.#sending, 1)) {
        this.#bytes -= oldest.bytes;
        dropped.push(oldest);
      }
    }
    this.#giveUp(dropped, "The buffer was full, and newer events came.");
  }

  #start(): void {
    if (this.#isFull()) this.#hurry.abort();
    this.#run ??= this.#sendAll();
  }

  #isFull(): boolean {
    return this.#queue.length >= this.#options.batchEventsMax || this.#bytes >= this.#options.batchBytesMax;
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#end.signal.aborted) {
      if (!this.#isFull()) await realClock.sleep(this.#options.batchDelayMs, this.#hurry.signal);
      await this.#sendUntilTaken(this.#nextBatch());
    }
    this.#hurry = new AbortController();
    this.#run = undefined;
  }

  #nextBatch(): number {
    const { batchEventsMax, batchBytesMax } = this.#options;
    let bytes = 0;
    const end = this.#queue.findIndex(({ bytes: own }, at) => {
      bytes += own + 1;
      return at >= batchEventsMax || (at > 0 && bytes > batchBytesMax);
    });
    return end === -1 ? this.#queue.length : end;
  }

  /** Sends the first `count` events until each is stored or rejected, or the recorder ends. */
  async #sendUntilTaken(count: number): Promise<void> {
    let wanted = count;
    for (let failures = 0; !this.#end.signal.aborted; failures++) {
      this.#sending = wanted;
      const outcome = await this.#send(this.#queue.slice(0, wanted));
      if (outcome.kind === "tooLarge" && wanted > 1) {
        wanted = Math.ceil(wanted / 2);
      } else if (this.#settle(outcome, wanted)) {
        return;
      } else {
        wanted = this.#sending;
        await realClock.sleep(pauseMs(outcome, failures), this.#end.signal);
      }
    }
  }

  async #send(batch: readonly Waiting[]): Promise<SendOutcome> {
    const { endpoint, region, credentials, timeoutMs } = this.#options;
    const body = batch.map(({ text }) => text).join("\n");
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const signer = typeof credentials === "function" ? await credentials() : credentials;
      return await sendBatch(body, {
        endpoint,
        region,
        signal,
        credentials: signer,
        nowMs: realClock.nowMs(),
      });
    } catch (error) {
      return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** True when nothing of the batch is left to be sent. */
  #settle(outcome: SendOutcome, count: number): boolean {
    switch (outcome.kind) {
      case "taken": {
        const batch = this.#take(count);
        const left = batch.filter((waiting, at) => this.#isLeft(waiting, outcome.rejected.get(at)));
        this.#queue.unshift(...left);
        this.#sending = left.length;
        for (const { bytes } of left) this.#bytes += bytes;
        return left.length === 0;
      }
      case "tooLarge":
      case "refused":
        this.#giveUp(this.#take(count), outcome.message, "rejected");
        return true;
      case "failed":
        this.#options.onProblem?.({ kind: "retrying", message: outcome.message });
        return false;
      default:
        throw new Error("There is no such outcome.");
    }
  }

  #isLeft(
    waiting: Waiting,
    rejection: { readonly code: string; readonly message: string } | undefined,
  ): boolean {
    if (!rejection) waiting.settle.stored();
    else if (rejection.code === "Throttling") return true;
    else this.#giveUp([waiting], `${rejection.code}: ${rejection.message}`, "rejected");
    return false;
  }

  #take(count: number): Waiting[] {
    const batch = this.#queue.splice(0, count);
    for (const { bytes } of batch) this.#bytes -= bytes;
    this.#sending = 0;
    return batch;
  }

  #giveUp(events: readonly Waiting[], message: string, kind: "dropped" | "rejected" = "dropped"): void {
    for (const { eventID, settle } of events) {
      settle.givenUp(new Error(message));
      this.#options.onProblem?.({ kind, message, eventID });
    }
  }
}

/** Twice as long after each failure, with some chance in it, or as long as the server asks for. */
function pauseMs(outcome: SendOutcome, failures: number): number {
  const asked = outcome.kind === "failed" ? (outcome.retryAfterMs ?? 0) : 0;
  const own = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20));
  return Math.max(Math.min(asked, longestPauseMs), own * (0.5 + realRandom.fraction() / 2));
}
