// The world around delivery for its tests: a clock that moves when told, a bucket that misbehaves on demand, places,
// and a log that is kept. Real journal, state and disk implementations are given by the tests.
import { gunzipSync } from "node:zlib";
import type { Services } from "../../src/aws/contract.ts";
import type { BucketStore, PutOutcome, PutRequest } from "../../src/bucket/contract.ts";
import type { DeliveryPlace } from "../../src/bucket/place.ts";
import { createDelivery, type Delivery } from "../../src/delivery/delivery.ts";
import { defaultLimits, type DeliveryLimits } from "../../src/delivery/limits.ts";
import type { DeliveryOptions, DeliveryPorts, DigestKeyring, Places } from "../../src/delivery/ports.ts";
import type { Disk } from "../../src/disk/contract.ts";
import type { Frame, Journal, Position, ReadBatch, StoredFrame } from "../../src/journal/contract.ts";
import { parseAccountId, trailArn } from "../../src/model/arn.ts";
import type { Clock, Log, Metrics, Random } from "../../src/model/environment.ts";
import { parseRegion } from "../../src/model/regions.ts";
import type { Folder, MatchSet } from "../../src/selector/match-set.ts";
import type { StateStore } from "../../src/state/contract.ts";

/** Time stands still until `advance`. */
export class ManualClock implements Clock {
  #monotonicMs = 1_000;
  readonly #startMs: number;
  readonly #timers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 10, 9, 18, 41)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#timers.delete(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = { atMs: this.#monotonicMs + Math.max(0, ms), wake: end };
      this.#timers.add(timer);
      signal?.addEventListener("abort", end, { once: true });
    });
  }

  /** Moves to the next timer, but not beyond `untilMs` (monotonic); runs what it wakes. */
  async step(untilMs = Infinity): Promise<void> {
    const next = [...this.#timers].reduce((least, { atMs }) => Math.min(least, atMs), untilMs);
    if (next === Infinity) throw new Error("Nothing waits: time has no reason to move.");
    this.#monotonicMs = Math.max(this.#monotonicMs, next);
    for (const timer of [...this.#timers].filter(({ atMs }) => atMs <= this.#monotonicMs)) {
      timer.wake();
    }
    await settled();
  }

  async advance(ms: number): Promise<void> {
    await settled();
    const untilMs = this.#monotonicMs + ms;
    while (this.#monotonicMs < untilMs) await this.step(untilMs);
  }

  /** Lets time pass until `condition` holds; throws when it does not within `msMax`. */
  async until(what: string, condition: () => boolean, msMax = 3_600_000): Promise<void> {
    await settled();
    const untilMs = this.#monotonicMs + msMax;
    while (!condition()) {
      if (this.#monotonicMs >= untilMs)
        throw new Error(`Waited ${msMax} simulated ms in vain until ${what}.`);
      await this.step(untilMs);
    }
  }
}

/** Runs everything that needs no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A random source from a seed (mulberry32). */
export function seededRandom(seed: number): Random & { below(n: number): number } {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const below = (n: number): number => Math.floor(fraction() * n);
  const alphanumeric = (length: number): string =>
    Array.from({ length }, () => alphabet[below(alphabet.length)] ?? "").join("");
  const hex = (length: number): string => Array.from({ length }, () => below(16).toString(16)).join("");
  return {
    fraction,
    below,
    alphanumeric,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  };
}

/** How a bucket answers one put. `lose`: it stores, and the answer is lost. `hang`: it never answers. `late`: nor this, but it stores at `landLate`. */
export type Answer = "store" | "lose" | "hang" | "late" | { readonly refuse: string };

/** Buckets in memory. Every put of the same key must bring the same text: anything else throws at once. */
export class TestBucket implements Pick<BucketStore, "put"> {
  readonly objects = new Map<string, PutRequest>();
  readonly puts: PutRequest[] = [];
  readonly #late: PutRequest[] = [];
  answer: (request: PutRequest) => Answer = () => "store";
  /** What was wrong with any put; a put must not throw, so it is kept here. */
  readonly problems: string[] = [];

  async put(request: PutRequest): Promise<PutOutcome> {
    this.puts.push(request);
    await Promise.resolve();
    const answer = this.answer(request);
    if (answer === "late") this.#late.push(request);
    if (answer === "hang" || answer === "late") {
      return new Promise((resolve) => {
        request.signal?.addEventListener("abort", () => resolve({ kind: "unknown", message: "aborted" }));
      });
    }
    if (typeof answer === "object") return { kind: "refused", code: answer.refuse, message: answer.refuse };
    const name = `${request.bucket}/${request.key}`;
    const before = this.objects.get(name);
    if (before && textOf(before) !== textOf(request))
      this.problems.push(`${name} was written twice, differently`);
    this.objects.set(name, request);
    if (answer === "lose") return { kind: "unknown", message: "The answer was lost." };
    return { kind: "stored", etag: "0".repeat(32) };
  }

  /** What was sent and never answered takes effect now. */
  landLate(): void {
    for (const request of this.#late.splice(0)) this.#store(request);
  }

  #store(request: PutRequest): void {
    const name = `${request.bucket}/${request.key}`;
    const before = this.objects.get(name);
    if (before && textOf(before) !== textOf(request)) {
      this.problems.push(`${name} was written twice, differently`);
    }
    this.objects.set(name, request);
  }

  /** Names of the stored objects of one bucket, `bucket/key`. */
  keys(bucket: string): string[] {
    return [...this.objects.keys()].filter((name) => name.startsWith(`${bucket}/`)).sort();
  }

  /** Every record text in one bucket, repetitions included. */
  records(bucket: string): string[] {
    return this.keys(bucket).flatMap((name) => {
      const object = this.objects.get(name);
      return object ? recordsOf(object) : [];
    });
  }
}

export function textOf(object: Pick<PutRequest, "body">): string {
  return gunzipSync(object.body).toString("utf8");
}

export function recordsOf(object: Pick<PutRequest, "body">): string[] {
  const { Records } = JSON.parse(textOf(object)) as { Records: unknown[] };
  return Records.map((record) => JSON.stringify(record));
}

/** Where trails deliver to; `set` is what CreateTrail, UpdateTrail and DeleteTrail do. */
export class TestPlaces implements Places {
  readonly #places = new Map<string, DeliveryPlace>();
  readonly forgotten: string[] = [];

  set(incarnation: string, place: Partial<DeliveryPlace> & { bucket: string }): void {
    this.#places.set(incarnation, {
      incarnation,
      trailArn: trailArn({
        homeRegion: region("us-east-1"),
        account: account("123456789012"),
        name: incarnation,
      }),
      owner: account("123456789012"),
      ...place,
    });
  }

  place(incarnation: string): DeliveryPlace | undefined {
    return this.#places.get(incarnation);
  }

  validated(): readonly DeliveryPlace[] {
    return [...this.#places.values()].filter(({ validation }) => validation !== undefined);
  }

  async forget(incarnation: string): Promise<void> {
    this.#places.delete(incarnation);
    this.forgotten.push(incarnation);
  }

  deleted(): readonly string[] {
    return [...this.#places.values()].flatMap((place) =>
      place.deletedMs === undefined ? [] : [place.incarnation],
    );
  }
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class KeptLog implements Log {
  readonly lines: LogLine[] = [];
  debug = this.#keep("debug");
  info = this.#keep("info");
  warn = this.#keep("warn");
  error = this.#keep("error");

  #keep(level: LogLine["level"]): Log["info"] {
    return (fields, message) => {
      this.lines.push({ level, fields, message });
    };
  }

  of(level: LogLine["level"]): LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }
}

export class CountingMetrics implements Metrics {
  readonly totals = new Map<string, number>();

  count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const key = [name, ...Object.values(labels)].join(" ");
    this.totals.set(key, (this.totals.get(key) ?? 0) + by);
  }

  gauge(): void {}
  observe(): void {}
}

