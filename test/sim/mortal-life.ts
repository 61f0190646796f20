// A process of a simulation that may die at any call of its ports, or see it fail.
import type { seededRandom } from "./delivery-world.ts";

type Draw = Pick<ReturnType<typeof seededRandom>, "below">;

/** No answer comes after a death. */
const never = new Promise<never>(() => {});

interface Fate {
  /** The call of a mortal method that is the last one. */
  readonly dieAt: number;
  /** One call in so many fails, of methods that may. */
  readonly failEvery?: number;
  /** Something else that it does not outlive. */
  readonly isLost?: () => boolean;
}

type Effect = () => unknown;

/** One process: after its death no call of its ports has an answer, and none has an effect. */
export class MortalLife {
  #isKilled = false;
  #calls = 0;
  readonly #fate: Fate;
  readonly #draw: Draw;

  constructor(draw: Draw, fate: Fate) {
    this.#draw = draw;
    this.#fate = fate;
  }

  get isDead(): boolean {
    return this.#isKilled || this.#fate.isLost?.() === true;
  }

  /** Between two calls. */
  kill(): void {
    this.#isKilled = true;
  }

  /** The same object, whose asynchronous methods named here may fail or be the last thing the process did. */
  mortal<T extends object>(subject: T, methods: readonly (keyof T)[], mayFail: boolean): T {
    return proxied(subject, methods, (effect) => this.#call(effect, mayFail));
  }

  /** The same object, whose asynchronous methods named here have no answer and no effect after the death. */
  silenced<T extends object>(subject: T, methods: readonly (keyof T)[]): T {
    return proxied(subject, methods, (effect) => this.#whileAlive(effect));
  }

  async #call(effect: Effect, mayFail: boolean): Promise<unknown> {
    if (this.isDead) return never;
    this.#calls += 1;
    if (this.#calls === this.#fate.dieAt) {
      // It died before the call had its effect, or just after.
      if (this.#draw.below(2) === 0) void Promise.resolve(effect()).catch(() => undefined);
      this.kill();
      return never;
    }
    const fails = mayFail && this.#draw.below(this.#fate.failEvery ?? Infinity) === 0;
    if (fails && this.#draw.below(2) === 0) throw new Error("The simulated call failed without effect.");
    const result = await this.#whileAlive(effect);
    if (fails) throw new Error("The simulated call failed after its effect.");
    return result;
  }

  async #whileAlive(effect: Effect): Promise<unknown> {
    if (this.isDead) return never;
    try {
      const result = await effect();
      return this.isDead ? await never : result;
    } catch (error) {
      if (this.isDead) return never;
      throw error;
    }
  }
}

function proxied<T extends object>(
  subject: T,
  methods: readonly (keyof T)[],
  call: (effect: Effect) => Promise<unknown>,
): T {
  return new Proxy(subject, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (!methods.includes(name as keyof T)) return value.bind(target) as unknown;
      return async (...args: unknown[]) => call(() => Reflect.apply(value, target, args));
    },
  });
}
