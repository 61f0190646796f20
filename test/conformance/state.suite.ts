// What every state store must do. Runs over each implementation in state.test.ts.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StateChange, StateStore } from "../../src/state/contract.ts";

export interface StateUnderTest {
  readonly open: (clock: { nowMs(): number }) => Promise<StateStore>;
  /** Absent when nothing survives a close. */
  readonly reopen?: (clock: { nowMs(): number }) => Promise<StateStore>;
}

export function stateSuite(name: string, subject: () => StateUnderTest): void {
  describe(`state: ${name}`, () => {
    let nowMs = 1_000_000;
    const clock = { nowMs: () => nowMs };
    let under: StateUnderTest;
    let store: StateStore;
    beforeEach(async () => {
      nowMs = 1_000_000;
      under = subject();
      store = await under.open(clock);
    });
    afterEach(async () => store.close());

    const stored = async (key: string) => (await store.get(key))?.value;

    test("a key that was never put is absent", async () => {
      expect(await store.get("a/b")).toBeUndefined();
      expect(await store.list("")).toEqual([]);
    });

    test("what was put is read back at once, with its version", async () => {
      const value = { text: 'ü 🦉 " \\ \n', list: [1, 2.5, -3e20, null, true], nested: { a: { b: [] } } };
      const outcome = await store.put("trail/1", value, "absent");
      expect(outcome.kind).toBe("stored");
      expect(await store.get("trail/1")).toEqual({
        key: "trail/1",
        value,
        version: outcome.kind === "stored" ? outcome.version : -1,
      });
    });

    test.each([[null], [0], [""], [false], [[]], [{}], ["x".repeat(200_000)]])(
      "stores the value %j",
      async (value) => {
        await store.put("k", value, "any");
        expect(await stored("k")).toEqual(value);
      },
    );

    test("a member without a value is not stored", async () => {
      await store.put("k", { a: 1, b: undefined }, "any");
      expect(Object.keys((await stored("k")) as object)).toEqual(["a"]);
    });

    test("a stored document does not change through the object that was put or read", async () => {
      const value = { list: [1] };
      await store.put("k", value, "any");
      value.list.push(2);
      const read = (await stored("k")) as { list: number[] };
      read.list.push(3);
      expect(await stored("k")).toEqual({ list: [1] });
    });

    test("absent, a version, and any are conditions", async () => {
      const first = await store.put("k", 1, "absent");
      if (first.kind !== "stored") throw new Error("the key was absent");
      expect(await store.put("k", 2, "absent")).toEqual({ kind: "conflict" });
      expect(await store.put("k", 2, first.version + 1)).toEqual({ kind: "conflict" });
      expect(await stored("k")).toBe(1);
      const second = await store.put("k", 2, first.version);
      if (second.kind !== "stored") throw new Error("the version was current");
      expect(second.version).toBeGreaterThan(first.version);
      expect(await store.put("k", 3, first.version)).toEqual({ kind: "conflict" });
      expect((await store.put("k", 4, "any")).kind).toBe("stored");
      expect(await store.put("nobody", 1, second.version)).toEqual({ kind: "conflict" });
      expect(await store.get("nobody")).toBeUndefined();
    });

    test("delete has the same conditions", async () => {
      const first = await store.put("k", 1, "absent");
      if (first.kind !== "stored") throw new Error("the key was absent");
      expect(await store.delete("k", first.version + 1)).toEqual({ kind: "conflict" });
      expect(await store.delete("k", "absent")).toEqual({ kind: "conflict" });
      expect(await stored("k")).toBe(1);
      expect((await store.delete("k", first.version)).kind).toBe("stored");
      expect(await store.get("k")).toBeUndefined();
      expect(await store.delete("k", first.version)).toEqual({ kind: "conflict" });
      expect((await store.delete("k", "any")).kind).toBe("stored");
    });

    test("a version is never used again, also not after a delete", async () => {
      const seen = new Set<number>();
      for (let round = 0; round < 5; round++) {
        for (const outcome of [await store.put("k", round, "any"), await store.delete("k", "any")]) {
          if (outcome.kind !== "stored") throw new Error("no condition was given");
          expect(seen.has(outcome.version)).toBe(false);
          seen.add(outcome.version);
        }
      }
    });

    test("list gives the keys of a prefix in byte order", async () => {
      const keys = [
        "trail/b",
        "trail/a/z",
        "trail/A",
        "trail/a",
        "trail/a!",
        "trailer",
        "trail/~",
        "tra",
        "trail/a/",
      ];
      for (const key of keys) await store.put(key, key, "absent");
      const listed = async (prefix: string) => (await store.list(prefix)).map((entry) => entry.key);
      const ordered = (list: readonly string[]) =>
        [...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await listed("trail/")).toEqual(ordered(keys.filter((key) => key.startsWith("trail/"))));
      expect(await listed("trail/a")).toEqual(["trail/a", "trail/a!", "trail/a/", "trail/a/z"]);
      expect(await listed("")).toEqual(ordered(keys));
      expect(await listed("x")).toEqual([]);
      expect((await store.list("tra")).map((entry) => entry.value)).toEqual(ordered(keys));
    });

    test.each([
      ["empty", ""],
      ["too long", "k".repeat(501)],
      ["a control character", "a\nb"],
      ["beyond ASCII", "trail/ü"],
    ])("a key that is %s is refused as a bug", async (_what, key) => {
      await expect(store.put(key, 1, "any")).rejects.toThrow("state key");
      await expect(store.get(key)).rejects.toThrow("state key");
      await expect(store.delete(key, "any")).rejects.toThrow("state key");
    });

    test("a key of 500 bytes is kept", async () => {
      const key = "k".repeat(500);
      await store.put(key, 1, "absent");
      expect(await stored(key)).toBe(1);
      expect((await store.list("kkk"))[0]?.key).toBe(key);
    });

    test("of many who create the same key, one wins", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => store.put("k", index, "absent")),
      );
      const winners = outcomes.flatMap((outcome, index) => (outcome.kind === "stored" ? [index] : []));
      expect(winners).toHaveLength(1);
      expect(await stored("k")).toBe(winners[0]);
    });

    test("a counter raised by compare-and-set loses no step", async () => {
      await store.put("counter", 0, "absent");
      const raise = async () => {
        for (;;) {
          const current = await store.get("counter");
          if (!current) throw new Error("the counter exists");
          const outcome = await store.put("counter", Number(current.value) + 1, current.version);
          if (outcome.kind === "stored") return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, async () => raise()));
      expect(await stored("counter")).toBe(20);
    });

    test("watch tells every committed change under the prefix, in commit order", async () => {
      const seen: StateChange[] = [];
      const stop = store.watch("a/", (change) => seen.push(change));
      const outcomes = await Promise.all([
        store.put("a/1", "one", "absent"),
        store.put("b/1", "other", "absent"),
        store.put("a/2", "two", "absent"),
        store.put("a/1", "again", "absent"),
        store.put("a/1", "more", "any"),
        store.delete("a/2", "any"),
        store.delete("a/3", "any"),
      ]);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual([
        "stored",
        "stored",
        "stored",
        "conflict",
        "stored",
        "stored",
        "stored",
      ]);
      expect(seen.map((change) => [change.key, change.stored?.value])).toEqual([
        ["a/1", "one"],
        ["a/2", "two"],
        ["a/1", "more"],
        ["a/2", undefined],
      ]);
      const versions = seen.flatMap((change) => (change.stored ? [change.stored.version] : []));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      stop();
      await store.put("a/9", 1, "any");
      expect(seen).toHaveLength(4);
    });

    test("a listener may stop itself and others while it is told", async () => {
      const seen: string[] = [];
      const stops: (() => void)[] = [];
      const listen = (name: string) =>
        store.watch("", () => {
          seen.push(name);
          for (const stop of stops) stop();
        });
      stops.push(listen("first"), listen("second"));
      await store.put("k", 1, "any");
      await store.put("k", 2, "any");
      expect(seen).toEqual(["first"]);
    });

    test("a change is visible to a read made by the listener", async () => {
      const read: unknown[] = [];
      let reading: Promise<void> = Promise.resolve();
      store.watch("k", () => {
        reading = store.get("k").then((value) => void read.push(value?.value));
      });
      await store.put("k", 7, "any");
      await reading;
      expect(read).toEqual([7]);
    });

    test("a lease excludes others until it runs out, and its token grows", async () => {
      const first = await store.lease("cutter", "one", 1000);
      expect(first?.name).toBe("cutter");
      expect(await store.lease("cutter", "two", 1000)).toBeUndefined();
      expect((await store.lease("other", "two", 1000))?.token).toBeGreaterThan(0);
      nowMs += 999;
      expect(await store.lease("cutter", "two", 1000)).toBeUndefined();
      expect(await first?.renew()).toBe(true);
      nowMs += 999;
      expect(await store.lease("cutter", "two", 1000)).toBeUndefined();
      nowMs += 1;
      const second = await store.lease("cutter", "two", 1000);
      expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
      expect(await first?.renew()).toBe(false);
      await first?.release();
      expect(await store.lease("cutter", "one", 1000)).toBeUndefined();
      expect(await second?.renew()).toBe(true);
    });

    test("a released lease is free at once, and its token still grows", async () => {
      const first = await store.lease("cutter", "one", 60_000);
      await first?.release();
      expect(await first?.renew()).toBe(false);
      const second = await store.lease("cutter", "two", 60_000);
      expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
    });

    test("a lease that ran out is lost, also when nobody took it", async () => {
      const lease = await store.lease("cutter", "one", 1000);
      nowMs += 1000;
      expect(await lease?.renew()).toBe(false);
    });

    test("the holder that asks again gets a new token, and its old one is lost", async () => {
      const first = await store.lease("cutter", "one", 1000);
      const second = await store.lease("cutter", "one", 1000);
      expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
      expect(await first?.renew()).toBe(false);
      expect(await second?.renew()).toBe(true);
    });

    test("of many who ask for a lease, one gets it", async () => {
      const leases = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => store.lease("cutter", `holder-${index}`, 1000)),
      );
      expect(leases.filter(Boolean)).toHaveLength(1);
    });

    test("a closed store writes nothing", async () => {
      await store.close();
      await expect(store.put("k", 1, "any")).rejects.toThrow("open");
    });

    test("documents, versions and lease tokens survive a close", async ({ skip }) => {
      const { reopen } = under;
      if (!reopen) {
        skip("nothing of this store survives a close");
        return;
      }
      const kept = await store.put("kept", { a: 1 }, "absent");
      await store.put("gone", 1, "absent");
      const deleted = await store.delete("gone", "any");
      const lease = await store.lease("cutter", "one", 1000);
      await store.close();
      store = await reopen(clock);
      if (kept.kind !== "stored" || deleted.kind !== "stored") throw new Error("both were stored");
      expect(await store.list("")).toEqual([{ key: "kept", value: { a: 1 }, version: kept.version }]);
      const again = await store.put("gone", 2, "absent");
      if (again.kind !== "stored") throw new Error("the key was absent");
      expect(again.version).toBeGreaterThan(deleted.version);
      expect(await store.lease("cutter", "two", 1000)).toBeUndefined();
      nowMs += 1000;
      expect((await store.lease("cutter", "two", 1000))?.token).toBeGreaterThan(lease?.token ?? Infinity);
    });
  });
}
