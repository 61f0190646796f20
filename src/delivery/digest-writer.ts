// Takes one chain one step further: seals its next digest, writes it, moves the chain on. Must not: decide when (that is
// digests.ts), or touch a chain that somebody else advances.
//
// The steps, and what a stop after each of them leaves:
//   1. choose files, make text, hash and signature      nothing has happened
//   2. store the sealed document                        the same digest is made again from it, to the same key
//   3. put the object                                   as after 2: the same bytes are put once more
//   4. store the chain as written, with what it covers  the digest is done
//   5. remove the covered notes                         the rest is removed at the next start or step
import { createTurns } from "../bucket/turns.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import { assert } from "../model/assert.ts";
import { signatureMetadata, digestSignatureAlgorithm } from "../model/digest.ts";
import { isoSeconds } from "../model/timestamp.ts";
import {
  isSealed,
  nextStep,
  type NextStep,
  type SealedChain,
  sealedChain,
  withOutcome,
} from "./digest-chain.ts";
import type { DigestPeriods } from "./digest-periods.ts";
import type { DigestLimits, DigestOptions, DigestPorts } from "./digest-ports.ts";
import { type DigestContent, digestTarget, sealedText, signDigest } from "./digest-seal.ts";
import type { WindowToFill } from "./digest-windows.ts";
import type { NumberedNote } from "./evidence-book.ts";
import { gzipOneMember } from "./gzip-member.ts";
import type { LiveChain } from "./live-chain.ts";
import { putObject } from "./put-object.ts";
import type { SendOutcome } from "./sink.ts";

export interface DigestWriterParts {
  readonly ports: DigestPorts;
  readonly options: DigestOptions;
  readonly limits: DigestLimits;
  readonly periods: DigestPeriods;
}

/** `untried`: nothing could be tried yet, or the chain only moved on by itself. */
export type Advance =
  | { readonly kind: "written" | "untried" }
  /** `code`: of the bucket's refusal, or `Unknown` when there was no usable answer. */
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

interface Sealing {
  readonly window: WindowToFill;
  readonly isLast: boolean;
}

export class DigestWriter {
  readonly #parts: DigestWriterParts;
  /** Sealed digests that are surely nowhere: every try so far was refused, or there was none. */
  readonly #absent = new WeakMap<LiveChain, SealedChain["phase"]["digest"]>();
  /** One text at a time: the largest takes tens of megabytes. */
  readonly #building = createTurns();

  constructor(parts: DigestWriterParts) {
    this.#parts = parts;
  }

  /** What a chain could do now. */
  step(chain: LiveChain): NextStep {
    const { ports, options, limits, periods } = this.#parts;
    const { document } = chain;
    if (!document) return { kind: "wait" };
    const intervalMs = options.digestIntervalMs;
    return nextStep(document, {
      nowMs: ports.clock.nowMs(),
      intervalMs,
      settleMs: Math.min(limits.settleMsMax, intervalMs / 10),
      windowsMax: limits.windowsMax,
      end: periods.endOf(this.#place(chain), document.sinceMs),
      hasNotes: chain.hasNotes,
    });
  }

  /** The bucket that the chain's next try goes to; undefined when its trail's place is unknown. */
  bucketOf(chain: LiveChain): string | undefined {
    const { document } = chain;
    if (document && isSealed(document) && !this.#isAbsent(chain, document))
      return document.phase.digest.bucket;
    return this.#place(chain)?.bucket;
  }

  /**
   * Takes the step that is due, up to a digest that is written. Throws when the state store, the signer or the evidence
   * fails; whatever was done of it, the next call goes on from there. `signal` ends the waiting for the bucket.
   */
  async advance(chain: LiveChain, signal: AbortSignal): Promise<Advance> {
    const step = this.step(chain);
    if (step.kind === "wait") return { kind: "untried" };
    if (step.kind === "end") {
      await chain.end();
      return { kind: "untried" };
    }
    // What was covered before and could not be removed then.
    await chain.prune();
    const body = await this.#building.take("text", () =>
      step.kind === "seal" ? this.#seal(chain, step) : this.#takeUp(chain),
    );
    return body ? this.#write(chain, body, signal) : { kind: "untried" };
  }

  /** Fixes the next digest. Returns its gzip bytes; undefined when it must wait, or when its place is unknown. */
  async #seal(chain: LiveChain, { window, isLast }: Sealing): Promise<Uint8Array | undefined> {
    const place = this.#place(chain);
    const selection = place && (await chain.select(window));
    if (!selection) return undefined;
    const { endMs, notes, upTo, isCutShort } = selection;
    const fixed = { startMs: window.startMs, endMs, upTo, isLast: isLast && !isCutShort };
    return this.#store(chain, { fixed, place, notes });
  }

