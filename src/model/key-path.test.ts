// Where objects lie for their keys: ordinary keys as they are, everything else escaped and readable back.
import { describe, expect, test } from "vitest";
import { decodeName, fromByteString, keyPath, keyProblem, toByteString } from "./key-path.ts";

const logFile =
  "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/10/111122223333_CloudTrail_us-east-1_20260110T0925Z_h3Jx0QvT9bLm2RkZ.json.gz";

describe("keyPath", () => {
  const cases: readonly [string, string][] = [
    [logFile, logFile],
    ["A b+c=d&e!'()*", "A b+c=d&e!'()*"],
    ["a/", "a/%_"],
    ["a//b", "a/%_/b"],
    ["/", "%_/%_"],
    ["..", "%2E%2E"],
    ["./x", "%2E/x"],
    ["...", "..."],
    ["100%", "100%25"],
    ["%2E", "%252E"],
    ["é\n", "%C3%A9%0A"],
    ["x".repeat(240), "x".repeat(240)],
    ["x".repeat(241), `${"x".repeat(240)}%+/x`],
    [`${"x".repeat(240)}..`, `${"x".repeat(240)}%+/%2E%2E`],
    [`${"x".repeat(239)}é/y`, `${"x".repeat(239)}%+/%C3%A9/y`],
  ];
  test.each(cases)("%j", (key, path) => {
    const { folders, name } = keyPath(toByteString(key));
    expect([...folders, name].join("/")).toBe(path);
  });
});

describe("decodeName", () => {
  const cases: readonly [string, string | undefined, string?][] = [
    ["a b", "whole", "a b"],
    ["%_", "whole", ""],
    ["%C3%A9", "whole", "é"],
    ["a%object", "aside", "a"],
    ["xx%+", "continued", "xx"],
    ["é", undefined],
    ["a%meta", undefined],
    ["100%", undefined],
    ["%c3", undefined],
  ];
  test.each(cases)("%j", (name, form, bytes) => {
    const decoded = decodeName(name);
    expect(decoded?.form).toBe(form);
    expect(decoded && fromByteString(decoded.bytes)).toBe(bytes);
  });
});

test.each([
  ["k", undefined],
  ["é".repeat(512), undefined],
  ["é".repeat(513), "KeyTooLongError"],
  ["", "InvalidArgument"],
  ["\uD800", "InvalidURI"],
] as const)("keyProblem %#", (key, code) => {
  expect(keyProblem(key)?.code).toBe(code);
});
