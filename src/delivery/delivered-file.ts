// A log file that is surely in its bucket, and what its trail's digest will say of it. Types only.
import type { AccountId } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";
import type { Folder } from "../selector/match-set.ts";

/** What a digest says of one log file's content (formats.md §3.2). */
export interface FileEvidence {
  /** Lower-case hex SHA-256 of the uncompressed text. */
  readonly sha256: string;
  /** Least and greatest eventTime of its records; absent when no record has a readable one. */
  readonly oldestEventTime?: string;
  readonly newestEventTime?: string;
}

export interface DeliveredFile {
  /** Of its plan: the same when a file is written once more after a crash. */
  readonly planId: string;
  readonly incarnation: string;
  /** ARN of the trail, for the log. */
  readonly trail: string;
  readonly account: AccountId;
  readonly region: Region;
  readonly folder: Folder;
  readonly bucket: string;
  readonly key: string;
  /** When the bucket confirmed it. */
  readonly deliveredMs: number;
  /** Asks only those who need it to pay for it: it may have to inflate the file. */
  evidence(): Promise<FileEvidence>;
}

/** Hears of every delivered log file after the bucket confirmed it and before its plan goes. */
export interface DeliveredListener {
  /** Resolves when all that must survive a crash is stored. Throws when it could not be: the file is then delivered again. */
  delivered(file: DeliveredFile): Promise<void>;
  /** Whether this plan's file was noted by an earlier process: then it is in its bucket, and only its plan was left. */
  isNoted(planId: string): boolean;
}
