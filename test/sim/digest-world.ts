// The world around digest chains for their tests: trails whose validation is turned on and off, records that become log
// files some time later, a ledger of those that did not, and a checker that walks every chain in the buckets.
import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { expect } from "vitest";
import type { BucketStore, PutRequest } from "../../src/bucket/contract.ts";
import type { DeliveryPlace, ValidationPeriod } from "../../src/bucket/place.ts";
import {
  defaultDigestLimits,
  type DigestLimits,
  type DigestOptions,
  type DigestPorts,
} from "../../src/delivery/digest-ports.ts";
import { Digests } from "../../src/delivery/digests.ts";
import type { DigestSigner } from "../../src/delivery/ports.ts";
import type { SendOutcome } from "../../src/delivery/sink.ts";
import { trailArn } from "../../src/model/arn.ts";
import { type DigestDocument, parseDigest, stringToSign } from "../../src/model/digest.ts";
import { digestKey, parseDigestKey } from "../../src/model/digest-key.ts";
import type { Clock } from "../../src/model/environment.ts";
import { isoSeconds } from "../../src/model/timestamp.ts";
import type { StateStore } from "../../src/state/contract.ts";
import { openMemoryState } from "../../src/state/memory-state.ts";
import {
  account,
  CountingMetrics,
  KeptLog,
  ManualClock,
  region,
  seededRandom,
  settled,
  TestBucket,
  textOf,
} from "./delivery-world.ts";

export const startMs = Date.UTC(2026, 0, 10, 9, 17, 28, 640);
const home = region("us-east-1");
const owner = account("123456789012");

/** A wall clock that somebody sets; monotonic time goes on. */
export class SetClock extends ManualClock {
  #offsetMs = 0;

  constructor() {
    super(startMs - 1_000);
  }

  override nowMs(): number {
    return super.nowMs() + this.#offsetMs;
  }

  setBy(ms: number): void {
    this.#offsetMs += ms;
  }
}

/** Two keys that take turns every half day, by the end of the digest. One pair per test file. */
export class TwoKeys implements DigestSigner {
  readonly #pairs = [0, 1].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));
  readonly #fingerprints = this.#pairs.map(({ publicKey }) =>
    createHash("md5")
      .update(publicKey.export({ type: "pkcs1", format: "der" }))
      .digest("hex"),
  );

  async fingerprint(_region: string, endMs: number): Promise<string> {
    return this.#fingerprints[this.#at(endMs)] ?? "";
  }

  async sign(
    region: string,
    endMs: number,
    text: string,
  ): Promise<{ signature: string; fingerprint: string }> {
    const pair = this.#pairs[this.#at(endMs)];
    if (!pair) throw new Error("There is a key for every time.");
    const signature = sign("sha256", Buffer.from(text), pair.privateKey).toString("hex");
    return { signature, fingerprint: await this.fingerprint(region, endMs) };
  }

  publicKey(fingerprint: string): KeyObject | undefined {
    return this.#pairs[this.#fingerprints.indexOf(fingerprint)]?.publicKey;
  }

  #at(endMs: number): number {
    return Math.floor(endMs / 43_200_000) % 2;
  }
}

/** Trails as the registry tells them, with its rule for validation periods. */
export class ValidatedPlaces {
  readonly #places = new Map<string, DeliveryPlace>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  place(incarnation: string): DeliveryPlace | undefined {
    return this.#places.get(incarnation);
  }

  validated(): Iterable<DeliveryPlace> {
    return [...this.#places.values()].filter(({ validation }) => validation !== undefined);
  }

  /** CreateTrail or UpdateTrail. */
  set(incarnation: string, change: Partial<DeliveryPlace> & { bucket: string }): void {
    const identity = { homeRegion: home, account: owner, name: incarnation };
    const before = this.#places.get(incarnation);
    const { validation, deletedMs } = before ?? {};
    this.#places.set(incarnation, {
      ...{ incarnation, trailArn: trailArn(identity), owner },
      ...(validation && { validation }),
      ...(deletedMs !== undefined && { deletedMs }),
      ...change,
    });
  }

  isValidating(incarnation: string): boolean {
    const validation = this.#places.get(incarnation)?.validation;
    return validation !== undefined && validation.untilMs === undefined;
  }

  start(incarnation: string): void {
    const nowMs = Math.floor(this.#clock.nowMs());
    const before = this.#places.get(incarnation)?.validation;
    if (before && before.untilMs === undefined) return;
    this.#change(incarnation, {
      validation:
        before?.untilMs === undefined
          ? { sinceMs: nowMs }
          : { sinceMs: Math.max(nowMs, before.untilMs + 1), previousUntilMs: before.untilMs },
    });
  }

  stop(incarnation: string): void {
    const validation = this.#ended(incarnation);
    if (validation) this.#change(incarnation, { validation });
  }

  delete(incarnation: string): void {
    const validation = this.#ended(incarnation);
    this.#change(incarnation, { ...(validation && { validation }), deletedMs: this.#clock.nowMs() });
  }

  forget(incarnation: string): void {
    this.#places.delete(incarnation);
  }

  #ended(incarnation: string): ValidationPeriod | undefined {
    const before = this.#places.get(incarnation)?.validation;
    if (!before || before.untilMs !== undefined) return before;
    return { ...before, untilMs: Math.max(Math.floor(this.#clock.nowMs()), before.sinceMs) };
  }

  #change(incarnation: string, change: Partial<DeliveryPlace>): void {
    const place = this.#places.get(incarnation);
    if (!place) throw new Error(`There is no trail ${incarnation}.`);
    this.#places.set(incarnation, { ...place, ...change });
  }
}

