// Pages and blocks of a segment's file: whatever is asked for, in whichever way and however much at once, is what was written,
// or damage.
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { SimulatedDisk, seededRandom } from "../../test/sim/simulated-disk.ts";
import { type BlockPlace, createCaches, PagedFile } from "./paged-file.ts";
import { pageBytes, rowWords, SegmentDamage } from "./segment-format.ts";
import { SegmentWriter } from "./segment-writer.ts";

const rowCount = 60_000;
const blockCount = 60;
const random = seededRandom(5);
const below = (most: number) => Math.floor(random() * most);
const disk = new SimulatedDisk();
const blocks: Buffer[] = Array.from({ length: blockCount }, (_, at) => Buffer.alloc(100 + at * 31, at + 1));
const places: BlockPlace[] = [];
/** The whole file. */
let written = Buffer.alloc(0);
let path = "";

beforeAll(async () => {
  await disk.makeDirectory("/h");
  const writer = await SegmentWriter.start(disk, "/h", { firstOrdinal: 0, endOrdinal: rowCount });
  let offset = 0;
  for (const [number, packed] of blocks.entries()) {
    const sum = crc32(packed);
    writer.block({ packed, rawBytes: packed.length, sum });
    places.push({ number, offset, packedBytes: packed.length, sum });
    offset += packed.length;
  }
  writer.rows(Uint32Array.from({ length: rowCount * rowWords }, (_, at) => Math.floor(at / rowWords)));
  writer.ids(Uint32Array.from({ length: rowCount * 2 }, (_, at) => at >> 1));
  writer.endIds();
  const value = Buffer.from("v");
  writer.posting(
    { hash: 1, scope: "s", kind: 1, value },
    Uint32Array.from({ length: rowCount }, (_, at) => at),
  );
  const name = await writer.finish({
    ...{ partition: "0", fromSeq: 1, toSeq: 2, firstOrdinal: 0, endOrdinal: rowCount },
    ...{ firstArrivedMs: 0, lastArrivedMs: 0, rawBytes: offset },
  });
  path = `/h/${name}`;
  written = Buffer.from((await disk.readWhole(path)) ?? []);
});

/** Of `pages` pages at most. */
const opened = (pages: number) => PagedFile.open(disk, path, createCaches(pages * pageBytes));
const slice = (offset: number, length: number) => written.subarray(offset, offset + length);

/** Some places of the pages, so far apart that many pages are wanted, or close together. */
function somePlaces(count: number, { start, end }: { start: number; end: number }): number[] {
  return Array.from({ length: count }, () => start + below(end - start));
}

describe.each([2, 1000])("with %i pages in the cache", (pages) => {
  test("many places at once, scattered and close, in any order and again", async () => {
    const file = await opened(pages);
    const { sections } = file.about;
    const spans = [
      { start: sections.table, end: sections.terms - 30 },
      { start: sections.rows + 3 * pageBytes - 40, end: sections.rows + 3 * pageBytes + 40 },
      { start: sections.ids, end: sections.ids + 4 * pageBytes },
    ];
    for (let round = 0; round < 60; round += 1) {
      const length = 1 + below(round % 7 === 0 ? 3 * pageBytes : 20);
      const offsets = somePlaces(1 + below(60), spans[round % 3] ?? spans[0] ?? { start: 0, end: 0 });
      const fitting = offsets.filter((offset) => offset + length <= sections.terms);
      const gathered = await file.gathered(fitting, length);
      expect(gathered.equals(Buffer.concat(fitting.map((offset) => slice(offset, length))))).toBe(true);
    }
    await file.close();
  });

  test("words, stretches, places and blocks, all at the same time", async () => {
    const file = await opened(pages);
    const { sections } = file.about;
    const wordPlaces = somePlaces(50, { start: sections.rows / 4, end: sections.ids / 4 }).map(
      (at) => at * 4,
    );
    const [words, wordAt, gathered] = await Promise.all([
      Promise.all(wordPlaces.map(async (at) => file.word(at))),
      file.words(sections.rows, sections.ids - sections.rows),
      file.gathered(wordPlaces, 4),
      ...Array.from({ length: 9 }, async (_, round) => {
        const some = places.filter(({ number }) => (number * 7) % 9 <= round);
        const taken = new Set<number>();
        await file.blocks(some, (packed, { number }) => {
          taken.add(number);
          expect(packed.equals(blocks[number] ?? Buffer.alloc(0))).toBe(true);
        });
        expect(taken.size).toBe(some.length);
      }),
    ]);
    const expected = wordPlaces.map((at) => written.readUInt32LE(at));
    expect(words).toEqual(expected);
    expect(wordPlaces.map(wordAt)).toEqual(expected);
    expect(wordPlaces.map((_at, index) => gathered.readUInt32LE(index * 4))).toEqual(expected);
    await file.close();
  });
});

