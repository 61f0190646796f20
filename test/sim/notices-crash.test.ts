// The notifier dies at any call of the state store or a topic, over a store that fails and topics that refuse, hang and
// lose answers, while trails move from topic to topic. At the end every delivered file was announced.
import { expect, test } from "vitest";
import type { Services } from "../../src/aws/contract.ts";
import type { DeliveredFile } from "../../src/delivery/delivered-file.ts";
import {
  type NoticeProcess,
  NoticeWorld,
  type TopicAnswer,
  topic,
} from "../../src/delivery/notices.test-world.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { seededRandom, settled } from "./delivery-world.ts";
import { MortalLife } from "./mortal-life.ts";

const rounds = 100;
const trails = ["a", "b", "c"];
type Draw = ReturnType<typeof seededRandom>;

class Simulation {
  readonly draw: Draw;
  readonly world = new NoticeWorld({ publishesPerLaneMax: 2, probesMax: 2 });
  /** Stored plans of files that are in their bucket. They outlive a process and go once the notifier heard of them. */
  readonly plans: DeliveredFile[] = [];
  readonly files: DeliveredFile[] = [];
  deaths = 0;
  severalKeys = 0;

  constructor(seed: number) {
    this.draw = seededRandom(seed);
    for (const name of trails) this.world.trail(name);
    this.world.topics.answer = () => this.#answer();
  }

  async run(): Promise<void> {
    const lives = 2 + this.draw.below(4);
    for (let count = 0; count < lives; count += 1) {
      await this.#live(new MortalLife(this.draw, { dieAt: 1 + this.draw.below(120), failEvery: 25 }));
      this.deaths += 1;
      await settled();
    }
    this.world.topics.answer = () => "take";
    const last = await this.world.start();
    for (const plan of this.plans.splice(0))
      if (!last.notifier.isNoted(plan.planId)) await last.notifier.delivered(plan);
    await this.world.clock.until("nothing waits", () => last.notifier.counts.waiting === 0);
    await last.stop();
    this.severalKeys = this.world.topics.taken.filter(({ keys }) => keys.length > 1).length;
  }

  async #live(life: MortalLife): Promise<void> {
    const process = await this.#start(life);
    if (!process) return;
    await this.#takeUp(process, life);
    for (let step = 0; step < 60 && !life.isDead; step += 1) {
      const kind = this.draw.below(10);
      if (kind < 5) await this.#deliver(process, life);
      else if (kind < 8) await this.world.clock.advance(1 + this.draw.below(20_000));
      else if (kind === 8) this.#moveTrail();
      else await this.world.clock.advance(120_000);
    }
    // Killed between two calls, if it still lived.
    life.kill();
  }

  async #start(life: MortalLife): Promise<NoticeProcess | undefined> {
    let process: NoticeProcess | undefined;
    // A start may fail by a simulated error: the process ends, as the server would.
    void this.world.start({ state: this.#state(life), services: this.#services(life) }).then(
      (started) => (process = started),
      () => life.kill(),
    );
    await settled();
    return process;
  }

  /** As delivery does at its start: what was noted is in its bucket and only the plan is left. */
  async #takeUp({ notifier }: NoticeProcess, life: MortalLife): Promise<void> {
    for (const plan of [...this.plans]) {
      if (notifier.isNoted(plan.planId)) this.plans.splice(this.plans.indexOf(plan), 1);
      else await this.#tell(notifier, plan, life);
    }
  }

  async #deliver({ notifier }: NoticeProcess, life: MortalLife): Promise<void> {
    const file = this.world.file(trails[this.draw.below(trails.length)] ?? "a");
    this.files.push(file);
    this.plans.push(file);
    await this.#tell(notifier, file, life);
  }

  /** As the writer does: again until it is noted. The plan goes then, or the process dies before. */
  async #tell(notifier: NoticeProcess["notifier"], plan: DeliveredFile, life: MortalLife): Promise<void> {
    let isNoted = false;
    const telling = (async () => {
      while (!isNoted && !life.isDead) {
        try {
          await notifier.delivered(plan);
          isNoted = true;
        } catch {
          // The simulated store failed; the file is delivered again.
        }
      }
    })();
    await Promise.race([telling, settled()]);
    if (isNoted && this.draw.below(10) > 0) this.plans.splice(this.plans.indexOf(plan), 1);
  }

  #moveTrail(): void {
    const name = trails[this.draw.below(trails.length)] ?? "a";
    this.world.trail(name, topic(`${name}-${this.draw.below(2)}`));
  }

  #answer(): TopicAnswer {
    const answers: readonly TopicAnswer[] = ["take", "take", "lose", "hang", { refuse: "Throttled" }];
    return answers[this.draw.below(answers.length)] ?? "take";
  }

  #state(life: MortalLife): StateStore {
    return life.mortal(life.mortal(this.world.state, ["list"], false), ["put", "delete"], true);
  }

  #services(life: MortalLife): Services {
    return { topics: life.mortal(this.world.topics, ["publish"], true), close: () => undefined };
  }
}

test(`${rounds} lives and deaths: every delivered file is announced, and nothing else`, async () => {
  const seen = { deaths: 0, files: 0, severalKeys: 0, announcedTwice: 0 };
  for (let seed = 1; seed <= rounds; seed += 1) {
    const simulation = new Simulation(seed);
    await simulation.run();
    const announced = simulation.world.topics.taken.flatMap(({ keys }) => keys);
    const expected = new Set(simulation.files.map(({ key }) => key));
    expect(new Set(announced), `seed ${seed}`).toEqual(expected);
    expect(await simulation.world.stored(), `seed ${seed}`).toEqual([]);
    const losses = simulation.world.log.lines.filter(({ fields }) => "reason" in fields);
    expect(losses, `seed ${seed}`).toEqual([]);
    seen.deaths += simulation.deaths;
    seen.files += simulation.files.length;
    seen.severalKeys += simulation.severalKeys;
    seen.announcedTwice += announced.length - expected.size;
  }
  // A check that looked at nothing fails.
  expect(seen.deaths).toBeGreaterThan(2 * rounds);
  expect(seen.files).toBeGreaterThan(10 * rounds);
  expect(seen.severalKeys).toBeGreaterThan(rounds);
  expect(seen.announcedTwice).toBeGreaterThan(rounds);
}, 120_000);
