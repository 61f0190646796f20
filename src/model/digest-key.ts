// Object keys of digest files (formats.md §3.1). Pure.
import { compactSeconds, dateFolders } from "./timestamp.ts";

/** Where the keys of a trail begin: `[prefix/]AWSLogs/[organization/]`. */
export interface DigestKeyRoot {
  /** The trail's S3KeyPrefix as stored. */
  readonly keyPrefix?: string;
  readonly organizationId?: string;
}

/** One chain, by the names that stand in its keys. */
export interface DigestChainName {
  readonly account: string;
  /** The Region of the events, and the home Region of the trail. */
  readonly region: string;
  readonly trailName: string;
  readonly homeRegion: string;
}

export interface DigestFileName extends DigestChainName {
  /** `digestEndTime`, whole seconds. */
  readonly endMs: number;
}

/** `[prefix/]AWSLogs/[org/]account/CloudTrail-Digest/region`, without a slash at the end. */
export function digestFolder(of: Pick<DigestChainName, "account" | "region">, root: DigestKeyRoot): string {
  const parts = ["AWSLogs", of.account, "CloudTrail-Digest", of.region];
  if (root.organizationId !== undefined) parts.splice(1, 0, root.organizationId);
  if (root.keyPrefix !== undefined && root.keyPrefix !== "") parts.unshift(root.keyPrefix);
  return parts.join("/");
}

/** `…/YYYY/MM/DD/account_CloudTrail-Digest_region_trail_home_YYYYMMDDTHHMMSSZ.json.gz`. */
export function digestKey(name: DigestFileName, root: DigestKeyRoot): string {
  const { account, region, trailName, homeRegion, endMs } = name;
  const file = `${account}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_${compactSeconds(endMs)}.json.gz`;
  return `${digestFolder(name, root)}/${dateFolders(endMs)}/${file}`;
}

const fileForm =
  /^(\d{12})_CloudTrail-Digest_([a-z0-9-]+)_(.+)_([a-z0-9-]+)_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(_backfill)?\.json\.gz$/;

/** What a digest's key says; undefined for any other key. The trail's name may hold `_`. */
export function parseDigestKey(
  key: string,
): (DigestChainName & { readonly endTime: string; readonly isBackfill: boolean }) | undefined {
  const match = fileForm.exec(key.slice(key.lastIndexOf("/") + 1));
  if (!match) return undefined;
  const [, account = "", region = "", trailName = "", homeRegion = "", ...rest] = match;
  const [year = "", month = "", day = "", hour = "", minute = "", second = "", backfill] = rest;
  const endTime = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  return { account, region, trailName, homeRegion, endTime, isBackfill: backfill !== undefined };
}
