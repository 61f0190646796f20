// What the trail operations need from the rest of the house; server.ts joins it. Types only.
import type { BucketStore } from "../bucket/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { Clock, Log, Random } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";

/** What delivery knows of one trail in one Region. Times in milliseconds since the epoch. */
export interface DeliveryStatus {
  readonly latestDeliveryMs?: number;
  /** S3 error code of the last attempt if the bucket refused it. */
  readonly latestDeliveryError?: string;
  readonly latestAttemptMs?: number;
  readonly latestSuccessfulAttemptMs?: number;
}

export interface DeliveryView {
  status(incarnation: string, region: Region): DeliveryStatus;
  /** Cuts and writes what was decided for this destination; resolves when done or after `msMax`. */
  flush(incarnation: string, msMax: number): Promise<void>;
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
  /** Data event resource types accepted beyond the built-in list. */
  readonly extraResourceTypes: readonly string[];
}

export interface TrailPorts {
  readonly state: StateStore;
  readonly bucket: BucketStore;
  readonly delivery: DeliveryView;
  /** Read at every call: SIGHUP may have replaced it. */
  readonly configuration: () => TrailConfiguration;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
