// What sinks remember is bounded: beyond the bound the plan that was noted first is forgotten.
import { expect, test } from "vitest";
import { SendProgress } from "./send-progress.ts";

test("remembers as many plans as it may, and forgets the oldest", () => {
  const progress = new SendProgress<number>(2);
  progress.note("a", 1);
  progress.note("b", 1);
  progress.note("a", 2);
  expect([progress.of("a"), progress.of("b")]).toEqual([2, 1]);
  progress.note("c", 3);
  expect([progress.of("a"), progress.of("b"), progress.of("c")]).toEqual([undefined, 1, 3]);
  progress.forget("b");
  progress.note("d", 4);
  expect([progress.of("b"), progress.of("c"), progress.of("d")]).toEqual([undefined, 3, 4]);
});
