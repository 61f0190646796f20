// Inflating at once and in pieces: the same outcomes, and bytes that are counted to the last one.
import { deflateRawSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createByteBudget } from "./byte-budget.ts";
import { gunzip } from "./gunzip.ts";

const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, index) => (index * index * 31 + 7) % 251));
const small = Buffer.from("an event, and another one");
/** Inflated at once; inflated in pieces because of what comes out; because of what came in. */
const bodies = { small, swelling: Buffer.alloc(300 * 1024, "a"), large: noise(900 * 1024) };

async function outcomeOf(bytes: Uint8Array, more: { inflatedMax?: number; room?: number } = {}) {
  const budget = createByteBudget(
    () => more.room ?? 10_000_000,
    () => undefined,
  );
  const lease = budget.open();
  const outcome = await gunzip(bytes, { inflatedBytesMax: more.inflatedMax ?? 10_000_000, lease });
  return { outcome, taken: budget.bytesTaken };
}

test.each(Object.entries(bodies))("%s bodies", async (_name, plain) => {
  const zipped = gzipSync(plain, { level: 1 });
  const { length } = plain;
  const { outcome, taken } = await outcomeOf(zipped, { inflatedMax: length, room: length });
  expect([outcome.kind, taken]).toEqual(["inflated", length]);
  expect(outcome.kind === "inflated" && plain.equals(outcome.bytes)).toBe(true);
  expect((await outcomeOf(zipped, { inflatedMax: length - 1 })).outcome.kind).toBe("tooLarge");
  expect((await outcomeOf(zipped, { room: length - 1 })).outcome.kind).toBe("noRoom");
});

test.each(Object.entries(bodies))("%s bodies that are not what they should be", async (_name, plain) => {
  const zipped = gzipSync(plain, { level: 1 });
  const flipped = Buffer.from(zipped);
  flipped.writeUInt8((flipped.at(-6) ?? 0) ^ 1, flipped.length - 6);
  for (const broken of [zipped.subarray(0, -1), zipped.subarray(0, 12), flipped, deflateRawSync(plain)]) {
    expect((await outcomeOf(broken)).outcome.kind).toBe("malformed");
  }
});

test("several members are one body", async () => {
  for (const plain of Object.values(bodies)) {
    const { outcome } = await outcomeOf(Buffer.concat([gzipSync(small), gzipSync(plain, { level: 1 })]));
    expect(outcome.kind === "inflated" && Buffer.concat([small, plain]).equals(outcome.bytes)).toBe(true);
  }
});
