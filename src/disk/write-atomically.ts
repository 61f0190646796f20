// Writes a whole file so that a crash leaves the old content or the new one, never a part.
import { dirname } from "node:path";
import type { Disk } from "./contract.ts";

/** How the name of a file ends that is still being written. Whoever lists a folder passes over (or removes) these. */
export const temporarySuffix = ".writing";

/**
 * Puts `bytes` under `path` and makes both content and name durable. One writer per path at a time.
 * On an error the old content stands, or the new one when only the last sync failed; the error is passed on.
 */
export async function writeAtomically(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}${temporarySuffix}`;
  // What a crash left under this name was never part of anything.
  await disk.remove(temporary);
  const file = await disk.create(temporary);
  try {
    await file.append([bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(dirname(path));
}
