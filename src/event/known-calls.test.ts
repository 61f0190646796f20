// Numbers of calls: one for each, never given twice, and what is forgotten is said to be.
import { expect, test } from "vitest";
import { KnownCalls } from "./known-calls.ts";

test("a call has one number, whatever differs another, and the number tells the call", () => {
  const calls = new KnownCalls();
  const different: [string, string, boolean | undefined][] = [
    ["iam.amazonaws.com", "CreateUser", false],
    ["iam.amazonaws.com", "CreateUser", true],
    ["iam.amazonaws.com", "CreateUser", undefined],
    ["iam.amazonaws.com", "DeleteUser", false],
    ["sns.amazonaws.com", "CreateUser", false],
  ];
  const numbers = different.map((call) => calls.numberOf(...call));
  expect(new Set(numbers).size).toBe(different.length);
  expect(different.map((call) => calls.numberOf(...call))).toEqual(numbers);
  for (const [index, [eventSource, eventName, isRead]] of different.entries()) {
    expect(calls.at(numbers[index] ?? 0)).toMatchObject({ eventSource, eventName, isRead });
  }
  expect([calls.at(0), calls.at(99)]).toEqual([undefined, undefined]);
});

test("of more calls than it may know, the older ones are forgotten and get new numbers", () => {
  const calls = new KnownCalls(4);
  const given = new Map<number, string>();
  for (let at = 0; at < 200; at += 1) {
    const name = `Call${(at * 7) % 23}`;
    const number = calls.numberOf("own.example", name, false);
    // What was just noted is known, and a number is always of the same call.
    expect(calls.at(number)?.eventName).toBe(name);
    expect(given.get(number) ?? name).toBe(name);
    given.set(number, name);
  }
  const known = [...given].filter(([number]) => calls.at(number) !== undefined);
  expect(known.length).toBeLessThanOrEqual(8);
  expect(known.length).toBeGreaterThan(4);
  for (const [number, name] of known) expect(calls.at(number)?.eventName).toBe(name);
});
