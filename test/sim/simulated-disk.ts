// A disk in memory that loses what was not synced, fails any call, and dies at any call; all drawn from a seed.
//
// What a crash may do (each drawn anew, see `crash`):
// - of a file's unsynced bytes any prefix stays, and the last stretch of that prefix may be garbled;
// - bytes whose sync failed once are lost even if a later sync of the file answers well (as on Linux);
// - every create, link, rename and remove since the last `syncDirectory` of its folder stays or vanishes on its own;
// - folders stay (the contract makes them durable at once).
import { basename, dirname, normalize } from "node:path/posix";
import type { AppendFile, Disk, DiskStep, ReadFile } from "../../src/disk/contract.ts";
import { readEach } from "../../src/disk/read-each.ts";
import { stepByStep } from "../../src/disk/step-by-step.ts";

/** `before`: the call has no effect. `partial`: an append writes some prefix, a sync or anything else has no effect. `after`: it has its whole effect, and fails all the same. */
export type FaultEffect = "before" | "partial" | "after";

export interface SimulatedDiskOptions {
  readonly seed?: number;
}

/** Decides what survives a crash; what is left out is drawn from the disk's seed. */
export interface CrashChoice {
  /** How many of a file's bytes stay; between `syncedBytes` and `writtenBytes` (values beyond are clamped). */
  readonly keepBytes?: (file: {
    readonly path: string;
    readonly syncedBytes: number;
    readonly writtenBytes: number;
  }) => number;
  /** Whether an unsynced change of a name stays. */
  readonly keepName?: (change: {
    readonly path: string;
    readonly what: "create" | "rename" | "remove";
  }) => boolean;
  /** Whether kept, unsynced bytes may be garbled. */
  readonly garble?: boolean;
}

interface Content {
  bytes: Uint8Array;
  syncedBytes: number;
  /** Stretches whose sync failed: what is read back now is not what a crash leaves. */
  lost: [from: number, to: number][];
}

interface NameChange {
  readonly what: "create" | "rename" | "remove";
  readonly folder: string;
  readonly path: string;
  /** Undefined: the name goes away. */
  readonly content: Content | undefined;
  /** The other name of a rename within the folder goes away in the same step. */
  readonly alsoGone?: string;
  /** A rename between folders takes its old name away only when the new one is there. */
  readonly onlyAfter?: NameChange;
}

/** Thrown by every call after the disk died: its process is gone too. */
class DiskIsDead extends Error {
  constructor() {
    super("The simulated machine is down.");
    this.name = "DiskIsDead";
  }
}

class SimulatedFault extends Error {
  readonly code: string;
  constructor(call: string, code: string) {
    super(`${code}: simulated failure of ${call}`);
    this.name = "SimulatedFault";
    this.code = code;
  }
}

export class SimulatedDisk implements Disk {
  readonly #random: () => number;
  readonly #folders = new Set<string>(["/", "."]);
  #names = new Map<string, Content>();
  #durableNames = new Map<string, Content>();
  #pending: NameChange[] = [];
  #calls = 0;
  readonly #callsByKind = new Map<string, number>();
  readonly #faults = new Map<number, FaultEffect>();
  #deathAt = Number.POSITIVE_INFINITY;
  #lastEffect: FaultEffect | undefined;
  #isDead = false;

  constructor(options: SimulatedDiskOptions = {}) {
    this.#random = seededRandom(options.seed ?? 1);
  }

  /** How many calls were made, of one kind ("append", "sync", "rename" …) or of all. */
  calls(kind?: string): number {
    return kind === undefined ? this.#calls : (this.#callsByKind.get(kind) ?? 0);
  }

  /** Lets the `nth` call from now on (1 is the next one) fail. */
  failCall(nth: number, effect: FaultEffect): void {
    this.#faults.set(this.#calls + nth, effect);
  }

