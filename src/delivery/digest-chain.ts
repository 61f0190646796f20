// A digest chain: its document in the state store, and the steps it takes. Pure: every step gives a new document.
// Must not: do I/O, look at the clock, or know how a digest is written.
//
// One chain per trail incarnation, account and Region, one key: delivery/chain/{incarnation}/{account}/{region}
//
//   starting ─seal→ sealed ─written→ open ─seal→ sealed ─written→ open … ─seal (last)→ sealed ─written→ ended
//   ended ─first file of the next period→ starting
//
// - `sealed` fixes everything of a digest: window, files (evidence notes up to `upTo`), place, hash and signature. It is
//   stored before the first try to write the object, and only a digest that is surely nowhere is sealed anew, with the
//   same window and files for another place. So no crash makes two digests of one window, or names a file twice.
// - The digest's text is not stored: it is a function of this document and its notes, which stay until it is written;
//   `hash` says whether it came out the same. Whoever changes that function must let sealed digests through.
// - `ended` keeps the last end: the next chain of the same name must end its digests later, because keys are made of it.
import { z } from "zod";
import { parseAccountId, type AccountId } from "../model/arn.ts";
import { assert, unreachable } from "../model/assert.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { Json } from "../state/contract.ts";
import {
  firstEndMs,
  floorToSecond,
  lastEndMs,
  regularEndMs,
  rhythmOf,
  type WindowToFill,
} from "./digest-windows.ts";

const timeSchema = z.number().int();
const seqSchema = z.number().int().nonnegative();

const previousSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  hash: z.string(),
  signature: z.string(),
});

const sealedSchema = z.object({
  startMs: timeSchema,
  endMs: timeSchema,
  /** Names the notes after the chain's `covered` up to and including this one. */
  upTo: seqSchema,
  isLast: z.boolean(),
  bucket: z.string(),
  key: z.string(),
  kmsKeyArn: z.string().exactOptional(),
  fingerprint: z.string(),
  /** Lower-case hex SHA-256 of the uncompressed text, and the signature in lower-case hex. */
  hash: z.string(),
  signature: z.string(),
  /** `refused`: every try was refused, it is nowhere. `unknown`: it may have been written. */
  outcome: z.enum(["refused", "unknown"]),
});

const phaseSchema = z.discriminatedUnion("kind", [
  /** Its starting digest ends at `endMs`. */
  z.object({ kind: z.literal("starting"), endMs: timeSchema }),
  /** `startMs`: where the last digest ended. */
  z.object({ kind: z.literal("open"), startMs: timeSchema, previous: previousSchema }),
  z.object({ kind: z.literal("sealed"), digest: sealedSchema, previous: previousSchema.exactOptional() }),
  z.object({ kind: z.literal("ended"), lastEndMs: timeSchema }),
]);

const chainSchema = z.object({
  /** Beginning of its validation period, which names it. */
  sinceMs: z.number(),
  /** Notes up to this number are named by a written digest. */
  covered: seqSchema,
  phase: phaseSchema,
});

export type SealedDigest = Readonly<z.infer<typeof sealedSchema>>;
export type ChainDocument = Readonly<z.infer<typeof chainSchema>>;
/** A chain with a digest that is sealed and not yet known to be written. */
export type SealedChain = ChainDocument & {
  readonly phase: Extract<ChainDocument["phase"], { kind: "sealed" }>;
};

export interface ChainName {
  readonly incarnation: string;
  readonly account: AccountId;
  readonly region: Region;
}

export const chainKeyPrefix = "delivery/chain/";

/** `{incarnation}/{account}/{region}`: names a chain in state keys and in memory. */
export function chainPath({ incarnation, account, region }: ChainName): string {
  return `${incarnation}/${account}/${region}`;
}

/** The name in a state key; throws when the key is not a chain's. */
export function parseChainKey(key: string): ChainName {
  const [incarnation = "", accountText = "", regionText = ""] = key.slice(chainKeyPrefix.length).split("/");
  const account = parseAccountId(accountText);
  const region = parseRegion(regionText);
  assert(incarnation !== "" && account && region, `${key} names a digest chain`);
  return { incarnation, account, region };
}

/** Reads a stored chain; throws when the document is not one. */
export function parseChain(document: Json): ChainDocument {
  return chainSchema.parse(document);
}

export function isUnfinished(chain: ChainDocument | undefined): boolean {
  return chain !== undefined && chain.phase.kind !== "ended";
}

export function isSealed(chain: ChainDocument): chain is SealedChain {
  return chain.phase.kind === "sealed";
}

/** A period of validation as a chain sees it: it begins with its first file, delivered at `firstMs`. */
export interface Beginning {
  readonly sinceMs: number;
  /** Present when the period is over and its first file came late. */
  readonly untilMs?: number | undefined;
  readonly firstMs: number;
  readonly intervalMs: number;
}

