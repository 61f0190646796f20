// Tells listeners of committed changes, in commit order, whatever order the commits are reported in.
import type { StateChange } from "./contract.ts";
import { assertPrefix } from "./state-key.ts";

interface Watcher {
  readonly prefix: string;
  readonly listener: (change: StateChange) => void;
}

/** A change that has its place in the order; it is told once it is committed and all before it are settled. */
export interface PendingChange {
  /** The write is durable: listeners may hear of it. */
  committed(): void;
  /** The write failed: nobody hears of it. */
  dropped(): void;
}

interface Entry {
  readonly key: string;
  readonly stored: () => StateChange["stored"];
  state: "pending" | "committed" | "dropped";
}

export interface Watchers {
  watch(prefix: string, listener: (change: StateChange) => void): () => void;
  /** Called in commit order, while the write is being made. `stored` is asked only when somebody watches the key. */
  expect(key: string, stored: () => StateChange["stored"]): PendingChange;
  clear(): void;
}

/** A listener must not throw: what it throws is raised as an uncaught error, not into somebody's put. */
export function openWatchers(): Watchers {
  const watchers = new Set<Watcher>();
  const queue: Entry[] = [];
  const settle = (entry: Entry, state: "committed" | "dropped") => {
    entry.state = state;
    for (let head = queue[0]; head && head.state !== "pending"; head = queue[0]) {
      queue.shift();
      if (head.state === "committed") tell(watchers, head);
    }
  };
  return {
    watch(prefix, listener) {
      assertPrefix(prefix);
      const watcher: Watcher = { prefix, listener };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    expect(key, stored) {
      const entry: Entry = { key, stored, state: "pending" };
      queue.push(entry);
      return { committed: () => settle(entry, "committed"), dropped: () => settle(entry, "dropped") };
    },
    clear() {
      watchers.clear();
    },
  };
}

function tell(watchers: ReadonlySet<Watcher>, { key, stored }: Entry): void {
  for (const watcher of [...watchers]) {
    if (!watchers.has(watcher) || !key.startsWith(watcher.prefix)) continue;
    try {
      watcher.listener({ key, stored: stored() });
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
