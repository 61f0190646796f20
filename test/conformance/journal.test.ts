// Runs the journal suite over every implementation and disk.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Disk } from "../../src/disk/contract.ts";
import { nodeDisk } from "../../src/disk/node-disk.ts";
import type { Clock, Log, Metrics } from "../../src/model/environment.ts";
import { openSegmentJournal } from "../../src/journal/segment-journal.ts";
import { SimulatedDisk } from "../sim/simulated-disk.ts";
import { frameOf, journalSuite, type OpenJournal } from "./journal.suite.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-journal-"));
afterAll(async () => rm(root, { recursive: true, force: true }));

let ticks = 0;
const clock: Clock = {
  nowMs: () => 1_790_000_000_000 + ++ticks,
  monotonicMs: () => ++ticks,
  sleep: async () => undefined,
};
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const metrics: Metrics = { count: nothing, gauge: nothing, observe: nothing };

const over = (disk: Disk, directory: string, memory: { recentBytesMax?: number } = {}): OpenJournal => {
  return (size) => openSegmentJournal({ disk, directory, clock, log, metrics, ...memory, ...size });
};

let directories = 0;
const nextDirectory = () => join(root, `journal ${++directories}`, "0");

journalSuite("segments on the real disk", () => over(nodeDisk(), nextDirectory()));
journalSuite("segments on the simulated disk", () => over(new SimulatedDisk({ seed: 7 }), "/data/journal"));
journalSuite("segments, every frame read from the disk", () =>
  over(new SimulatedDisk({ seed: 7 }), "/data/journal", { recentBytesMax: 0 }),
);
journalSuite("segments, a few frames kept in memory", () =>
  over(new SimulatedDisk({ seed: 7 }), "/data/journal", { recentBytesMax: 40_000 }),
);

test("many appends share few syncs", async () => {
  const disk = new SimulatedDisk();
  const journal = await over(
    disk,
    "/j",
  )({ bytesMax: 2 ** 28, ownCallReserveBytes: 1, segmentBytesMax: 2 ** 26 });
  const before = disk.calls("sync");
  await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append(frameOf(n))));
  expect(disk.calls("sync") - before).toBe(1);
});

test("metrics are told per group, with the bytes on disk", async () => {
  const seen: string[] = [];
  const counting: Metrics = {
    count: (name, _labels, by) => void seen.push(`${name} ${by}`),
    gauge: (name) => void seen.push(name),
    observe: (name) => void seen.push(name),
  };
  const size = { bytesMax: 2 ** 28, ownCallReserveBytes: 1 };
  const disk = new SimulatedDisk();
  const journal = await openSegmentJournal({ disk, directory: "/j", clock, log, metrics: counting, ...size });
  const empty = journal.usage().bytes;
  await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append(frameOf(n))));
  expect(seen).toEqual([
    "journal_sync_seconds",
    `journal_append_bytes_total ${journal.usage().bytes - empty}`,
    "journal_frames_total 50",
    "journal_bytes",
  ]);
});

test("files and folders are for their owner alone", async () => {
  const directory = nextDirectory();
  const journal = await over(
    nodeDisk(),
    directory,
  )({
    bytesMax: 2 ** 28,
    ownCallReserveBytes: 1,
    segmentBytesMax: 2 ** 26,
  });
  await journal.append(frameOf(1));
  await journal.close();
  const [name = ""] = await readdir(directory);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
});

test("a journal with memory visits its newest frames, and none that memory has lost", async () => {
  const journal = await over(new SimulatedDisk(), "/j", { recentBytesMax: 40_000 })({
    ...{ bytesMax: 2 ** 28, ownCallReserveBytes: 1, segmentBytesMax: 2 ** 26 },
  });
  for (let n = 0; n < 500; n += 1) await journal.append(frameOf(n, { size: 500 }));
  const visits = (from: number) => {
    let count = 0;
    const until = { partition: "0", seq: 501 };
    journal.visitRecent({ partition: "0", seq: from }, until, () => {
      count += 1;
      return true;
    });
    return count;
  };
  expect([visits(500), visits(480)]).toEqual([1, 21]);
  expect([visits(1), visits(400)]).toEqual([0, 0]);
});