export function account(text: string): NonNullable<ReturnType<typeof parseAccountId>> {
  const parsed = parseAccountId(text);
  if (!parsed) throw new Error(`${text} is no account id`);
  return parsed;
}

export function region(text: string): NonNullable<ReturnType<typeof parseRegion>> {
  const parsed = parseRegion(text);
  if (!parsed) throw new Error(`${text} is no Region`);
  return parsed;
}

export function matchSet(
  incarnations: readonly string[],
  of: { account?: string; region?: string; folder?: Folder } = {},
): MatchSet {
  return {
    account: account(of.account ?? "123456789012"),
    region: region(of.region ?? "us-east-1"),
    folder: of.folder ?? "CloudTrail",
    destinations: [...incarnations].sort().map((incarnation) => ({ kind: "trail", incarnation })),
  };
}

/** A frame of small records, each `{"id":…}`. */
export function frame(
  id: string,
  arrivedMs: number,
  records: readonly { readonly id: string; readonly matchSet: MatchSet; readonly eventTime?: string }[],
): Frame {
  return {
    id,
    header: { door: "events", principal: "test", arrivedMs, configurationVersion: 1 },
    records: records.map(({ matchSet, ...record }) => ({
      bytes: Buffer.from(JSON.stringify(record)),
      matchSet,
    })),
  };
}

