// A worker thread that checks log files of a directory, batch by batch (log-file-checks.ts). Entry point of its thread.
import { parentPort, workerData } from "node:worker_threads";
import { openDirectory } from "./directory-evidence.ts";
import { checksInThread, type WorkerAnswer, type WorkerBatch, type WorkerSource } from "./log-file-checks.ts";
import { createSlots } from "./slots.ts";

const source: WorkerSource = workerData;
const evidence = openDirectory(source.folder, source.bucket);
const checks = checksInThread(evidence, createSlots(source.concurrency));

parentPort?.on("message", (batch: WorkerBatch) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void answer(batch).then((found) => parentPort?.postMessage(found));
});

async function answer(batch: WorkerBatch): Promise<WorkerAnswer> {
  const { id, bucket } = batch;
  try {
    if (bucket !== undefined) evidence.learnBucket(bucket);
    const { done } = await checks.begin(batch);
    return { id, findings: await done };
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) };
  }
}
