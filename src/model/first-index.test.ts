// Halving against looking at each.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { firstIndex } from "./first-index.ts";

test("finds what a walk from the start finds, whatever the span", () => {
  const sorted = fc
    .array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 })
    .map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(sorted, fc.integer({ min: -1, max: 21 }), fc.nat(30), (all, sought, start) => {
      const from = Math.min(start, all.length);
      const walked = all.findIndex((value, index) => index >= from && value > sought);
      const found = firstIndex({ from, to: all.length }, (index) => (all[index] ?? 0) > sought);
      expect(found).toBe(walked < 0 ? all.length : walked);
    }),
  );
});