  /** A digest that was sealed before. Returns the same gzip bytes, or those of the digest that takes its place. */
  async #takeUp(chain: LiveChain): Promise<Uint8Array> {
    const { document } = chain;
    assert(document && isSealed(document), "a sealed digest is written");
    const { digest, previous } = document.phase;
    const notes = await chain.sealedNotes();
    const place = this.#place(chain);
    if (place && this.#isAbsent(chain, document)) {
      const target = digestTarget(chain.name, digest.endMs, place);
      if (target.bucket !== digest.bucket || target.key !== digest.key) {
        this.#tellMove(chain, digest, target);
        return this.#store(chain, { fixed: digest, place, notes });
      }
    }
    const { startMs, endMs, bucket, key } = digest;
    const content = { chain: chain.name, startMs, endMs, bucket, key, previous, notes };
    const body = await gzipOneMember(sealedText(content, digest));
    // From the next line on it may be written, and a later process must read so: what a failed write left does not count.
    if (digest.outcome === "refused" || chain.isInDoubt) await this.#storeOutcome(chain, "unknown");
    return body;
  }

  async #store(
    chain: LiveChain,
    of: {
      readonly fixed: Pick<SealedChain["phase"]["digest"], "startMs" | "endMs" | "upTo" | "isLast">;
      readonly place: DeliveryPlace;
      readonly notes: readonly NumberedNote[];
    },
  ): Promise<Uint8Array> {
    const { document } = chain;
    assert(document, "a chain that is sealed has begun");
    const { startMs, endMs, upTo, isLast } = of.fixed;
    const { bucket, key } = digestTarget(chain.name, endMs, of.place);
    const { phase } = document;
    const previous = phase.kind === "open" || phase.kind === "sealed" ? phase.previous : undefined;
    const content: DigestContent = {
      chain: chain.name,
      startMs,
      endMs,
      bucket,
      key,
      previous,
      notes: of.notes,
    };
    const { text, ...signed } = await signDigest(this.#parts.ports.signer, content);
    const { kmsKeyArn } = of.place;
    const sealed = sealedChain(document, {
      ...{ startMs, endMs, upTo, isLast, bucket, key },
      ...(kmsKeyArn !== undefined && { kmsKeyArn }),
      ...signed,
      // The first try follows: for a later process it may have been written.
      outcome: "unknown",
    });
    const body = await gzipOneMember(text);
    await chain.store(sealed);
    this.#absent.set(chain, sealed.phase.digest);
    return body;
  }

  async #write(chain: LiveChain, body: Uint8Array, signal: AbortSignal): Promise<Advance> {
    const { ports, options } = this.#parts;
    const { document } = chain;
    assert(document && isSealed(document), "only a sealed digest is written");
    const { digest } = document.phase;
    const { bucket, key, signature } = digest;
    const place = this.#place(chain);
    // A key belongs to its bucket: an old bucket keeps the key of its time.
    const kmsKeyArn = place?.bucket === bucket ? place.kmsKeyArn : digest.kmsKeyArn;
    const user = {
      [signatureMetadata.signature]: signature,
      [signatureMetadata.algorithm]: digestSignatureAlgorithm,
    };
    const limits = { timeoutMs: options.putTimeoutMs, signal };
    const outcome = await putObject(ports, { bucket, key, body, kmsKeyArn, user }, limits);
    // The process ends: what is not known of this try stays unknown.
    if (signal.aborted) return { kind: "untried" };
    ports.statuses.note(chain.name, { outcome, nowMs: ports.clock.nowMs() });
    if (outcome.kind !== "stored") return this.#failed(chain, document, outcome);
    this.#absent.delete(chain);
    // Before the chain moves on: what GetTrailStatus once told is still told after a crash.
    await ports.statuses.store();
    await chain.written();
    this.#tellWritten(chain, document);
    await this.#tidy(chain);
    return { kind: "written" };
  }

  async #failed(
    chain: LiveChain,
    document: SealedChain,
    outcome: Exclude<SendOutcome, { kind: "stored" }>,
  ): Promise<Advance> {
    const isAbsent = outcome.kind === "refused" && this.#isAbsent(chain, document);
    if (isAbsent) await this.#storeOutcome(chain, "refused");
    else this.#absent.delete(chain);
    const isRefused = outcome.kind === "refused";
    const code = isRefused ? outcome.code : "no-answer";
    this.#parts.ports.metrics.count("digest_failures_total", { code });
    return { kind: "failed", code: isRefused ? code : "Unknown", message: outcome.message };
  }

  /** Throws when the store fails. */
  async #storeOutcome(chain: LiveChain, outcome: "refused" | "unknown"): Promise<void> {
    const { document } = chain;
    assert(document && isSealed(document), "only a sealed digest has an outcome");
    const isAbsent = this.#isAbsent(chain, document);
    const next = withOutcome(document, outcome);
    await chain.store(next);
    if (isAbsent) this.#absent.set(chain, next.phase.digest);
  }

  /** Whether the sealed digest is surely nowhere: only then it may be sealed anew. */
  #isAbsent(chain: LiveChain, { phase }: SealedChain): boolean {
    return phase.digest.outcome === "refused" || this.#absent.get(chain) === phase.digest;
  }

  /** What stays behind is removed at the next step. Never rejects. */
  async #tidy(chain: LiveChain): Promise<void> {
    try {
      await chain.prune();
    } catch (error) {
      this.#parts.ports.log.warn(
        { chain: chain.path, error: String(error) },
        "Evidence that a digest names could not be removed; it is removed later.",
      );
    }
  }

  #place(chain: LiveChain): DeliveryPlace | undefined {
    return this.#parts.ports.places.place(chain.name.incarnation);
  }

  #tellWritten(chain: LiveChain, document: SealedChain): void {
    const { bucket, key, endMs, upTo } = document.phase.digest;
    const { account, region } = chain.name;
    this.#parts.ports.metrics.count("digests_delivered_total");
    this.#parts.ports.log.info(
      {
        ...{ trail: this.#place(chain)?.trailArn, account, region, bucket, objectKey: key },
        ...{ endTime: isoSeconds(endMs), logFiles: upTo - document.covered },
      },
      "Digest delivered.",
    );
  }

  #tellMove(
    chain: LiveChain,
    from: { bucket: string; key: string },
    to: { bucket: string; key: string },
  ): void {
    this.#parts.ports.log.info(
      { chain: chain.path, from: `${from.bucket}/${from.key}`, to: `${to.bucket}/${to.key}` },
      "An undelivered digest follows its trail to another place.",
    );
  }
}
