// The segment journal's append against a plain loop that writes the same bytes and calls fdatasync after each batch.
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frame, FrameRecord, Journal } from "../src/journal/contract.ts";
import type { Log, Metrics } from "../src/model/environment.ts";
import { builtDisk, builtJournal, builtScanner, builtWorld } from "./built.ts";
import { cpuMicrosecondsOf, median } from "./cpu-time.ts";
import { indexOf, placeIn, scopesOf } from "./installed-trails.ts";
import { generatedBodies } from "./records/generated-records.ts";
import type { BenchOptions, Report } from "./report.ts";
import { fiveTrails } from "./trails.ts";

const { scanBatch } = await builtScanner();
const { openSegmentJournal } = await builtJournal();
const { nodeDisk } = await builtDisk();
const { realClock } = await builtWorld();

interface Shape {
  readonly perBatch: number;
  readonly writers: number;
}

export async function journal({ isQuick }: BenchOptions): Promise<Report> {
  const rows = [];
  for (const perBatch of [1, 10, 100, 640]) {
    const frames = framesOf(isQuick ? 40 : Math.min(3_000, Math.ceil(100_000 / perBatch)), perBatch);
    const writers = isQuick ? [1, 64] : [1, 8, 64];
    rows.push(...(await rowsOf({ frames, perBatch, writers }, isQuick ? 1 : 3)));
  }
  const best = rows.find((row) => row["events/batch"] === 1 && row.writers === 64);
  return {
    tables: [{ title: "Appending batches durably (wall clock and CPU), medians of the rounds", rows }],
    figures: [
      {
        what: "single events, 64 writers, against one fdatasync each",
        ...{ value: best?.["times the loop"] ?? Number.NaN, unit: "x" },
      },
    ],
  };
}

interface Shapes {
  readonly frames: readonly Frame[];
  readonly perBatch: number;
  readonly writers: readonly number[];
}

/** In turns, for the disk is as noisy as the rest of the machine. */
async function rowsOf({ frames, perBatch, writers }: Shapes, rounds: number) {
  const plain: Taken[] = [];
  const groups = new Map<number, Taken[]>(writers.map((count) => [count, []]));
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await plainLoop(frames));
    for (const [count, taken] of groups) taken.push(await groupCommit(frames, count));
  }
  return [...groups].map(([count, group]) => rowOf({ perBatch, writers: count }, { plain, group, frames }));
}

interface Taken {
  readonly seconds: number;
  readonly cpuMicros: number;
}

interface Compared {
  readonly plain: readonly Taken[];
  readonly group: readonly Taken[];
  readonly frames: readonly Frame[];
}

function rowOf({ perBatch, writers }: Shape, { plain, group, frames }: Compared) {
  const events = frames.length * perBatch;
  const bytes = frames.reduce((sum, frame) => sum + bytesOf(frame), 0);
  const seconds = (all: readonly Taken[]) => median(all.map((taken) => taken.seconds));
  const micros = (all: readonly Taken[]) => median(all.map((taken) => taken.cpuMicros));
  return {
    ...{ "events/batch": perBatch, writers },
    "events/s": events / seconds(group),
    "MB/s": bytes / seconds(group) / 1e6,
    "CPU µs/event": micros(group) / events,
    "loop events/s": events / seconds(plain),
    "loop CPU µs/event": micros(plain) / events,
    "times the loop": seconds(plain) / seconds(group),
  };
}

function bytesOf({ records }: Frame): number {
  return records.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Frames as the intake makes them, match sets and all. */
function framesOf(batches: number, perBatch: number): Frame[] {
  const index = indexOf(scopesOf(Object.values(fiveTrails)));
  const bodies = generatedBodies(batches * perBatch, perBatch);
  return bodies.map((body, at) => {
    const found = scanBatch(body);
    if (found.kind !== "records") throw new Error(found.message);
    const records = found.records.map((record): FrameRecord => {
      if (!("fields" in record)) throw new Error(record.problem);
      const matchSet = index.match(record.fields, placeIn(record.fields.awsRegion ?? ""));
      return { bytes: body.subarray(record.start, record.end), matchSet };
    });
    const header = {
      door: "events",
      principal: "bench",
      arrivedMs: 1_784_020_721_000,
      configurationVersion: 1,
    } as const;
    return { id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`, header, records };
  });
}

async function plainLoop(frames: readonly Frame[]): Promise<Taken> {
  const bodies = frames.map(({ records }) => Buffer.concat(records.map(({ bytes }) => bytes)));
  return inFolder(async (folder) => {
    const file = await open(join(folder, "plain.log"), "a");
    const taken = await timed(async () => {
      for (const body of bodies) {
        await file.write(body);
        await file.datasync();
      }
    });
    await file.close();
    return taken;
  });
}

async function groupCommit(frames: readonly Frame[], writers: number): Promise<Taken> {
  return inFolder(async (directory) => {
    const journal = await openSegmentJournal({
      ...{ disk: nodeDisk(), directory, clock: realClock, log: quiet, metrics: uncounted },
      ...{ bytesMax: 100e9, ownCallReserveBytes: 1e6 },
    });
    const taken = await timed(() => appendAll(journal, frames, writers));
    await journal.close();
    return taken;
  });
}

async function appendAll(journal: Journal, frames: readonly Frame[], writers: number): Promise<void> {
  let next = 0;
  const writer = async () => {
    for (let frame = frames[next++]; frame !== undefined; frame = frames[next++]) {
      const outcome = await journal.append(frame);
      if (outcome.kind !== "durable") throw new Error(`A frame was ${outcome.kind}.`);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

async function timed(work: () => Promise<void>): Promise<Taken> {
  const start = performance.now();
  const cpuMicros = await cpuMicrosecondsOf(work);
  return { seconds: (performance.now() - start) / 1000, cpuMicros };
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
const uncounted: Metrics = { count() {}, gauge() {}, observe() {} };
