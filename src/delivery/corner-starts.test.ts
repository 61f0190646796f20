// Which records of a frame are still to be filed, when some corners are cut further than others.
import { expect, test } from "vitest";
import { frame, matchSet } from "../../test/sim/delivery-world.ts";
import { CornerStarts } from "./corner-starts.ts";
import { cornerName } from "./slots.ts";

const here = matchSet(["a"]);
const there = matchSet(["a", "b"], { region: "eu-west-1" });

function left(starts: CornerStarts, seq: number): string[] {
  const records = [here, there, matchSet(["c"])].map((set, n) => ({ id: String(n), matchSet: set }));
  const position = { partition: "0", seq };
  return starts
    .recordsOf({ ...frame("f", 0, records), position })
    .map(({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as { id: string }).id);
}

test("a corner begins at its own frame, whoever logs its records; every other with the first", () => {
  const starts = new CornerStarts(new Map([[cornerName(here), 5]]));
  expect([1, 4, 5, 6].map((seq) => left(starts, seq))).toEqual([
    ["1"],
    ["1"],
    ["0", "1", "2"],
    ["0", "1", "2"],
  ]);
});

test("where nothing is cut ahead every record is left", () => {
  expect(left(new CornerStarts(new Map()), 1)).toEqual(["0", "1", "2"]);
});
