// One gzip member: what is whole, what is not, and what follows it; in one piece and in chunks of every size.
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { inflateMember } from "./gzip-member.ts";

const text = Buffer.from(`{"Records":[${"1,".repeat(5000)}1]}`);
const member = gzipSync(text);
const whole = {
  kind: "whole",
  hash: createHash("sha256").update(text).digest("hex"),
  sizeBytes: text.length,
};
const options = { bytesMax: 1_000_000, content: "keep" } as const;

/** A header with every optional field. */
const longHeader = Buffer.concat([
  Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 65, 66]),
  Buffer.from("name\0comment\0\0\0", "latin1"),
  member.subarray(10),
]);
const badCrc = Buffer.from(member);
badCrc.writeUInt32LE(1, badCrc.length - 8);
const badSize = Buffer.from(member);
badSize.writeUInt32LE(1, badSize.length - 4);
const invalidFormat = { kind: "broken", reason: "invalid format" };
const trailing = { kind: "broken", reason: "unexpected data after end of compressed stream" };

const cases: [string, Uint8Array, Readonly<Record<string, unknown>>][] = [
  ["a member", member, whole],
  ["a header with every field", longHeader, whole],
  ["an empty content", gzipSync(""), { kind: "whole", sizeBytes: 0 }],
  ["nothing", Buffer.alloc(0), invalidFormat],
  ["no gzip", Buffer.from("hello"), invalidFormat],
  ["half a header", member.subarray(0, 6), invalidFormat],
  ["a header alone", member.subarray(0, 10), invalidFormat],
  ["half a member", member.subarray(0, member.length - 20), invalidFormat],
  ["half a trailer", member.subarray(0, member.length - 3), invalidFormat],
  ["another CRC", badCrc, invalidFormat],
  ["another size", badSize, invalidFormat],
  ["a byte too many", Buffer.concat([member, Buffer.from([0])]), trailing],
  ["a second member", Buffer.concat([member, gzipSync("more")]), trailing],
  [
    "bytes that no deflate stream has",
    Buffer.concat([member.subarray(0, 10), Buffer.alloc(50, 255)]),
    invalidFormat,
  ],
];

describe.each(cases)("%s", (_name, bytes, expected) => {
  test("in one piece", async () => {
    expect(await inflateMember(bytes, options)).toMatchObject(expected);
  });

  test.each([1, 7, 4096, 1_000_000])("in chunks of %i", async (size) => {
    expect(await inflateMember(chunks(bytes, size), options)).toMatchObject(expected);
  });
});

test("what is larger than allowed is not read to its end", async () => {
  const bomb = gzipSync(Buffer.alloc(40_000_000));
  const reason = expect.stringMatching(/^larger than 1000000 bytes/);
  expect(await inflateMember(bomb, options)).toEqual({ kind: "broken", reason });
  expect(await inflateMember(chunks(bomb, 1000), options)).toEqual({ kind: "broken", reason });
});

test("a small member that inflates to much is inflated in chunks", async () => {
  const zeros = Buffer.alloc(20_000_000);
  const found = await inflateMember(gzipSync(zeros), { bytesMax: 30_000_000, content: "drop" });
  const hash = createHash("sha256").update(zeros).digest("hex");
  expect(found).toEqual({ kind: "whole", hash, sizeBytes: zeros.length, bytes: undefined });
});

test("a large member goes through the thread pool", async () => {
  const random = randomBytes(300_000);
  const found = await inflateMember(gzipSync(random), options);
  expect(found).toMatchObject({ kind: "whole", sizeBytes: random.length });
  expect(found.kind === "whole" && Buffer.from(found.bytes ?? []).equals(random)).toBe(true);
});

test("a size in the trailer that is a lie costs nothing", async () => {
  const lie = Buffer.from(member);
  lie.writeUInt32LE(0xffffffff, lie.length - 4);
  expect(await inflateMember(lie, options)).toEqual(invalidFormat);
});

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}
