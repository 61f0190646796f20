// Digest chains that die between any two steps: at every call of the disk under their state, before and after every put,
// over disks that forget and calls that fail, while trails start, stop and move, buckets refuse, hang and take effect
// late, and the clock is set. At the end every chain in the buckets is whole, and every log file that was decided while
// validation was on is named in exactly one digest.
import { describe, expect, test } from "vitest";
import type { BucketStore } from "../../src/bucket/contract.ts";
import type { Clock } from "../../src/model/environment.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { type Answer, seededRandom, settled } from "./delivery-world.ts";
import { DigestWorld, type Process, TwoKeys } from "./digest-world.ts";
import { openDiskState } from "./disk-state.ts";
import { MortalLife } from "./mortal-life.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const rounds = 120;
const keys = new TwoKeys();
const incarnations = ["a", "b"];
const corners = [{}, { region: "eu-west-1" }, { account: "444455556666" }];
const options = { digestIntervalMs: 20_000, putTimeoutMs: 3_000 };
const limits = {
  ...{ tickMsMax: 1_000, filesMax: 3, windowsMax: 10, writesAtOnceMax: 2, appendMsMax: 2_000 },
  ...{ putsMax: 4, putsPerLaneMax: 2, probesMax: 2, retryFirstMs: 1_000, retryMsMax: 8_000 },
};

class Simulation {
  readonly world = new DigestWorld(keys, { options, limits });
  readonly seen = { deaths: 0, diskDeaths: 0, takenUp: 0, clockSteps: 0 };
  disk: SimulatedDisk;
  notesLeft = -1;
  readonly #draw: ReturnType<typeof seededRandom>;
  readonly #versions = { last: 0 };
  #mood = 0;

  constructor(seed: number) {
    this.#draw = seededRandom(seed);
    this.disk = new SimulatedDisk({ seed });
    this.world.removalMsMax = this.#draw.below(3) * 2_000;
    for (const name of incarnations) {
      this.#move(name);
      this.world.places.start(name);
    }
    this.world.bucket.answer = () => this.#answer();
  }

