// Account ids and ARNs: their forms, parsed once at the edge. Pure.
import { parseRegion, partitionOf, type Region } from "./regions.ts";

declare const accountBrand: unique symbol;
/** A 12-digit account id. Minted by parseAccountId only. */
export type AccountId = string & { readonly [accountBrand]: true };

declare const trailArnBrand: unique symbol;
/** `arn:{partition}:cloudtrail:{homeRegion}:{owner}:trail/{name}`. Minted in this file only. */
export type TrailArn = string & { readonly [trailArnBrand]: true };

/** Returns `text` as an AccountId when it is exactly 12 digits, else undefined. */
export function parseAccountId(text: string): AccountId | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that mints AccountIds
  return /^\d{12}$/.test(text) ? (text as AccountId) : undefined;
}

export interface TrailIdentity {
  readonly homeRegion: Region;
  readonly account: AccountId;
  readonly name: string;
}

/** Builds the ARN of a trail (api.md §2.1). */
export function trailArn(trail: TrailIdentity): TrailArn {
  const { homeRegion, account, name } = trail;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted here
  return `arn:${partitionOf(homeRegion)}:cloudtrail:${homeRegion}:${account}:trail/${name}` as TrailArn;
}

/** An ARN cut at its first five colons; no part is checked beyond its presence. */
export interface ArnParts {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Cuts an ARN into its six parts, or returns undefined when it has fewer or does not begin with `arn:`. */
export function parseArn(text: string): ArnParts | undefined {
  const match = /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/s.exec(text);
  if (!match) return undefined;
  const [, partition = "", service = "", region = "", account = "", resource = ""] = match;
  return { partition, service, region, account, resource };
}

/**
 * Reads a trail ARN. The name part is returned unchecked (its rules raise errors of their own, api.md §2.2).
 * Undefined when the text is not a CloudTrail trail ARN of a well-formed Region and account.
 */
export function parseTrailArn(text: string): TrailIdentity | undefined {
  const parts = parseArn(text);
  if (!parts || parts.service !== "cloudtrail" || !parts.resource.startsWith("trail/")) return undefined;
  const homeRegion = parseRegion(parts.region);
  const account = parseAccountId(parts.account);
  if (!homeRegion || !account || parts.partition !== partitionOf(homeRegion)) return undefined;
  return { homeRegion, account, name: parts.resource.slice("trail/".length) };
}
