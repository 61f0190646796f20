// Times of HTTP and SigV4: the strict reader against a round trip, and texts that are shared within a second.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isoSeconds } from "../model/timestamp.ts";
import { httpDate, isoBasic, parseIsoBasic } from "./iso-basic.ts";

test("a time is read when it is one, and only then", () => {
  const digits = (length: number, max: number) =>
    fc.integer({ min: 0, max }).map((value) => String(value).padStart(length, "0"));
  const time = fc.tuple(
    ...[fc.oneof(digits(4, 9999), fc.constantFrom("2024", "1900", "0050")), digits(2, 14), digits(2, 33)],
    ...[digits(2, 26), digits(2, 62), digits(2, 62)],
  );
  fc.assert(
    fc.property(time, ([year, month, day, hour, minute, second]) => {
      const text = `${year}${month}${day}T${hour}${minute}${second}Z`;
      const dashed = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
      const epochMs = Date.parse(dashed);
      const isTime = Number(year) >= 100 && !Number.isNaN(epochMs) && isoBasic(epochMs) === text;
      expect(parseIsoBasic(text)).toBe(isTime ? epochMs : undefined);
    }),
    { seed: 19_700_101, numRuns: 3000 },
  );
});

test("texts of whole seconds follow the time, forwards and backwards", () => {
  const around = fc.integer({ min: -3000, max: 3000 });
  fc.assert(
    fc.property(around, (offsetMs) => {
      for (const base of [0, 1_768_036_721_500]) {
        const date = new Date(base + offsetMs);
        expect(httpDate(date.getTime())).toBe(date.toUTCString());
        expect(isoSeconds(date.getTime())).toBe(`${date.toISOString().slice(0, 19)}Z`);
      }
    }),
    { seed: 86_400 },
  );
  expect(() => isoSeconds(Number.NaN)).toThrow(RangeError);
  expect(() => isoSeconds(Number.NaN)).toThrow(RangeError);
});
