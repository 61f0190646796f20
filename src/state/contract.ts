// Resources and positions: single-key compare-and-set, watch, and a fenced lease. Types only.
// Nothing needs two keys at once. A put resolves after its sync. Values are JSON documents.
// Keys are '/'-separated, 1-500 bytes of printable ASCII.

/** Parsed JSON as stored; the caller parses it into its own type. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export interface StoredValue {
  readonly key: string;
  readonly value: Json;
  /** Grows with every put of this key; never reused, also not after a delete. */
  readonly version: number;
}

/** `absent`: the key must not exist. `any`: no condition. A number: the version that must be current. */
export type Expected = "absent" | "any" | number;

export type WriteOutcome =
  | { readonly kind: "stored"; readonly version: number }
  | { readonly kind: "conflict" };

export interface StateChange {
  readonly key: string;
  /** Undefined when the key was deleted. */
  readonly stored: StoredValue | undefined;
}

export interface Lease {
  readonly name: string;
  /** Grows with every grant of this name: a writer with an older token has lost the lease. */
  readonly token: number;
  /** Extends the lease; false when it was lost. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface StateStore {
  get(key: string): Promise<StoredValue | undefined>;
  /** Keys that begin with `prefix`, in byte order. */
  list(prefix: string): Promise<readonly StoredValue[]>;
  put(key: string, value: Json, expected: Expected): Promise<WriteOutcome>;
  delete(key: string, expected: Expected): Promise<WriteOutcome>;
  /** Calls `listener` after every committed change under `prefix`, in commit order; returns the way to stop it. */
  watch(prefix: string, listener: (change: StateChange) => void): () => void;
  /** Undefined while somebody else holds the lease and it has not run out. */
  lease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  close(): Promise<void>;
}
