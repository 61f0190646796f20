// What the trail operations need from the rest of the house; server.ts joins it. Types only.
import type { Services } from "../aws/contract.ts";
import type { BucketStore } from "../bucket/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { Clock, Log, Random } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";

/** What delivery knows of one way out of a trail in one Region. Milliseconds since the epoch; absent until it happened. */
export interface ChannelStatus {
  /** The last success. */
  readonly latestMs?: number;
  /** The code the other side answered at the last attempt; a success takes it back, a time-out leaves it as it was. */
  readonly latestError?: string;
  readonly latestAttemptMs?: number;
  readonly latestSuccessfulAttemptMs?: number;
}

/** What delivery knows of one trail in one Region. */
export interface DeliveryStatus {
  /** Log files. */
  readonly bucket: ChannelStatus;
  readonly digest: ChannelStatus;
  readonly notification: ChannelStatus;
  readonly logGroup: ChannelStatus;
}

export interface DeliveryView {
  status(incarnation: string, region: Region): DeliveryStatus;
  /** Cuts and writes what was decided for this destination; resolves when done or after `msMax`. */
  flush(incarnation: string, msMax: number): Promise<void>;
}

/** The public part of a key that signs digest files. */
export interface DigestPublicKey {
  /** DER of the PKCS#1 RSAPublicKey. */
  readonly der: Uint8Array;
  /** Validity, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Lower-case hex MD5 of `der`. */
  readonly fingerprint: string;
}

export interface PublicKeys {
  /** Keys whose validity overlaps the range, oldest first; both ends of it count. */
  publicKeys(
    region: Region,
    range: { readonly startMs: number; readonly endMs: number },
  ): readonly DigestPublicKey[];
}

export interface Organization {
  readonly id: string;
  readonly managementAccount: AccountId;
  readonly delegatedAdministrators: readonly AccountId[];
  /** Every account of the organization, the management account among them. */
  readonly members: readonly AccountId[];
}

export interface Quotas {
  readonly trailsPerRegion: number;
  readonly basicSelectorsPerTrail: number;
  readonly dataResourceValuesPerTrail: number;
  readonly advancedValuesPerTrail: number;
  readonly tagsPerResource: number;
}

export const defaultQuotas: Quotas = {
  trailsPerRegion: 5,
  basicSelectorsPerTrail: 5,
  dataResourceValuesPerTrail: 250,
  advancedValuesPerTrail: 500,
  tagsPerResource: 50,
};

/** `strict`: as AWS. `when-present`: a bucket without any policy is accepted. `off`: not looked at. */
export type BucketPolicyCheck = "strict" | "when-present" | "off";

export interface TrailConfiguration {
  readonly regions: readonly Region[];
  readonly organization?: Organization;
  readonly quotas: Quotas;
  readonly bucketPolicyCheck: BucketPolicyCheck;
  /** Which events go to the event bus (selector/selector-index.ts). */
  readonly eventBus?: "off" | "write" | "all";
  /** Data event resource types accepted beyond the built-in list. */
  readonly extraResourceTypes: readonly string[];
}

export interface TrailPorts {
  readonly state: StateStore;
  readonly bucket: BucketStore;
  /** The other services that a trail names, for the checks of its settings; absent: none can be asked. */
  readonly services?: Services;
  readonly delivery: DeliveryView;
  readonly keys: PublicKeys;
  /** Read at every call: SIGHUP may have replaced it. */
  readonly configuration: () => TrailConfiguration;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
