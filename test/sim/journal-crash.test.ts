// The journal on a disk that forgets, fails and dies: what was acknowledged or shown stays, nothing else appears.
// A failing round prints its seed; SEED=<n> runs that round alone.
import { describe, expect, test } from "vitest";
import type { AppendOutcome, Frame, Journal, StoredFrame } from "../../src/journal/contract.ts";
import { JournalDamage } from "../../src/journal/journal-damage.ts";
import { openSegmentJournal } from "../../src/journal/segment-journal.ts";
import type { Clock, Log, Metrics } from "../../src/model/environment.ts";
import { at, frameOf, nameOf, plain, readAll } from "../conformance/journal.suite.ts";
import { type FaultEffect, SimulatedDisk, seededRandom } from "./simulated-disk.ts";

const directory = "/data/journal";
const effects: readonly FaultEffect[] = ["before", "partial", "after"];
let ticks = 0;
const clock: Clock = {
  nowMs: () => 1_790_000_000_000 + Math.floor(++ticks / 50),
  monotonicMs: () => ++ticks,
  sleep: async () => undefined,
};
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const metrics: Metrics = { count: nothing, gauge: nothing, observe: nothing };

const open = (disk: SimulatedDisk) => {
  const size = { bytesMax: 60_000, ownCallReserveBytes: 10_000, segmentBytesMax: 4000 };
  // Nothing from memory: what is read was on the disk.
  return openSegmentJournal({ disk, directory, clock, log, metrics, recentBytesMax: 0, ...size });
};

/** Like expect, but quick: it runs some hundred thousand times. */
function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`It does not hold that ${what}.`);
}

/** What must be true of the journal, whatever happened: told by its answers and by what it showed to readers. */
class Promises {
  readonly #offered = new Map<string, { readonly frame: Frame; readonly content: string }>();
  readonly #idAt = new Map<number, string>();
  readonly #seqOf = new Map<string, number>();
  #released = 1;
  #lastSeq = 0;
  last: Frame | undefined;

  offer(frame: Frame): void {
    this.#offered.set(frame.id, { frame, content: contentOf(frame) });
  }

