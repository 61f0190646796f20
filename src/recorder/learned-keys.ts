// Whose the keys are that passing answers handed out: in memory for every call, in the state store for the next start.
// Holds no secrets. Bounded: the oldest sessions go first, then the oldest keys of users.
import { isObject, type JsonObject } from "../model/json.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import type { Clock, Log } from "../model/environment.ts";
import type { Json, StateStore } from "../state/contract.ts";
import type { KeyOwner } from "./issued-identity.ts";

export interface LearnedKeys {
  /** Takes what a client sent. */
  find(accessKeyId: string): KeyOwner | undefined;
  /** A user by name, whatever its keys. */
  findUser(account: AccountId, userName: string): KeyOwner | undefined;
  keepUser(user: { readonly account: AccountId; readonly userName: string }, owner: KeyOwner): void;
  forgetUser(account: AccountId, userName: string): void;
  /** `expiresMs` is absent for keys that stay until they are deleted. */
  keep(accessKeyId: string, owner: KeyOwner, expiresMs: number | undefined): void;
  forget(accessKeyId: string): void;
  /** Resolves when everything kept until now is in the store. */
  settled(): Promise<void>;
}

export interface LearnedKeysParts {
  readonly state: Pick<StateStore, "list" | "put" | "delete">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
  /** So many sessions, and so many keys of users. */
  readonly keysMax?: number;
}

const keysMaxDefault = 20_000;
const prefix = "recorder/keys/";
const keyForm = /^[\w-]{3,128}$/;
/** Users stand beside the keys, under names that no key has. */
const userEntry = (account: AccountId, userName: string) => `user.${account}.${userName}`;
const entryForm = /^user\.\d{12}\.[\w+=,.@-]{1,64}$/;
/** Services may take a session a little longer than it says; and clocks differ. */
const graceMs = 5 * 60_000;
const writesAtOnceMax = 32;
/** At each new key so many of the oldest sessions are looked at. */
const staleLooksMax = 4;

interface Known {
  readonly owner: KeyOwner;
  readonly expiresMs?: number;
}

/** Reads what earlier runs learned; what has ended since is removed. */
export async function openLearnedKeys(parts: LearnedKeysParts): Promise<LearnedKeys> {
  const keys = new BoundedKeys(parts);
  const stored = (await parts.state.list(prefix)).map(({ key, value }) => ({
    entry: key.slice(prefix.length),
    known: parseKnown(value),
  }));
  // What ends first began first, or nearly so.
  stored.sort((a, b) => (a.known?.expiresMs ?? 0) - (b.known?.expiresMs ?? 0));
  for (const { entry, known } of stored) keys.restore(entry, known);
  return keys;
}

class BoundedKeys implements LearnedKeys {
  readonly #parts: LearnedKeysParts;
  readonly #keysMax: number;
  /** Both oldest first. */
  readonly #sessions = new Map<string, Known>();
  readonly #lasting = new Map<string, Known>();
  readonly #writer: KeyWriter;

  constructor(parts: LearnedKeysParts) {
    this.#parts = parts;
    this.#keysMax = parts.keysMax ?? keysMaxDefault;
    this.#writer = new KeyWriter(parts);
  }

  find(accessKeyId: string): KeyOwner | undefined {
    return keyForm.test(accessKeyId) ? this.#owner(accessKeyId) : undefined;
  }

  findUser(account: AccountId, userName: string): KeyOwner | undefined {
    return this.#owner(userEntry(account, userName));
  }

  keep(accessKeyId: string, owner: KeyOwner, expiresMs: number | undefined): void {
    if (keyForm.test(accessKeyId)) this.#keep(accessKeyId, owner, expiresMs);
  }

  keepUser({ account, userName }: Parameters<LearnedKeys["keepUser"]>[0], owner: KeyOwner): void {
    const entry = userEntry(account, userName);
    if (entryForm.test(entry)) this.#keep(entry, owner, undefined);
  }

