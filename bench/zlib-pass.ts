// What everything is measured against: one gzip of level 6 over the same records, in bodies of 640, in this process. Measured just
// beside what it is compared with, for the machine is fast and slow by turns.
import { gzipSync } from "node:zlib";
import { cpuMicroseconds } from "./cpu-time.ts";
import { generatedBodies } from "./records/generated-records.ts";

const sample = { count: 19_200, perBody: 640 };
let sampleBodies: readonly Buffer[] | undefined;

/** Microseconds of CPU per event. */
export function zlibMicrosPerEvent(): number {
  const bodies = (sampleBodies ??= generatedBodies(sample.count, sample.perBody));
  let bytes = 0;
  const micros = cpuMicroseconds(() => {
    for (const body of bodies) bytes += gzipSync(body, { level: 6 }).length;
  });
  if (bytes === 0) throw new Error("Nothing was compressed.");
  return micros / sample.count;
}