  /** The last few frames that were offered, whatever became of them, but none whose segment may be trimmed. */
  retriable(): Frame[] {
    const young = [...this.#offered.values()].slice(-3).map(({ frame }) => frame);
    return young.filter(({ id }) => (this.#seqOf.get(id) ?? this.#released) >= this.#released);
  }

  /** From now on the frame is at this place for good. */
  holds(id: string, seq: number): void {
    must((this.#seqOf.get(id) ?? seq) === seq, `${id} stays at ${this.#seqOf.get(id)} and is not at ${seq}`);
    must((this.#idAt.get(seq) ?? id) === id, `${seq} stays ${this.#idAt.get(seq)} and is not ${id}`);
    this.#seqOf.set(id, seq);
    this.#idAt.set(seq, id);
    if (seq > this.#lastSeq) {
      this.#lastSeq = seq;
      this.last = this.#offered.get(id)?.frame;
    }
  }

  get released(): number {
    return this.#released;
  }

  release(seq: number): void {
    this.#released = Math.max(this.#released, seq);
  }

  seen(frames: readonly StoredFrame[]): void {
    for (const frame of frames) {
      const { position, ...content } = frame;
      must(this.#offered.get(frame.id)?.content === contentOf(content), `${frame.id} is what was appended`);
      this.holds(frame.id, position.seq);
    }
  }

  /** `frames` is everything the journal holds. */
  checkAll(frames: readonly StoredFrame[], start: number): void {
    must(start <= this.#released, `frame ${this.#released} is not trimmed, the start is ${start}`);
    frames.forEach(({ position }, n) => must(position.seq === start + n, `frame ${start + n} follows`));
    this.seen(frames);
    const there = new Set(frames.map(({ id }) => id));
    for (const [seq, id] of this.#idAt)
      must(seq < this.#released || there.has(id), `${id} is still at ${seq}`);
  }
}

function contentOf(frame: Frame): string {
  return JSON.stringify(plain(frame));
}

/** Repeats `work` over the simulated failures of single calls; everything else is a real error. */
async function stubbornly<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "SimulatedFault" || attempt > 50) throw error;
    }
  }
}

interface Tally {
  durable: number;
  refused: number;
  unknown: number;
  appearedLater: number;
}

/** One storage through several lives of its process. */
class Round {
  readonly #random: () => number;
  readonly #promises = new Promises();
  readonly #tally: Tally;
  #disk: SimulatedDisk;
  #frames = 0;

  constructor(seed: number, tally: Tally) {
    this.#random = seededRandom(seed);
    this.#disk = new SimulatedDisk({ seed });
    this.#tally = tally;
  }

  async run(): Promise<void> {
    const lives = 2 + this.#below(5);
    for (let life = 0; life < lives; life += 1) await this.#live();
    this.#disk = this.#disk.crash();
    const journal = await open(this.#disk);
    await this.#check(journal);
    await journal.close();
  }

  async #live(): Promise<void> {
    if (this.#random() < 0.6) this.#planFaults();
    if (this.#random() < 0.4) this.#disk.dieAtCall(1 + this.#below(60));
    try {
      const journal = await stubbornly(() => open(this.#disk));
      await this.#check(journal);
      await this.#repeatLast(journal);
      for (let step = this.#below(12); step > 0; step -= 1) await this.#step(journal);
      if (this.#random() < 0.4) await journal.close();
    } catch (error) {
      if (!this.#disk.isDead) throw error;
    }
    this.#disk = this.#random() < 0.5 ? this.#disk.crash() : this.#disk.restart();
  }

  #planFaults(): void {
    for (let count = 1 + this.#below(4); count > 0; count -= 1) {
      this.#disk.failCall(1 + this.#below(80), effects[this.#below(3)] ?? "before");
    }
  }

  async #step(journal: Journal): Promise<void> {
    const kind = this.#random();
    if (kind < 0.6) await this.#appendSome(journal);
    else if (kind < 0.85) await this.#readSome(journal);
    else await this.#releaseSome(journal);
  }

  async #appendSome(journal: Journal): Promise<void> {
    const batch: Frame[] = [];
    for (let count = 1 + this.#below(6); count > 0; count -= 1) {
      // Now and then a frame that was offered before.
      const before = this.#promises.retriable();
      const again = this.#random() < 0.2 ? before[this.#below(before.length)] : undefined;
      const shape = {
        size: 20 + this.#below(300),
        records: 1 + this.#below(3),
        matchSets: 1 + this.#below(3),
      };
      const frame = again ?? frameOf((this.#frames += 1), shape);
      this.#promises.offer(frame);
      batch.push(frame);
    }
    const outcomes = await Promise.all(batch.map((frame) => journal.append(frame)));
    this.#judge(batch, outcomes);
  }

  #judge(batch: readonly Frame[], outcomes: readonly AppendOutcome[]): void {
    outcomes.forEach((outcome, index) => {
      this.#tally[outcome.kind] += 1;
      const id = batch[index]?.id ?? "";
      if (outcome.kind === "durable") this.#promises.holds(id, outcome.position.seq);
      if (outcome.kind === "refused" && outcome.reason !== "full")
        expect(outcome.message).toMatch(/\w+ \w+.*\./);
    });
  }

  async #readSome(journal: Journal): Promise<void> {
    const [start, end] = [journal.start(nameOf(journal)).seq, journal.end(nameOf(journal)).seq];
    const from = at(journal, start + this.#below(end - start + 1));
    const bytesMax = this.#below(6000);
    const batch = await stubbornly(() => journal.read(from, { bytesMax })).catch((error: unknown) => {
      // Released frames may be trimmed in the middle of a read; the error says so.
      if (from.seq < this.#promises.released && String(error).includes("trimmed")) return undefined;
      throw error;
    });
    if (!batch) return;
    const { frames, next } = batch;
    expect(next.seq).toBe(from.seq + frames.length);
    expect(frames.length > 0).toBe(from.seq < end);
    this.#promises.seen(frames);
  }

  async #releaseSome(journal: Journal): Promise<void> {
    const { released } = this.#promises;
    const end = journal.end(nameOf(journal)).seq;
    const seq = released + this.#below(end - released + 1);
    this.#promises.release(seq);
    await journal.release("reader", at(journal, seq));
  }

  async #check(journal: Journal): Promise<void> {
    journal.registerReader("reader", at(journal, this.#promises.released));
    const known = this.#promises.last;
    const frames = await stubbornly(() => readAll(journal, 1 + this.#below(5000)));
    this.#promises.checkAll(frames, journal.start(nameOf(journal)).seq);
    if (this.#promises.last !== known) this.#tally.appearedLater += 1;
  }

  /** A client that did not get its answer asks again. */
  async #repeatLast(journal: Journal): Promise<void> {
    const { last } = this.#promises;
    if (!last || journal.start(nameOf(journal)).seq === journal.end(nameOf(journal)).seq) return;
    const end = journal.end(nameOf(journal)).seq;
    const outcome = await journal.append(last);
    expect(outcome).toEqual({ kind: "durable", position: at(journal, end - 1) });
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

describe("journal under failures and crashes", () => {
  const chosen = process.env["SEED"];
  const rounds = chosen === undefined ? 400 : 1;

  // Histories that once failed: a read in the middle of a trim.
  test.each([5_004_935])("the history of seed %i", async (seed) => {
    const tally: Tally = { durable: 0, refused: 0, unknown: 0, appearedLater: 0 };
    await new Round(seed, tally).run();
    expect(tally.durable).toBeGreaterThan(0);
  });

  test(`${rounds} random histories`, async () => {
    const tally: Tally = { durable: 0, refused: 0, unknown: 0, appearedLater: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const seed = chosen === undefined ? 20_261_120 + round : Number(chosen);
      try {
        await new Round(seed, tally).run();
      } catch (error) {
        throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
    // The histories were worth looking at.
    if (chosen !== undefined) return;
    expect(tally.durable).toBeGreaterThan(rounds * 5);
    expect(tally.refused).toBeGreaterThan(rounds / 20);
    expect(tally.unknown).toBeGreaterThan(rounds / 20);
    expect(tally.appearedLater).toBeGreaterThan(0);
  });

  // Every call of a small history fails once in each way, and each time the machine goes down or not.
  test.each(effects)("every single call fails: %s", async (effect) => {
    let failures = 0;
    for (let call = 1; ; call += 1) {
      let isOver = false;
      for (const end of ["restart", "crash"] as const) {
        const disk = new SimulatedDisk({ seed: call });
        disk.failCall(call, effect);
        const promises = new Promises();
        await smallHistory(disk, promises);
        isOver = disk.calls() < call;
        await verify(disk[end](), promises);
      }
      if (isOver) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(60);
  });

  test("the machine goes down in every single call", async () => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      const disk = new SimulatedDisk({ seed: call });
      disk.dieAtCall(call);
      const promises = new Promises();
      await smallHistory(disk, promises).catch((error: unknown) => {
        if (!disk.isDead) throw error;
      });
      const isOver = !disk.isDead;
      await verify(disk.crash(), promises);
      if (isOver) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(60);
  });

  test.each(effects)(
    "a disk that fails for a while (%s): refusals that say so, then it goes on",
    async (effect) => {
      const disk = new SimulatedDisk();
      const journal = await open(disk);
      await journal.append(frameOf(1));
      for (let call = 1; call <= 14; call += 1) disk.failCall(call, effect);
      const kinds: string[] = [];
      let n = 2;
      for (; n < 30; n += 1) {
        const outcome = await journal.append(frameOf(n));
        kinds.push(outcome.kind);
        if (outcome.kind === "refused")
          expect(outcome).toMatchObject({ reason: "closed", message: expect.any(String) });
        if (outcome.kind === "durable") break;
      }
      expect(kinds[0]).toBe("unknown");
      expect(kinds.slice(1, -1).length).toBeGreaterThan(2);
      expect(new Set(kinds.slice(1, -1))).toEqual(new Set(["refused"]));
      expect(kinds.at(-1)).toBe("durable");
      expect((await readAll(journal)).map(({ id }) => id)).toEqual([frameOf(1).id, frameOf(n).id]);
      const after = await open(disk.crash({ keepName: () => false }));
      expect(await readAll(after)).toHaveLength(2);
    },
  );
});

/** Opens twice, rolls segments, reads, trims. Failures of single calls are shrugged off, death is not. */
async function smallHistory(disk: SimulatedDisk, promises: Promises): Promise<void> {
  let n = 0;
  for (let life = 0; life < 2; life += 1) {
    const journal = await stubbornly(() => open(disk));
    journal.registerReader("reader", at(journal, promises.released));
    for (let group = 0; group < 4; group += 1) {
      const frames = [1, 2, 3].map(() => frameOf((n += 1), { size: 600, matchSets: 2, records: 2 }));
      for (const frame of frames) promises.offer(frame);
      const outcomes = await Promise.all(frames.map((frame) => journal.append(frame)));
      outcomes.forEach((outcome, index) => {
        if (outcome.kind === "durable") promises.holds(frames[index]?.id ?? "", outcome.position.seq);
      });
    }
    promises.seen(await stubbornly(() => readAll(journal)));
    const seq = Math.max(promises.released, journal.end(nameOf(journal)).seq - 6);
    promises.release(seq);
    await journal.release("reader", at(journal, seq));
    await journal.close();
  }
}

async function verify(disk: SimulatedDisk, promises: Promises): Promise<void> {
  for (const reopened of [disk, disk]) {
    const journal = await open(reopened);
    promises.checkAll(await readAll(journal, 900), journal.start(nameOf(journal)).seq);
    await journal.close();
  }
}

describe("torn ends and damage", () => {
  /** Two segments' worth of frames; the last group is not synced when `killed`. */
  const written = async (end: "closed" | "killed") => {
    const disk = new SimulatedDisk({ seed: 5 });
    const journal = await open(disk);
    for (let n = 1; n <= 8; n += 1) await journal.append(frameOf(n, { size: 500 }));
    if (end === "closed") await journal.close();
    else {
      // Death in the sync of the last group of three: call 1 is its append.
      disk.dieAtCall(2, "before");
      await Promise.all([9, 10, 11].map((n) => journal.append(frameOf(n, { size: 200 }))));
    }
    return disk;
  };
  const nameOfDamaged = async (disk: SimulatedDisk): Promise<string> => {
    const outcome = await open(disk)
      .then(async (journal) => `${(await readAll(journal)).length} frames`)
      .catch((error: unknown) => error);
    if (outcome instanceof JournalDamage) {
      expect(outcome.message).toContain(`${outcome.path} is damaged at byte ${outcome.offset}`);
      expect(outcome.message).toContain("restore this file");
      return outcome.path;
    }
    return String(outcome);
  };

  test("a last write that was torn anywhere is left out, frame by frame", async () => {
    const counts = new Set<number>();
    for (let keep = 0; ; keep += 7) {
      const disk = await written("killed");
      let isWhole = false;
      const after = disk.crash({
        garble: false,
        keepName: () => true,
        keepBytes: ({ syncedBytes, writtenBytes }) => {
          if (writtenBytes > syncedBytes && syncedBytes + keep >= writtenBytes) isWhole = true;
          return syncedBytes + keep;
        },
      });
      const frames = await readAll(await open(after));
      expect(frames.map(({ id }) => id)).toEqual(frames.map((_, n) => frameOf(n + 1).id));
      counts.add(frames.length);
      if (isWhole || keep > 5000) break;
    }
    expect([...counts]).toEqual([8, 9, 10, 11]);
  });

  test("a last write with a hole in it is a torn one, though intact frames lie behind the hole", async () => {
    const counts = new Set<number>();
    for (let hole = 0; hole < 900; hole += 50) {
      const disk = await written("killed");
      let syncedEnd = 0;
      const after = disk.crash({
        garble: false,
        keepName: () => true,
        keepBytes: ({ syncedBytes, writtenBytes }) => {
          if (writtenBytes > syncedBytes) syncedEnd = syncedBytes;
          return writtenBytes;
        },
      });
      const path = after.files().at(-1) ?? "";
      after.damage(path, (bytes) => bytes.fill(0, syncedEnd + hole, syncedEnd + hole + 50));
      const frames = await readAll(await open(after));
      expect(frames.length).toBeGreaterThanOrEqual(8);
      expect(frames.length).toBeLessThan(11);
      counts.add(frames.length);
    }
    expect([...counts]).toEqual([8, 9, 10]);
  });

  test("any flipped byte of a cleanly closed journal is found, and its file is named", async () => {
    const pristine = (await written("closed")).restart();
    const last = pristine.files().at(-1);
    const endMarkBytes = 20;
    expect(pristine.files().length).toBeGreaterThan(1);
    let flips = 0;
    for (const path of pristine.files()) {
      const size = (await pristine.readWhole(path))?.length ?? 0;
      for (let offset = flips % 3; offset < size - (path === last ? endMarkBytes : 0); offset += 3) {
        const disk = (await written("closed")).restart();
        disk.damage(path, (bytes) => {
          bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
          return bytes;
        });
        expect(await nameOfDamaged(disk), `byte ${offset} of ${path}`).toBe(path);
        flips += 1;
      }
    }
    expect(flips).toBeGreaterThan(1000);
  });

  test("the mark of a clean end may be missing: nothing is lost with it", async () => {
    const disk = (await written("closed")).restart();
    disk.damage(disk.files().at(-1) ?? "", (bytes) => bytes.subarray(0, bytes.length - 20));
    expect(await readAll(await open(disk))).toHaveLength(8);
  });

  test("a cut old segment, a missing one and a swapped one are found when the journal opens", async () => {
    const change = async (act: (disk: SimulatedDisk, files: string[]) => Promise<unknown>) => {
      const disk = new SimulatedDisk({ seed: 5 });
      const journal = await open(disk);
      for (let n = 1; n <= 60; n += 1) await journal.append(frameOf(n, { size: 500 }));
      await journal.close();
      const files = disk.files();
      expect(files.length).toBeGreaterThan(8);
      await act(disk, files);
      const error = await open(disk).catch((error: unknown) => error);
      return [error instanceof JournalDamage ? error.path : String(error), files, String(error)] as const;
    };
    const [cut, cutFiles] = await change((disk, [first = ""]) => disk.truncate(first, 1000));
    expect(cut).toBe(cutFiles[0]);
    const [missing, missingFiles, text] = await change((disk, [, second = ""]) => disk.remove(second));
    expect(missing).toBe(missingFiles[0]);
    expect(text).toContain("A whole segment is missing");
    const [swapped, swappedFiles] = await change((disk, [first = "", second = ""]) =>
      disk.rename(first, second),
    );
    expect(swapped).toBe(swappedFiles[1]);
    const [longer] = await change(async (disk, files) => {
      disk.damage(files.at(-1) ?? "", (bytes) => Buffer.concat([bytes, Buffer.from("more")]));
    });
    expect(longer).toMatch(/segment$/);
  });
});
