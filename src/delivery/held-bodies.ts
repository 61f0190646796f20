// The composed files that all lanes hold in memory together. Destinations that log the same share one body: it is counted
// once, however many lanes hold it. Must not: keep a body that no lane holds.
import { assert } from "../model/assert.ts";

export class HeldBodies {
  readonly #holders = new Map<Uint8Array, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  has(body: Uint8Array): boolean {
    return this.#holders.has(body);
  }

  hold(body: Uint8Array): void {
    const holders = this.#holders.get(body) ?? 0;
    this.#holders.set(body, holders + 1);
    if (holders === 0) this.#bytes += body.length;
  }

  release(body: Uint8Array): void {
    const holders = this.#holders.get(body);
    assert(holders !== undefined, "what is released was held");
    if (holders > 1) {
      this.#holders.set(body, holders - 1);
      return;
    }
    this.#holders.delete(body);
    this.#bytes -= body.length;
  }
}
