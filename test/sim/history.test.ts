// Event history against a naive one: random events of all categories, late and early, in segments that are open, sealed and
// merged; random lookups whose pages are asked for while events arrive.
import { describe, expect, test } from "vitest";
import {
  accounts,
  dayMs,
  HistoryWorld,
  inputOf,
  randomWanted,
  regions,
  smallLimits,
} from "./history-world.ts";
import { settled } from "./delivery-world.ts";

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (isTrue()) return;
    await settled();
  }
  throw new Error(`Waited in vain until ${what}.`);
}

describe("lookups over random events", () => {
  const seen = { pages: 0, found: 0, merged: 0, sealed: 0, arrived: 0 };

  test.each(Array.from({ length: 60 }, (_, at) => at + 1))("seed %i", async (seed) => {
    const world = new HistoryWorld(seed);
    const { draw } = world;
    const history = await world.open();
    await history.start();
    const lookup = await world.lookup();
    for (let round = 0; round < 12; round += 1) {
      await world.append(1 + draw.below(40));
      if (draw.below(3) === 0) await world.clock.advance(draw.below(3) * dayMs);
      const wanted = randomWanted(world);
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(wanted)}`;
      const expected = world.expected(wanted);
      const found: string[] = [];
      let token: string | undefined;
      do {
        const answer = await lookup(
          {
            ...inputOf(wanted),
            MaxResults: 1 + draw.below(12),
            ...(token !== undefined && { NextToken: token }),
          },
          wanted,
        );
        for (const event of answer.Events ?? []) found.push(String(event.CloudTrailEvent));
        token = answer.NextToken;
        seen.pages += 1;
        if (token !== undefined && draw.below(2) === 0) {
          await world.append(1 + draw.below(30));
          seen.arrived += 1;
        }
      } while (token !== undefined);
      expect(found, what).toEqual(expected);
      seen.found += found.length;
    }
    await until("everything is sealed that is full", () => history.health().detail === undefined);
    seen.sealed += history.usage().segments;
    seen.merged += world.metrics.totals.get("history_merges_total") ?? 0;
    expect(world.log.of("error")).toEqual([]);
    const stopped = history.stop();
    await world.clock.advance(5_000);
    await stopped;
  });

  test("have met everything they are there for", () => {
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20);
  });
});

/** Everything in every place, Insights too. */
async function foundEverywhere(world: HistoryWorld): Promise<string[]> {
  const lookup = await world.lookup();
  const found: string[] = [];
  for (const account of accounts) {
    for (const region of regions) {
      for (const isInsight of [false, true]) {
        let token: string | undefined;
        do {
          const wanted = { account, region, isInsight };
          const answer = await lookup(
            { ...inputOf(wanted), ...(token !== undefined && { NextToken: token }) },
            wanted,
          );
          for (const event of answer.Events ?? []) found.push(String(event.CloudTrailEvent));
          token = answer.NextToken;
        } while (token !== undefined);
      }
    }
  }
  return found;
}

function expectedEverywhere(world: HistoryWorld): string[] {
  return accounts.flatMap((account) =>
    regions.flatMap((region) =>
      [false, true].flatMap((isInsight) => world.expected({ account, region, isInsight })),
    ),
  );
}

const segmentsOf = (world: HistoryWorld) =>
  world.historyDisk.files().filter((path) => path.endsWith(".segment"));

/** A world with some sealed segments that are not merged. */
async function filledWorld(
  seed: number,
  limits = { ...smallLimits, mergeCount: 1_000 },
): Promise<HistoryWorld> {
  const world = new HistoryWorld(seed);
  const history = await world.open(limits);
  await history.start();
  for (let round = 0; round < 12; round += 1) {
    await world.append(30);
    await history.endOrdinal();
    await settled();
  }
  await until("segments are sealed", () => history.usage().segments >= 4);
  return world;
}

/** Where the pages behind the blocks begin (segment-format.ts). */
const indexStartOf = (file: Buffer) => file.readDoubleLE(file.length - 40 + 8);

function flipBit(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

describe("a damaged segment", () => {
  test.each(["blocks", "index", "last byte", "cut", "empty"])(
    "is set aside, the others are searched: %s",
    async (where) => {
      const world = await filledWorld(7);
      expect(await foundEverywhere(world)).toEqual(expectedEverywhere(world));
      const [path = ""] = segmentsOf(world).sort();
      world.historyDisk.damage(path, (bytes) => {
        const copy = Buffer.from(bytes);
        if (where === "cut") return copy.subarray(0, copy.length / 2);
        if (where === "empty") return copy.subarray(0, 0);
        const indexStart = indexStartOf(copy);
        if (where === "blocks") for (let at = 0; at < indexStart; at += 500) flipBit(copy, at);
        else flipBit(copy, where === "index" ? indexStart : copy.length - 1);
        return copy;
      });
      // A new process, whose caches hold nothing.
      const history = await world.open({ ...smallLimits, mergeCount: 1_000 });
      await history.start();
      const found = await foundEverywhere(world);
      const all = expectedEverywhere(world);
      expect(found.length).toBeLessThan(all.length);
      expect(found.length).toBeGreaterThan(all.length / 2);
      expect(found.filter((text) => !all.includes(text))).toEqual([]);
      expect(new Set(found).size).toBe(found.length);
      expect(world.historyDisk.files()).toContain(`${path}.damaged`);
      expect(history.health()).toEqual({ ok: true, detail: "1 files of the event history are damaged." });
      expect(world.metrics.totals.get("history_damaged_segments_total")).toBe(1);
      expect(world.log.of("error").map(({ message }) => message)).toEqual([
        "A file of the event history is damaged: its events cannot be looked up any more.",
      ]);
    },
  );

  test.each(["blocks", "index"])("is met by a merge, which goes on without it: %s", async (where) => {
    const world = await filledWorld(8);
    const [path = ""] = segmentsOf(world).sort();
    world.historyDisk.damage(path, (bytes) => {
      const copy = Buffer.from(bytes);
      flipBit(copy, where === "blocks" ? 100 : indexStartOf(copy));
      return copy;
    });
    const history = await world.open();
    await history.start();
    await until("it was met", () => world.historyDisk.files().includes(`${path}.damaged`));
    await until("others are merged", () => history.usage().segments <= 3);
    const found = await foundEverywhere(world);
    expect(found.length).toBeGreaterThan(expectedEverywhere(world).length / 2);
  });
});

describe("a disk that takes nothing", () => {
  const full = (world: HistoryWorld, isFull: () => boolean) => {
    return world.open(smallLimits, (ports) => ({
      ...ports,
      disk: new Proxy(ports.disk, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          if (name !== "create") return value.bind(target) as unknown;
          return async (...args: unknown[]) => {
            if (isFull()) throw new Error("ENOSPC: no space left on device");
            return Reflect.apply(value, target, args) as unknown;
          };
        },
      }),
    }));
  };

  test("leaves history behind, told by its health; nothing is lost when there is room again", async () => {
    const world = new HistoryWorld(9);
    let isFull = true;
    const history = await full(world, () => isFull);
    await history.start();
    for (let round = 0; round < 15; round += 1) {
      await world.append(40);
      await world.clock.advance(20_000);
    }
    expect(history.health().ok).toBe(true);
    expect(history.health().detail).toContain("cannot be written: ENOSPC");
    expect(history.health().detail).toMatch(/is \d+ seconds behind/);
    expect(history.usage().segments).toBe(0);
    isFull = false;
    await world.clock.advance(10_000);
    await until("it has caught up", () => history.health().detail === undefined);
    expect(await foundEverywhere(world)).toEqual(expectedEverywhere(world));
  });

  test("does not fill the journal: what waits longest is given up, counted and told", async () => {
    const world = new HistoryWorld(10);
    world.journalBytesMax = 400_000;
    const history = await full(world, () => true);
    await history.start();
    for (let round = 0; round < 60; round += 1) {
      await world.append(40);
      await world.clock.advance(3_000);
    }
    const { bytes = 0, bytesMax = 0 } = world.journal?.usage() ?? {};
    expect(world.kept.length).toBe(60 * 40);
    expect(bytes).toBeLessThan(bytesMax * 0.9);
    const skipped = world.metrics.totals.get("history_skipped_events_total") ?? 0;
    expect(skipped).toBeGreaterThan(100);
    expect(history.health().detail).toContain(`${skipped} events were given up by the event history.`);
    const found = await foundEverywhere(world);
    expect(found.length + skipped).toBeGreaterThan(0);
    expect(new Set(found).size).toBe(found.length);
  });
});

test("where few events come, they are sealed by days", async () => {
  const world = new HistoryWorld(12);
  const history = await world.open({ ...smallLimits, sealRows: 10_000, mergeCount: 1_000, tidyMs: dayMs });
  await history.start();
  for (let day = 0; day < 20; day += 1) {
    await world.append(2);
    await foundEverywhere(world);
    await world.clock.advance(dayMs);
  }
  // Of ninety days of retention each holds what came within two and a half, and the event that said so.
  expect(history.usage().segments).toBe(4);
  expect(await foundEverywhere(world)).toEqual(expectedEverywhere(world));
  const stopped = history.stop();
  await world.clock.advance(5_000);
  await stopped;
});

test("segments whose events are all over are removed, and what is over in others is not shown", async () => {
  const world = await filledWorld(11, { ...smallLimits, mergeCount: 1_000, tidyMs: dayMs });
  const before = segmentsOf(world).length;
  for (const days of [80, 12]) {
    await world.clock.advance(days * dayMs - 1);
    expect(await foundEverywhere(world)).toEqual(expectedEverywhere(world));
  }
  expect(before).toBeGreaterThanOrEqual(4);
  expect(segmentsOf(world)).toEqual([]);
  await world.append(50);
  expect(await foundEverywhere(world)).toEqual(expectedEverywhere(world));
});
