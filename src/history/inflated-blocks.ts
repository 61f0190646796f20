// Inflated blocks within a bound of bytes: the records of one answer often lie in the same block, and are asked for together.
import { TwoAgeCache } from "./two-age-cache.ts";

export class InflatedBlocks {
  readonly #cache: TwoAgeCache<Buffer>;
  readonly #loading = new Map<number, Promise<Buffer>>();

  constructor(bytesMax: number) {
    this.#cache = new TwoAgeCache(bytesMax);
  }

  /** The block of this key; `inflate` is asked once, however many wait for it. */
  get(key: number, inflate: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#cache.get(key);
    if (known) return Promise.resolve(known);
    const running = this.#loading.get(key);
    if (running) return running;
    const loading = this.#load(key, inflate);
    this.#loading.set(key, loading);
    return loading;
  }

  async #load(key: number, inflate: () => Promise<Buffer>): Promise<Buffer> {
    try {
      const raw = await inflate();
      this.#cache.add(key, raw);
      return raw;
    } finally {
      this.#loading.delete(key);
    }
  }
}
