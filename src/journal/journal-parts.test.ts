// The small parts of the journal that do no I/O: room, remembered ids, index.
import { describe, expect, test } from "vitest";
import { FrameIds } from "./frame-ids.ts";
import { JournalRoom } from "./journal-room.ts";
import { SegmentIndex } from "./segment.ts";

describe("room", () => {
  const mb = 1024 * 1024;
  const frame = (bytes: number, isOwnCall = false) => ({ bytes, recordBytes: bytes, isOwnCall });

  test.each([
    { name: "an event below the reserve", used: 0, bytes: 6 * mb, isOwnCall: false, expected: true },
    {
      name: "an event that touches the reserve",
      used: 0,
      bytes: 6 * mb + 1,
      isOwnCall: false,
      expected: false,
    },
    { name: "an event on a used disk", used: 6 * mb, bytes: 1, isOwnCall: false, expected: false },
    { name: "an own call in the reserve", used: 6 * mb, bytes: 4 * mb, isOwnCall: true, expected: true },
    {
      name: "an own call beyond everything",
      used: 6 * mb,
      bytes: 4 * mb + 1,
      isOwnCall: true,
      expected: false,
    },
  ])("$name", ({ used, bytes, isOwnCall, expected }) => {
    const room = new JournalRoom({ bytesMax: 10 * mb, ownCallReserveBytes: 4 * mb });
    expect(room.admit(frame(bytes, isOwnCall), used)).toBe(expected);
  });

  test("what waits counts until it is written", () => {
    const room = new JournalRoom({ bytesMax: 10 * mb, ownCallReserveBytes: 4 * mb });
    expect(room.admit(frame(4 * mb), 0)).toBe(true);
    expect(room.admit(frame(3 * mb), 0)).toBe(false);
    room.written(4 * mb);
    expect(room.admit(frame(3 * mb), 0)).toBe(true);
  });

  test("frames in memory are bounded, whatever the disk's size; own calls pass", () => {
    const room = new JournalRoom({ bytesMax: 10_000 * mb, ownCallReserveBytes: 64 * mb });
    let waiting = 0;
    while (room.admit(frame(2 * mb), 0)) waiting += 2;
    expect(waiting).toBe(64);
    expect(room.admit(frame(2 * mb, true), 0)).toBe(true);
  });

  test("a reservation is kept from events and own calls, and used by one frame", () => {
    const room = new JournalRoom({ bytesMax: 10 * mb, ownCallReserveBytes: 4 * mb });
    const reservation = room.reserve(9 * mb, 0);
    expect(room.admit(frame(1 * mb), 0)).toBe(false);
    expect(room.admit(frame(1 * mb, true), 0)).toBe(false);
    expect(room.admit(frame(9 * mb, true), 0, reservation)).toBe(true);
    expect(room.admit(frame(9 * mb, true), 0, reservation)).toBe(false);
  });

  test("a frame that is larger than its reservation needs room like any other", () => {
    const room = new JournalRoom({ bytesMax: 10 * mb, ownCallReserveBytes: 4 * mb });
    expect(room.admit(frame(3 * mb, true), 9 * mb, room.reserve(1000, 9 * mb))).toBe(false);
    expect(room.admit(frame(1 * mb, true), 8 * mb, room.reserve(1000, 8 * mb))).toBe(true);
  });

  test("a reserve that leaves nothing for events is a mistake", () => {
    expect(() => new JournalRoom({ bytesMax: 10, ownCallReserveBytes: 10 })).toThrow("leaves room");
  });
});

describe("remembered ids", () => {
  test("reach back over the segment before, and over small ones up to the given bytes", () => {
    const ids = new FrameIds(100);
    const known = () => [1, 2, 3, 4, 5, 6].filter((seq) => ids.seqOf(`id ${seq}`) === seq);
    for (const [seq, bytes] of [10, 500, 40, 50, 60].entries()) {
      ids.add(`id ${seq + 1}`, seq + 1);
      ids.endSegment(bytes);
    }
    expect(known()).toEqual([4, 5]);
    ids.add("id 6", 6);
    ids.endSegment(5000);
    expect(known()).toEqual([6]);
    expect(ids.seqOf("id 7")).toBeUndefined();
  });
});

describe("segment index", () => {
  const index = () => {
    const made = new SegmentIndex();
    for (let n = 0; n < 1000; n += 1) made.addFrame(100 + n, 64 + n * 1000);
    return made;
  };

  test("finds a point close before any frame", () => {
    const made = index();
    for (let n = 0; n < 1000; n += 1) {
      const { seq, offset } = made.pointBefore(100 + n);
      expect(offset).toBe(64 + (seq - 100) * 1000);
      expect(seq).toBeLessThanOrEqual(100 + n);
      expect((100 + n - seq) * 1000).toBeLessThan(66 * 1024);
    }
    expect(() => made.pointBefore(99)).toThrow("holds the frame");
    expect(() => new SegmentIndex().pointBefore(1)).toThrow("holds the frame");
  });

  test("finds the next point, and none behind the last", () => {
    const made = index();
    expect(made.offsetBeyond(0)).toBe(64);
    expect(made.offsetBeyond(64)).toBe(64);
    expect(made.offsetBeyond(65)).toBe(66_064);
    expect(made.offsetBeyond(1_000_000)).toBeUndefined();
  });

  test("forgets what was cut off", () => {
    const made = index();
    made.cut(66_064);
    expect(made.offsetBeyond(65)).toBeUndefined();
    expect(made.pointBefore(500)).toEqual({ seq: 100, offset: 64 });
  });
});
