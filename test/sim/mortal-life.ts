// A process of a simulation that may die at any call of its ports, or see it fail.
import type { seededRandom } from "./delivery-world.ts";

type Draw = Pick<ReturnType<typeof seededRandom>, "below">;

/** No answer comes after a death. */
const never = new Promise<never>(() => {});

/** One process: after its death no call of its ports has an answer, and none has an effect. */
export class MortalLife {
  isDead = false;
  #calls = 0;
  readonly #dieAt: number;
  readonly #failEvery: number;
  readonly #draw: Draw;

  constructor(draw: Draw, fate: { dieAt: number; failEvery: number }) {
    this.#draw = draw;
    this.#dieAt = fate.dieAt;
    this.#failEvery = fate.failEvery;
  }

  /** The same object, whose asynchronous methods named here may fail or be the last thing the process did. */
  mortal<T extends object>(subject: T, methods: readonly (keyof T)[], mayFail: boolean): T {
    return new Proxy(subject, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (!methods.includes(name as keyof T)) return value.bind(target) as unknown;
        return async (...args: unknown[]) => this.#call(() => Reflect.apply(value, target, args), mayFail);
      },
    });
  }

  async #call(effect: () => unknown, mayFail: boolean): Promise<unknown> {
    if (this.isDead) return never;
    this.#calls += 1;
    if (this.#calls === this.#dieAt) {
      // It died before the call had its effect, or just after.
      if (this.#draw.below(2) === 0) void Promise.resolve(effect()).catch(() => undefined);
      this.isDead = true;
      return never;
    }
    const fails = mayFail && this.#draw.below(this.#failEvery) === 0;
    if (fails && this.#draw.below(2) === 0) throw new Error("The simulated call failed without effect.");
    try {
      const result = await effect();
      if (this.isDead) return await never;
      if (fails) throw new Error("The simulated call failed after its effect.");
      return result;
    } catch (error) {
      if (this.isDead) return never;
      throw error;
    }
  }
}
