// A cache within a bound of bytes: what was asked for lately stays. Pure. Two ages instead of an order: when the young ones
// fill half of the room, they become the old ones, and what was old and not asked for again is forgotten.

export class TwoAgeCache<Value extends { readonly length: number }> {
  readonly #bytesMax: number;
  #young = new Map<number, Value>();
  #old = new Map<number, Value>();
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(key: number): Value | undefined {
    const young = this.#young.get(key);
    if (young) return young;
    const old = this.#old.get(key);
    if (old) this.add(key, old);
    return old;
  }

  add(key: number, value: Value): void {
    if (this.#young.has(key)) return;
    this.#young.set(key, value);
    this.#youngBytes += value.length;
    if (this.#youngBytes * 2 <= this.#bytesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