  async run(): Promise<void> {
    const lives = 2 + this.#draw.below(5);
    for (let count = 0; count < lives; count += 1) {
      await this.#live();
      this.disk = this.#draw.below(2) === 0 ? this.disk.crash() : this.disk.restart();
      await settled();
      if (this.#draw.below(3) === 0) await this.world.clock.advance(this.#draw.below(90_000));
    }
    const life = this.#life();
    const state = await this.#openState(life);
    await this.world.start({ state });
    await this.world.finish();
    this.notesLeft = (await state.list("delivery/evidence/")).length;
  }

  /** It dies with its disk, or at a put. */
  #life(): MortalLife {
    const { disk } = this;
    return new MortalLife(this.#draw, { dieAt: 1 + this.#draw.below(60), isLost: () => disk.isDead });
  }

  /** Works until death, or for a while and is then killed between two calls. */
  async #live(): Promise<void> {
    const life = this.#life();
    this.disk.dieAtCall(1 + this.#draw.below(900));
    const failEvery = 20 + this.#draw.below(200);
    for (let nth = this.#draw.below(failEvery); nth < 900; nth += 1 + this.#draw.below(2 * failEvery)) {
      this.disk.failCall(nth, (["before", "partial", "after"] as const)[this.#draw.below(3)] ?? "before");
    }
    let process: Process | undefined;
    const start = { hasFailed: false };
    // A start may fail by a simulated error: the process ends, as the server would.
    void this.#start(life).then(
      (started) => (process = started),
      () => (start.hasFailed = true),
    );
    for (let step = 0; !start.hasFailed && !life.isDead && step < 60; step += 1) {
      if (process) await this.#step();
      else await settled();
    }
    this.seen.deaths += 1;
    if (this.disk.isDead) this.seen.diskDeaths += 1;
    life.kill();
    process?.kill();
  }

  async #start(life: MortalLife): Promise<Process> {
    const { world } = this;
    const state = await this.#openState(life);
    const plans = world.plans.size;
    const process = await world.start({
      state,
      bucket: life.mortal(world.bucket as unknown as BucketStore, ["put"], false),
      clock: life.silenced<Clock>(world.clock, ["sleep"]),
      isDead: () => life.isDead,
    });
    this.seen.takenUp += plans - world.plans.size;
    return process;
  }

  async #openState(life: MortalLife): Promise<StateStore> {
    const coin = (): boolean => this.#draw.below(2) === 0;
    const state = await openDiskState(this.disk, { versions: this.#versions, coin });
    return life.silenced(state, ["get", "list", "put", "delete"]);
  }

  async #step(): Promise<void> {
    const { world } = this;
    const { places, clock } = world;
    const name = incarnations[this.#draw.below(incarnations.length)] ?? "a";
    const what = this.#draw.below(30);
    if (what < 13) this.#decide(name);
    else if (what < 22) await clock.advance(this.#draw.below(15_000));
    else if (what < 24) places.stop(name);
    else if (what < 26) places.start(name);
    else if (what < 27) this.#move(name);
    else if (what < 28) this.#mood = this.#draw.below(4);
    else if (what < 29) world.bucket.landLate();
    else if (this.#draw.below(3) === 0) {
      this.seen.clockSteps += 1;
      clock.setBy(this.#draw.below(120_000) - 60_000);
    }
    if (this.#draw.below(4) > 0) await settled();
  }

  #decide(name: string): void {
    const corner = corners[this.#draw.below(corners.length)];
    for (let count = 1 + this.#draw.below(3); count > 0; count -= 1) {
      const afterMs = this.#draw.below(4) === 0 ? this.#draw.below(40_000) : this.#draw.below(2_000);
      this.world.decide(name, { ...corner, afterMs });
    }
  }

  #move(name: string): void {
    const keyPrefix = this.#draw.below(2) === 0 ? "p" : "q";
    this.world.places.set(name, { bucket: `bucket-${this.#draw.below(3)}`, keyPrefix });
  }

  #answer(): Answer {
    const moods: readonly (readonly Answer[])[] = [
      ["store"],
      ["store", "store", { refuse: "AccessDenied" }, "lose"],
      [{ refuse: "NoSuchBucket" }],
      ["hang", "late", "lose", { refuse: "AccessDenied" }],
    ];
    const mood = moods[this.#mood] ?? [];
    return mood[this.#draw.below(mood.length)] ?? "store";
  }
}

async function check(seed: number): Promise<Simulation> {
  const simulation = new Simulation(seed);
  await simulation.run();
  const { world } = simulation;
  world.check(`seed ${seed}`);
  expect(simulation.notesLeft, `seed ${seed}`).toBe(0);
  return simulation;
}

describe("digest chains that die at any call", () => {
  const seen: Record<string, number> = {
    ...{ deaths: 0, diskDeaths: 0, takenUp: 0, clockSteps: 0 },
    ...{ digests: 0, starting: 0, named: 0, refused: 0, unanswered: 0, faults: 0, moved: 0 },
  };
  const add = (what: string, count: number): void => {
    seen[what] = (seen[what] ?? 0) + count;
  };

  test.each(Array.from({ length: rounds }, (_, at) => at + 1))("seed %i", async (seed) => {
    const { world, seen: own } = await check(seed);
    for (const [what, count] of Object.entries(own)) add(what, count);
    const all = incarnations.flatMap((name) => corners.flatMap((corner) => world.chain(name, corner)));
    add("digests", all.length);
    add("starting", all.filter((digest) => digest.previousDigestS3Object === null).length);
    add("named", all.flatMap(({ logFiles }) => logFiles).length);
    add("refused", world.metrics.totals.get("digest_failures_total AccessDenied") ?? 0);
    add("unanswered", world.metrics.totals.get("digest_failures_total no-answer") ?? 0);
    add("faults", world.log.of("error").length);
    add("moved", world.log.lines.filter(({ message }) => message.includes("follows its trail")).length);
  });

  test("has met everything it is there for", () => {
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(rounds / 4);
  });
});
