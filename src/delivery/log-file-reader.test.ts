// Reading composed files back, small ones at once and large ones piece by piece: the same records, the same limits.
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../test/sim/delivery-world.ts";
import { recordsOf } from "./log-file-reader.ts";
import { fileOf } from "./sink.test-world.ts";

const random = seededRandom(7);
/** `count` records that gzip makes little smaller. */
const records = (count: number) =>
  Array.from({ length: count }, (_, id) => JSON.stringify({ id, pad: random.alphanumeric(2_000) }));

async function read(body: Uint8Array, jsonBytesMax = 10_000_000): Promise<string[]> {
  const found: string[] = [];
  for await (const some of recordsOf(body, jsonBytesMax)) {
    for (const record of some) found.push(Buffer.from(record).toString());
  }
  return found;
}

describe.each([
  ["small", 3],
  ["large", 400],
])("a %s file", (_size, count) => {
  const own = records(count);
  const textBytes = `{"Records":[${own.join(",")}]}`.length;
  const body = fileOf(own);

  test("gives its records", async () => {
    expect(body.length > 16 * 1024).toBe(count > 100);
    expect(await read(body, textBytes)).toEqual(own);
  });

  test("is refused one byte beyond the limit", async () => {
    await expect(read(body, textBytes - 1)).rejects.toThrow();
  });

  test.each([
    ["cut off", body.subarray(0, body.length - 20)],
    ["no gzip", Buffer.alloc(body.length, "{")],
    ["not whole inside", gzipSync(`{"Records":[${own.join(",")}`)],
  ])("is refused when it is %s", async (_what, bytes) => {
    await expect(read(bytes)).rejects.toThrow();
  });

  test("can be left in the middle", async () => {
    for await (const some of recordsOf(body, 10_000_000)) {
      expect(some.length).toBeGreaterThan(0);
      break;
    }
  });
});
