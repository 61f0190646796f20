// Builds the object key of a log file (formats.md §2.1). Pure: the time label and the random part are given.
import type { AccountId } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";
import { compactMinutes, dateFolders } from "../model/timestamp.ts";
import type { Folder } from "../selector/match-set.ts";

export const uniqueLength = 16;
const labelStepMs = 5 * 60 * 1000;

export interface LogFileName {
  /** Account and Region whose events the file holds. */
  readonly account: AccountId;
  readonly region: Region;
  readonly folder: Folder;
  /** From `timeLabelMs`. */
  readonly labelMs: number;
  /** 16 random characters of [A-Za-z0-9]. */
  readonly unique: string;
}

export interface KeyRoot {
  /** The trail's S3KeyPrefix as stored. */
  readonly keyPrefix?: string;
  readonly organizationId?: string;
}

/** The label of a file cut at `nowMs`: floored to five minutes. */
export function timeLabelMs(nowMs: number): number {
  return nowMs - (nowMs % labelStepMs);
}

/**
 * `[prefix/]AWSLogs/[org/]account/folder/region/YYYY/MM/DD/account_folder_region_YYYYMMDDTHHmmZ_unique.json.gz`.
 * The prefix is joined with one slash and not cleaned: a stored prefix that ends in `/` gives `//`, as in the
 * real service (formats.md §2.1).
 */
export function objectKey(name: LogFileName, root: KeyRoot): string {
  const { account, folder, region, labelMs, unique } = name;
  const file = `${account}_${folder}_${region}_${compactMinutes(labelMs)}Z_${unique}.json.gz`;
  const parts = ["AWSLogs", account, folder, region, dateFolders(labelMs), file];
  if (root.organizationId !== undefined) parts.splice(1, 0, root.organizationId);
  if (root.keyPrefix !== undefined && root.keyPrefix !== "") parts.unshift(root.keyPrefix);
  return parts.join("/");
}
