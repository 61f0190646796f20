// Cairn's own deflate encoder in its threads: zlib inflates what it makes of any text to the same text, whatever the level.
import { randomBytes } from "node:crypto";
import { constants, crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../test/sim/simulated-disk.ts";
import { DeflateThreads } from "./deflate-threads.ts";
import { createDeflater, efforts } from "./deflater.ts";
import { type DeflatedText, gzipMember } from "./gzip-member.ts";

const threads = new DeflateThreads();
afterAll(() => threads.close());
const strong = efforts.at(-1) ?? [64, 258, 2, 6];

function inflated({ blocks }: DeflatedText): Buffer {
  return inflateRawSync(blocks, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** A text drawn from `random`: records, runs, repetitions near and far, bytes that repeat nothing, mixed. */
function drawText(random: () => number): Buffer {
  const below = (most: number) => Math.floor(random() * most);
  const pieces: Buffer[] = [];
  const count = 1 + below(random() < 0.02 ? 400 : 12);
  for (let n = 0; n < count; n += 1) {
    const kind = below(6);
    const earlier = pieces[below(pieces.length)];
    if (kind === 0 && earlier) pieces.push(earlier.subarray(below(earlier.length)));
    else if (kind === 1) pieces.push(Buffer.alloc(below(random() < 0.1 ? 70_000 : 600), below(256)));
    else if (kind === 2) pieces.push(Buffer.from(Array.from({ length: below(300) }, () => below(256))));
    else if (kind === 3) pieces.push(Buffer.from("ab".repeat(below(200)) + "c".repeat(below(5))));
    else pieces.push(Buffer.from(record(below)));
  }
  return Buffer.concat(pieces);
}

function record(below: (most: number) => number): string {
  const hex = (length: number) => Array.from({ length }, () => below(16).toString(16)).join("");
  const name = ["GetObject", "PutObject", "Decrypt", "AssumeRole"][below(4)] ?? "";
  return `{"eventVersion":"1.08","eventName":"${name}","eventID":"${hex(32)}","n":${below(1_000)},"é":"\\u00e9"},`;
}

describe("the encoder", () => {
  test("makes of 10,000 drawn texts what zlib inflates to them", async () => {
    const random = seededRandom(7_021);
    let bytes = 0;
    for (let done = 0; done < 10_000; done += DeflateThreads.jobsMax) {
      const texts = Array.from({ length: DeflateThreads.jobsMax }, () => drawText(random));
      await Promise.all(
        texts.map(async (text, at) => {
          const effort = efforts[(done / DeflateThreads.jobsMax + at) % efforts.length] ?? strong;
          const deflated = await threads.deflate(text, effort);
          if (!inflated(deflated).equals(text))
            throw new Error(`Text ${done + at} is another after inflating.`);
          expect(deflated).toMatchObject({ crc: crc32(text), textBytes: text.length });
          bytes += text.length;
        }),
      );
    }
    expect(bytes).toBeGreaterThan(10_000_000);
  }, 120_000);

  const megabyte = 1024 * 1024;
  test.each([
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from("x")],
    ["one byte, a megabyte of it", Buffer.alloc(megabyte, 1)],
    ["what fills the input", Buffer.from("0123456789abcdef".repeat(megabyte / 16))],
    ["a byte more", Buffer.alloc(megabyte + 1, "abcabcabd")],
    ["several inputs", Buffer.alloc(3 * megabyte + 77, "the same again and again, ")],
    ["what repeats nothing", randomBytes(megabyte)],
    ["two symbols that are nearly one", Buffer.concat([Buffer.alloc(70_000, "a"), Buffer.from("b")])],
    // Counts that grow like this would give the rarest a code of more than 15 bits.
    ["counts like Fibonacci's", shuffledFibonacci()],
  ])("takes %s", async (_what, text) => {
    for (const effort of efforts) {
      const deflated = await threads.deflate(text, effort);
      expect(inflated(deflated).equals(text)).toBe(true);
      // Stored blocks are the worst that may come of it.
      expect(deflated.blocks.length).toBeLessThan(text.length + text.length / 1_000 + 100);
    }
  });

  test("ends on a byte, so that texts stand one behind the other, beside zlib's", async () => {
    const texts = ["first,first,first,", "second,second", "third"].map((text) =>
      Buffer.from(text.repeat(900)),
    );
    const [a, b] = await Promise.all(texts.map((text) => threads.deflate(text, strong)));
    const third = texts[2] ?? Buffer.alloc(0);
    const blocks = deflateRawSync(third, { finishFlush: constants.Z_SYNC_FLUSH });
    const c = { blocks, crc: crc32(third), textBytes: third.length };
    if (!a || !b) throw new Error("There are two.");
    const { gunzipSync } = await import("node:zlib");
    expect(gunzipSync(gzipMember([a, b, c])).equals(Buffer.concat(texts))).toBe(true);
  });

  test("gives the same bytes for the same text, whatever came before and in whichever thread", async () => {
    const random = seededRandom(3);
    const text = Buffer.concat(Array.from({ length: 300 }, () => drawText(random)));
    const all = [];
    for (let n = 0; n < 6; n += 1) {
      all.push(threads.deflate(text, strong), threads.deflate(drawText(random), efforts[n] ?? strong));
    }
    const same = (await Promise.all(all)).filter((_done, at) => at % 2 === 0);
    for (const { blocks } of same) expect(Buffer.from(blocks).equals(same[0]?.blocks ?? blocks)).toBe(true);
  });
});

describe("a thread that fails", () => {
  // The encoder is never called: the thread ends by the error.
  const fatal = 0 as unknown as typeof strong;
  const text = Buffer.from("some text ".repeat(20_000));

  test("rejects what it had; another takes its place, but not for ever", async () => {
    const own = new DeflateThreads();
    for (let crash = 1; crash <= 3; crash += 1) {
      await expect(own.deflate(text, fatal)).rejects.toThrow();
      expect(own.areUsable).toBe(crash < 3);
    }
    expect(inflated(await own.deflate(text, strong)).equals(text)).toBe(true);
    await own.close();
  });

  test("zlib does its work, and all of it when it happens too often", async () => {
    const own = new DeflateThreads();
    const failures: unknown[] = [];
    const deflater = createDeflater({ level: 6, threads: own, onFailure: (error) => failures.push(error) });
    const crashing = own.deflate(text, fatal).catch((error: unknown) => error);
    const both = [deflater.deflate(text), deflater.deflate(text)];
    for (const done of await Promise.all(both)) expect(inflated(done).equals(text)).toBe(true);
    expect(await crashing).toBeInstanceOf(Error);
    for (let crash = 0; crash < 2; crash += 1) await own.deflate(text, fatal).catch(() => undefined);
    expect(own.areUsable).toBe(false);
    const before = failures.length;
    const byZlib = deflateRawSync(text, { level: 6, memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH });
    expect(Buffer.from((await deflater.deflate(text)).blocks).equals(byZlib)).toBe(true);
    expect(failures.length).toBe(before);
    await deflater.close();
  });

  test("a deflater that is closed still deflates, and tells of nothing", async () => {
    const failures: unknown[] = [];
    const deflater = createDeflater({ level: 6, onFailure: (error) => failures.push(error) });
    const under = deflater.deflate(text);
    await deflater.close();
    expect(inflated(await under).equals(text)).toBe(true);
    expect(inflated(await deflater.deflate(text)).equals(text)).toBe(true);
    expect(failures).toEqual([]);
  });
});

function shuffledFibonacci(): Buffer {
  const random = seededRandom(11);
  let [a, b] = [1, 1];
  const bytes: number[] = [];
  for (let symbol = 0; symbol < 24; symbol += 1) {
    for (let n = 0; n < a; n += 1) bytes.push(symbol * 9);
    [a, b] = [b, a + b];
  }
  for (let at = bytes.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [bytes[at], bytes[other]] = [bytes[other] ?? 0, bytes[at] ?? 0];
  }
  return Buffer.from(bytes);
}
