// The small parts of event history, each by itself.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameBytesMax } from "../journal/contract.ts";
import { openMemoryState } from "../state/memory-state.ts";
import { EventSeconds } from "./event-seconds.ts";
import { defaultLimits } from "./limits.ts";
import { LookupRate } from "./lookup-rate.ts";
import { LookupTurns } from "./lookup-turns.ts";
import { chooseMerge } from "./merge-choice.ts";
import { openPageTokens } from "./page-token.ts";
import { joined } from "./segment-merge.ts";
import { parseSegmentName, segmentName } from "./segment-format.ts";
import { sortedIndexes } from "./sorted-indexes.ts";
import { TopRows } from "./top-rows.ts";
import { TwoAgeCache } from "./two-age-cache.ts";

test("event times are seconds", () => {
  const times = new EventSeconds();
  for (const text of [
    "1970-01-01T00:00:00Z",
    "2024-02-29T23:59:59Z",
    "2026-11-21T20:00:01Z",
    "2100-03-01T00:00:00Z",
  ]) {
    expect(times.of(text)).toBe(Date.parse(text) / 1000);
    expect(times.of(text)).toBe(Date.parse(text) / 1000);
  }
  expect(times.of("2016-12-31T23:59:60Z")).toBe(Date.parse("2017-01-01T00:00:00Z") / 1000);
  expect(times.of("0001-01-01T00:00:00Z")).toBe(0);
  expect(times.of("9999-12-31T23:59:59Z")).toBe(2 ** 32 - 1);
  expect(times.of("")).toBe(0);
});

test("the newest rows are kept, newest first", () => {
  const top = new TopRows(3);
  const rows = [3, 1, 4, 1, 5, 9, 2, 6].map((seconds, ordinal) => ({ seconds, ordinal }));
  for (const row of rows) top.add(row);
  expect(top.rows.map(({ seconds }) => seconds)).toEqual([9, 6, 5]);
  const same = new TopRows(2);
  for (const ordinal of [2, 7, 5, 7, 2]) same.add({ seconds: 1, ordinal });
  expect(same.rows.map(({ ordinal }) => ordinal)).toEqual([7, 5]);
});

test("indexes are sorted by their word, equal ones in order", () => {
  expect([...sortedIndexes(Uint32Array.of(5, 2 ** 32 - 1, 0, 5, 2 ** 31, 0))]).toEqual([2, 5, 0, 3, 4, 1]);
  const anyWord = fc.oneof(
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom(2 ** 32 - 1, 2 ** 31, 2 ** 22, 2 ** 11),
  );
  fc.assert(
    fc.property(fc.array(anyWord), (words) => {
      const sorted = words.map((word, index) => ({ word, index })).toSorted((a, b) => a.word - b.word);
      expect([...sortedIndexes(Uint32Array.from(words))]).toEqual(sorted.map(({ index }) => index));
    }),
  );
});

test("rising lists become one", () => {
  const anyList = fc.array(fc.nat({ max: 2 ** 32 - 1 })).map((words) => Uint32Array.from(words).sort());
  fc.assert(
    fc.property(fc.array(anyList, { minLength: 1 }), (lists) => {
      const all = lists.flatMap((list) => [...list]).toSorted((a, b) => a - b);
      expect([...joined(lists)]).toEqual(all);
    }),
  );
  expect([...joined([Uint32Array.of(1, 5, 9), Uint32Array.of(5, 10), Uint32Array.of(0, 11)])]).toEqual([
    0, 1, 5, 5, 9, 10, 11,
  ]);
});

describe("the rate", () => {
  test("is a burst and then so many per second, for each key", () => {
    const rate = new LookupRate();
    const admitted = (key: string, ms: number) => rate.admit(key, 2, ms);
    expect([0, 0, 0].map((ms) => admitted("a", ms))).toEqual([true, true, false]);
    expect(admitted("b", 0)).toBe(true);
    expect([499, 500, 501].map((ms) => admitted("a", ms))).toEqual([false, true, false]);
    expect([100_000, 100_000, 100_000].map((ms) => admitted("a", ms))).toEqual([true, true, false]);
  });

  test("of less than one per second admits one", () => {
    const rate = new LookupRate();
    expect([0, 1000, 2000].map((ms) => rate.admit("a", 0.5, ms))).toEqual([true, false, true]);
  });
});

