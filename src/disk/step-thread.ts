// What runs in a thread of the disk: the steps of Disk.inOrder by Node's synchronous calls, without the promises, the hops to
// the thread pool and the turns of the main thread that each of them costs else. tools/setup.mjs compiles it into
// generated/step-code.ts as text, which a thread is started from. Must not: import anything but Node's own and types, or run
// in the main thread.
//
// Jobs that came meanwhile go side by side, from sync to sync: all are written, then all are synced, and so on. A file system
// puts what was written before on the disk with the first sync, and has little left to do for the others.
//
// A file that comes in shared memory (aligned-rooms.ts) is written past the page cache (O_DIRECT): it is synced at once in any
// case, mostly nobody reads it soon, and the system need not find memory for it and copy it there, which is most of what
// writing costs. The last block is written whole and cut off afterwards, before the sync. Where a file system has no such
// writing, the same bytes are written in the ordinary way.
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { Answered, Asked } from "../threads/job-threads.ts";
import type { DiskStep } from "./contract.ts";

export interface StepsJob {
  readonly steps: readonly DiskStep[];
}

export interface StepsAnswer {
  /** Why a step failed; the ones after it are not done. */
  readonly failure?: { readonly message: string; readonly code?: string };
}

/** The steps of one job; it stops before each sync and after it. */
type Course = Generator<void, void, void>;

const fileMode = 0o600;
/** Each has a file open. */
const sideBySideMax = 16;
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
  port.on("message", (first: Asked<StepsJob>) => {
    let under = [first, ...waiting(port)].map(({ id, job }) => ({ id, course: courseOf(job.steps) }));
    while (under.length > 0) {
      under = under.filter(({ id, course }) => {
        const answer = goOn(course);
        if (!answer) return true;
        const message: Answered<StepsAnswer> = { id, answer };
        port.postMessage(message, []);
        return false;
      });
    }
  });
}

/** What else came by now. */
function waiting(port: MessagePort): Asked<StepsJob>[] {
  const asked: Asked<StepsJob>[] = [];
  while (asked.length + 1 < sideBySideMax) {
    const next: { message: Asked<StepsJob> } | undefined = receiveMessageOnPort(port);
    if (!next) break;
    asked.push(next.message);
  }
  return asked;
}

/** Undefined while there is more to do. */
function goOn(course: Course): StepsAnswer | undefined {
  try {
    return course.next().done ? {} : undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? { code: String(error.code) } : {};
    return { failure: { message: error instanceof Error ? error.message : String(error), ...code } };
  }
}

function* courseOf(steps: readonly DiskStep[]): Course {
  for (const step of steps) yield* take(step);
}

function* take(step: DiskStep): Course {
  switch (step.kind) {
    case "write":
      yield* write(step);
      break;
    case "link":
      linkSync(step.from, step.to);
      break;
    case "rename":
      renameSync(step.from, step.to);
      break;
    case "syncDirectory":
      yield* synced(openSync(step.path, "r"));
      break;
    case "expectNothing":
      expectNothing(step.path);
      break;
    default:
      step satisfies never;
  }
}

function expectNothing(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw Object.assign(new Error(`EEXIST: there is something named ${path}`), { code: "EEXIST" });
}

function* write({ path, bytes, isSynced }: DiskStep & { readonly kind: "write" }): Course {
  const isDirect = isSynced && mayBeDirect && bytes.buffer instanceof SharedArrayBuffer;
  // What a try past the page cache left behind is ours: on a file of anybody else it would have failed.
  const file =
    (isDirect ? writtenDirectly(path, bytes) : undefined) ??
    opened(path, O_WRONLY | O_CREAT | (isDirect ? O_TRUNC : O_EXCL), (made) => writeAll(made, bytes));
  if (isSynced) yield* synced(file);
  else closeSync(file);
}

/** Syncs and closes. */
function* synced(file: number): Course {
  try {
    yield;
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  yield;
}

/** Undefined when this file system cannot: then the file may be there, with any of the bytes. */
function writtenDirectly(path: string, bytes: Uint8Array): number | undefined {
  const { buffer, byteOffset, length } = bytes;
  const whole = new Uint8Array(buffer, byteOffset, Math.ceil(length / blockBytes) * blockBytes);
  try {
    return opened(path, O_WRONLY | O_CREAT | O_EXCL | (direct ?? 0), (file) => {
      writeAll(file, whole);
      if (whole.length > length) ftruncateSync(file, length);
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && cannot.has(String(error.code)))) throw error;
    mayBeDirect = false;
    return undefined;
  }
}

/** A file that `fill` has filled; closed when that fails. */
function opened(path: string, flags: number, fill: (file: number) => void): number {
  const file = openSync(path, flags, fileMode);
  try {
    fill(file);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** From the beginning of the file. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
}
