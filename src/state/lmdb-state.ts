// The state store of one machine: an LMDB environment in a directory of its own. One process opens it at a time.
//
// Layout: database `documents` holds key → `{version} {JSON text}`; database `meta` holds `last-version` (the one
// counter all versions come from, so that a version is never used twice, also not after a delete) and
// `lease/{name}` → `{token} {expiresMs} {holder}`.
// Invariants: a write, its check and the counter are one LMDB transaction. `overlappingSync` is off: a transaction
// becomes visible, and its promise resolves, only after its pages and its meta page are synced. LMDB never
// overwrites a live page, so a crash leaves the last synced transaction and needs no recovery.
import { open as openFile } from "node:fs/promises";
import { dirname } from "node:path";
import { open, type Database, type RootDatabase } from "lmdb";
import { assert } from "../model/assert.ts";
import type { Clock } from "../model/environment.ts";
import type { Expected, Json, Lease, StateStore, StoredValue, WriteOutcome } from "./contract.ts";
import { grantLease, type LeaseRecord, releaseLease, renewLease } from "./lease-record.ts";
import { assertKey, assertPrefix, encodeValue } from "./state-key.ts";
import { openWatchers, type PendingChange } from "./watchers.ts";

export interface LmdbStateOptions {
  /** Made when it does not exist. */
  readonly directory: string;
  /** For leases only. */
  readonly clock: Pick<Clock, "nowMs">;
}

/** Opens the store; throws an Error that names the directory when it cannot be opened. */
export async function openLmdbState(options: LmdbStateOptions): Promise<StateStore> {
  const { directory, clock } = options;
  const environment = await openEnvironment(directory);
  const tables: Tables = {
    environment,
    documents: environment.openDB<string, string>("documents", { encoding: "string" }),
    meta: environment.openDB<string, string>("meta", { encoding: "string" }),
  };
  const watchers = openWatchers();
  let isOpen = true;

  const write = async (key: string, text: string | undefined, expected: Expected): Promise<WriteOutcome> => {
    assertKey(key);
    assert(isOpen, "the state store is open");
    let pending: PendingChange | undefined;
    const announce = (stored: () => StoredValue | undefined) => {
      pending = watchers.expect(key, stored);
    };
    try {
      const outcome = await committed(environment, () =>
        writeInTransaction(tables, { key, text, expected, announce }),
      );
      pending?.committed();
      return outcome;
    } catch (error) {
      pending?.dropped();
      throw new Error(`The state store could not write ${key}.`, { cause: error });
    }
  };

  return {
    async get(key) {
      assertKey(key);
      assert(isOpen, "the state store is open");
      const text = tables.documents.get(key);
      return text === undefined ? undefined : decode(key, text);
    },
    async list(prefix) {
      assertPrefix(prefix);
      assert(isOpen, "the state store is open");
      // Keys are printable ASCII: 0x7f comes after every key that begins with the prefix.
      const range = tables.documents.getRange({ start: prefix, end: `${prefix}\x7f` });
      return [...range].map(({ key, value }) => decode(key, value));
    },
    put: async (key, value, expected) => write(key, encodeValue(key, value), expected),
    delete: async (key, expected) => write(key, undefined, expected),
    watch: (prefix, listener) => watchers.watch(prefix, listener),
    lease: async (name, holder, ttlMs) => takeLease({ tables, clock, name }, { holder, ttlMs }),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      watchers.clear();
      await environment.close();
    },
  };
}

interface Tables {
  readonly environment: RootDatabase<string, string>;
  readonly documents: Database<string, string>;
  readonly meta: Database<string, string>;
}

async function openEnvironment(directory: string): Promise<RootDatabase<string, string>> {
  try {
    // A directory name with a dot would otherwise be taken for a file name. Batching by event turn makes a promise that
    // nobody holds: when its commit fails (a full disk), the rejection would end the process.
    const options = {
      ...{ path: directory, noSubdir: false, maxDbs: 4 },
      ...{ overlappingSync: false, eventTurnBatching: false },
    };
    const environment = open<string, string>(options);
    // LMDB syncs what is in its files, not that the files are there.
    await syncDirectory(directory);
    await syncDirectory(dirname(directory));
    return environment;
  } catch (error) {
    throw new Error(`The state store in ${directory} cannot be opened.`, { cause: error });
  }
}

