// Gathering while a cut grows: the same files as from the journal, within a bound, without memory that is never given back.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { matchSet } from "../../test/sim/delivery-world.ts";
import { createDeflater, type Deflater, roomBytes } from "./deflater.ts";
import { Gathering } from "./gather.ts";
import { GroupText } from "./group-text.ts";
import { LiveGathering } from "./live-gathering.ts";
import { cornerName, slotName } from "./slots.ts";

const record = (n: number) =>
  Buffer.from(`{"n":${100_000 + n},"hash":"${createHash("sha512").update(String(n)).digest("hex")}"}`);
const perPiece = Math.floor(roomBytes / (record(0).length + 1));

/** A deflater that counts the rooms it lent and has not got back. */
function counting(): Deflater & { out: number } {
  const inner = createDeflater({ level: 1 });
  const counted = {
    out: 0,
    deflate: (text: Uint8Array) => inner.deflate(text),
    close: () => inner.close(),
    lend() {
      counted.out += 1;
      return inner.lend();
    },
    takeBack(room: Buffer) {
      if (room.length === roomBytes) counted.out -= 1;
      inner.takeBack(room);
    },
  };
  return counted;
}

test("a piece ends before it would be too long, whatever its records; its room goes back when nobody hashes it", async () => {
  for (const isHashed of [false, true]) {
    const deflater = counting();
    let held = 0;
    const text = new GroupText({ deflater, isHashed, onHeld: (bytes) => (held += bytes) });
    for (let n = 0; n < 4 * perPiece; n += 1) text.append(record(n));
    const pieces = text.end();
    expect(pieces.length).toBe(4);
    for (const { textBytes } of pieces) expect(textBytes).toBeLessThanOrEqual(roomBytes);
    const deflated = await Promise.all(pieces.map(async (piece) => piece.deflated));
    expect(deflated.reduce((sum, one) => sum + (one?.textBytes ?? 0), 0)).toBe(
      pieces.reduce((sum, { textBytes }) => sum + textBytes, 0),
    );
    expect(pieces.every((piece) => (piece.text !== undefined) === isHashed)).toBe(true);
    if (!isHashed) expect([deflater.out, held < roomBytes * 3]).toEqual([0, true]);
    else expect(held).toBeGreaterThanOrEqual(pieces.reduce((sum, { textBytes }) => sum + textBytes, 0));
  }
});

test("a record longer than a piece is a piece of its own", async () => {
  const text = new GroupText({
    deflater: createDeflater({ level: 6 }),
    isHashed: true,
    onHeld: () => undefined,
  });
  const long = Buffer.alloc(roomBytes + 5, "x");
  for (const bytes of [record(1), long, record(2)]) text.append(bytes);
  const pieces = text.end();
  expect(pieces.map(({ textBytes }) => textBytes)).toEqual([record(1).length, long.length, record(2).length]);
  expect(Buffer.from(pieces[1]?.text ?? "").equals(long)).toBe(true);
  await Promise.all(pieces.map(async (piece) => piece.deflated));
});

test("gathers no more than it may, and then nothing at all", () => {
  const options = { deflater: createDeflater({ level: 1 }), isEvident: () => true };
  const records = Array.from({ length: 100 }, (_, n) => ({ bytes: record(n), matchSet: matchSet(["a"]) }));
  const enough = new LiveGathering(options, 1_000_000);
  enough.take(records);
  expect(enough.end()?.groups.size).toBe(1);
  const tooMuch = new LiveGathering(options, 10_000);
  tooMuch.take(records);
  tooMuch.take(records.slice(0, 1));
  expect(tooMuch.end()).toBeUndefined();
});

test("keeps the text of those alone that a digest will name", () => {
  const gathering = new Gathering({
    deflater: createDeflater({ level: 1 }),
    isWanted: () => true,
    isEvident: (incarnation) => incarnation === "a",
  });
  const set = matchSet(["a", "b"]);
  const other = matchSet(["b"]);
  for (let n = 0; n < perPiece + 1; n += 1) {
    gathering.take([
      { bytes: record(n), matchSet: set },
      { bytes: record(n), matchSet: other },
    ]);
  }
  const ofB = [...gathering.end().groups.entries()].find(([name]) => name.startsWith("b|"))?.[1];
  expect(ofB?.map(({ pieces }) => pieces.map(({ text }) => text !== undefined))).toEqual([
    [true, true],
    [false, false],
  ]);
  expect(ofB?.map(({ span }) => span !== undefined)).toEqual([true, false]);
});

test("gives the groups of some corners: what comes next for them is new, what they hold no longer counts", async () => {
  const deflater = createDeflater({ level: 1 });
  const gathering = new Gathering({ deflater, isWanted: () => true, isEvident: () => false });
  const here = matchSet(["a", "b"]);
  const there = matchSet(["a"], { region: "eu-west-1" });
  for (let n = 0; n < 2 * perPiece; n += 1) gathering.take([{ bytes: record(n), matchSet: here }]);
  gathering.take([{ bytes: record(0), matchSet: there }]);
  const given = gathering.give(new Set([cornerName(here)]));
  const left = gathering.heldBytes;
  gathering.take([{ bytes: record(1), matchSet: here }]);
  expect([...given.groups.keys()].sort()).toEqual([slotName("a", here), slotName("b", here)].sort());
  const [ofA, ofB] = [given.groups.get(slotName("a", here)), given.groups.get(slotName("b", here))];
  expect(ofA?.map(({ recordCount }) => recordCount)).toEqual([2 * perPiece]);
  expect(ofB?.[0]).toBe(ofA?.[0]);
  await Promise.all((ofA ?? []).flatMap(({ pieces }) => pieces.map(async ({ deflated }) => deflated)));
  // Their text is deflated and gone: that is less for them, and nothing for what is left.
  expect(given.heldBytes()).toBeLessThan(roomBytes);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(20_000);
  expect(gathering.heldBytes).toBeLessThan(2 * 20_000);
  expect(gathering.heldBytes).toBeGreaterThan(left);
  const rest = gathering.end().groups;
  expect(rest.get(slotName("b", here))?.map(({ recordCount }) => recordCount)).toEqual([1]);
  expect(rest.get(slotName("a", there))?.map(({ recordCount }) => recordCount)).toEqual([1]);
  await deflater.close();
});
