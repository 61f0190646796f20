// What the journal keeps in memory: the newest frames without a gap, within its bound.
import { expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import type { MatchSet } from "../selector/match-set.ts";
import type { StoredFrame } from "./contract.ts";
import { RecentFrames } from "./recent-frames.ts";

const account = parseAccountId("123456789012");
const region = parseRegion("us-east-1");
if (!account || !region) throw new Error("these are an account and a Region");
const matchSet: MatchSet = { account, region, folder: "CloudTrail", destinations: [] };
const header = { door: "events", principal: "p", arrivedMs: 0, configurationVersion: 1 } as const;

function frameOf(seq: number, ...records: Uint8Array[]): StoredFrame {
  return {
    id: String(seq),
    header,
    records: records.map((bytes) => ({ bytes, matchSet })),
    position: { partition: "0", seq },
  };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const seqs = (frames: readonly StoredFrame[] | undefined) => frames?.map(({ position }) => position.seq);

test("reads from a frame on, up to a frame and up to so many bytes, at least one frame", () => {
  const recent = new RecentFrames(1_000);
  for (let seq = 5; seq < 10; seq += 1) recent.add(frameOf(seq, bytes(50), bytes(50)));
  expect(seqs(recent.read(5, { toSeq: 100, bytesMax: 10_000 }))).toEqual([5, 6, 7, 8, 9]);
  expect(seqs(recent.read(6, { toSeq: 8, bytesMax: 10_000 }))).toEqual([6, 7]);
  expect(seqs(recent.read(6, { toSeq: 100, bytesMax: 250 }))).toEqual([6, 7]);
  expect(seqs(recent.read(6, { toSeq: 100, bytesMax: 1 }))).toEqual([6]);
  expect(recent.read(4, { toSeq: 100, bytesMax: 1 })).toBeUndefined();
  expect(recent.read(10, { toSeq: 100, bytesMax: 1 })).toBeUndefined();
});

test("forgets the oldest beyond its bound; a part of a buffer counts as the whole buffer", () => {
  const recent = new RecentFrames(1_000);
  const body = bytes(600);
  recent.add(frameOf(1, body.subarray(0, 10), body.subarray(20, 30)));
  recent.add(frameOf(2, bytes(400)));
  expect(seqs(recent.read(1, { toSeq: 9, bytesMax: 10_000 }))).toEqual([1, 2]);
  recent.add(frameOf(3, bytes(1)));
  expect(recent.read(1, { toSeq: 9, bytesMax: 10_000 })).toBeUndefined();
  expect(seqs(recent.read(2, { toSeq: 9, bytesMax: 10_000 }))).toEqual([2, 3]);
  recent.add(frameOf(4, bytes(1_001)));
  for (const seq of [2, 3, 4]) expect(recent.read(seq, { toSeq: 9, bytesMax: 10_000 })).toBeUndefined();
  recent.add(frameOf(5, bytes(10)));
  expect(seqs(recent.read(5, { toSeq: 9, bytesMax: 10_000 }))).toEqual([5]);
});

test("a gap forgets everything before it", () => {
  const recent = new RecentFrames(1_000);
  recent.add(frameOf(1, bytes(10)));
  recent.add(frameOf(3, bytes(10)));
  expect(recent.read(1, { toSeq: 9, bytesMax: 10_000 })).toBeUndefined();
  expect(seqs(recent.read(3, { toSeq: 9, bytesMax: 10_000 }))).toEqual([3]);
});

test("goes on for many frames", () => {
  const recent = new RecentFrames(300);
  for (let seq = 1; seq <= 10_000; seq += 1) recent.add(frameOf(seq, bytes(100)));
  expect(seqs(recent.read(9_998, { toSeq: 99_999, bytesMax: 10_000 }))).toEqual([9_998, 9_999, 10_000]);
  expect(recent.read(9_997, { toSeq: 99_999, bytesMax: 10_000 })).toBeUndefined();
});
