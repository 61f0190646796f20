// Checks the log files that a digest names: in this thread, or, when a directory holds many, in worker threads.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { AtOnce } from "./at-once.ts";
import type { Evidence } from "./evidence.ts";
import type { FileFinding } from "./findings.ts";
import { checkLogFile, type NamedLogFile } from "./log-file-check.ts";
import { createSlots, type Slots } from "./slots.ts";

/** What one digest says. */
export interface LogFileClaims {
  readonly logFiles: readonly NamedLogFile[];
  /** Of the digest. */
  readonly trust: "signed" | "unproven";
}

export interface LogFileChecks {
  /** So many are to come, as far as is known by now; may be told again. */
  expect(count: number): void;
  /** Resolves when all are begun, to their findings in order. */
  begin(claims: LogFileClaims): Promise<{ readonly done: Promise<readonly FileFinding[]> }>;
  close(): void;
}

/** Fewer are checked sooner than workers start. */
const workersFromFiles = 2000;
const workersMax = 8;
const batchFilesMax = 64;
/** Batches that wait at a worker: enough for as long as this thread, busy itself, does not hear of those that are done. */
const pendingMax = 12;

/** One after the other as slots get free. */
export function checksInThread(evidence: Evidence, slots: Slots): LogFileChecks {
  return {
    expect: () => undefined,
    begin: (claims) => beginInThread(evidence, slots, claims),
    close: () => undefined,
  };
}

async function beginInThread(evidence: Evidence, slots: Slots, { logFiles, trust }: LogFileClaims) {
  const checks: AtOnce<FileFinding>[] = [];
  const stop = new AbortController();
  for (const file of logFiles) {
    // A store that is gone takes its time to say so, which must not be waited for once per file.
    if (stop.signal.aborted) break;
    const started = slots.start(() => checkLogFile(evidence, file, trust));
    const { done } = started instanceof Promise ? await started : started;
    if (done instanceof Promise) done.catch(() => stop.abort());
    checks.push(done);
  }
  return { done: allOf(checks) };
}

async function allOf(checks: readonly AtOnce<FileFinding>[]): Promise<readonly FileFinding[]> {
  const findings: FileFinding[] = [];
  for (const check of checks) findings.push(check instanceof Promise ? await check : check);
  return findings;
}

/** What a worker opens for itself. */
export interface WorkerSource {
  readonly folder: string;
  readonly bucket: string | undefined;
  readonly concurrency: number;
}

export interface WorkerBatch extends LogFileClaims {
  readonly id: number;
  /** As far as it is known by now. */
  readonly bucket: string | undefined;
}

export type WorkerAnswer =
  | { readonly id: number; readonly findings: readonly FileFinding[] }
  | { readonly id: number; readonly failure: string };

/**
 * For a directory: this thread and workers, one for each further processor, once there is enough to do. Run from its TypeScript sources,
 * which a worker cannot load, it stays in this thread.
 */
export function checksOfDirectory(evidence: Evidence, folder: string, concurrency: number): LogFileChecks {
  const inThread = checksInThread(evidence, createSlots(concurrency));
  let workers: WorkerChecks | undefined;
  return {
    expect(count) {
      const isWorthIt = count >= workersFromFiles && concurrency > 1 && import.meta.url.endsWith(".js");
      const source = { folder, bucket: evidence.bucket, concurrency };
      if (isWorthIt) workers ??= new WorkerChecks(evidence, source, inThread);
    },
    begin: (claims) => (workers ?? inThread).begin(claims),
    close: () => workers?.close(),
  };
}

interface Pending {
  readonly resolve: (findings: readonly FileFinding[]) => void;
  readonly reject: (error: Error) => void;
}

interface Crew {
  readonly worker: Worker;
  /** By the id of the batch; bounded by the digests that are in work at once. */
  readonly pending: Map<number, Pending>;
}

class WorkerChecks {
  private readonly evidence: Evidence;
  private readonly inThread: LogFileChecks;
  private readonly crews: readonly Crew[];
  private batches = 0;

  constructor(evidence: Evidence, source: WorkerSource, inThread: LogFileChecks) {
    this.evidence = evidence;
    this.inThread = inThread;
    const count = Math.max(1, Math.min(workersMax, availableParallelism(), source.concurrency) - 1);
    const workerData: WorkerSource = { ...source, concurrency: Math.ceil(source.concurrency / count) };
    this.crews = Array.from({ length: count }, () => hire(workerData));
  }

  async begin({ logFiles, trust }: LogFileClaims) {
    const batches: Promise<readonly FileFinding[]>[] = [];
    for (let at = 0; at < logFiles.length; at += batchFilesMax) {
      const claims = { logFiles: logFiles.slice(at, at + batchFilesMax), trust };
      const crew = this.crews.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
      // Whoever awaits all of them hears of a failure.
      const batch =
        crew.pending.size < pendingMax ? this.send(crew, claims) : (await this.inThread.begin(claims)).done;
      batch.catch(() => undefined);
      batches.push(batch);
    }
    return { done: Promise.all(batches).then((findings) => findings.flat()) };
  }

  close(): void {
    for (const { worker } of this.crews) void worker.terminate();
  }

  private send(crew: Crew, { logFiles, trust }: LogFileClaims): Promise<readonly FileFinding[]> {
    this.batches += 1;
    const id = this.batches;
    const named = logFiles.map(({ s3Bucket, s3Object, hashValue }) => ({ s3Bucket, s3Object, hashValue }));
    const batch: WorkerBatch = { id, bucket: this.evidence.bucket, logFiles: named, trust };
    return new Promise((resolve, reject) => {
      crew.pending.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      crew.worker.postMessage(batch);
    });
  }
}

function hire(workerData: WorkerSource): Crew {
  const worker = new Worker(new URL("./check-worker.js", import.meta.url), { workerData });
  const pending = new Map<number, Pending>();
  worker.on("message", (answer: WorkerAnswer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if ("findings" in answer) waiting?.resolve(answer.findings);
    else waiting?.reject(new Error(answer.failure));
  });
  const failAll = (error: Error) => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  worker.on("error", failAll);
  worker.on("exit", () => failAll(new Error("A worker thread ended.")));
  return { worker, pending };
}