interface TestPlan {
  readonly planId: string;
  readonly seq: number;
  readonly incarnation: string;
  readonly account: string;
  readonly region: string;
  readonly isValidated: boolean;
  /** Monotonic time before which its log file does not get into its bucket. */
  readonly notBeforeMs: number;
}

/** A log file that is surely in its bucket. */
export interface TestFile {
  readonly name: string;
  readonly planId: string;
  readonly sha256: string;
  readonly deliveredMs: number;
  /** Its records were decided while validation was on. */
  readonly isValidated: boolean;
}

export type DecideOptions = { account?: string; region?: string; afterMs?: number };

/** One process over a world that outlives it. */
export interface Process {
  readonly digests: Digests;
  /** Ends it between two calls: no call of its has an answer or an effect from here on. */
  kill(): void;
  isDead(): boolean;
}

export interface ProcessPorts {
  readonly state: StateStore;
  readonly bucket: BucketStore;
  readonly clock: Clock;
  readonly isDead: () => boolean;
}

export class DigestWorld {
  readonly clock = new SetClock();
  readonly state: StateStore = openMemoryState({ clock: this.clock });
  readonly bucket = new TestBucket();
  readonly places = new ValidatedPlaces(this.clock);
  readonly log = new KeptLog();
  readonly metrics = new CountingMetrics();
  readonly random = seededRandom(7);
  readonly keys: TwoKeys;
  readonly options: DigestOptions;
  readonly limits: DigestLimits;
  readonly files = new Map<string, TestFile>();
  readonly plans = new Map<string, TestPlan>();
  readonly statuses: SendOutcome["kind"][] = [];
  /** How long the removal of a plan may take after its file was noted. */
  removalMsMax = 0;
  #lastSeq = 0;

  constructor(
    keys: TwoKeys,
    changes: { options?: Partial<DigestOptions>; limits?: Partial<DigestLimits> } = {},
  ) {
    this.keys = keys;
    this.options = {
      ...{ digestIntervalMs: 3_600_000, putTimeoutMs: 30_000, deletedGraceMs: 3_600_000 },
      ...changes.options,
    };
    this.limits = { ...defaultDigestLimits, tickMsMax: 60_000, ...changes.limits };
  }