  /**
   * The machine goes down in the middle of the `nth` call from now on; that call and all later ones throw. How much
   * of that call still has its effect is drawn, unless it is given.
   */
  dieAtCall(nth: number, effect?: FaultEffect): void {
    this.#deathAt = this.#calls + nth;
    this.#lastEffect = effect;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Takes the machine down and returns what is on its disk afterwards; this object is dead from here on. */
  crash(choice: CrashChoice = {}): SimulatedDisk {
    this.#isDead = true;
    const survivor = new SimulatedDisk({ seed: Math.floor(this.#random() * 2 ** 31) });
    for (const folder of this.#folders) survivor.#folders.add(folder);
    for (const [path, content] of this.#survivingNames(choice)) {
      const bytes = this.#survivingBytes(path, content, choice);
      const kept: Content = { bytes, syncedBytes: bytes.length, lost: [] };
      survivor.#names.set(path, kept);
      survivor.#durableNames.set(path, kept);
    }
    return survivor;
  }

  /**
   * Ends the process but not the machine (kill -9): returns a disk on which everything written can be read, also what
   * was not synced and may still be lost in a later crash. This object is dead from here on; planned faults go with it.
   */
  restart(): SimulatedDisk {
    this.#isDead = true;
    const next = new SimulatedDisk({ seed: Math.floor(this.#random() * 2 ** 31) });
    for (const folder of this.#folders) next.#folders.add(folder);
    next.#names = this.#names;
    next.#durableNames = this.#durableNames;
    next.#pending = this.#pending;
    return next;
  }

  /** Paths of all files there are now, sorted. */
  files(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Bends a file behind everybody's back: `change` gets its bytes and returns new ones. For tests of damage. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const content = this.#existing(path);
    content.bytes = change(content.bytes.slice());
    content.syncedBytes = content.bytes.length;
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#call("makeDirectory", () => {
      for (let folder = normalize(path); !this.#folders.has(folder); folder = dirname(folder)) {
        this.#folders.add(folder);
      }
    });
  }

  async list(path: string): Promise<string[]> {
    return this.#call("list", () => {
      const folder = normalize(path);
      const all = [...this.#names.keys(), ...this.#folders];
      return all.filter((name) => dirname(name) === folder && name !== folder).map((name) => basename(name));
    });
  }

  async create(path: string): Promise<AppendFile> {
    return this.#call("create", () => {
      const name = normalize(path);
      if (!this.#folders.has(dirname(name))) throw fileError("ENOENT", "create", path);
      if (this.#names.has(name)) throw fileError("EEXIST", "create", path);
      const content: Content = { bytes: new Uint8Array(), syncedBytes: 0, lost: [] };
      this.#change({ what: "create", folder: dirname(name), path: name, content });
      return this.#appendFile(content);
    });
  }

  async openForReading(path: string): Promise<ReadFile | undefined> {
    return this.#call("openForReading", () => {
      const content = this.#names.get(normalize(path));
      if (!content) return undefined;
      let isOpen = true;
      const read = (offset: number, length: number) =>
        this.#call("read", () => {
          if (!isOpen) throw fileError("EBADF", "read", path);
          return content.bytes.slice(offset, offset + length);
        });
      return {
        sizeBytes: content.bytes.length,
        read,
        readMany: (ranges, take) => readEach({ read }, ranges, take),
        close: () =>
          this.#call("close", () => {
            isOpen = false;
          }),
      };
    });
  }

  async readWhole(path: string): Promise<Uint8Array | undefined> {
    return this.#call("readWhole", () => this.#names.get(normalize(path))?.bytes.slice());
  }

