// The steps of Disk.inOrder by the other calls of a disk: for disks that have no shorter way, and where that one is closed.
import type { Disk, DiskStep } from "./contract.ts";

type Calls = Pick<Disk, "create" | "link" | "rename" | "syncDirectory"> & {
  /** Whether there is anything of this name, a folder or a link too. */
  readonly isThere: (path: string) => Promise<boolean>;
};

/** As Disk.inOrder says. */
export async function stepByStep(calls: Calls, steps: readonly DiskStep[]): Promise<void> {
  for (const step of steps) await take(calls, step);
}

async function take(calls: Calls, step: DiskStep): Promise<void> {
  switch (step.kind) {
    case "write":
      return write(calls, step);
    case "link":
      return calls.link(step.from, step.to);
    case "rename":
      return calls.rename(step.from, step.to);
    case "syncDirectory":
      return calls.syncDirectory(step.path);
    case "expectNothing": {
      if (!(await calls.isThere(step.path))) return;
      throw Object.assign(new Error(`EEXIST: there is something named ${step.path}`), { code: "EEXIST" });
    }
    default:
      return step satisfies never;
  }
}

async function write(calls: Calls, step: DiskStep & { readonly kind: "write" }): Promise<void> {
  const file = await calls.create(step.path);
  try {
    await file.append([step.bytes]);
    if (step.isSynced) await file.sync();
  } catch (error) {
    // Why the write failed is what the caller needs to hear.
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
}
