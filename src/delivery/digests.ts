// Digest chains: hears of delivered log files, and writes the signed digests that name them (formats.md §3). This file
// joins the parts; read them in this order:
//   digest-chain (digest-windows) → evidence-book → live-chain → digest-periods → digest-seal → digest-writer → digest-lanes
// Must not: know plans or the journal beyond the ports, or delay a log file because a digest fails.
//
// The life of a digest: a delivered file becomes a durable note of its chain before its plan goes; when a window is over
// the chain seals a digest of the notes in it; the digest is written, again and again if need be; then the chain moves on
// and the notes go. So every file that was surely written is in exactly one digest, and no digest names any other.
import { inTime } from "../model/in-time.ts";
import type { Region } from "../model/regions.ts";
import { Bell } from "./bell.ts";
import type { DeliveredFile, DeliveredListener } from "./delivered-file.ts";
import { comingMs, type FailureReport } from "./delivery-report.ts";
import {
  begunChain,
  chainKeyPrefix,
  type ChainName,
  chainPath,
  parseChain,
  parseChainKey,
} from "./digest-chain.ts";
import { DigestLanes } from "./digest-lanes.ts";
import { DigestPeriods } from "./digest-periods.ts";
import {
  defaultDigestLimits,
  type DigestLimits,
  type DigestOptions,
  type DigestPorts,
} from "./digest-ports.ts";
import { type Advance, DigestWriter } from "./digest-writer.ts";
import { LiveChain } from "./live-chain.ts";

/** How one chain stands, for `cairn status`. */
export interface ChainReport {
  readonly incarnation: string;
  readonly account: string;
  readonly region: Region;
  /** `waiting`: a digest is due or sealed and not written yet. */
  readonly phase: "open" | "waiting" | "ended";
  /** End of the window whose digest is waited for, milliseconds since the epoch. */
  readonly waitingSinceMs?: number;
  /** What went wrong at the last try; absent when it went well. Times by the wall clock. */
  readonly failure?: FailureReport;
}

/** A chain and its tries; times are monotonic. */
interface Held {
  readonly chain: LiveChain;
  isBusy: boolean;
  /** Failed tries of its digest one after the other. */
  failures: number;
  retryAtMs: number;
  /** Its trail's settings at the last try, in one text. */
  settings: string;
  /** Something of our own failed: nothing is tried before. */
  pausedUntilMs: number;
  lastError?: { readonly code: string; readonly message: string } | undefined;
  /** When the first of them was, by the wall clock. */
  failingSinceMs?: number | undefined;
}

interface Due {
  readonly held: Held;
  readonly lane: string;
  readonly settings: string;
}

