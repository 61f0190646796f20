// What a sink remembers of plans that it sent in part, so that the next try does not send the same again. In memory
// only, and bounded: after a crash, or beyond the bound, parts are sent twice (at least once). Pure.

/** A few hundred bytes each. */
export const plansRememberedMax = 10_000;

export class SendProgress<Progress> {
  readonly #plansMax: number;
  readonly #plans = new Map<string, Progress>();

  constructor(plansMax = plansRememberedMax) {
    this.#plansMax = plansMax;
  }

  of(planId: string): Progress | undefined {
    return this.#plans.get(planId);
  }

  /** When there is no room the plan that was noted first is forgotten. */
  note(planId: string, progress: Progress): void {
    const [first] = this.#plans.keys();
    const isFull = this.#plans.size >= this.#plansMax && !this.#plans.has(planId);
    if (isFull && first !== undefined) this.#plans.delete(first);
    this.#plans.set(planId, progress);
  }

  forget(planId: string): void {
    this.#plans.delete(planId);
  }
}
