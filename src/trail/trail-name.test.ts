// The rules of a trail name (api.md §2.2), each with its exact text and in order.
import { describe, expect, test } from "vitest";
import { checkTrailName } from "./trail-name.ts";

const tooShort = (n: number) =>
  `Trail name too short. Minimum allowed length: 3 characters. Specified name length: ${n} characters.`;
const start = "Trail name must starts with a letter or number.";
const end = "Trail name must ends with a letter or number.";
const characters =
  "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).";
const adjacent = "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_).";

describe("a trail name", () => {
  test.each([
    [undefined, "Trail name cannot be blank!"],
    ["", "Trail name cannot be blank!"],
    ["   ", "Trail name cannot be blank!"],
    ["?", tooShort(1)],
    ["ab", tooShort(2)],
    [
      "a".repeat(129),
      "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
    ],
    ["-trail", start],
    [".tr", start],
    ["ätrail", start],
    ["-trail!", start],
    ["trail!", end],
    ["trail-", end],
    ["my trail", characters],
    ["my/trail", characters],
    ["my–trail", characters],
    ["my-_x", adjacent],
    ["a--b", adjacent],
    ["a..b", adjacent],
    ["192.168.5.4", "Trail names must not be formatted as an IP address."],
    ["1.2.3.456", "Trail names must not be formatted as an IP address."],
  ])("%j is refused", (name, text) => {
    expect(() => checkTrailName(name)).toThrow(
      expect.objectContaining({ code: "InvalidTrailNameException", message: text }),
    );
  });

  test.each(["abc", "a1b", "My.trail_of-2024", "1.2.3", "1.2.3.4.5", "a".repeat(128)])(
    "%s is accepted",
    (name) => {
      expect(checkTrailName(name)).toBe(name);
    },
  );
});
