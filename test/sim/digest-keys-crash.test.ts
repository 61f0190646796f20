// The machine goes down, or a call of the disk fails, at every step of making and of deleting digest keys: whatever was
// signed can be verified afterwards, and signing goes on.
import { describe, expect, test } from "vitest";
import {
  always,
  dayMs,
  isVerified,
  type KeyWorld,
  ohio,
  openKeyWorld,
  startMs,
} from "../../src/delivery/digest-keys.test-world.ts";
import { type FaultEffect, SimulatedDisk } from "./simulated-disk.ts";

const text = "text";
type Signed = { readonly text: string; readonly signature: string; readonly fingerprint: string };

/** Two keys are made, the first one's private part is deleted, a third is made; notes every signature given. */
async function live(world: KeyWorld, signed: Signed[], triesMax = 1): Promise<void> {
  const sign = async (endMs: number) => {
    const signing = async () => world.keys.sign(ohio, endMs, text);
    signed.push({ text, ...(await (triesMax > 1 ? signing().catch(signing) : signing())) });
  };
  await sign(startMs);
  await sign(startMs + 21 * dayMs);
  world.nowMs = startMs + 41 * dayMs;
  await world.keys.forgetExpired();
  await sign(world.nowMs);
}

/** How many calls of the disk such a life has. */
async function callsOfLife(): Promise<number> {
  const world = await openKeyWorld();
  const before = world.disk.calls();
  await live(world, []);
  return world.disk.calls() - before;
}

describe("digest keys", async () => {
  const calls = await callsOfLife();

  test("have steps to go down at", () => {
    expect(calls).toBeGreaterThan(15);
  });

  test.each(["before", "partial", "after"] as const)(
    "survive every crash %s a call's effect",
    async (effect) => {
      for (let call = 1; call <= calls; call += 1) {
        const world = await openKeyWorld(new SimulatedDisk({ seed: call }));
        const signed: Signed[] = [];
        world.disk.dieAtCall(call, effect);
        // In a deletion the failure is logged, and shows at the next call.
        await live(world, signed).catch(() => {});
        expect(world.disk.isDead).toBe(true);
        world.disk = world.disk.crash();
        await world.reopen();
        for (const one of signed) expect(isVerified(world.keys, ohio, one), `call ${call}`).toBe(true);
        await live(world, signed);
        for (const one of signed) expect(isVerified(world.keys, ohio, one), `call ${call}`).toBe(true);
        expect(world.disk.files().filter((path) => path.endsWith(".writing"))).toEqual([]);
      }
    },
  );

  test.each<FaultEffect>(["before", "partial", "after"])(
    "survive every single failure of the disk %s its effect",
    async (effect) => {
      for (let call = 1; call <= calls; call += 1) {
        const world = await openKeyWorld(new SimulatedDisk({ seed: call }));
        const signed: Signed[] = [];
        world.disk.failCall(call, effect);
        await live(world, signed, 2);
        // The pair that could not be stored is not thrown away: three keys were needed, three were made.
        expect(world.made, `call ${call}`).toBe(3);
        expect(world.keys.publicKeys(ohio, always)).toHaveLength(3);
        world.disk = world.disk.crash();
        await world.reopen();
        expect(signed).toHaveLength(3);
        for (const one of signed) expect(isVerified(world.keys, ohio, one), `call ${call}`).toBe(true);
      }
    },
  );
});
