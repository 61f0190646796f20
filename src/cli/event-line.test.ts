// One event on one line: what is told of it, and that nothing of a stranger's text reaches the terminal as it is.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paintOf, plain } from "./colors.ts";
import { eventJson, eventLine } from "./event-line.ts";
import type { StreamLine } from "./event-stream.ts";

const event = {
  eventTime: "2026-01-10T09:18:41Z",
  eventSource: "s3.amazonaws.com",
  eventName: "PutObject",
  sourceIPAddress: "203.0.113.7",
  userIdentity: { type: "IAMUser", userName: "mary" },
};
const line = (changes: object, derived?: StreamLine["derived"]): string =>
  eventLine({ cursor: "", event: { ...event, ...changes }, ...(derived && { derived }) }, plain);
const head = "2026-01-10T09:18:41Z  s3:PutObject";

describe("a line", () => {
  test.each<readonly [object, StreamLine["derived"], string]>([
    [{}, { username: "mary", resources: [] }, `${head}  mary  203.0.113.7`],
    [
      { errorCode: "AccessDenied" },
      { username: "mary", resources: [{ name: "b" }, { type: "T", name: "b/k" }] },
      `${head}  mary  203.0.113.7  b +1  AccessDenied`,
    ],
    [
      { userIdentity: { type: "AWSService", invokedBy: "ec2.amazonaws.com" }, sourceIPAddress: undefined },
      { resources: [] },
      `${head}  ec2.amazonaws.com  -`,
    ],
    [{ userIdentity: null }, undefined, `${head}  -  203.0.113.7`],
    [
      { userIdentity: { type: "AWSAccount", accountId: "123456789012", principalId: "x" } },
      undefined,
      `${head}  123456789012  203.0.113.7`,
    ],
    [
      { eventSource: undefined, eventName: undefined, eventCategory: "Insight" },
      undefined,
      "2026-01-10T09:18:41Z  Insight  mary  203.0.113.7",
    ],
    [
      { eventName: "x".repeat(201) },
      undefined,
      `2026-01-10T09:18:41Z  s3:${"x".repeat(200)}…  mary  203.0.113.7`,
    ],
  ])("%j", (changes, derived, expected) => {
    expect(line(changes, derived)).toBe(expected);
  });

  test("has colours when they are wanted: failures red, writes yellow, reads green", () => {
    const paint = paintOf("always", { environment: {}, isOutTty: false });
    if (typeof paint !== "function") throw new Error(paint.problem);
    const painted = (changes: object) => eventLine({ cursor: "", event: { ...event, ...changes } }, paint);
    expect(painted({})).toContain("\u001b[33ms3:PutObject\u001b[0m");
    expect(painted({ readOnly: true })).toContain("\u001b[32ms3:PutObject\u001b[0m");
    expect(painted({ errorCode: "E" })).toContain("\u001b[31ms3:PutObject\u001b[0m");
  });

  test("whatever a record holds, it is one line without control characters", () => {
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.constantFrom("\u001b[31m", "\u009b", "\u202e", "\r\n", "\ud800", null, true, 3),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("type", "userName", "arn", "invokedBy"), tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    const names = fc.constantFrom(
      ...Object.keys(event),
      "errorCode",
      "eventCategory",
      "readOnly",
      "__proto__",
    );
    const texts = fc.string({ unit: "binary", maxLength: 300 });
    const derived = fc.record({
      username: texts,
      resources: fc.array(fc.record({ name: texts }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.dictionary(names, anything), derived, (record, more) => {
        const shown = eventLine({ cursor: "", event: record, derived: more }, plain);
        expect(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown)).toBe(false);
        const json = eventJson(record);
        expect(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(json)).toBe(false);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(record)));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe("colours", () => {
  const terminal = (isOutTty: boolean, environment = {}) => ({ isOutTty, environment });
  test.each([
    [undefined, terminal(true), true],
    [undefined, terminal(false), false],
    ["auto", terminal(true, { NO_COLOR: "1" }), false],
    ["auto", terminal(true, { NO_COLOR: "" }), true],
    ["always", terminal(false, { NO_COLOR: "1" }), true],
    ["never", terminal(true), false],
  ])("--color %s on %j", (wish, on, isColored) => {
    const paint = paintOf(wish, on);
    expect(typeof paint === "function" && paint("red", "x") !== "x").toBe(isColored);
  });

  test("anything else is refused", () => {
    expect(paintOf("so\u001bmetimes", terminal(true))).toEqual({
      problem: '--color: "so\\u001bmetimes" is not auto, always or never.',
    });
  });
});
