// Event history that dies at any call, over disks that forget and fail. In the end every durable event is found, once, in the
// right place, whatever was sealed, merged or removed on the way.
import { describe, expect, test } from "vitest";
import type { Disk } from "../../src/disk/contract.ts";
import type { HistoryPorts } from "../../src/history/ports.ts";
import type { Journal } from "../../src/journal/contract.ts";
import type { Clock } from "../../src/model/environment.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { settled } from "./delivery-world.ts";
import {
  accounts,
  HistoryWorld,
  inputOf,
  randomWanted,
  regions,
  smallLimits,
  type WantedEvents,
} from "./history-world.ts";
import { MortalLife } from "./mortal-life.ts";

const rounds = 120;
const limits = { ...smallLimits, sealRows: 15, retryMs: 100 };

/** One process with its history. */
class Life extends MortalLife {
  ports(ports: HistoryPorts): HistoryPorts {
    const { journal, state, disk, clock } = ports;
    const diskCalls = [
      "makeDirectory",
      "list",
      "create",
      "openForReading",
      "rename",
      "remove",
      "syncDirectory",
    ] as const;
    return {
      ...ports,
      journal: this.mortal<Journal>(journal, ["read", "release", "waitBeyond"], false),
      state: this.mortal<StateStore>(state, ["get", "put"], true),
      disk: this.mortal<Disk>(disk, diskCalls, true),
      clock: this.mortal<Clock>(clock, ["sleep"], false),
    };
  }
}

async function live(world: HistoryWorld, life: Life): Promise<void> {
  const history = await world.open(limits, (ports) => life.ports(ports));
  let start: "under way" | "done" | "failed" = "under way";
  void history.start().then(
    () => (start = "done"),
    () => (start = "failed"),
  );
  const state = () => start;
  for (let step = 0; state() !== "failed" && !life.isDead && step < 20; step += 1) {
    if (state() === "done" && world.draw.below(3) > 0) await world.append(1 + world.draw.below(12));
    else await world.clock.advance(world.draw.below(500));
    if (world.draw.below(3) === 0) await settled();
  }
  life.kill();
}

async function foundBy(world: HistoryWorld, wanted: WantedEvents): Promise<string[]> {
  const lookup = await world.lookup();
  const found: string[] = [];
  let token: string | undefined;
  do {
    const answer = await lookup(
      { ...inputOf(wanted), ...(token !== undefined && { NextToken: token }) },
      wanted,
    );
    for (const event of answer.Events ?? []) found.push(String(event.CloudTrailEvent));
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}

async function checkAll(world: HistoryWorld, what: string): Promise<void> {
  for (const account of accounts) {
    for (const region of regions) {
      for (const isInsight of [false, true]) {
        const wanted = { account, region, isInsight };
        expect(await foundBy(world, wanted), `${what} ${JSON.stringify(wanted)}`).toEqual(
          world.expected(wanted),
        );
      }
    }
  }
  for (let count = 0; count < 10; count += 1) {
    const wanted = randomWanted(world);
    expect(await foundBy(world, wanted), `${what} ${JSON.stringify(wanted)}`).toEqual(world.expected(wanted));
  }
}

describe("event history that dies at any call", () => {
  const seen = { deaths: 0, sealed: 0, merges: 0, trimmed: 0, events: 0, faults: 0 };

  test.each(Array.from({ length: rounds }, (_, at) => at + 1))("seed %i", async (seed) => {
    const world = new HistoryWorld(seed);
    const { draw } = world;
    const lives = 1 + draw.below(6);
    for (let count = 0; count < lives; count += 1) {
      const fate = { dieAt: 1 + draw.below(150), failEvery: 8 + draw.below(60) };
      await live(world, new Life(draw, fate));
      seen.sealed += world.historyDisk.calls("rename");
      seen.trimmed += world.journalDisk.calls("remove");
      world.historyDisk = world.historyDisk.crash();
      world.journalDisk = world.journalDisk.crash();
      seen.deaths += 1;
      await settled();
    }
    const history = await world.open(limits);
    await history.start();
    await checkAll(world, `seed ${seed}`);
    await world.append(60);
    await world.clock.advance(5_000);
    await checkAll(world, `seed ${seed}, later`);
    expect(history.health(), `seed ${seed}`).toEqual({ ok: true });
    seen.merges += world.metrics.totals.get("history_merges_total") ?? 0;
    seen.faults += world.log.of("error").length;
    seen.events += world.kept.length;
    const stopped = history.stop();
    await world.clock.advance(5_000);
    await stopped;
  });

  test("has met everything it is there for", () => {
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(rounds / 5);
  });
});