  forgetUser(account: AccountId, userName: string): void {
    this.forget(userEntry(account, userName));
  }

  #owner(entry: string): KeyOwner | undefined {
    const known = this.#sessions.get(entry) ?? this.#lasting.get(entry);
    return !known || this.#isOver(known) ? undefined : known.owner;
  }

  #keep(accessKeyId: string, owner: KeyOwner, expiresMs: number | undefined): void {
    const expiry = expiresMs === undefined ? {} : { expiresMs };
    this.#add(accessKeyId, { owner, ...expiry });
    this.#writer.write(accessKeyId, { account: owner.account, userIdentity: owner.userIdentity, ...expiry });
    this.#dropStale();
  }

  forget(accessKeyId: string): void {
    const isKnown = this.#sessions.delete(accessKeyId) || this.#lasting.delete(accessKeyId);
    if (isKnown) this.#writer.write(accessKeyId, undefined);
  }

  settled(): Promise<void> {
    return this.#writer.settled();
  }

  restore(accessKeyId: string, known: Known | undefined): void {
    if (known && !this.#isOver(known)) this.#add(accessKeyId, known);
    else this.#writer.write(accessKeyId, undefined);
  }

  #add(accessKeyId: string, known: Known): void {
    this.#sessions.delete(accessKeyId);
    this.#lasting.delete(accessKeyId);
    const keys = known.expiresMs === undefined ? this.#lasting : this.#sessions;
    keys.set(accessKeyId, known);
    if (keys.size <= this.#keysMax) return;
    const [oldest] = keys.keys();
    if (oldest !== undefined) this.forget(oldest);
  }

  #dropStale(): void {
    let looks = 0;
    for (const [accessKeyId, known] of this.#sessions) {
      if (looks === staleLooksMax || !this.#isOver(known)) return;
      looks += 1;
      this.forget(accessKeyId);
    }
  }

  #isOver({ expiresMs }: Known): boolean {
    return expiresMs !== undefined && expiresMs + graceMs < this.#parts.clock.nowMs();
  }
}

function parseKnown(value: Json): Known | undefined {
  if (!isObject(value)) return undefined;
  const { account, userIdentity, expiresMs } = value;
  const parsed = typeof account === "string" ? parseAccountId(account) : undefined;
  if (parsed === undefined || !isObject(userIdentity)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was stored from a JsonObject
  const owner = { account: parsed, userIdentity: userIdentity as JsonObject };
  return { owner, ...(typeof expiresMs === "number" ? { expiresMs } : {}) };
}

/** Writes behind the calls, the last word on each key only: what waits is never more than the keys there are. */
class KeyWriter {
  readonly #parts: LearnedKeysParts;
  readonly #waiting = new Map<string, Json | undefined>();
  #run: Promise<void> | undefined;

  constructor(parts: LearnedKeysParts) {
    this.#parts = parts;
  }

  /** Undefined removes the key. */
  write(accessKeyId: string, value: Json | undefined): void {
    this.#waiting.set(accessKeyId, value);
    this.#run ??= this.#writeAll();
  }

  async settled(): Promise<void> {
    await this.#run;
  }

  async #writeAll(): Promise<void> {
    // The call that brought the key goes on first.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const some = [...this.#waiting].slice(0, writesAtOnceMax);
      for (const [accessKeyId] of some) this.#waiting.delete(accessKeyId);
      await Promise.all(some.map(([accessKeyId, value]) => this.#writeOne(accessKeyId, value)));
    }
    this.#run = undefined;
  }

  async #writeOne(accessKeyId: string, value: Json | undefined): Promise<void> {
    const { state, log } = this.#parts;
    const key = `${prefix}${accessKeyId}`;
    try {
      if (value === undefined) await state.delete(key, "any");
      else await state.put(key, value, "any");
    } catch (error) {
      log.warn({ failure: String(error) }, "Whose an issued access key is could not be stored.");
    }
  }
}
