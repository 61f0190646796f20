// Memory that nobody used before is dear on a virtual machine that is given it page by page: writing a file there took 3.3 ms
// of CPU per megabyte, and 0.3 ms where other files had been. A machine that runs for a while has none of that.
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const pieceBytes = 1024 * 1024;

/** Makes the machine give as much memory for files as a bench is about to fill, as far as half of what is free. */
export function makeMachineGive(bytes: number, folder: string): void {
  const path = join(folder, "given-memory");
  const file = openSync(path, "wx", 0o600);
  const piece = Buffer.alloc(pieceBytes);
  try {
    for (let left = Math.min(bytes, freemem() / 2); left > 0; left -= pieceBytes) writeSync(file, piece);
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
