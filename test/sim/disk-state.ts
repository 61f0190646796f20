// A state store over the simulated disk, for crash tests: one file per key, written atomically. What a crash leaves is
// what the disk leaves, so every write of the state is several places to die at.
//
// A write that fails is settled at once, by a coin: the old value or the new one stands, now and after a crash, as the
// contract says. A disk on which not even that works has broken the store: everything throws until the next start.
import { join } from "node:path/posix";
import type { Expected, Json, StateStore, StoredValue, WriteOutcome } from "../../src/state/contract.ts";
import { temporarySuffix, writeAtomically } from "../../src/disk/write-atomically.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

const folder = "/state";

/** `versions` outlives restarts: a version is never used twice. */
export async function openDiskState(
  disk: SimulatedDisk,
  world: { readonly versions: { last: number }; readonly coin: () => boolean },
): Promise<StateStore> {
  await disk.makeDirectory(folder);
  // A process that was killed may have left names that are there and not durable: nothing is read before it is.
  await disk.syncDirectory(folder);
  const values = new Map<string, StoredValue>();
  for (const name of await disk.list(folder)) {
    if (name.endsWith(temporarySuffix)) continue;
    const bytes = await disk.readWhole(join(folder, name));
    const value = JSON.parse(Buffer.from(bytes ?? []).toString()) as StoredValue;
    values.set(value.key, value);
  }
  let isBroken = false;
  let turn: Promise<unknown> = Promise.resolve();

  const toDisk = async (key: string, stored: StoredValue | undefined): Promise<void> => {
    const path = join(folder, encodeURIComponent(key));
    if (stored) return writeAtomically(disk, path, Buffer.from(JSON.stringify(stored)));
    await disk.remove(path);
    await disk.syncDirectory(folder);
  };
  const take = (key: string, stored: StoredValue | undefined): void => {
    if (stored) values.set(key, stored);
    else values.delete(key);
  };
  const write = async (key: string, value: Json | undefined, expected: Expected): Promise<WriteOutcome> => {
    if (isBroken) throw new Error("The simulated store is broken.");
    const before = values.get(key);
    if (expected !== "any" && (before?.version ?? "absent") !== expected) return { kind: "conflict" };
    world.versions.last += 1;
    const version = world.versions.last;
    const stored = value === undefined ? undefined : { key, value, version };
    try {
      await toDisk(key, stored);
    } catch (error) {
      const kept = world.coin() ? stored : before;
      isBroken = true;
      await toDisk(key, kept);
      isBroken = false;
      take(key, kept);
      throw error;
    }
    take(key, stored);
    return { kind: "stored", version };
  };
  const inTurn = async (work: () => Promise<WriteOutcome>): Promise<WriteOutcome> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const readable = (): void => {
    if (isBroken || disk.isDead) throw new Error("The simulated store is broken.");
  };

  return {
    async get(key) {
      readable();
      return values.get(key);
    },
    async list(prefix) {
      readable();
      const keys = [...values.keys()].filter((key) => key.startsWith(prefix)).sort();
      return keys.flatMap((key) => values.get(key) ?? []);
    },
    put: async (key, value, expected) =>
      inTurn(async () => write(key, JSON.parse(JSON.stringify(value)) as Json, expected)),
    delete: async (key, expected) => inTurn(async () => write(key, undefined, expected)),
    watch: () => () => undefined,
    lease: async () => undefined,
    async close() {},
  };
}