/** Runs `work` in a write transaction and resolves when it is on disk; rejects with the reason of a failed commit. */
async function committed<T>(environment: RootDatabase<string, string>, work: () => T): Promise<T> {
  try {
    return await environment.transaction(work);
  } catch (error) {
    throw await commitFailure(error);
  }
}

/** lmdb gives the reason of a failed commit by a second promise, whose rejection somebody has to take. */
async function commitFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (reason) {
    return reason;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await openFile(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Write {
  readonly key: string;
  /** JSON text, or undefined to delete. */
  readonly text: string | undefined;
  readonly expected: Expected;
  readonly announce: (stored: () => StoredValue | undefined) => void;
}

/** Runs inside a transaction that others may share: it decides first and must not throw after its first write. */
function writeInTransaction(tables: Tables, write: Write): WriteOutcome {
  const { key, text, expected, announce } = write;
  const currentText = tables.documents.get(key);
  const current = currentText === undefined ? "absent" : versionOf(key, currentText);
  if (expected !== "any" && current !== expected) return { kind: "conflict" };
  const version = readLastVersion(tables) + 1;
  tables.meta.putSync("last-version", String(version));
  if (text === undefined) tables.documents.removeSync(key);
  else tables.documents.putSync(key, `${version} ${text}`);
  if (text !== undefined || current !== "absent") {
    announce(() => (text === undefined ? undefined : decode(key, `${version} ${text}`)));
  }
  return { kind: "stored", version };
}

function readLastVersion(tables: Tables): number {
  const text = tables.meta.get("last-version");
  if (text === undefined) return 0;
  const version = Number(text);
  if (!Number.isSafeInteger(version))
    throw new Error(`The state store is damaged: last version is "${text}".`);
  return version;
}

function versionOf(key: string, text: string): number {
  const space = text.indexOf(" ");
  const version = Number(text.slice(0, space));
  if (space < 1 || !Number.isSafeInteger(version)) throw damaged(key);
  return version;
}

function decode(key: string, text: string): StoredValue {
  const version = versionOf(key, text);
  try {
    const value: Json = JSON.parse(text.slice(text.indexOf(" ") + 1));
    return { key, value, version };
  } catch (error) {
    throw damaged(key, error);
  }
}

function damaged(key: string, cause?: unknown): Error {
  return new Error(`The state store is damaged: the document ${key} cannot be read.`, { cause });
}

interface LeasePlace {
  readonly tables: Tables;
  readonly clock: Pick<Clock, "nowMs">;
  readonly name: string;
}

async function takeLease(
  place: LeasePlace,
  request: { readonly holder: string; readonly ttlMs: number },
): Promise<Lease | undefined> {
  const { clock, name } = place;
  const { holder, ttlMs } = request;
  assertKey(name);
  const granted = await changeLease(place, (current) =>
    grantLease(current, { holder, ttlMs, nowMs: clock.nowMs() }),
  );
  if (!granted) return undefined;
  const { token } = granted;
  return {
    name,
    token,
    async renew() {
      const renewed = await changeLease(place, (current) =>
        renewLease(current, { token, ttlMs, nowMs: clock.nowMs() }),
      );
      return renewed !== undefined;
    },
    async release() {
      await changeLease(place, (current) => releaseLease(current, token));
    },
  };
}

async function changeLease(
  place: LeasePlace,
  change: (current: LeaseRecord | undefined) => LeaseRecord | undefined,
): Promise<LeaseRecord | undefined> {
  const { environment, meta } = place.tables;
  const key = `lease/${place.name}`;
  return committed(environment, () => {
    const text = meta.get(key);
    const next = change(text === undefined ? undefined : decodeLease(key, text));
    if (next) meta.putSync(key, `${next.token} ${next.expiresMs} ${next.holder}`);
    return next;
  });
}

function decodeLease(key: string, text: string): LeaseRecord {
  const [, token = "", expires = "", holder = ""] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? [];
  if (token === "") throw damaged(key);
  return { token: Number(token), expiresMs: Number(expires), holder };
}
