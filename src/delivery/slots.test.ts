// Counting what uncut frames hold: sizes to the byte, and where a cut must be closed.
import { expect, test } from "vitest";
import { frame, matchSet, recordText } from "../../test/sim/delivery-world.ts";
import type { StoredFrame } from "../journal/contract.ts";
import { SlotCounter } from "./slots.ts";

const position = { partition: "0", seq: 1 };
const roomy = { jsonBytesMax: 1_000_000, slotsMax: 100 };

function stored(...records: Parameters<typeof frame>[2][number][]): StoredFrame {
  return { ...frame("f", 1_000, records), position };
}

test("a slot's size is the length of the file's text", () => {
  const counter = new SlotCounter(roomy);
  const both = matchSet(["a", "b"]);
  const one = matchSet(["b"]);
  expect(counter.add(stored({ id: "1", matchSet: both }, { id: "2", matchSet: one }))).toBe("added");
  expect(counter.add(stored({ id: "three", matchSet: both }))).toBe("added");
  const found = [...counter.slots].map(({ incarnation, jsonBytes, recordCount, corner }) => ({
    ...{ incarnation, jsonBytes, recordCount, corner: corner.bytes },
  }));
  const text = (...ids: string[]): number => `{"Records":[${ids.map(recordText).join(",")}]}`.length;
  const corner = ["1", "2", "three"].reduce((sum, id) => sum + recordText(id).length + 1, 0);
  expect(found).toEqual([
    { incarnation: "a", jsonBytes: text("1", "three"), recordCount: 2, corner },
    { incarnation: "b", jsonBytes: text("1", "2", "three"), recordCount: 3, corner },
  ]);
});

test("account, Region and folder each make a slot of their own; no destination makes none", () => {
  const counter = new SlotCounter(roomy);
  counter.add(
    stored(
      { id: "1", matchSet: matchSet(["a"]) },
      { id: "2", matchSet: matchSet(["a"], { account: "444455556666" }) },
      { id: "3", matchSet: matchSet(["a"], { region: "eu-west-1" }) },
      { id: "4", matchSet: matchSet(["a"], { folder: "CloudTrail-Insight" }) },
      { id: "5", matchSet: matchSet([]) },
    ),
  );
  expect([...counter.slots].map((slot) => slot.recordCount)).toEqual([1, 1, 1, 1]);
  expect(counter.has("a")).toBe(true);
  expect(counter.has("b")).toBe(false);
  expect(counter.frames).toBe(1);
});

const twoRecords = `{"Records":[${recordText("1")},${recordText("2")}]}`.length;
const here = "123456789012|us-east-1|CloudTrail";
test.each([
  ["just fits", { jsonBytesMax: twoRecords }, "a", "added"],
  ["is one byte too long", { jsonBytesMax: twoRecords - 1 }, "a", new Set([here])],
  ["needs one slot too many", { slotsMax: 1 }, "b", "everything"],
] as const)("a frame that %s", (_name, limits, other, answer) => {
  const counter = new SlotCounter({ ...roomy, ...limits });
  counter.add(stored({ id: "1", matchSet: matchSet(["a"]) }));
  expect(counter.add(stored({ id: "2", matchSet: matchSet([other]) }))).toEqual(answer);
  expect(counter.frames).toBe(answer === "added" ? 2 : 1);
});

test("the first frame of all is taken, however long", () => {
  const counter = new SlotCounter({ jsonBytesMax: 1, slotsMax: 0 });
  expect(counter.add(stored({ id: "1", matchSet: matchSet(["a"]) }))).toBe("added");
});

test("two match sets that share a destination fill its slot together", () => {
  const counter = new SlotCounter({ ...roomy, jsonBytesMax: twoRecords - 1 });
  counter.add(stored({ id: "0", matchSet: matchSet(["z"]) }));
  const full = stored({ id: "1", matchSet: matchSet(["a"]) }, { id: "2", matchSet: matchSet(["a", "b"]) });
  expect(counter.add(full)).toEqual(new Set([here]));
});

test("only corners that are full are named; a forgotten one is counted anew, the others stay", () => {
  const counter = new SlotCounter({ ...roomy, jsonBytesMax: twoRecords });
  const there = matchSet(["a", "b"], { region: "eu-west-1" });
  counter.add(
    stored(
      { id: "1", matchSet: matchSet(["a"]) },
      { id: "2", matchSet: matchSet(["a"]) },
      { id: "3", matchSet: there },
    ),
  );
  const next = stored({ id: "4", matchSet: matchSet(["a", "b"]) }, { id: "5", matchSet: there });
  expect(counter.add(next)).toEqual(new Set([here]));
  const corners = new Set([here]);
  expect(counter.slotsOf(corners).map(({ recordCount }) => recordCount)).toEqual([2]);
  counter.forget(corners);
  expect(counter.add(next)).toBe("added");
  const found = [...counter.slots].map(({ incarnation, matchSet: { region }, recordCount, corner }) => [
    ...[incarnation, region, recordCount, corner.bytes],
  ]);
  const each = recordText("1").length + 1;
  expect(found).toEqual([
    ["a", "eu-west-1", 2, 2 * each],
    ["b", "eu-west-1", 2, 2 * each],
    ["a", "us-east-1", 1, each],
    ["b", "us-east-1", 1, each],
  ]);
});

test("the oldest arrival counts, whatever the order", () => {
  const counter = new SlotCounter(roomy);
  for (const arrivedMs of [3_000, 2_000, 4_000]) counter.add(frame("f", arrivedMs, []));
  expect(counter.oldestArrivedMs).toBe(2_000);
});
