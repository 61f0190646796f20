// Many ranges in one go: what plain reads give, whatever the ranges, the threads and the time of the close.
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../test/sim/simulated-disk.ts";
import type { ByteRange, ReadFile } from "./contract.ts";
import { nodeDisk } from "./node-disk.ts";
import { readEach } from "./read-each.ts";
import { NodeReadFile } from "./read-file.ts";
import { rangesMax, readRoomBytes, ReadThreads } from "./read-threads.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-read-"));
afterAll(async () => rm(root, { recursive: true, force: true }));
const disk = nodeDisk();
const random = seededRandom(17);
const below = (most: number) => Math.floor(random() * most);

/** Three megabytes, told apart everywhere. */
const content = Buffer.alloc(3 * readRoomBytes + 77);
for (let at = 0; at + 4 <= content.length; at += 4)
  content.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at);
const path = join(root, "content");
await writeFile(path, content);

async function opened(): Promise<ReadFile> {
  const file = await disk.openForReading(path);
  if (!file) throw new Error("It is there.");
  return file;
}

async function contents(file: ReadFile, ranges: readonly ByteRange[]): Promise<Buffer[]> {
  const read: Buffer[] = [];
  await file.readMany(ranges, (bytes, index) => {
    expect(index).toBe(read.length);
    // Lent: a copy.
    read.push(Buffer.from(bytes));
  });
  return read;
}

function expectContent(read: readonly Buffer[], ranges: readonly ByteRange[]): void {
  const areSame = ranges.map(({ offset, length }, index) =>
    read[index]?.equals(content.subarray(offset, offset + length)),
  );
  expect(areSame).toEqual(ranges.map(() => true));
}

const range = (offset: number, length: number): ByteRange => ({ offset, length });
const someRanges = (count: number, lengthMax = 20_000) =>
  Array.from({ length: count }, () => range(below(content.length), below(lengthMax)));

describe("reading many ranges", () => {
  test.each([
    ["none", []],
    ["one", [range(5, 10)]],
    ["two, of which one is empty", [range(5, 10), range(7, 0)]],
    [
      "up to the end and behind it",
      [range(content.length - 3, 10), range(0, 4), range(content.length + 9, 9)],
    ],
    ["the same again", [range(5, 10), range(5, 10), range(0, 100)]],
    ["fifty", someRanges(50)],
    ["more than go in one message", someRanges(3 * rangesMax + 1, 10)],
    ["more bytes than go in one message", someRanges(300)],
    ["one that goes in none", [range(1, 5), range(3, readRoomBytes + 1), range(2, 7)]],
    ["what just fills a message", [range(1, readRoomBytes - 1), range(9, 1), range(10, 2)]],
  ])("gives what each read would: %s", async (_what, ranges) => {
    const file = await opened();
    expectContent(await contents(file, ranges), ranges);
    await file.close();
  });

  test("of many files at once", async () => {
    const files = await Promise.all(Array.from({ length: 20 }, opened));
    const wanted = files.map((_file, at) => someRanges(1 + ((at * 7) % 60)));
    const read = await Promise.all(files.map((file, at) => contents(file, wanted[at] ?? [])));
    for (const [at, ranges] of wanted.entries()) expectContent(read[at] ?? [], ranges);
    for (const file of files) await file.close();
  });

  test("fails with the error of a read, which is nobody else's", async () => {
    const folder = join(root, "folder");
    await mkdir(folder);
    const [bad, good] = [await disk.openForReading(folder), await opened()];
    const ranges = someRanges(9);
    const [failed, read] = await Promise.allSettled([
      bad?.readMany(ranges, () => expect.unreachable("nothing can be read")),
      contents(good, ranges),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "EISDIR" } });
    expectContent(read.status === "fulfilled" ? read.value : [], ranges);
    await Promise.all([bad?.close(), good.close()]);
  });

  test("fails with what is thrown when it is taken", async () => {
    const file = await opened();
    const taken: number[] = [];
    const reading = file.readMany(someRanges(9), (_bytes, index) => {
      taken.push(index);
      if (index === 4) throw new Error("It is damaged.");
    });
    await expect(reading).rejects.toThrow("It is damaged.");
    expect(taken).toEqual([0, 1, 2, 3, 4]);
    await file.close();
  });

  test("of a file that is closed", async () => {
    const file = await opened();
    await file.close();
    await expect(file.readMany(someRanges(2), () => undefined)).rejects.toMatchObject({ code: "EBADF" });
  });
});

/** Its own threads, whatever runs in them. */
async function openedWith(code: string): Promise<ReadFile> {
  const handle = await open(path, "r");
  const threads = new ReadThreads(Buffer.from(code).toString("base64"));
  return new NodeReadFile(handle, content.length, threads);
}

test("a file is closed when what is read of it has come: no other gets its descriptor before", async () => {
  const file = await openedWith(`
    import { readSync } from "node:fs";
    import { parentPort, workerData } from "node:worker_threads";
    parentPort.on("message", ({ id, job }) => setTimeout(() => {
      const [fd, offset, length] = job.ranges;
      const read = readSync(fd, new Uint8Array(workerData, job.start, length), 0, length, offset);
      parentPort.postMessage({ id, answer: { lengths: [read, 0], failures: [] } });
    }, 100));
  `);
  const reading = contents(file, [range(40, 4000), range(0, 0)]);
  const closing = file.close();
  const others = await Promise.all(Array.from({ length: 20 }, () => open(join(root, "other"), "w+")));
  for (const other of others) await other.writeFile("something else ".repeat(1000));
  expectContent(await reading, [range(40, 4000), range(0, 0)]);
  await closing;
  for (const other of others) await other.close();
});

test.each(["throw new Error('no such luck')", "process.exit(1)", "process.exitCode = 0"])(
  "what a thread had that ends is read without it: %s",
  async (end) => {
    const file = await openedWith(`
      import { parentPort } from "node:worker_threads";
      parentPort.once("message", () => { ${end}; parentPort.close(); });
    `);
    for (let round = 0; round < 8; round += 1) {
      const wanted = Array.from({ length: 12 }, () => someRanges(40));
      const read = await Promise.all(wanted.map((ranges) => contents(file, ranges)));
      for (const [at, ranges] of wanted.entries()) expectContent(read[at] ?? [], ranges);
    }
    await file.close();
  },
);

test("by plain reads, for disks that have no other way", async () => {
  const file = await opened();
  const ranges = someRanges(9);
  const read: Buffer[] = [];
  await readEach(file, ranges, (bytes) => read.push(Buffer.from(bytes)));
  expectContent(read, ranges);
  await file.close();
});
