// Rooms for bodies: lent again only when they came back, and only for bodies of their size.
import { expect, test } from "vitest";
import { BodyRooms, roomBytes } from "./body-rooms.ts";

test("a room that came back is lent again, at its full size", () => {
  const rooms = new BodyRooms();
  const first = rooms.lend(100_000);
  const second = rooms.lend(100_000);
  expect(first?.length).toBe(100_000);
  expect(second?.buffer).not.toBe(first?.buffer);
  if (first) rooms.takeBack(first);
  const third = rooms.lend(roomBytes);
  expect(third?.buffer).toBe(first?.buffer);
  expect(third?.length).toBe(roomBytes);
});

test("small and very large bodies get none, and what was not lent is not kept", () => {
  const rooms = new BodyRooms();
  for (const bytes of [0, 1_000, roomBytes + 1, Number.NaN]) expect(rooms.lend(bytes)).toBeUndefined();
  const own = Buffer.alloc(200_000);
  rooms.takeBack(own);
  rooms.takeBack(new Uint8Array(new ArrayBuffer(roomBytes), 10, 100_000));
  expect(rooms.lend(200_000)?.buffer).not.toBe(own.buffer);
});