export function recordText(id: string): string {
  return JSON.stringify({ id });
}

/** A journal in memory that really forgets what its reader released, and throws when that is read. */
export class MemoryJournal implements Journal {
  readonly partitions = ["0"];
  readonly #frames: StoredFrame[] = [];
  #startSeq = 1;
  readonly #waiters = new Set<() => void>();

  get startSeq(): number {
    return this.#startSeq;
  }

  async append(frame: Frame): ReturnType<Journal["append"]> {
    const position = { partition: "0", seq: this.#frames.length + 1 };
    this.#frames.push({ ...frame, position });
    for (const wake of this.#waiters) wake();
    return { kind: "durable", position };
  }

  reserve(): undefined {
    return undefined;
  }

  async read(from: Position, limits: { bytesMax: number; until?: Position }): Promise<ReadBatch> {
    if (from.seq < this.#startSeq) throw new Error(`Frame ${from.seq} is trimmed.`);
    const until = Math.min(limits.until?.seq ?? Infinity, this.#frames.length + 1);
    const frames: StoredFrame[] = [];
    let bytes = 0;
    for (let seq = from.seq; seq < until && (frames.length === 0 || bytes < limits.bytesMax); seq += 1) {
      const frame = this.#frames[seq - 1];
      if (!frame) break;
      frames.push(frame);
      bytes += frame.records.reduce((sum, record) => sum + record.bytes.length, 0);
    }
    return { frames, next: { partition: "0", seq: from.seq + frames.length } };
  }

  /** Keeps nothing in memory, as it were: readers take the long way. */
  visitRecent(): void {}

  start(): Position {
    return { partition: "0", seq: this.#startSeq };
  }

  end(): Position {
    return { partition: "0", seq: this.#frames.length + 1 };
  }

  async waitBeyond(position: Position, signal: AbortSignal): Promise<void> {
    if (this.end().seq > position.seq || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  registerReader(): void {}

  async release(_name: string, position: Position): Promise<void> {
    this.#startSeq = Math.max(this.#startSeq, position.seq);
  }

  usage(): { bytes: number; bytesMax: number } {
    return { bytes: 0, bytesMax: 1024 ** 3 };
  }

  async close(): Promise<void> {}
}

export interface World {
  readonly clock: ManualClock;
  readonly bucket: TestBucket;
  readonly places: TestPlaces;
  readonly log: KeptLog;
  readonly metrics: CountingMetrics;
  readonly ports: DeliveryPorts;
  readonly options: DeliveryOptions;
  readonly limits: DeliveryLimits;
  make(): Delivery;
}

export const testOptions: DeliveryOptions = {
  deliveryIntervalMs: 60_000,
  logFileBytesMax: 50 * 1024 * 1024,
  compressionLevel: 6,
  retentionMs: 30 * 24 * 3_600_000,
  outboxBytesMax: 1024 * 1024 * 1024,
  outboxDirectory: "/outbox",
  putTimeoutMs: 30_000,
  digestIntervalMs: 3_600_000,
  deletedGraceMs: 3_600_000,
};

/** No endpoint is configured. */
export const noServices: Services = { close() {} };

/** Where no trail validates its log files nothing is signed. */
export const noSigner: DigestKeyring = {
  fingerprint: () => Promise.reject(new Error("Nothing is signed here.")),
  sign: () => Promise.reject(new Error("Nothing is signed here.")),
  forgetExpired: async () => {},
};

export function makeWorld(
  parts: { journal: Journal; state: StateStore; disk: Disk; clock: ManualClock },
  changes: { options?: Partial<DeliveryOptions>; limits?: Partial<DeliveryLimits> } = {},
): World {
  const bucket = new TestBucket();
  const places = new TestPlaces();
  const log = new KeptLog();
  const metrics = new CountingMetrics();
  const store = bucket as unknown as BucketStore;
  const outside = { services: noServices, signer: noSigner };
  const ports = { ...parts, ...outside, bucket: store, places, log, metrics, random: seededRandom(7) };
  const options = { ...testOptions, ...changes.options };
  const limits = { ...defaultLimits, ...changes.limits };
  return {
    ...{ clock: parts.clock, bucket, places, log, metrics, ports, options, limits },
    make: () => createDelivery(ports, options, limits),
  };
}
