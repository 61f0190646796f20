// Delivery statuses: what is noted is stored before whoever asked for it goes on, and no more often than it changed.
import { expect, test } from "vitest";
import { ManualClock, region } from "../../test/sim/delivery-world.ts";
import type { StateStore } from "../state/contract.ts";
import { openMemoryState } from "../state/memory-state.ts";
import { StatusBook } from "./status-book.ts";

const usEast1 = region("us-east-1");
const stored = (nowMs: number) => ({ outcome: { kind: "stored" }, nowMs }) as const;

/** A store that counts its puts and answers them when told. */
function slow(): { state: StateStore; puts: string[]; answer: (error?: Error) => void } {
  const state = openMemoryState({ clock: new ManualClock() });
  const put = state.put.bind(state);
  const puts: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  state.put = async (key, value, expected) => {
    puts.push(key);
    const error = await new Promise<Error | undefined>((resolve) => waiting.push(resolve));
    if (error) throw error;
    return put(key, value, expected);
  };
  const answer = (error?: Error): void => {
    for (const one of waiting.splice(0)) one(error);
  };
  return { state, puts, answer };
}

test("many who wait at once store each document once, and all wait until theirs is stored", async () => {
  const { state, puts, answer } = slow();
  const book = new StatusBook(state);
  let ended = 0;
  const stores = Array.from({ length: 20 }, async (_, n) => {
    book.note("bucket", { incarnation: `t${n}`, region: usEast1 }, stored(n));
    await book.store();
    ended += 1;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect([puts.length, new Set(puts).size, ended]).toEqual([20, 20, 0]);
  answer();
  await Promise.all(stores);
  const again = new StatusBook(state);
  await again.open();
  expect(again.status("t7", usEast1).bucket.latestMs).toBe(7);
});

test("what changes while it is being stored is stored again", async () => {
  const { state, puts, answer } = slow();
  const book = new StatusBook(state);
  const of = { incarnation: "t", region: usEast1 };
  book.note("bucket", of, stored(1));
  const first = book.store();
  book.note("bucket", of, stored(2));
  const second = book.store();
  answer();
  await Promise.all([first, second]);
  expect(puts.length).toBe(2);
  const again = new StatusBook(state);
  await again.open();
  expect(again.status("t", usEast1).bucket.latestMs).toBe(2);
});

test("a store that fails is told to all who wait, and made good the next time", async () => {
  const { state, puts, answer } = slow();
  const book = new StatusBook(state);
  book.note("bucket", { incarnation: "t", region: usEast1 }, stored(1));
  const failing = Promise.allSettled([book.store(), book.store()]);
  await new Promise((resolve) => setImmediate(resolve));
  answer(new Error("The disk is full."));
  expect((await failing).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const next = book.store();
  answer();
  await next;
  expect(puts.length).toBe(2);
});
