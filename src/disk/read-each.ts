// ReadFile.readMany by plain reads: for disks that have no shorter way, and where that one is closed.
import type { ByteRange, ReadFile } from "./contract.ts";

/** As ReadFile.readMany says. */
export async function readEach(
  file: Pick<ReadFile, "read">,
  ranges: readonly ByteRange[],
  take: (bytes: Uint8Array, index: number) => void,
): Promise<void> {
  for (const [index, { offset, length }] of ranges.entries()) take(await file.read(offset, length), index);
}
