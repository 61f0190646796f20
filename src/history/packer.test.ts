// That blocks come back as they were, and that damaged ones are told and touch nothing.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineOf, pack as packForNow } from "./packer.ts";

const pack = (raw: Buffer) => Buffer.from(packForNow(raw));

/** The block's first line, which is all of it: no text here has another line feed. */
function roundTrip(text: Buffer): Buffer | undefined {
  const raw = Buffer.concat([text, Buffer.from("\n")]);
  const packed = pack(raw);
  expect(packed.length).toBeLessThanOrEqual(raw.length);
  return lineOf({ key: packed, packed, rawBytes: raw.length }, 0);
}

const piece = fc.oneof(
  fc.constantFrom(
    '{"eventVersion":"1.11","userIdentity":{',
    "a",
    "ab",
    "abc",
    "aaaaaaaaaaaaaaaaaaaa",
    '"},"',
  ),
  fc.string({ maxLength: 40 }),
);
const anyText = fc
  .array(fc.tuple(piece, fc.nat({ max: 300 })), { maxLength: 60 })
  .map((pieces) => Buffer.from(pieces.map(([text, times]) => text.repeat(times)).join("")))
  .map((text) => Buffer.from(text.map((code) => (code === 0x0a ? 0x20 : code))));

describe("a block comes back as it was", () => {
  test.each([0, 1, 4, 11, 12, 13, 14, 20, 270, 65_535, 65_536, 65_600, 1_048_576])(
    "when it repeats itself over %i bytes",
    (length) => {
      for (const period of [1, 2, 3, 15, 16, 17, 200]) {
        const text = Buffer.alloc(
          length,
          Buffer.from("0123456789abcdefghijklmnopqrstuvwxyz".repeat(6).slice(0, period)),
        );
        expect(roundTrip(text)?.equals(text)).toBe(true);
      }
    },
  );

  test("when nothing repeats, and when it is larger than the packer's room", () => {
    let word = 7;
    const noise = Buffer.from(
      Uint8Array.from({ length: 1_500_000 }, () => {
        word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
        return word >>> 24 === 0x0a ? 0 : word >>> 24;
      }),
    );
    for (const length of [100, 64 * 1024, 1_114_000, 1_500_000]) {
      const text = noise.subarray(0, length);
      expect(roundTrip(text)?.equals(text)).toBe(true);
    }
  });

  test("whatever it is", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(roundTrip(text)?.equals(text)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("lines are found where they begin, in blocks by turns", () => {
  const lines = Array.from(
    { length: 200 },
    (_, at) => `{"eventName":"Get${at}","eventSource":"s3.amazonaws.com"}`,
  );
  const blocks = [lines.slice(0, 100), lines.slice(100)].map((own) => {
    const raw = Buffer.from(own.map((line) => `${line}\n`).join(""));
    const packed = pack(raw);
    return { own, raw, block: { key: packed, packed, rawBytes: raw.length } };
  });
  for (let at = 0; at < 100; at += 1) {
    for (const { own, raw, block } of blocks) {
      const line = own[at] ?? "";
      expect(lineOf(block, raw.indexOf(line))?.toString()).toBe(line);
    }
  }
  const [first] = blocks;
  expect(first && lineOf(first.block, first.raw.length)).toBeUndefined();
});

describe("a damaged block", () => {
  const raw = Buffer.from(`${'{"eventName":"GetObject","eventSource":"s3.amazonaws.com"}'.repeat(50)}\n`);
  const packed = pack(raw);

  test("of another length is none", () => {
    for (const rawBytes of [0, 1, raw.length - 1, raw.length + 1, 2 ** 31]) {
      expect(lineOf({ key: {}, packed, rawBytes }, 0), String(rawBytes)).toBeUndefined();
    }
    for (let length = 0; length < packed.length; length += 1) {
      expect(
        lineOf({ key: {}, packed: packed.subarray(0, length), rawBytes: raw.length }, 0),
      ).toBeUndefined();
    }
    const long = Buffer.alloc(3 * 1024 * 1024, 0xff);
    expect(lineOf({ key: {}, packed: long, rawBytes: raw.length }, 0)).toBeUndefined();
  });

  test("with other bytes does no harm to the next", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1 }), (changes) => {
        const changed = Buffer.from(packed);
        for (const [at, code] of changes) changed[at % changed.length] = code;
        const line = lineOf({ key: {}, packed: changed, rawBytes: raw.length }, 0);
        expect((line?.length ?? 0) < raw.length).toBe(true);
        expect(lineOf({ key: {}, packed, rawBytes: raw.length }, 0)?.length).toBe(raw.length - 1);
      }),
    );
  });
});