test("tokens say what was written, to the request they were written for, and live as long as the state", async () => {
  const state = openMemoryState({ clock: { nowMs: () => 0 } });
  let keys = 0;
  const random = { uuid: () => "", fraction: () => 0, alphanumeric: () => `key${(keys += 1)}` };
  const tokens = await openPageTokens(state, random);
  const place = {
    fromSeconds: 1,
    toSeconds: 2 ** 32 - 1,
    endOrdinal: 2 ** 52,
    last: { seconds: 7, ordinal: 9 },
  };
  const token = tokens.write(place, "request");
  expect(tokens.read(token, "request")).toEqual(place);
  expect(tokens.read(token, "other")).toBeUndefined();
  for (let at = 0; at < token.length; at += 1) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    expect(tokens.read(changed, "request")).toBeUndefined();
  }
  expect((await openPageTokens(state, random)).read(token, "request")).toEqual(place);
  expect(keys).toBe(1);
});

describe("merges", () => {
  const limits = { ...defaultLimits, mergeCount: 4, sealRows: 100, mergedRowsMax: 2_000 };
  const sizes = (rows: readonly number[]) =>
    rows.map((count, at) => ({
      rows: count,
      rawBytes: count * 1000,
      firstArrivedMs: at,
      lastArrivedMs: at + 1,
    }));
  const chosen = (rows: readonly number[], retentionMs = 1e9) =>
    chooseMerge(sizes(rows), limits, retentionMs);

  test.each([
    [[100, 100, 100], undefined],
    [[100, 100, 100, 100], { from: 0, to: 4 }],
    [[1600, 100, 100, 100], undefined],
    [[1600, 100, 100, 100, 100], { from: 1, to: 5 }],
    [[400, 400, 400, 100, 100, 100], { from: 0, to: 4 }],
    [[400, 1, 1, 1], undefined],
    [[1, 100, 2, 100], { from: 0, to: 4 }],
    [[1600, 1600, 1600, 1600], undefined],
  ])("of %j: %j", (rows, expected) => {
    expect(chosen(rows)).toEqual(expected);
  });

  test("fit their bounds, as large as segments are sealed", () => {
    const { mergeCount, sealRows, coveredBytesMax } = defaultLimits;
    // The last frame of each goes beyond what it is sealed at.
    const full = {
      ...{ rows: sealRows + 10_000, rawBytes: coveredBytesMax + frameBytesMax },
      ...{ firstArrivedMs: 0, lastArrivedMs: 1 },
    };
    const all = Array.from({ length: mergeCount }, () => full);
    expect(chooseMerge(all, defaultLimits, 1e9)).toEqual({ from: 0, to: mergeCount });
  });

  test("do not span too much of the retention", () => {
    expect(chosen([100, 100, 100, 100], 4 / limits.mergedShareMax)).toEqual({ from: 0, to: 4 });
    expect(chosen([100, 100, 100, 100], 3.9 / limits.mergedShareMax)).toBeUndefined();
  });
});

test("a cache keeps what is asked for, within its bound", () => {
  const cache = new TwoAgeCache<Buffer>(1000);
  for (let key = 0; key < 100; key += 1) {
    cache.add(key, Buffer.alloc(100));
    expect(cache.get(0)?.length).toBe(100);
  }
  const kept = Array.from({ length: 100 }, (_, key) => cache.get(key)).filter((value) => value !== undefined);
  expect(kept.length).toBeLessThanOrEqual(12);
});

test("lookups take turns", async () => {
  const turns = new LookupTurns(2);
  const order: number[] = [];
  const lookups = Array.from({ length: 5 }, async (_, at) => {
    await turns.begin();
    order.push(at);
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([0, 1]);
  for (let count = 0; count < 5; count += 1) turns.end();
  await Promise.all(lookups);
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test("names of segments", () => {
  expect(parseSegmentName(segmentName(5, 2 ** 52))).toEqual({ firstOrdinal: 5, endOrdinal: 2 ** 52 });
  for (const name of ["x", "5-6.segment", `${segmentName(1, 2)}.damaged`])
    expect(parseSegmentName(name)).toBeUndefined();
});
