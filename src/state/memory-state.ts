// A state store in memory, for tests: same rules as the durable one, gone with the process.
import { assert } from "../model/assert.ts";
import type { Clock } from "../model/environment.ts";
import type { Expected, Json, Lease, StateStore, StoredValue, WriteOutcome } from "./contract.ts";
import { grantLease, type LeaseRecord, releaseLease, renewLease } from "./lease-record.ts";
import { assertKey, assertPrefix, encodeValue } from "./state-key.ts";
import { openWatchers } from "./watchers.ts";

interface Entry {
  readonly text: string;
  readonly version: number;
}

/** An empty store. Values are kept as JSON text: nobody can change a stored document through a reference. */
export function openMemoryState(options: { readonly clock: Pick<Clock, "nowMs"> }): StateStore {
  const { clock } = options;
  const entries = new Map<string, Entry>();
  const leases = new Map<string, LeaseRecord>();
  const watchers = openWatchers();
  let lastVersion = 0;
  let isOpen = true;

  const write = async (key: string, text: string | undefined, expected: Expected): Promise<WriteOutcome> => {
    assertKey(key);
    assert(isOpen, "the state store is open");
    const current = entries.get(key);
    if (expected !== "any" && (current?.version ?? "absent") !== expected) return { kind: "conflict" };
    const version = ++lastVersion;
    if (text === undefined) entries.delete(key);
    else entries.set(key, { text, version });
    if (text !== undefined || current) {
      watchers
        .expect(key, () => (text === undefined ? undefined : stored(key, { text, version })))
        .committed();
    }
    return { kind: "stored", version };
  };

  const lease = async (name: string, holder: string, ttlMs: number): Promise<Lease | undefined> => {
    assertKey(name);
    const granted = grantLease(leases.get(name), { holder, ttlMs, nowMs: clock.nowMs() });
    if (!granted) return undefined;
    leases.set(name, granted);
    const { token } = granted;
    return {
      name,
      token,
      async renew() {
        const renewed = renewLease(leases.get(name), { token, ttlMs, nowMs: clock.nowMs() });
        if (renewed) leases.set(name, renewed);
        return renewed !== undefined;
      },
      async release() {
        const released = releaseLease(leases.get(name), token);
        if (released) leases.set(name, released);
      },
    };
  };

  return {
    async get(key) {
      assertKey(key);
      const entry = entries.get(key);
      return entry && stored(key, entry);
    },
    async list(prefix) {
      assertPrefix(prefix);
      // Keys are ASCII: the order of UTF-16 units is the byte order.
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
      return keys.flatMap((key) => {
        const entry = entries.get(key);
        return entry ? [stored(key, entry)] : [];
      });
    },
    put: async (key, value, expected) => write(key, encodeValue(key, value), expected),
    delete: async (key, expected) => write(key, undefined, expected),
    watch: (prefix, listener) => watchers.watch(prefix, listener),
    lease,
    async close() {
      isOpen = false;
      watchers.clear();
    },
  };
}

function stored(key: string, entry: Entry): StoredValue {
  const value: Json = JSON.parse(entry.text);
  return { key, value, version: entry.version };
}
