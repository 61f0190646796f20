// ListPublicKeys (api.md §6.4): which range is asked for, and what is answered.
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import { callFrom, mary, ohio, openTrailWorld, refusalOf, virginia } from "./trail.test-world.ts";

const key = {
  der: new Uint8Array([48, 130, 1, 10]),
  sinceMs: 1_766_620_800_000,
  untilMs: 1_769_212_800_000,
  fingerprint: "f9176f48dd31d8345ca70f9300c3c981",
};
const at = (offsetMs: number, nowMs: number) => new Date(nowMs + offsetMs);

describe("ListPublicKeys", () => {
  test("gives every key of the Region of the call, in one page", async () => {
    const world = await openTrailWorld();
    world.keys.set(
      ohio,
      Array.from({ length: 500 }, () => key),
    );
    const answer = await world.operations.ListPublicKeys({}, callFrom());
    expect(answer.PublicKeyList).toHaveLength(500);
    expect(answer).not.toHaveProperty("NextToken");
    expect(answer.PublicKeyList?.[0]).toStrictEqual({
      Value: key.der,
      ValidityStartTime: new Date(key.sinceMs),
      ValidityEndTime: new Date(key.untilMs),
      Fingerprint: key.fingerprint,
    });
    expect(await world.operations.ListPublicKeys({}, callFrom(mary, virginia))).toStrictEqual({
      PublicKeyList: [],
    });
  });

  test.each<[string, (nowMs: number) => Input<"ListPublicKeys">, readonly [number, number]]>([
    ["both times missing mean now", () => ({}), [0, 0]],
    ["a missing end means now", (now) => ({ StartTime: at(-5000, now) }), [-5000, 0]],
    ["a missing start means now", (now) => ({ EndTime: at(5000, now) }), [0, 5000]],
    [
      "both times are taken",
      (now) => ({ StartTime: at(-9000, now), EndTime: at(-3000, now) }),
      [-9000, -3000],
    ],
    [
      "one moment is a range",
      (now) => ({ StartTime: at(-9000, now), EndTime: at(-9000, now) }),
      [-9000, -9000],
    ],
    ["the token is not looked at", () => ({ NextToken: "any" }), [0, 0]],
  ])("%s", async (_what, input, [start, end]) => {
    const world = await openTrailWorld();
    const { nowMs } = world;
    await world.operations.ListPublicKeys(input(nowMs), callFrom());
    expect(world.keyRanges).toEqual([{ region: ohio, startMs: nowMs + start, endMs: nowMs + end }]);
  });

  test.each<[string, (nowMs: number) => Input<"ListPublicKeys">]>([
    ["a start after the end", (now) => ({ StartTime: at(1, now), EndTime: at(0, now) })],
    ["a start after now", (now) => ({ StartTime: at(1, now) })],
    ["an end before now without a start", (now) => ({ EndTime: at(-1, now) })],
  ])("%s is refused", async (_what, input) => {
    const world = await openTrailWorld();
    expect(await refusalOf(world.operations.ListPublicKeys(input(world.nowMs), callFrom()))).toBe(
      "InvalidTimeRangeException: The start time must be before the end time.",
    );
    expect(world.keyRanges).toEqual([]);
  });
});