  /** Opens digests over this world and lets them run, and delivers what the last process did not. */
  async start(given: Partial<ProcessPorts> = {}): Promise<Process> {
    let isKilled = false;
    const isDead = (): boolean => isKilled || given.isDead?.() === true;
    const bucket = given.bucket ?? (this.bucket as unknown as BucketStore);
    const state = given.state ?? this.state;
    const clock = given.clock ?? this.clock;
    const digests = new Digests(this.#ports({ state, bucket, clock, isDead }), this.options, this.limits);
    const stopping = new AbortController();
    const process: Process = {
      digests,
      isDead,
      kill() {
        isKilled = true;
        stopping.abort();
      },
    };
    await digests.open();
    for (const plan of this.plans.values()) {
      if (digests.isNoted(plan.planId)) this.plans.delete(plan.planId);
      else void this.#deliver(plan, process);
    }
    void digests.run(stopping.signal);
    this.#process = process;
    return process;
  }

  #process: Process | undefined;

  /** A record is decided and cut; its log file is delivered `afterMs` later. */
  decide(incarnation: string, of: DecideOptions = {}): void {
    this.#lastSeq += 1;
    const plan: TestPlan = {
      ...{ planId: `0-${this.#lastSeq}-0`, seq: this.#lastSeq, incarnation },
      ...{ account: of.account ?? owner, region: of.region ?? home },
      isValidated: this.places.isValidating(incarnation),
      notBeforeMs: this.clock.monotonicMs() + (of.afterMs ?? 0),
    };
    this.plans.set(plan.planId, plan);
    if (this.#process && !this.#process.isDead()) void this.#deliver(plan, this.#process);
  }

  /** Everything is well from here on and every period over: nothing may be left to say. */
  async finish(): Promise<void> {
    this.bucket.answer = () => "store";
    if (!this.#process || this.#process.isDead()) await this.start();
    const { digests } = this.#process ?? {};
    for (const { incarnation } of this.places.validated()) this.places.stop(incarnation);
    const isDone = (): boolean =>
      this.plans.size === 0 && digests?.report().every(({ phase }) => phase === "ended") === true;
    // Step by step: while the state store is busy nothing may wait for time, and time must not run away.
    for (let tries = 0; !isDone(); tries += 1) {
      expect(tries, "every chain has ended in the end").toBeLessThan(5_000);
      await this.clock.advance(this.limits.tickMsMax);
    }
    // What written digests name is removed after they are.
    for (let turn = 0; turn < 10; turn += 1) await settled();
    this.bucket.landLate();
  }

  /** Log files of this destination, in the order of their delivery. */
  filesOf(incarnation: string): TestFile[] {
    return [...this.files.values()].filter(({ name }) => name.includes(`/${incarnation}/`));
  }

  /** Every digest in the buckets, by bucket and key. */
  digests(): Map<string, PutRequest> {
    return new Map([...this.bucket.objects].filter(([name]) => parseDigestKey(name) !== undefined));
  }

  /** The digests of one trail, account and Region, oldest first. */
  chain(incarnation: string, of: { account?: string; region?: string } = {}): DigestDocument[] {
    const wanted = { account: of.account ?? owner, region: of.region ?? home };
    return [...this.digests()]
      .flatMap(([name, object]) => {
        const parsed = parseDigestKey(name);
        const isWanted =
          parsed?.trailName === incarnation &&
          parsed.account === wanted.account &&
          parsed.region === wanted.region;
        return isWanted ? documentOf(object) : [];
      })
      .sort((a, b) => (a.digestEndTime < b.digestEndTime ? -1 : 1));
  }

  /** Windows of a chain and how many files each digest names, `*` for a starting digest: `09:17:28-10:17:28 2`. */
  windows(incarnation: string, of: { account?: string; region?: string } = {}): string[] {
    return this.chain(incarnation, of).map((digest) => {
      const times = [digest.digestStartTime, digest.digestEndTime]
        .map((time) => time.slice(11, 19))
        .join("-");
      return `${digest.previousDigestS3Object === null ? "*" : ""}${times} ${digest.logFiles.length}`;
    });
  }

  /**
   * Walks every chain. Throws when anything is wrong: signature, hash, link, window, end, place; or a file that is named
   * twice, was never written, or was to be named and is not.
   */
  check(what = "the chains"): void {
    expect(this.bucket.problems, what).toEqual([]);
    const named = new Map<string, number>();
    const chains = new Map<string, DigestDocument[]>();
    for (const [name, object] of this.digests()) {
      const digest = this.#checkDigest(name, object);
      for (const file of digest.logFiles) {
        const fileName = `${file.s3Bucket}/${file.s3Object}`;
        named.set(fileName, (named.get(fileName) ?? 0) + 1);
        expect(this.files.get(fileName)?.sha256, `${what}: ${fileName} was delivered`).toBe(file.hashValue);
      }
      const { account, region, trailName } = parseDigestKey(name) ?? {};
      const chain = `${trailName}/${account}/${region}`;
      chains.set(chain, [...(chains.get(chain) ?? []), digest]);
    }
    for (const [chain, digests] of chains) this.#checkChain(`${what}, ${chain}`, digests);
    const wrong = [...named].filter(([, times]) => times !== 1);
    expect(wrong, `${what}: named more than once`).toEqual([]);
    const missing = [...this.files.values()].filter((file) => file.isValidated && !named.has(file.name));
    expect(missing, `${what}: in no digest`).toEqual([]);
  }

  #checkDigest(name: string, object: PutRequest): DigestDocument {
    const digest = documentOf(object);
    expect(`${digest.digestS3Bucket}/${digest.digestS3Object}`).toBe(name);
    const hash = createHash("sha256").update(textOf(object)).digest("hex");
    const { user, contentType, contentEncoding, encryption } = object.metadata;
    expect([contentType, contentEncoding, encryption !== undefined, object.acl]).toEqual([
      ...["application/json", "gzip", true, "bucket-owner-full-control"],
    ]);
    expect(user?.["signature-algorithm"]).toBe("SHA256withRSA");
    const key = this.keys.publicKey(digest.digestPublicKeyFingerprint);
    const signature = Buffer.from(user?.["signature"] ?? "", "hex");
    expect(key && verify("sha256", Buffer.from(stringToSign(digest, hash)), key, signature), name).toBe(true);
    const parsed = parseDigestKey(name);
    const place = this.places.place(parsed?.trailName ?? "");
    expect(
      parsed && name.endsWith(digestKey({ ...parsed, endMs: Date.parse(digest.digestEndTime) }, {})),
    ).toBe(place?.organizationId === undefined);
    return digest;
  }

  #checkChain(what: string, digests: readonly DigestDocument[]): void {
    const sorted = [...digests].sort((a, b) => (a.digestEndTime < b.digestEndTime ? -1 : 1));
    for (const [at, digest] of sorted.entries()) {
      const before = sorted[at - 1];
      const end = `${what}, digest that ends at ${digest.digestEndTime}`;
      if (before) expect(digest.digestEndTime > before.digestEndTime, end).toBe(true);
      expect(digest.digestEndTime > digest.digestStartTime, end).toBe(true);
      if (digest.previousDigestS3Object === null) {
        expect([digest.logFiles, digest.previousDigestSignature, digest.newestEventTime], end).toEqual([
          [],
          null,
          null,
        ]);
        continue;
      }
      const object = before && this.bucket.objects.get(`${before.digestS3Bucket}/${before.digestS3Object}`);
      expect(object, end).toBeDefined();
      expect(digest, end).toMatchObject({
        digestStartTime: before?.digestEndTime,
        previousDigestS3Bucket: before?.digestS3Bucket,
        previousDigestS3Object: before?.digestS3Object,
        previousDigestHashValue: object && createHash("sha256").update(textOf(object)).digest("hex"),
        previousDigestSignature: object?.metadata.user?.["signature"],
      });
    }
  }

  /** What delivery does with a plan: write the file, tell digests until they know, then forget the plan. */
  async #deliver(plan: TestPlan, process: Process): Promise<void> {
    const waitMs = plan.notBeforeMs - this.clock.monotonicMs();
    if (waitMs > 0) await this.clock.sleep(waitMs);
    const place = this.places.place(plan.incarnation);
    if (process.isDead() || !place) return;
    const { planId, incarnation } = plan;
    const key = `AWSLogs/${incarnation}/${planId}.json.gz`;
    const name = `${place.bucket}/${key}`;
    const sha256 = createHash("sha256").update(name).digest("hex");
    // A plan keeps its bucket and key from one process to the next.
    const known = [...this.files.values()].find((file) => file.planId === planId);
    const deliveredMs = this.clock.nowMs();
    const file: TestFile = known ?? { name, planId, sha256, deliveredMs, isValidated: plan.isValidated };
    this.files.set(file.name, file);
    const [bucket = "", ...rest] = file.name.split("/");
    for (;;) {
      try {
        await process.digests.delivered({
          ...{
            planId,
            incarnation,
            trail: place.trailArn,
            folder: "CloudTrail",
            bucket,
            key: rest.join("/"),
          },
          ...{ account: account(plan.account), region: region(plan.region), deliveredMs: this.clock.nowMs() },
          evidence: async () => ({
            sha256: file.sha256,
            oldestEventTime: isoSeconds(deliveredMs),
            newestEventTime: isoSeconds(deliveredMs),
          }),
        });
        break;
      } catch {
        await this.clock.sleep(500 + this.random.below(2_000));
        if (process.isDead()) return;
      }
    }
    // The plan's removal takes its time, and is sometimes cut off.
    for (let hop = this.random.below(6); hop > 0; hop -= 1) await new Promise(setImmediate);
    if (this.removalMsMax > 0) await this.clock.sleep(this.random.below(this.removalMsMax));
    if (!process.isDead()) this.plans.delete(planId);
  }

  #ports(of: ProcessPorts): DigestPorts {
    const { places, log, metrics, random, plans, statuses, keys } = this;
    const { state, bucket, clock, isDead } = of;
    return {
      ...{ state, bucket, clock, places, log, metrics, random, signer: keys },
      ledger: {
        journalEnds: () => new Map([["0", this.#lastSeq + 1]]),
        isDrained: (incarnation, ends) =>
          ![...plans.values()].some(
            (plan) => plan.incarnation === incarnation && plan.seq < (ends.get("0") ?? 0),
          ),
        isPlanned: (planId) => plans.has(planId),
      },
      statuses: {
        note: (_of, { outcome }) => {
          if (!isDead()) statuses.push(outcome.kind);
        },
        store: async () => undefined,
      },
    };
  }
}

export function documentOf(object: PutRequest): DigestDocument {
  const digest = parseDigest(textOf(object));
  if (!digest) throw new Error(`${object.key} is no digest.`);
  return digest;
}

export { settled };
