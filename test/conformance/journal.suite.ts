// What every journal must do, whatever it stands on. Run by journal.test.ts over each implementation.
import { afterEach, describe, expect, test } from "vitest";
import type { Frame, FrameRecord, Journal, Position, StoredFrame } from "../../src/journal/contract.ts";
import { frameBytesMax } from "../../src/journal/contract.ts";
import { parseAccountId } from "../../src/model/arn.ts";
import { parseRegion } from "../../src/model/regions.ts";
import { eventBusDestination, type MatchSet } from "../../src/selector/match-set.ts";

export interface JournalSize {
  readonly bytesMax: number;
  readonly ownCallReserveBytes: number;
  /** A hint: the unit of trimming. */
  readonly segmentBytesMax: number;
}

/** Opens the same storage each time it is called; the journal opened before is closed, or its process is dead. */
export type OpenJournal = (size: JournalSize) => Promise<Journal>;

const roomy: JournalSize = {
  bytesMax: 256 * 1024 * 1024,
  ownCallReserveBytes: 1024 * 1024,
  segmentBytesMax: 16 * 1024 * 1024,
};
const tight: JournalSize = { bytesMax: 400_000, ownCallReserveBytes: 100_000, segmentBytesMax: 40_000 };

/** `storage` makes a new, empty storage for each test. */
export function journalSuite(name: string, storage: () => OpenJournal): void {
  describe(`journal: ${name}`, () => {
    const opened: Journal[] = [];
    const fresh = () => {
      const open = storage();
      return async (size: JournalSize = roomy) => {
        const journal = await open(size);
        opened.push(journal);
        return journal;
      };
    };
    afterEach(async () => {
      for (const journal of opened.splice(0)) await journal.close();
    });

    describe("appends and reads", () => {
      test("an empty journal begins and ends at 1", async () => {
        const journal = await fresh()();
        expect(journal.partitions).toHaveLength(1);
        const [partition = ""] = journal.partitions;
        expect(journal.start(partition)).toEqual({ partition, seq: 1 });
        expect(journal.end(partition)).toEqual({ partition, seq: 1 });
        const from = journal.start(partition);
        expect(await journal.read(from, { bytesMax: 1000 })).toEqual({ frames: [], next: from });
      });

      test("a frame comes back as it went in", async () => {
        const journal = await fresh()();
        const frame: Frame = {
          id: "6f0e8f0a-0d55-4a3c-9a2e-6d6f0f3a1c11",
          header: {
            door: "recorder",
            principal: "arn:aws:iam::123456789012:user/Märy 🙂",
            arrivedMs: 1_790_000_000_123.5,
            configurationVersion: 2 ** 40 + 1,
          },
          records: [
            {
              bytes: Buffer.from('{"eventName":"Ä","requestParameters":{"a":"\\u0000 🙂"}}'),
              matchSet: setOf(3),
            },
            { bytes: Buffer.from("{}"), matchSet: setOf(0) },
            { bytes: new Uint8Array(), matchSet: setOf(3) },
          ],
        };
        expect(await journal.append(frame)).toEqual({ kind: "durable", position: at(journal, 1) });
        const [stored] = await readAll(journal);
        expect(plain(stored)).toEqual({ ...plain(frame), position: at(journal, 1) });
      });

      test.each(["events", "audit-events", "own-calls", "recorder"] as const)("the door %s", async (door) => {
        const journal = await fresh()();
        const frame = frameOf(1);
        await journal.append({ ...frame, header: { ...frame.header, door } });
        expect((await readAll(journal))[0]?.header.door).toBe(door);
      });

      test("frames keep their order and have gapless positions", async () => {
        const journal = await fresh()();
        const frames = Array.from({ length: 40 }, (_, n) => frameOf(n));
        for (const [n, frame] of frames.entries()) {
          expect(await journal.append(frame)).toEqual({ kind: "durable", position: at(journal, n + 1) });
        }
        expect((await readAll(journal)).map(({ id }) => id)).toEqual(frames.map(({ id }) => id));
      });

      test("hundreds of appends at once are each stored once, in the order they were given", async () => {
        const journal = await fresh()();
        const frames = Array.from({ length: 600 }, (_, n) => frameOf(n, { records: (n % 7) + 1 }));
        const outcomes = await Promise.all(frames.map((frame) => journal.append(frame)));
        expect(outcomes.map((outcome) => outcome.kind === "durable" && outcome.position.seq)).toEqual(
          frames.map((_, n) => n + 1),
        );
        expect((await readAll(journal, 5000)).map(plain)).toEqual(
          frames.map((frame, n) => ({ ...plain(frame), position: at(journal, n + 1) })),
        );
      });

      test("many appenders and readers at once see one order", async () => {
        const journal = await fresh()();
        const appender = async (lane: number) => {
          for (let n = 0; n < 40; n += 1)
            await journal.append(frameOf(lane * 1000 + n, { size: 50 + n * 40 }));
        };
        const reader = async (bytesMax: number) => {
          const seen: StoredFrame[] = [];
          let from = at(journal, 1);
          while (seen.length < 320) {
            await journal.waitBeyond(from, new AbortController().signal);
            const batch = await journal.read(from, { bytesMax });
            seen.push(...batch.frames);
            from = batch.next;
          }
          return seen;
        };
        const readers = [1, 700, 20_000, 5_000_000].map(reader);
        await Promise.all(Array.from({ length: 8 }, (_, lane) => appender(lane)));
        const [first = [], ...others] = await Promise.all(readers);
        expect(first.map(({ position }) => position.seq)).toEqual(first.map((_, n) => n + 1));
        expect(new Set(first.map(({ id }) => id)).size).toBe(320);
        for (const other of others) expect(other.map(plain)).toEqual(first.map(plain));
      });
    });

    describe("ranges", () => {
      const filled = async () => {
        const journal = await fresh()();
        await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append(frameOf(n, { size: 1000 }))));
        return journal;
      };
      const seqs = (frames: readonly StoredFrame[]) => frames.map(({ position }) => position.seq);

      test.each([
        { from: 1, bytesMax: 1, expected: [1] },
        { from: 1, bytesMax: 0, expected: [1] },
        { from: 7, bytesMax: 3000, expected: [7, 8, 9] },
        { from: 7, bytesMax: 3999, expected: [7, 8, 9] },
        { from: 49, bytesMax: 1_000_000, expected: [49, 50] },
        { from: 51, bytesMax: 1_000_000, expected: [] },
        { from: 10, bytesMax: 1_000_000, until: 13, expected: [10, 11, 12] },
        { from: 10, bytesMax: 2000, until: 13, expected: [10, 11] },
        { from: 10, bytesMax: 2000, until: 10, expected: [] },
        { from: 10, bytesMax: 2000, until: 5, expected: [] },
        { from: 48, bytesMax: 1_000_000, until: 99, expected: [48, 49, 50] },
      ])("from $from, $bytesMax bytes, until $until", async ({ from, bytesMax, until, expected }) => {
        const journal = await filled();
        const limits = { bytesMax, ...(until !== undefined && { until: at(journal, until) }) };
        const { frames, next } = await journal.read(at(journal, from), limits);
        expect(seqs(frames)).toEqual(expected);
        expect(next).toEqual(at(journal, from + expected.length));
      });

      test("a position before the start or beyond the end is an error that says so", async () => {
        const journal = await filled();
        await expect(journal.read(at(journal, 0), { bytesMax: 1 })).rejects.toThrow("trimmed");
        await expect(journal.read(at(journal, 52), { bytesMax: 1 })).rejects.toThrow("beyond");
        await expect(journal.read({ partition: "elsewhere", seq: 1 }, { bytesMax: 1 })).rejects.toThrow(
          "elsewhere",
        );
      });
    });

    describe("visits of what is in memory", () => {
      const visited = (journal: Journal, from: number, until: number, frames = Infinity) => {
        const seen: unknown[] = [];
        journal.visitRecent(at(journal, from), at(journal, until), (frame) => {
          // Their bytes are overwritten later.
          seen.push({ ...frame, records: frame.records.map(({ bytes }) => Buffer.from(bytes).toString()) });
          return seen.length < frames;
        });
        return seen;
      };
      const asVisited = ({ frames }: { frames: readonly StoredFrame[] }) =>
        frames.map((frame) => ({
          ...frame,
          records: frame.records.map(({ bytes }) => Buffer.from(bytes).toString()),
        }));

      test("give what a read gives, from any frame on, as far as memory goes; the newest frame comes last", async () => {
        const journal = await fresh()();
        for (let n = 0; n < 120; n += 1) {
          const size = 40 + ((n * 7919) % 900);
          await Promise.all(
            [0, 1, 2].map((more) =>
              journal.append(frameOf(3 * n + more, { size, records: 1 + (n % 5), matchSets: 2 })),
            ),
          );
        }
        const all = asVisited(await journal.read(at(journal, 1), { bytesMax: 100_000_000 }));
        expect(all).toHaveLength(360);
        for (let from = 1; from <= 361; from += 1) {
          const seen = visited(journal, from, 361);
          if (seen.length > 0) expect(seen).toEqual(all.slice(from - 1));
        }
        expect(visited(journal, 361, 361)).toEqual([]);
      });

      test("end where they are told to, and when the visitor has enough", async () => {
        const journal = await fresh()();
        for (let n = 0; n < 9; n += 1) await journal.append(frameOf(n));
        const newest = visited(journal, 9, 10);
        if (newest.length === 0) return;
        const seqs = (frames: readonly unknown[]) =>
          (frames as StoredFrame[]).map(({ position }) => position.seq);
        expect(seqs(visited(journal, 3, 6))).toEqual([3, 4, 5]);
        expect(seqs(visited(journal, 3, 99))).toEqual([3, 4, 5, 6, 7, 8, 9]);
        expect(seqs(visited(journal, 3, 6, 2))).toEqual([3, 4]);
      });

      test("have the notes that were appended, and reads have none", async () => {
        const journal = await fresh()();
        const notesOf = (n: number) => (n % 3 === 0 ? undefined : Int32Array.of(n, n + 1));
        for (let n = 0; n < 9; n += 1) await journal.append({ ...frameOf(n), notes: notesOf(n) });
        journal.visitRecent(at(journal, 1), at(journal, 10), ({ position, notes }) => {
          expect(notes).toEqual(notesOf(position.seq - 1));
          return true;
        });
        const { frames } = await journal.read(at(journal, 1), { bytesMax: 1_000_000 });
        expect(frames.map(({ notes }) => notes)).toEqual(frames.map(() => undefined));
      });

      test("have the same match sets as reads", async () => {
        const journal = await fresh()();
        for (let n = 0; n < 9; n += 1) await journal.append(frameOf(n, { records: 3, matchSets: 3 }));
        const { frames } = await journal.read(at(journal, 1), { bytesMax: 1_000_000 });
        journal.visitRecent(at(journal, 1), at(journal, 10), ({ position, records }) => {
          const read = frames[position.seq - 1]?.records ?? [];
          for (const [index, { matchSet }] of records.entries()) expect(matchSet).toBe(read[index]?.matchSet);
          return true;
        });
      });
    });

    describe("limits of a frame", () => {
      test.each([
        { size: frameBytesMax, records: 1 },
        { size: frameBytesMax / 2, records: 2 },
        { size: 1024, records: 2048 },
        { size: 2, records: 20_000 },
      ])("$records records of $size bytes fit", async ({ size, records }) => {
        const open = fresh();
        const journal = await open();
        const frame = frameOf(1, { size, records });
        expect(await journal.append(frame)).toMatchObject({ kind: "durable" });
        await journal.close();
        const [stored] = await readAll(await open());
        expect(stored?.records).toHaveLength(records);
        const bytesOf = (some: Frame | undefined) =>
          Buffer.concat(some?.records.map(({ bytes }) => bytes) ?? []);
        expect(bytesOf(stored).equals(bytesOf(frame))).toBe(true);
      });

      test("a larger frame is refused, and its neighbours are not", async () => {
        const journal = await fresh()();
        const large = frameOf(2, { size: frameBytesMax + 1 });
        const outcomes = await Promise.all(
          [frameOf(1), large, frameOf(3)].map((frame) => journal.append(frame)),
        );
        expect(outcomes).toMatchObject([
          { kind: "durable", position: { seq: 1 } },
          { kind: "refused", reason: "too-large" },
          { kind: "durable", position: { seq: 2 } },
        ]);
      });

      test("a frame without records is a frame", async () => {
        const journal = await fresh()();
        await journal.append({ ...frameOf(1), records: [] });
        expect(await readAll(journal)).toMatchObject([{ records: [] }]);
      });

      test("a frame may have a match set of its own for each of many records", async () => {
        const journal = await fresh()();
        const frame = frameOf(1, { records: 2000, matchSets: 2000 });
        await journal.append(frame);
        expect(plain((await readAll(journal))[0]).records).toEqual(plain(frame).records);
      });
    });

    describe("idempotency", () => {
      test("the same id again is answered with the same position and stored once", async () => {
        const journal = await fresh()();
        const outcome = await journal.append(frameOf(1));
        await journal.append(frameOf(2));
        expect(await journal.append(frameOf(1))).toEqual(outcome);
        expect(await readAll(journal)).toHaveLength(2);
      });

      test("the same id at the same time", async () => {
        const journal = await fresh()();
        const outcomes = await Promise.all([1, 1, 2, 1, 2].map((n) => journal.append(frameOf(n))));
        expect(outcomes.map((outcome) => outcome.kind === "durable" && outcome.position.seq)).toEqual([
          1, 1, 2, 1, 2,
        ]);
        expect(await readAll(journal)).toHaveLength(2);
      });

      test("ids are known after the journal was opened again, more than once", async () => {
        const open = fresh();
        let journal = await open();
        const outcomes = [await journal.append(frameOf(1)), await journal.append(frameOf(2))];
        for (let round = 0; round < 3; round += 1) {
          await journal.close();
          journal = await open();
          expect(await journal.append(frameOf(2))).toEqual(outcomes[1]);
          expect(await journal.append(frameOf(1))).toEqual(outcomes[0]);
          await journal.append(frameOf(100 + round));
        }
        expect(await readAll(journal)).toHaveLength(5);
      });

      test("a refused frame may be appended again", async () => {
        const journal = await fresh()();
        expect(await journal.append(frameOf(1, { size: frameBytesMax + 1 }))).toMatchObject({
          kind: "refused",
        });
        expect(await journal.append(frameOf(1))).toMatchObject({ kind: "durable" });
      });
    });

    describe("match sets", () => {
      test("equal content is one object when read back, whatever object it went in with", async () => {
        const open = fresh();
        let journal = await open();
        for (let n = 0; n < 30; n += 1) await journal.append(frameOf(n, { records: 5, matchSets: 3 }));
        const check = async () => {
          const frames = [...(await readAll(journal, 500)), ...(await readAll(journal, 1_000_000))];
          const sets = frames.flatMap(({ records }) => records.map(({ matchSet }) => matchSet));
          expect(sets).toHaveLength(300);
          expect(new Set(sets).size).toBe(3);
          sets.forEach((set, index) => expect(set).toEqual(setOf((index % 5) % 3)));
        };
        await check();
        await journal.close();
        journal = await open();
        await check();
      });

      test("destinations come back in their order, none or many", async () => {
        const journal = await fresh()();
        const many: MatchSet = {
          ...setOf(0),
          destinations: [
            eventBusDestination,
            ...Array.from({ length: 200 }, (_, n) => ({ kind: "trail" as const, incarnation: `t${n}-"é"` })),
          ],
        };
        const none: MatchSet = { ...setOf(0), destinations: [] };
        const records: FrameRecord[] = [many, none].map((matchSet) => ({
          bytes: Buffer.from("{}"),
          matchSet,
        }));
        await journal.append({ ...frameOf(1), records });
        const [stored] = await readAll(journal);
        expect(stored?.records.map(({ matchSet }) => matchSet)).toEqual([many, none]);
      });
    });

    describe("waiting", () => {
      test("ends when the journal grows beyond the position", async () => {
        const journal = await fresh()();
        const ended: string[] = [];
        const { signal } = new AbortController();
        const first = journal.waitBeyond(at(journal, 1), signal).then(() => ended.push("first"));
        const second = journal.waitBeyond(at(journal, 2), signal).then(() => ended.push("second"));
        await journal.append(frameOf(1));
        await first;
        expect(ended).toEqual(["first"]);
        await journal.append(frameOf(2));
        await second;
        await journal.waitBeyond(at(journal, 2), signal);
      });

      test("ends when it is called off, before or after it began", async () => {
        const journal = await fresh()();
        const controller = new AbortController();
        const waiting = journal.waitBeyond(at(journal, 1), controller.signal);
        controller.abort();
        await waiting;
        await journal.waitBeyond(at(journal, 1), controller.signal);
      });

      test("whoever waited can read what it waited for", async () => {
        const journal = await fresh()();
        const read = journal
          .waitBeyond(at(journal, 1), new AbortController().signal)
          .then(() => journal.read(at(journal, 1), { bytesMax: 1000 }));
        await journal.append(frameOf(1));
        expect((await read).frames).toHaveLength(1);
      });
    });

    describe("opening again", () => {
      test("goes on behind what was there", async () => {
        const open = fresh();
        const expected: Frame[] = [];
        for (let round = 0; round < 6; round += 1) {
          const journal = await open();
          expect(journal.end(nameOf(journal)).seq).toBe(expected.length + 1);
          expect((await readAll(journal)).map(plain)).toEqual(
            expected.map((frame, n) => ({ ...plain(frame), position: at(journal, n + 1) })),
          );
          for (let n = 0; n < round; n += 1) {
            const frame = frameOf(round * 10 + n, { size: 500 });
            expected.push(frame);
            await journal.append(frame);
          }
          await journal.close();
        }
      });

      test("without anything in between changes nothing", async () => {
        const open = fresh();
        const journal = await open();
        await journal.append(frameOf(1));
        await journal.close();
        const sizes: number[] = [];
        for (let round = 0; round < 4; round += 1) {
          const again = await open();
          sizes.push(again.usage().bytes);
          expect(await readAll(again)).toHaveLength(1);
          await again.close();
        }
        expect(new Set(sizes.slice(1)).size).toBe(1);
      });
    });

    describe("trimming", () => {
      const fill = async (journal: Journal, count: number) => {
        const first = journal.end(nameOf(journal)).seq;
        for (let n = 0; n < count; n += 1) {
          const outcome = await journal.append(frameOf(first + n, { size: 5000 }));
          expect(outcome.kind).toBe("durable");
        }
      };

      test("follows the slowest reader and frees bytes", async () => {
        const journal = await fresh()(tight);
        journal.registerReader("quick", at(journal, 1));
        journal.registerReader("slow", at(journal, 1));
        await fill(journal, 40);
        const before = journal.usage().bytes;
        expect(before).toBeGreaterThan(40 * 5000);
        await journal.release("quick", at(journal, 41));
        expect(journal.start(nameOf(journal)).seq).toBe(1);
        await journal.release("slow", at(journal, 21));
        const start = journal.start(nameOf(journal)).seq;
        expect(start).toBeGreaterThan(1);
        expect(start).toBeLessThanOrEqual(21);
        expect(journal.usage().bytes).toBeLessThan(before);
        expect((await journal.read(at(journal, 21), { bytesMax: 1 })).frames).toHaveLength(1);
        await expect(journal.read(at(journal, 1), { bytesMax: 1 })).rejects.toThrow("trimmed");
        expect(() => journal.registerReader("late", at(journal, 1))).toThrow("trimmed");
      });

      test("does nothing without a reader", async () => {
        const journal = await fresh()(tight);
        await fill(journal, 40);
        expect(journal.start(nameOf(journal)).seq).toBe(1);
        expect(await readAll(journal)).toHaveLength(40);
      });

      test("a release never takes back an earlier one, and only readers release", async () => {
        const journal = await fresh()(tight);
        journal.registerReader("reader", at(journal, 1));
        await fill(journal, 40);
        await journal.release("reader", at(journal, 41));
        const start = journal.start(nameOf(journal)).seq;
        await journal.release("reader", at(journal, 2));
        expect(journal.start(nameOf(journal)).seq).toBe(start);
        await expect(journal.release("nobody", at(journal, 2))).rejects.toThrow("nobody");
      });

      test("sequence numbers go on after everything was trimmed and the journal opened again", async () => {
        const open = fresh();
        let journal = await open(tight);
        journal.registerReader("reader", at(journal, 1));
        await fill(journal, 40);
        await journal.release("reader", at(journal, 41));
        for (let round = 0; round < 3; round += 1) {
          await journal.close();
          journal = await open(tight);
          expect(journal.end(nameOf(journal)).seq).toBe(41);
          journal.registerReader("reader", at(journal, 41));
          await journal.release("reader", at(journal, 41));
        }
        expect(await journal.append(frameOf(999))).toMatchObject({ kind: "durable", position: { seq: 41 } });
      });
    });

    describe("room", () => {
      const fillUp = async (journal: Journal, door: "events" | "own-calls", size: number) => {
        for (let n = 0; n < 1000; n += 1) {
          const frame = frameOf(n, { size });
          const outcome = await journal.append({
            ...frame,
            id: `${door}-${size}-${n}`,
            header: { ...frame.header, door },
          });
          if (outcome.kind === "refused") return { outcome, count: n };
        }
        throw new Error("the journal never gets full");
      };

      test("events are refused before the reserve, own calls behind it", async () => {
        const journal = await fresh()(tight);
        const events = await fillUp(journal, "events", 5000);
        expect(events.outcome).toMatchObject({ kind: "refused", reason: "full" });
        expect(journal.usage()).toMatchObject({ bytesMax: tight.bytesMax });
        expect(journal.usage().bytes).toBeLessThanOrEqual(tight.bytesMax - tight.ownCallReserveBytes);
        expect(journal.usage().bytes).toBeGreaterThan(tight.bytesMax - tight.ownCallReserveBytes - 20_000);
        const ownCalls = await fillUp(journal, "own-calls", 5000);
        expect(ownCalls.count).toBeGreaterThan(10);
        expect(ownCalls.outcome).toMatchObject({ kind: "refused", reason: "full" });
        expect(journal.usage().bytes).toBeLessThanOrEqual(tight.bytesMax);
        expect(await readAll(journal)).toHaveLength(events.count + ownCalls.count);
      });

      test("appends that wait for the disk count as well", async () => {
        const journal = await fresh()(tight);
        const frames = Array.from({ length: 200 }, (_, n) => frameOf(n, { size: 5000 }));
        const outcomes = await Promise.all(frames.map((frame) => journal.append(frame)));
        const durable = outcomes.filter(({ kind }) => kind === "durable").length;
        expect(durable).toBeGreaterThan(40);
        expect(durable).toBeLessThan(60);
        expect(outcomes.filter(({ kind }) => kind === "refused")).toHaveLength(200 - durable);
        expect(journal.usage().bytes).toBeLessThanOrEqual(tight.bytesMax);
      });

      test("a reservation is honoured at the limit, once", async () => {
        const journal = await fresh()(tight);
        const reservation = journal.reserve(20_000);
        expect(reservation?.bytes).toBe(20_000);
        await fillUp(journal, "events", 5000);
        await fillUp(journal, "own-calls", 5000);
        const ownCall = (n: number) => {
          const frame = frameOf(n, { size: 20_000 });
          return { ...frame, header: { ...frame.header, door: "own-calls" as const } };
        };
        expect(await journal.append(ownCall(5001), reservation)).toMatchObject({ kind: "durable" });
        expect(await journal.append(ownCall(5002), reservation)).toMatchObject({
          kind: "refused",
          reason: "full",
        });
        expect(journal.usage().bytes).toBeLessThanOrEqual(tight.bytesMax);
      });

      test("reservations end when nothing is left, and a released one makes room again", async () => {
        const journal = await fresh()(tight);
        await fillUp(journal, "events", 5000);
        const held = [];
        for (let next = journal.reserve(20_000); next; next = journal.reserve(20_000)) held.push(next);
        expect(held.length).toBeGreaterThan(1);
        expect(held.length).toBeLessThan(6);
        held[0]?.release();
        held[0]?.release();
        expect(journal.reserve(20_000)).toBeDefined();
        expect(journal.reserve(20_000)).toBeUndefined();
      });

      test("a repeated append gives its reservation back", async () => {
        const journal = await fresh()(tight);
        await journal.append(frameOf(1));
        for (let round = 0; round < 100; round += 1) {
          const reservation = journal.reserve(20_000);
          expect(reservation).toBeDefined();
          await journal.append(frameOf(1), reservation);
        }
      });

      test("a full journal takes events again when its readers have caught up", async () => {
        const journal = await fresh()(tight);
        journal.registerReader("reader", at(journal, 1));
        for (let round = 0; round < 5; round += 1) {
          await fillUp(journal, "events", 5000 + round);
          await journal.release("reader", journal.end(nameOf(journal)));
          expect(await journal.append(frameOf(80_000 + round, { size: 5000 }))).toMatchObject({
            kind: "durable",
          });
        }
      });
    });

    describe("large frames in a small journal", () => {
      test("are taken again when everything before was released, though nothing else comes in between", async () => {
        const journal = await fresh()(tight);
        journal.registerReader("reader", at(journal, 1));
        for (let n = 0; n < 4; n += 1) {
          let attempts = 0;
          while ((await journal.append(frameOf(n, { size: 200_000 }))).kind !== "durable") {
            expect((attempts += 1)).toBeLessThan(500);
            await journal.release("reader", journal.end(nameOf(journal)));
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
        }
      });
    });

    describe("closing", () => {
      test("syncs what was accepted and refuses what comes after", async () => {
        const open = fresh();
        const journal = await open();
        const accepted = Array.from({ length: 100 }, (_, n) => journal.append(frameOf(n)));
        const closing = journal.close();
        expect(await journal.append(frameOf(500))).toMatchObject({ kind: "refused", reason: "closed" });
        expect(journal.reserve(10)).toBeUndefined();
        await closing;
        await journal.close();
        for (const outcome of await Promise.all(accepted)) expect(outcome.kind).toBe("durable");
        await expect(journal.read(at(journal, 1), { bytesMax: 1 })).rejects.toThrow("closed");
        expect(await readAll(await open())).toHaveLength(100);
      });
    });
  });
}

