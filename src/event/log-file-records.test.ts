// The records of a composed log file, however its text is cut into pieces; and what is no such file.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogFileRecords } from "./log-file-records.ts";

/** Feeds the text in pieces of these lengths, the last one over and over. */
function recordsIn(text: string, lengths: readonly number[]): string[] {
  const bytes = Buffer.from(text);
  const file = new LogFileRecords();
  const found: string[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = at + Math.max(1, lengths[Math.min(turn, lengths.length - 1)] ?? 1);
    found.push(...file.take(bytes.subarray(at, end)).map((record) => Buffer.from(record).toString()));
    at = end;
  }
  file.end();
  return found;
}

const records = [`{"a":"}],{\\"[\\\\"}`, `{"b":[1,{"c":"é😀"}],"d":{}}`, `{}`, `{"e":1.0e5}`];

describe("the records of a log file", () => {
  test("come as the bytes they are, wherever the text is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...records), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 }),
        (own, lengths) => {
          expect(recordsIn(`{"Records":[${own.join(",")}]}`, lengths)).toEqual(own);
        },
      ),
      { seed: 5_112, numRuns: 500 },
    );
  });

  test.each([
    ["an array", "[{}]"],
    ["another member", '{"Other":[{}]}'],
    ["no record", '{"Records":[]}'],
    ["a record that is no object", '{"Records":[1]}'],
    ["white space between records", '{"Records":[{} ,{}]}'],
    ["a comma too much", '{"Records":[{},]}'],
    ["an end that is missing", '{"Records":[{}]'],
    ["a record cut off", '{"Records":[{"a":"'],
    ["a second member", '{"Records":[{}],"b":1}'],
    ["bytes behind the end", '{"Records":[{}]}\n'],
    ["nothing", ""],
  ])("are not looked for in %s", (_what, text) => {
    expect(() => recordsIn(text, [7])).toThrow(/log file/);
    expect(() => recordsIn(text, [1_000])).toThrow(/log file/);
  });
});
