// What digests need of the rest of delivery and of the house, and their bounds. Types and numbers only.
// delivery.ts joins it with the ledger, the journal and the status book.
import type { BucketStore } from "../bucket/contract.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";
import type { DigestSigner } from "./ports.ts";
import type { SendOutcome } from "./sink.ts";

/** Where the journal's partitions ended at some moment. */
export type JournalEnds = ReadonlyMap<string, number>;

export interface DigestPorts {
  readonly state: StateStore;
  readonly bucket: BucketStore;
  readonly signer: DigestSigner;
  readonly places: {
    place(incarnation: string): DeliveryPlace | undefined;
    /** Every place, deleted trails included, that has a validation period. */
    validated(): Iterable<DeliveryPlace>;
  };
  /** What is known of log files that are not delivered yet. */
  readonly ledger: {
    /** Where the journal ends now. */
    journalEnds(): JournalEnds;
    /**
     * Whether everything that lies before `ends` is cut, and no bucket plan of this destination is left that covers a
     * frame before `ends`.
     */
    isDrained(incarnation: string, ends: JournalEnds): boolean;
    /** Whether the ledger still holds this plan. */
    isPlanned(planId: string): boolean;
  };
  readonly statuses: {
    /** Notes one try to write a digest, for GetTrailStatus. */
    note(
      of: { readonly incarnation: string; readonly region: Region },
      ended: { readonly outcome: SendOutcome; readonly nowMs: number },
    ): void;
    /** Stores what was noted. Throws when the store fails. */
    store(): Promise<void>;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface DigestOptions {
  /** Length of a window: whole seconds. */
  readonly digestIntervalMs: number;
  readonly putTimeoutMs: number;
  /** How long after DeleteTrail (or the next start) a digest that fails is still tried. */
  readonly deletedGraceMs: number;
}

export interface DigestLimits {
  /** Digests written at once. */
  readonly putsMax: number;
  /** The same of one destination at one bucket: a bucket that hangs leaves room for others. */
  readonly putsPerLaneMax: number;
  /** Failing lanes that probe at once. */
  readonly probesMax: number;
  /** Files one digest names: about 22 MB of text. Beyond it a window ends early. */
  readonly filesMax: number;
  /** Missing windows that are written one by one, a month of hours; beyond it one long window covers them. */
  readonly windowsMax: number;
  /** How long after its end a window is written, at most; a tenth of the interval when that is less. */
  readonly settleMsMax: number;
  /** How often chains are looked at, at most; a tenth of the interval when that is less. */
  readonly tickMsMax: number;
  readonly writesAtOnceMax: number;
  readonly retryFirstMs: number;
  readonly retryMsMax: number;
  /** How long `stop` waits for what is under way. */
  readonly stopMsMax: number;
  /** A record decided just before its period ended is in the journal after this time, or after one interval. */
  readonly appendMsMax: number;
}

export const defaultDigestLimits: DigestLimits = {
  putsMax: 8,
  putsPerLaneMax: 4,
  probesMax: 4,
  filesMax: 50_000,
  windowsMax: 744,
  settleMsMax: 5_000,
  tickMsMax: 5_000,
  writesAtOnceMax: 64,
  retryFirstMs: 5_000,
  retryMsMax: 300_000,
  stopMsMax: 3_000,
  appendMsMax: 60_000,
};