/** Distinct for each `n`, by id and content; `matchSets` of them are used in turn. */
export function frameOf(
  n: number,
  shape: { readonly size?: number; readonly records?: number; readonly matchSets?: number } = {},
): Frame {
  const { size = 60, records = 1, matchSets = 1 } = shape;
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    header: { door: "events", principal: `caller ${n}`, arrivedMs: 1000 + n, configurationVersion: n },
    records: Array.from({ length: records }, (_, index) => ({
      bytes: Buffer.from(`{"n":${n},"r":${index}}`.padEnd(size, "x").slice(0, size)),
      matchSet: setOf(index % matchSets),
    })),
  };
}

/** A new object each time: what makes match sets equal is their content. */
function setOf(n: number): MatchSet {
  const account = parseAccountId(String(111_111_111_111 + n));
  const region = parseRegion("eu-west-1");
  if (!account || !region) throw new Error("the test's account and Region are well-formed");
  const destinations = [{ kind: "trail" as const, incarnation: `incarnation-${n}` }];
  return { account, region, folder: n % 2 === 0 ? "CloudTrail" : "CloudTrail-Insight", destinations };
}

export function nameOf(journal: Journal): string {
  return journal.partitions[0] ?? "";
}

export function at(journal: Journal, seq: number): Position {
  return { partition: nameOf(journal), seq };
}

/** Every frame from the start on, read in batches of `bytesMax`. */
export async function readAll(journal: Journal, bytesMax = 1_000_000): Promise<StoredFrame[]> {
  const frames: StoredFrame[] = [];
  let from = journal.start(nameOf(journal));
  for (;;) {
    const batch = await journal.read(from, { bytesMax });
    if (batch.frames.length === 0) return frames;
    for (const frame of batch.frames) frames.push(frame);
    from = batch.next;
  }
}

/** With bytes as text, so that a comparison looks at content only. */
export function plain(frame: Frame | undefined): {
  id?: string;
  header?: unknown;
  records?: { text: string; matchSet: MatchSet }[];
} {
  if (!frame) return {};
  const records = frame.records.map(({ bytes, matchSet }) => ({
    text: Buffer.from(bytes).toString(),
    matchSet,
  }));
  return { ...frame, records };
}
