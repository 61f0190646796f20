// What a terminal must not get to see, and that everything else stays.
import { expect, test } from "vitest";
import { printable, printableJson } from "./printable.ts";

test.each([
  ["plain", "plain"],
  ["häßlich 日本 🙂", "häßlich 日本 🙂"],
  ["\u001b]0;title\u0007", "\\u001b]0;title\\u0007"],
  ["two\r\nlines\t", "two\\u000d\\u000alines\\u0009"],
  ["\u009b31m\u007f", "\\u009b31m\\u007f"],
  ["tag\u{e0041}", "tag\\udb40\\udc41"],
  ["half\ud83d", "half\\ud83d"],
  ["right\u202eleft\u2028", "right\\u202eleft\\u2028"],
])("%j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("JSON stays the same value", () => {
  const value = { "k\u009b": ["\u001b[2J", "a\nb", "\u202e", 1, null] };
  const text = printableJson(value);
  expect(JSON.parse(text)).toEqual(value);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});