export class Digests implements DeliveredListener {
  readonly #ports: DigestPorts;
  readonly #options: DigestOptions;
  readonly #limits: DigestLimits;
  readonly #periods: DigestPeriods;
  readonly #writer: DigestWriter;
  readonly #lanes: DigestLanes;
  /** One per chain there is or was, until its trail is forgotten: an ended one still knows its last end. */
  readonly #chains = new Map<string, Held>();
  /** Plans whose file is noted; they leave with the plan, so there are never more than the ledger holds. */
  readonly #noted = new Set<string>();
  /** When this process first saw that a trail is deleted, in monotonic time; until it is forgotten. */
  readonly #deletedSeenMs = new Map<string, number>();
  readonly #bell = new Bell();
  readonly #work = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(ports: DigestPorts, options: DigestOptions, limits: DigestLimits = defaultDigestLimits) {
    const intervalMs = options.digestIntervalMs;
    this.#ports = ports;
    this.#options = options;
    this.#limits = { ...limits, retryFirstMs: Math.min(limits.retryFirstMs, intervalMs) };
    this.#periods = new DigestPeriods(ports, {
      appendMs: Math.min(limits.appendMsMax, intervalMs),
      previousMs: intervalMs,
    });
    this.#writer = new DigestWriter({ ports, options, limits: this.#limits, periods: this.#periods });
    this.#lanes = new DigestLanes(this.#limits);
  }

  /** Takes up what the last process left. The ledger is open before, and nothing is delivered yet. Throws when the store fails. */
  async open(): Promise<void> {
    await this.#periods.open();
    for (const { key, value, version } of await this.#ports.state.list(chainKeyPrefix)) {
      const { chain } = this.#hold(parseChainKey(key));
      await chain.open({ document: parseChain(value), version });
    }
  }

  /** Writes digests when they are due, until `signal` aborts; then call `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const tickMs = Math.min(this.#limits.tickMsMax, this.#options.digestIntervalMs / 10);
    while (!signal.aborted) {
      await this.#look();
      this.#startTries();
      await this.#bell.wait(signal, (pause) => clock.sleep(tickMs, pause));
    }
  }

  /** Call it after `run` was told to end. What is under way gets `stopMsMax`; the rest is left for the next start. */
  async stop(): Promise<void> {
    await inTime(Promise.allSettled(this.#work), this.#limits.stopMsMax, this.#ports.clock);
    this.#closing.abort();
  }

  async delivered(file: DeliveredFile): Promise<void> {
    if (this.#noted.has(file.planId)) return;
    const isOfChain = this.#chains.get(chainPath(file))?.chain.isUnfinished === true;
    if (!isOfChain && !this.#isAccepting(file)) return;
    const { planId, bucket, key, deliveredMs } = file;
    const note = { planId, bucket, key, deliveredMs, ...(await file.evidence()) };
    const { incarnation, account, region } = file;
    const { chain } = this.#hold({ incarnation, account, region });
    const wasUnfinished = chain.isUnfinished;
    await chain.note(note, (before) => {
      const validation = this.#ports.places.place(incarnation)?.validation;
      if (!validation || !this.#isAccepting(file)) return undefined;
      const { sinceMs, untilMs } = validation;
      const intervalMs = this.#options.digestIntervalMs;
      return begunChain(before, { sinceMs, untilMs, firstMs: deliveredMs, intervalMs });
    });
    if (!wasUnfinished) this.#bell.ring();
  }

  isNoted(planId: string): boolean {
    return this.#noted.has(planId);
  }

  /** Whether every chain of this destination has ended and its last digest is written or given up. */
  isIdle(incarnation: string): boolean {
    return this.#of(incarnation).every(({ chain, isBusy }) => !isBusy && !chain.isUnfinished);
  }

  /** Removes all there is of a deleted trail that is idle. Throws when the store fails: call it again. */
  async forget(incarnation: string): Promise<void> {
    for (const { chain } of this.#of(incarnation)) {
      await chain.remove();
      this.#chains.delete(chain.path);
    }
    await this.#periods.forget(incarnation);
    this.#lanes.forget(incarnation);
    this.#deletedSeenMs.delete(incarnation);
  }

  /** Every chain there is or was, in the order in which they began. */
  report(): readonly ChainReport[] {
    return [...this.#chains.values()].map((held) => {
      const { chain } = held;
      const failure = this.#failureOf(held);
      const waitingSinceMs = this.#waitingSinceMs(chain);
      const phase = waitingSinceMs !== undefined ? "waiting" : chain.isUnfinished ? "open" : "ended";
      return {
        ...{ ...chain.name, phase },
        ...(waitingSinceMs !== undefined && { waitingSinceMs }),
        ...(failure && { failure }),
      };
    });
  }

  #failureOf(held: Held): ChainReport["failure"] {
    const { lastError, failingSinceMs, failures, isBusy } = held;
    if (lastError === undefined || failingSinceMs === undefined) return undefined;
    const dueMs = Math.max(held.retryAtMs, held.pausedUntilMs);
    return {
      ...{ ...lastError, sinceMs: failingSinceMs, attempts: failures },
      ...(!isBusy && { nextTryMs: comingMs(dueMs, this.#ports.clock) }),
    };
  }

  /** What does not wait for a bucket: periods, plans that are gone, trails that are. Never rejects. */
  async #look(): Promise<void> {
    const { ledger, metrics, log } = this.#ports;
    for (const planId of this.#noted) if (!ledger.isPlanned(planId)) this.#noted.delete(planId);
    try {
      await this.#periods.sweep();
      await this.#giveUpDeleted();
    } catch (error) {
      log.error(
        { error: textOf(error) },
        "The ends of digest chains could not be stored; it is tried again.",
      );
    }
    let waiting = 0;
    for (const { chain } of this.#chains.values())
      if (this.#waitingSinceMs(chain) !== undefined) waiting += 1;
    metrics.gauge("digests_waiting", waiting);
  }

  #startTries(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    const due = [...this.#chains.values()].flatMap((held) => this.#dueOf(held, nowMs));
    // Chains that did not fail come first, then those that wait longest.
    due.sort((a, b) => a.held.retryAtMs - b.held.retryAtMs);
    for (const one of due) {
      if (this.#lanes.isFull) return;
      const { retryAtMs, settings } = one.held;
      const isOwnTurn = retryAtMs <= nowMs || settings !== one.settings || this.#lanes.isFailing(one.lane);
      if (isOwnTurn && this.#lanes.mayTry(one, nowMs)) this.#start(one);
    }
  }

  #dueOf(held: Held, nowMs: number): readonly Due[] {
    const { chain } = held;
    if (held.isBusy || nowMs < held.pausedUntilMs || this.#writer.step(chain).kind === "wait") return [];
    const bucket = this.#writer.bucketOf(chain);
    if (bucket === undefined) return [];
    const { incarnation } = chain.name;
    const place = this.#ports.places.place(incarnation);
    // What a change of UpdateTrail may have repaired.
    const settings = JSON.stringify([
      place?.bucket,
      place?.keyPrefix,
      place?.organizationId,
      place?.kmsKeyArn,
    ]);
    return [{ held, lane: `${bucket}/${incarnation}`, settings }];
  }

  #start(due: Due): void {
    const { held } = due;
    const { clock, random } = this.#ports;
    const ended = this.#lanes.begin(due);
    held.isBusy = true;
    held.settings = due.settings;
    const work = this.#advance(held).then((kind) => {
      held.isBusy = false;
      ended(kind, { nowMs: clock.monotonicMs(), fraction: random.fraction() });
      this.#work.delete(work);
      // A chain that is behind, or a lane that has room again, goes on at once.
      if (kind === "written") this.#bell.ring();
    });
    this.#work.add(work);
  }

  /** One step of one chain. Never rejects. */
  async #advance(held: Held): Promise<Advance["kind"]> {
    const { clock, random, log } = this.#ports;
    const { chain } = held;
    try {
      const result = await this.#writer.advance(chain, this.#closing.signal);
      if (this.#closing.signal.aborted) return "untried";
      if (result.kind === "failed") {
        held.failures += 1;
        held.retryAtMs = clock.monotonicMs() + this.#lanes.pauseMs(held.failures, random.fraction());
        const { code, message } = result;
        held.lastError = { code, message };
        held.failingSinceMs ??= clock.nowMs();
        const fields = { ...this.#fieldsOf(chain), attempts: held.failures, code, error: message };
        log.warn(fields, "A digest could not be delivered; it is tried again.");
      } else if (result.kind === "written") {
        Object.assign(held, { failures: 0, retryAtMs: 0, lastError: undefined, failingSinceMs: undefined });
      }
      return result.kind;
    } catch (error) {
      if (this.#closing.signal.aborted) return "untried";
      held.failures += 1;
      held.pausedUntilMs = clock.monotonicMs() + this.#lanes.pauseMs(held.failures, random.fraction());
      held.lastError = { code: "Unknown", message: textOf(error) };
      held.failingSinceMs ??= clock.nowMs();
      const fields = { ...this.#fieldsOf(chain), attempts: held.failures, error: textOf(error) };
      log.error(fields, "A digest could not be made or stored; it is tried again.");
      return "untried";
    }
  }

  /** A deleted trail's digests are not tried for ever. Throws when the store fails. */
  async #giveUpDeleted(): Promise<void> {
    const { clock, places } = this.#ports;
    const nowMs = clock.monotonicMs();
    for (const held of this.#chains.values()) {
      const { incarnation } = held.chain.name;
      if (!held.chain.isUnfinished || places.place(incarnation)?.deletedMs === undefined) continue;
      const seenMs = this.#deletedSeenMs.get(incarnation) ?? nowMs;
      this.#deletedSeenMs.set(incarnation, seenMs);
      const isOver = nowMs > seenMs + this.#options.deletedGraceMs;
      if (!isOver || held.isBusy || held.failures === 0) continue;
      await this.#giveUp(held);
    }
  }

  async #giveUp(held: Held): Promise<void> {
    const { log, metrics } = this.#ports;
    const { chain, lastError, failures } = held;
    const fields = {
      ...this.#fieldsOf(chain),
      attempts: failures,
      error: lastError?.message,
      reason: "trail-deleted",
    };
    // A look of its own at the chain is no step of it, but nobody may advance it meanwhile.
    held.isBusy = true;
    try {
      await chain.remove();
    } finally {
      held.isBusy = false;
    }
    log.error(fields, "A digest was given up; the log files it would have named cannot be validated.");
    metrics.count("digests_given_up_total");
    Object.assign(held, {
      failures: 0,
      retryAtMs: 0,
      pausedUntilMs: 0,
      lastError: undefined,
      failingSinceMs: undefined,
    });
  }

  /** End of the window that a chain has not written though it could. */
  #waitingSinceMs(chain: LiveChain): number | undefined {
    const { document } = chain;
    if (document?.phase.kind === "sealed") return document.phase.digest.endMs;
    const step = this.#writer.step(chain);
    return step.kind === "seal" ? step.window.endMs : undefined;
  }

  #isAccepting({ incarnation }: Pick<ChainName, "incarnation">): boolean {
    return this.#periods.isAccepting(this.#ports.places.place(incarnation));
  }

  #hold(name: ChainName): Held {
    const path = chainPath(name);
    const found = this.#chains.get(path);
    if (found) return found;
    const { state, ledger } = this.#ports;
    const chain = new LiveChain(name, {
      ...{ state, limits: this.#limits, noted: this.#noted },
      isPlanned: (planId) => ledger.isPlanned(planId),
    });
    const held: Held = { chain, isBusy: false, failures: 0, retryAtMs: 0, settings: "", pausedUntilMs: 0 };
    this.#chains.set(path, held);
    return held;
  }

  #of(incarnation: string): readonly Held[] {
    return [...this.#chains.values()].filter(({ chain }) => chain.name.incarnation === incarnation);
  }

  #fieldsOf(chain: LiveChain): Readonly<Record<string, unknown>> {
    const { incarnation, account, region } = chain.name;
    const { document } = chain;
    const sealed = document?.phase.kind === "sealed" ? document.phase.digest : undefined;
    const trail = this.#ports.places.place(incarnation)?.trailArn;
    return { trail, account, region, ...(sealed && { bucket: sealed.bucket, objectKey: sealed.key }) };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