/** The chain that begins, after `before`, an ended chain of the same name. */
export function begunChain(before: ChainDocument | undefined, beginning: Beginning): ChainDocument {
  assert(!isUnfinished(before), "a chain begins after the one before has ended");
  const { sinceMs, untilMs = Infinity, firstMs, intervalMs } = beginning;
  const afterMs = before?.phase.kind === "ended" ? before.phase.lastEndMs : undefined;
  const endMs = firstEndMs(rhythmOf(sinceMs, intervalMs), Math.min(firstMs, untilMs), afterMs);
  return { sinceMs, covered: before?.covered ?? 0, phase: { kind: "starting", endMs } };
}

/** What a chain must know of the present to find its next step. */
export interface Moment {
  readonly nowMs: number;
  readonly intervalMs: number;
  /** A window is written this long after its end, so that what was delivered in it is noted. */
  readonly settleMs: number;
  readonly windowsMax: number;
  /** Present when the chain's period is over; `isDrained` when no file of it can come any more. */
  readonly end?: { readonly untilMs: number; readonly isDrained: boolean } | undefined;
  /** Whether files are noted that no digest names yet. */
  readonly hasNotes: boolean;
}

export type NextStep =
  | { readonly kind: "wait" }
  /** A digest is to be made of this window. */
  | { readonly kind: "seal"; readonly window: WindowToFill; readonly isLast: boolean }
  /** The sealed digest is to be written. */
  | { readonly kind: "write" }
  /** Nothing is left to say: the chain ends without another digest. */
  | { readonly kind: "end" };

export function nextStep(chain: ChainDocument, moment: Moment): NextStep {
  const { phase } = chain;
  switch (phase.kind) {
    case "ended":
      return { kind: "wait" };
    case "sealed":
      return { kind: "write" };
    case "starting": {
      const { endMs } = phase;
      const window = { startMs: endMs - moment.intervalMs, endMs, takes: "nothing" } as const;
      return { kind: "seal", window, isLast: false };
    }
    case "open":
      return nextOfOpen({ sinceMs: chain.sinceMs, startMs: phase.startMs }, moment);
    default:
      return unreachable(phase);
  }
}

function nextOfOpen(of: { sinceMs: number; startMs: number }, moment: Moment): NextStep {
  const { startMs } = of;
  const { end, windowsMax, intervalMs } = moment;
  const settledMs = moment.nowMs - moment.settleMs;
  const stopMs = end ? floorToSecond(end.untilMs) : Infinity;
  // Once drained, nothing more can fall into a window before the stop, whatever the clock says.
  const horizonMs = end?.isDrained === true ? stopMs : Math.min(settledMs, stopMs);
  const endMs = regularEndMs(rhythmOf(of.sinceMs, intervalMs), { startMs, horizonMs, windowsMax });
  if (endMs !== undefined) {
    return { kind: "seal", window: { startMs, endMs, takes: "before-end" }, isLast: false };
  }
  if (!end?.isDrained) return { kind: "wait" };
  if (!moment.hasNotes && startMs >= stopMs) return { kind: "end" };
  const window = { startMs, endMs: lastEndMs(startMs, end.untilMs), takes: "all" } as const;
  return { kind: "seal", window, isLast: true };
}

/** The same chain with its next digest fixed, or fixed anew for another place. */
export function sealedChain(chain: ChainDocument, digest: SealedDigest): SealedChain {
  const { phase } = chain;
  assert(phase.kind !== "ended", "an ended chain has no next digest");
  const previous = phase.kind === "starting" ? undefined : phase.previous;
  return { ...chain, phase: { kind: "sealed", digest, ...(previous && { previous }) } };
}

export function withOutcome(chain: SealedChain, outcome: SealedDigest["outcome"]): SealedChain {
  return { ...chain, phase: { ...chain.phase, digest: { ...chain.phase.digest, outcome } } };
}

/** The sealed digest is in its bucket. `hasMore`: files came after it was sealed, so it is not the last after all. */
export function writtenChain(chain: SealedChain, hasMore: boolean): ChainDocument {
  const { bucket, key, hash, signature, endMs, upTo, isLast } = chain.phase.digest;
  if (isLast && !hasMore) return { ...chain, covered: upTo, phase: { kind: "ended", lastEndMs: endMs } };
  const previous = { bucket, key, hash, signature };
  return { ...chain, covered: upTo, phase: { kind: "open", startMs: endMs, previous } };
}

/** An open chain of which nothing is left to say. */
export function endedChain(chain: ChainDocument): ChainDocument {
  assert(chain.phase.kind === "open", "only an open chain ends without a digest");
  return { ...chain, phase: { kind: "ended", lastEndMs: chain.phase.startMs } };
}
