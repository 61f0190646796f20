// Gzip members, whole and stitched: exactly one, with the CRC and size of the whole text.
import { crc32, gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { combineCrc32 } from "./crc32-combine.ts";
import { deflateText, gzipMember, gzipOneMember, storedText } from "./gzip-member.ts";
import { unpack } from "./gzip-member.test-world.ts";

test("the CRC of two texts side by side follows from theirs", () => {
  const lengths = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 100_000 }));
  fc.assert(
    fc.property(lengths, lengths, fc.nat(), (first, second, seed) => {
      const text = Buffer.from(Array.from({ length: first + second }, (_, at) => (at * 31 + seed) & 0xff));
      const [a, b] = [text.subarray(0, first), text.subarray(first)];
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(text));
    }),
    { seed: 20_260_110, numRuns: 200 },
  );
});

test("the CRC of a text of more than 4 GB follows, too", () => {
  // 2^33 zero bytes, put together from two halves again and again.
  let crc = crc32(Buffer.alloc(1024));
  for (let bytes = 1024; bytes < 2 ** 33; bytes *= 2) crc = combineCrc32(crc, crc, bytes);
  const part = crcOfZeros(2 ** 30);
  const other = Array.from({ length: 8 }).reduce<number>((sum) => combineCrc32(sum, part, 2 ** 30), 0);
  expect(crc).toBe(other);
});

/** The CRC of that many zero bytes. */
function crcOfZeros(bytes: number): number {
  const chunk = Buffer.alloc(1024 * 1024);
  let crc = 0;
  for (let made = 0; made < bytes; made += chunk.length) crc = crc32(chunk, crc);
  return crc;
}

test("texts that were deflated apart inflate as one", async () => {
  const texts = fc.array(
    fc.record({
      text: fc.oneof(
        fc.string({ maxLength: 300 }),
        fc.integer({ min: 1, max: 40_000 }).map((n) => `{"a":${n}}`.repeat(n / 8)),
      ),
      isStored: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (drawn, level) => {
      const parts = await Promise.all(
        drawn.map(async ({ text, isStored }) => {
          const bytes = Buffer.from(text);
          return isStored && bytes.length <= 0xffff ? storedText(bytes) : deflateText(bytes, level);
        }),
      );
      const member = gzipMember(parts);
      const whole = drawn.map(({ text }) => text).join("");
      expect(gunzipSync(member).toString()).toBe(whole);
      const { text, bytesAfter } = await unpack(member);
      expect(text).toBe(whole);
      expect(bytesAfter).toBe(0);
      expect([...member.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }),
    { seed: 20_260_110, numRuns: 100 },
  );
});

test.each([1, 100, 16_384, 16_385, 3_000_000])("%i bytes become exactly one gzip member", async (length) => {
  const text = Buffer.alloc(length, `{"a":${length}}`);
  const bytes = await gzipOneMember(text);
  // Magic, deflate, no flags, no time, no extra flags, unknown system.
  expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const { text: back, bytesAfter } = await unpack(bytes);
  expect(back).toBe(text.toString());
  expect(bytesAfter).toBe(0);
  expect(Buffer.from(bytes.subarray(10))).toEqual(gzipSync(text, { level: 6 }).subarray(10));
});

test("the check above sees a second member", async () => {
  const one = await gzipOneMember(Buffer.from("one"));
  expect((await unpack(Buffer.concat([one, one]))).bytesAfter).toBe(one.length);
});
