// What delivery needs from the rest of the house; server.ts joins it. Types only.
import type { Services } from "../aws/contract.ts";
import type { BucketStore } from "../bucket/contract.ts";
import type { DeliveryPlace } from "../bucket/place.ts";
import type { Disk } from "../disk/contract.ts";
import type { Journal } from "../journal/contract.ts";
import type { Clock, Log, Metrics, Random } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import type { StateStore } from "../state/contract.ts";

/** Where a destination's objects go now. Deleted trails keep their place until delivery forgets it. */
export interface Places {
  place(incarnation: string): DeliveryPlace | undefined;
  /** Nothing is left to deliver for this deleted trail: its place may be forgotten. */
  forget(incarnation: string): Promise<void>;
  /** Every place, of deleted trails too, that has a validation period. */
  validated(): Iterable<DeliveryPlace>;
  /** Incarnations of the deleted trails whose place is still kept. */
  deleted(): readonly string[];
}

/** Signs digests with the keys of a Region. Implementation: digest-keys.ts. */
export interface DigestSigner {
  /** Fingerprint of the key for digests that end at `endMs`. Throws when no key can be made or read. */
  fingerprint(region: Region, endMs: number): Promise<string>;
  /** RSA PKCS#1 v1.5 with SHA-256 over the text, in lower-case hex: the same text gives the same signature. */
  sign(
    region: Region,
    endMs: number,
    text: string,
  ): Promise<{ readonly signature: string; readonly fingerprint: string }>;
}

export interface DigestKeyring extends DigestSigner {
  /** Deletes private keys that no digest can need any more. Cheap when there are none; never rejects. */
  forgetExpired(): Promise<void>;
}

export interface DeliveryOptions {
  readonly deliveryIntervalMs: number;
  /** Uncompressed JSON per log file, at most (formats.md §2.2). */
  readonly logFileBytesMax: number;
  /** Of zlib: 1 (fastest) to 9 (smallest). */
  readonly compressionLevel: number;
  /** How long an undelivered file is kept and retried. */
  readonly retentionMs: number;
  readonly outboxBytesMax: number;
  readonly outboxDirectory: string;
  /** One attempt to put an object may take this long. */
  readonly putTimeoutMs: number;
  /** Length of a digest's window. */
  readonly digestIntervalMs: number;
  /** How long after DeleteTrail (or the next start) its remaining files are still tried. */
  readonly deletedGraceMs: number;
}

export interface DeliveryPorts {
  readonly journal: Journal;
  readonly bucket: BucketStore;
  readonly state: StateStore;
  readonly disk: Disk;
  readonly places: Places;
  /** SNS, CloudWatch Logs, EventBridge; those without an endpoint are absent. */
  readonly services: Services;
  readonly signer: DigestKeyring;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}
