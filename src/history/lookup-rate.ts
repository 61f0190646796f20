// How often an account may look up in a Region: a bucket of tokens for each. No I/O; the time is an argument.

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A caller may invent accounts with auth off; the oldest are forgotten, and begin anew. */
const bucketsMax = 10_000;

export class LookupRate {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes a token of `key`, if there is one: `perSecond` come each second, and as many may be saved (one at least). */
  admit(key: string, perSecond: number, nowMs: number): boolean {
    const burst = Math.max(1, perSecond);
    const known = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const sinceMs = Math.max(0, nowMs - known.atMs);
    const tokens = Math.min(burst, known.tokens + (sinceMs * perSecond) / 1000);
    const isAdmitted = tokens >= 1;
    // Anew at the end: the first is the one that was not asked for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: isAdmitted ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > bucketsMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return isAdmitted;
  }
}
