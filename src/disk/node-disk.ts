// The real disk: the contract of contract.ts over node:fs. Files 0600, folders 0700. Must not: know what it stores.
import { link, lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { AppendFile, Disk, DiskStep, ReadFile } from "./contract.ts";
import { NodeAppendFile } from "./append-file.ts";
import { NodeReadFile } from "./read-file.ts";
import { stepByStep } from "./step-by-step.ts";
import { StepThreads } from "./step-threads.ts";

const fileMode = 0o600;
const folderMode = 0o700;

/** The disk of this machine. Paths are those of node:fs; errors are node's own (`error.code` is ENOSPC, EIO …). */
export function nodeDisk(): Disk {
  const names = { list, link, rename, remove, makeDirectory, syncDirectory };
  return { create, openForReading, readWhole, truncate, ...names, inOrder };
}

/** Of this process: threads that all users of the disk share. */
let threads: StepThreads | undefined;

async function inOrder(steps: readonly DiskStep[]): Promise<void> {
  threads ??= new StepThreads();
  if (threads.take(steps)) return threads.run(steps);
  return stepByStep({ create, link, rename, syncDirectory, isThere }, steps);
}

async function isThere(path: string): Promise<boolean> {
  return (await unlessMissing(lstat(path))) !== undefined;
}

async function makeDirectory(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: folderMode });
  if (firstMade === undefined) return;
  // Every folder that was made gets its name on stable storage: from its parent's side, innermost first.
  for (let made = resolve(path); ; made = dirname(made)) {
    await syncDirectory(dirname(made));
    if (made.length <= resolve(firstMade).length || made === dirname(made)) return;
  }
}

async function list(path: string): Promise<string[]> {
  return (await unlessMissing(readdir(path))) ?? [];
}

async function create(path: string): Promise<AppendFile> {
  return new NodeAppendFile(await open(path, "ax", fileMode));
}

async function openForReading(path: string): Promise<ReadFile | undefined> {
  const handle = await unlessMissing(open(path, "r"));
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    return new NodeReadFile(handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readWhole(path: string): Promise<Uint8Array | undefined> {
  return unlessMissing(readFile(path));
}

async function truncate(path: string, length: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.truncate(length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The result, or undefined when the file or folder does not exist. */
async function unlessMissing<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