  async truncate(path: string, length: number): Promise<void> {
    await this.#call("truncate", () => {
      const content = this.#existing(path);
      content.bytes = content.bytes.slice(0, length);
      content.syncedBytes = content.bytes.length;
      content.lost = content.lost.flatMap(([from, to]) =>
        from < length ? [[from, Math.min(to, length)]] : [],
      );
    });
  }

  async link(from: string, to: string): Promise<void> {
    await this.#call("link", () => {
      const path = normalize(to);
      const content = this.#existing(from);
      if (!this.#folders.has(dirname(path))) throw fileError("ENOENT", "link", to);
      if (this.#names.has(path)) throw fileError("EEXIST", "link", to);
      this.#change({ what: "create", folder: dirname(path), path, content });
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call("rename", () => {
      const [source, target] = [normalize(from), normalize(to)];
      const content = this.#existing(from);
      if (!this.#folders.has(dirname(target))) throw fileError("ENOENT", "rename", to);
      if (source === target) return;
      const folder = dirname(target);
      if (folder === dirname(source)) {
        this.#change({ what: "rename", folder, path: target, content, alsoGone: source });
        return;
      }
      const arrival: NameChange = { what: "rename", folder, path: target, content };
      this.#change(arrival);
      this.#change({
        what: "rename",
        folder: dirname(source),
        path: source,
        content: undefined,
        onlyAfter: arrival,
      });
    });
  }

  async remove(path: string): Promise<void> {
    await this.#call("remove", () => {
      const name = normalize(path);
      if (this.#names.has(name)) {
        this.#change({ what: "remove", folder: dirname(name), path: name, content: undefined });
      }
    });
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call("syncDirectory", () => {
      const folder = normalize(path);
      if (!this.#folders.has(folder)) throw fileError("ENOENT", "syncDirectory", path);
      const still: NameChange[] = [];
      for (const change of this.#pending) {
        if (change.folder === folder && (!change.onlyAfter || !still.includes(change.onlyAfter))) {
          apply(change, this.#durableNames);
        } else still.push(change);
      }
      this.#pending = still;
    });
  }

  /** Step by step: each can fail, and be the last. */
  async inOrder(steps: readonly DiskStep[]): Promise<void> {
    const calls = {
      create: (path: string) => this.create(path),
      link: (from: string, to: string) => this.link(from, to),
      rename: (from: string, to: string) => this.rename(from, to),
      syncDirectory: (path: string) => this.syncDirectory(path),
      isThere: (path: string) =>
        this.#call("look", () => this.#names.has(normalize(path)) || this.#folders.has(normalize(path))),
    };
    return stepByStep(calls, steps);
  }

  #appendFile(content: Content): AppendFile {
    let isOpen = true;
    const open = (call: string) => {
      if (!isOpen) throw fileError("EBADF", call, "a closed file");
    };
    const write = (chunks: readonly Uint8Array[], bytesMax: number) => {
      open("append");
      const bytes = Buffer.concat(chunks).subarray(0, bytesMax);
      content.bytes = new Uint8Array(Buffer.concat([content.bytes, bytes]));
    };
    return {
      append: (chunks) =>
        this.#call("append", () => write(chunks, Number.POSITIVE_INFINITY), {
          partial: () => write(chunks, Math.floor(this.#random() * (Buffer.concat(chunks).length + 1))),
        }),
      sync: () => {
        // The system has dropped what it could not write, and forgets that it did.
        const lose = () => {
          open("sync");
          content.lost.push([content.syncedBytes, content.bytes.length]);
        };
        const sync = () => {
          open("sync");
          content.syncedBytes = content.bytes.length;
        };
        return this.#call("sync", sync, { failed: lose });
      },
      close: () =>
        this.#call("close", () => {
          isOpen = false;
        }),
    };
  }

  /** Counts the call, lets others run first, and fails or dies when that is this call's lot. */
  async #call<Result>(
    kind: string,
    effect: () => Result,
    // What is left of the effect when it was cut short, and what a failure does instead of it.
    otherwise: { readonly partial?: () => void; readonly failed?: () => void } = {},
  ): Promise<Result> {
    this.#refuseWhenDead();
    this.#calls += 1;
    this.#callsByKind.set(kind, this.calls(kind) + 1);
    const number = this.#calls;
    const hops = Math.floor(this.#random() * 4);
    for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
    if (hops === 3) await new Promise(setImmediate);
    this.#refuseWhenDead();
    if (number >= this.#deathAt) {
      const last =
        this.#lastEffect ?? (["before", "partial", "after"] as const)[Math.floor(this.#random() * 3)];
      if (last === "after") effect();
      else if (last === "partial") otherwise.partial?.();
      this.#isDead = true;
      throw new DiskIsDead();
    }
    const fault = this.#faults.get(number);
    if (fault === undefined) return effect();
    if (fault === "after") effect();
    else if (fault === "partial" && otherwise.partial) otherwise.partial();
    else otherwise.failed?.();
    throw new SimulatedFault(kind, this.#random() < 0.5 ? "EIO" : "ENOSPC");
  }

  #refuseWhenDead(): void {
    if (this.#isDead) throw new DiskIsDead();
  }

  #existing(path: string): Content {
    const content = this.#names.get(normalize(path));
    if (!content) throw fileError("ENOENT", "open", path);
    return content;
  }

  #change(change: NameChange): void {
    apply(change, this.#names);
    this.#pending.push(change);
  }

  #survivingNames(choice: CrashChoice): Map<string, Content> {
    const names = new Map(this.#durableNames);
    const dropped = new Set<NameChange>();
    for (const change of this.#pending) {
      const stays = choice.keepName?.({ path: change.path, what: change.what }) ?? this.#random() < 0.5;
      if (stays && !(change.onlyAfter && dropped.has(change.onlyAfter))) apply(change, names);
      else dropped.add(change);
    }
    return names;
  }

  #survivingBytes(path: string, content: Content, choice: CrashChoice): Uint8Array {
    const { syncedBytes } = content;
    const writtenBytes = content.bytes.length;
    const drawn = syncedBytes + Math.floor(this.#random() * (writtenBytes - syncedBytes + 1));
    const wanted = choice.keepBytes?.({ path, syncedBytes, writtenBytes }) ?? drawn;
    const length = Math.max(syncedBytes, Math.min(writtenBytes, Math.floor(wanted)));
    const bytes = content.bytes.slice(0, length);
    if ((choice.garble ?? this.#random() < 0.5) && length > syncedBytes) {
      const from = syncedBytes + Math.floor(this.#random() * (length - syncedBytes));
      const to = Math.min(length, from + 1 + Math.floor(this.#random() * 64));
      for (let at = from; at < to; at += 1) bytes[at] = Math.floor(this.#random() * 256);
    }
    for (const [from, to] of content.lost) bytes.fill(0, from, Math.min(to, length));
    return bytes;
  }
}

/** Numbers in [0, 1), always the same for one seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function apply(change: NameChange, names: Map<string, Content>): void {
  if (change.content) names.set(change.path, change.content);
  else names.delete(change.path);
  if (change.alsoGone !== undefined) names.delete(change.alsoGone);
}

function fileError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code });
}
