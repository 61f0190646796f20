// The newest frames in memory: a reader gets exactly what was written, or nothing; and groups lie as they will in the file.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { blockBytes } from "../disk/page-memory.ts";
import { nodeDisk } from "../disk/node-disk.ts";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { Frame, StoredFrame } from "./contract.ts";
import { RecentFrames } from "./recent-frames.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentWriter } from "./segment-writer.ts";

const root = await mkdtemp(join(tmpdir(), "cairn-recent-"));
afterAll(async () => rm(root, { recursive: true, force: true }));

const account = parseAccountId("111122223333");
const region = parseRegion("us-east-1");
if (!account || !region) throw new Error("These are an account and a Region.");
const matchSet: MatchSet = { account, region, folder: "CloudTrail", destinations: [] };
const partition = "0";

const frameOf = (seq: number, bytes: number): Frame => ({
  id: `id-${seq}`,
  header: { door: "events", principal: "mary", arrivedMs: seq, configurationVersion: 1 },
  records: [{ bytes: Buffer.alloc(bytes, seq % 251), matchSet }],
});

const textOf = ({ id, records }: StoredFrame | Frame) =>
  `${id} ${records.map(({ bytes }) => Buffer.from(bytes).toString("latin1")).join("|")}`;

test("what is visited is what was written; what was overwritten is not there; all is in the file", async () => {
  let folders = 0;
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 1000, max: 9000 }),
    fc.integer({ min: 60_000, max: 90_000 }),
  );
  const groups = fc.array(fc.array(sizes, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(groups, fc.integer({ min: 500, max: 250_000 }), async (drawn, bytesMax) => {
      const disk = nodeDisk();
      const directory = join(root, String(++folders));
      await disk.makeDirectory(directory);
      const recent = new RecentFrames(partition, bytesMax);
      const header = { firstSeq: 1, previousFirstSeq: 0, previousBytes: 0, createdMs: 0 };
      const writer = await SegmentWriter.start({ disk, directory, recent }, header, []);
      const written: Frame[] = [];
      for (const group of drawn) {
        const frames = group.map((bytes, index) => frameOf(written.length + 1 + index, bytes));
        await writer.write(frames);
        written.push(...frames);
        const end = written.length + 1;
        for (let fromSeq = end - 1; fromSeq > 0; fromSeq -= 1) {
          const seen: string[] = [];
          recent.visit({ fromSeq, toSeq: end }, (frame) => seen.push(textOf(frame)) > 0);
          if (seen.length > 0) expect(seen).toEqual(written.slice(fromSeq - 1).map(textOf));
        }
      }
      await writer.close("finished");
      const range = { fromSeq: 1, toSeq: written.length + 1, bytesMax: Number.MAX_SAFE_INTEGER };
      const stored = await new SegmentReader(disk, partition).read(writer.segment, range);
      expect(stored.map(textOf)).toEqual(written.map(textOf));
      await rm(directory, { recursive: true });
    }),
    { seed: 20_261_122, numRuns: 100 },
  );
});

test("a group lies in memory as it will in the file, also where the room begins anew", () => {
  const recent = new RecentFrames(partition, 300_000);
  let offset = 64;
  for (let group = 0; group < 50; group += 1) {
    const bytes = 10_000 + ((group * 7919) % 60_000);
    expect(recent.place(bytes, offset).byteOffset % blockBytes).toBe(offset % blockBytes);
    expect(recent.place(bytes, offset).length).toBe(bytes);
    offset += bytes;
  }
});
