// What runs in a thread of the disk: the steps of Disk.inOrder by Node's synchronous calls, without the promises, the hops to
// the thread pool and the turns of the main thread that each of them costs else. tools/setup.mjs compiles it into
// generated/step-code.ts as text, which a thread is started from. Must not: import anything but Node's own and types, or run
// in the main thread.
//
// A file that comes in shared memory (aligned-rooms.ts) is written past the page cache (O_DIRECT): it is synced at once in any
// case, mostly nobody reads it soon, and the system need not find memory for it and copy it there, which is most of what
// writing costs. The last block is written whole and cut off afterwards, before the sync. Where a file system has no such
// writing, the same bytes are written in the ordinary way.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { type MessagePort, parentPort } from "node:worker_threads";
import type { Answered, Asked } from "../threads/job-threads.ts";
import type { DiskStep } from "./contract.ts";

export interface StepsJob {
  readonly steps: readonly DiskStep[];
}

export interface StepsAnswer {
  /** Why a step failed; the ones after it are not done. */
  readonly failure?: { readonly message: string; readonly code?: string };
}

const fileMode = 0o600;
/** What a room's size and place are multiples of: no device asks for more. */
const blockBytes = 4096;
const { O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } = constants;
/** Undefined on systems that have none. */
const direct: number | undefined = constants.O_DIRECT;
let mayBeDirect = direct !== undefined;
/** What systems answer that know the flag and cannot do it here. */
const cannot = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP"]);

if (parentPort) serve(parentPort);

function serve(port: MessagePort): void {
  port.on("message", ({ id, job }: Asked<StepsJob>) => {
    const message: Answered<StepsAnswer> = { id, answer: failureOf(job.steps) };
    port.postMessage(message, []);
  });
}

function failureOf(steps: readonly DiskStep[]): StepsAnswer {
  try {
    for (const step of steps) take(step);
    return {};
  } catch (error) {
    const code = error instanceof Error && "code" in error ? { code: String(error.code) } : {};
    return { failure: { message: error instanceof Error ? error.message : String(error), ...code } };
  }
}

function take(step: DiskStep): void {
  switch (step.kind) {
    case "write":
      return write(step);
    case "link":
      return linkSync(step.from, step.to);
    case "rename":
      return renameSync(step.from, step.to);
    case "syncDirectory":
      return syncDirectory(step.path);
    case "expectNothing": {
      if (lstatSync(step.path, { throwIfNoEntry: false }) === undefined) return;
      throw Object.assign(new Error(`EEXIST: there is something named ${step.path}`), { code: "EEXIST" });
    }
    default:
      return step satisfies never;
  }
}

function write({ path, bytes, isSynced }: DiskStep & { readonly kind: "write" }): void {
  const isDirect = isSynced && mayBeDirect && bytes.buffer instanceof SharedArrayBuffer;
  if (isDirect && wroteDirectly(path, bytes)) return;
  // What the try past the page cache left behind is ours: on a file of anybody else it would have failed.
  const file = openSync(path, O_WRONLY | O_CREAT | (isDirect ? O_TRUNC : O_EXCL), fileMode);
  try {
    writeAll(file, bytes);
    if (isSynced) fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** False when this file system cannot: then the file may be there, with any of the bytes. */
function wroteDirectly(path: string, bytes: Uint8Array): boolean {
  const { buffer, byteOffset, length } = bytes;
  const whole = new Uint8Array(buffer, byteOffset, Math.ceil(length / blockBytes) * blockBytes);
  let file: number | undefined;
  try {
    file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | (direct ?? 0), fileMode);
    writeAll(file, whole);
    if (whole.length > length) ftruncateSync(file, length);
    fsyncSync(file);
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && cannot.has(String(error.code)))) throw error;
    mayBeDirect = false;
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** From the beginning of the file. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
}

function syncDirectory(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