test("what many lie in is not kept, what few lie in is", async () => {
  const file = await opened(1000);
  const { sections } = file.about;
  const reads = async (work: () => Promise<unknown>) => {
    const before = disk.calls("read");
    await work();
    return disk.calls("read") - before;
  };
  const few = Array.from({ length: 8 }, (_, at) => sections.rows + at * 2 * pageBytes);
  const many = Array.from({ length: 20 }, (_, at) => sections.rows + at * pageBytes);
  expect([await reads(() => file.gathered(few, 4)), await reads(() => file.gathered(few, 4))]).toEqual([
    8, 0,
  ]);
  expect([await reads(() => file.gathered(many, 4)), await reads(() => file.gathered(many, 4))]).toEqual([
    12, 12,
  ]);
  // Who asks at the same time for what comes waits for it.
  const again = await opened(1000);
  expect(
    await reads(() =>
      Promise.all([again.gathered(few, 4), again.gathered(few, 8), again.words(few[3] ?? 0, 4)]),
    ),
  ).toBe(8);
  await Promise.all([file.close(), again.close()]);
});

describe("damage", () => {
  test("of one page or block among many is told, and the others are still there", async () => {
    const { about } = await opened(1000);
    const { rows } = about.sections;
    const badPage = Math.floor(rows / pageBytes) + 15;
    const harmed = new SimulatedDisk();
    await harmed.makeDirectory("/h");
    const copy = await harmed.create(path);
    const bytes = Buffer.from(written);
    for (const at of [badPage * pageBytes + 99, (places[30]?.offset ?? 0) + 5])
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    await copy.append([bytes]);
    const file = await PagedFile.open(harmed, path, createCaches(1000 * pageBytes));
    const pages = (count: number) => Array.from({ length: count }, (_, at) => rows + at * pageBytes);
    const none = () => undefined;
    for (const damaged of [
      () => file.gathered(pages(30), 4),
      () => file.gathered([badPage * pageBytes, rows], 4),
      async () => file.word(badPage * pageBytes),
      () => file.words(badPage * pageBytes, 8),
      () => file.blocks(places, none),
      () => file.blocks(places.slice(28, 32), none),
    ]) {
      await expect(damaged()).rejects.toThrow(SegmentDamage);
      // Nobody waits for ever for what has failed.
      await expect(damaged()).rejects.toThrow(SegmentDamage);
    }
    expect((await file.gathered(pages(14), 4)).length).toBe(14 * 4);
    await file.blocks(places.slice(0, 20), none);
    await file.close();
  });

  test("is to ask for what no page has", async () => {
    const file = await opened(10);
    await expect(file.gathered([written.length], 4)).rejects.toThrow(SegmentDamage);
    await expect(file.gathered([0], 4)).rejects.toThrow(SegmentDamage);
    await expect(file.words(0, 4)).rejects.toThrow(SegmentDamage);
    await file.close();
  });
});
