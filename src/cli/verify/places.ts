// Finds where trails have written: every account and Region below the AWSLogs folders of a bucket (formats.md §2.1).
import type { Evidence } from "./evidence.ts";
import { logFolders } from "./log-file-name.ts";

/** One account's one Region. Chains and their log files lie within one place, so each is verified by itself. */
export interface Place {
  /** `[prefix/]AWSLogs/[org/]account/` */
  readonly base: string;
  readonly account: string;
  readonly region: string;
  /** Those of `CloudTrail`, `CloudTrail-Digest` … that the account has. */
  readonly folders: readonly string[];
}

export interface PlaceFilter {
  /** The trail's S3KeyPrefix; undefined: look for AWSLogs folders everywhere. */
  readonly prefix: string | undefined;
  readonly account: string | undefined;
  readonly region: string | undefined;
}

/** The bucket has so many folders that looking for AWSLogs in it would not end soon. */
export class TooManyFolders extends Error {}

export const digestFolderName = "CloudTrail-Digest";
const knownFolders = [digestFolderName, ...logFolders];
/** S3KeyPrefix has at most 200 characters; deeper prefixes have to be named. */
const depthMax = 6;
const lookupsMax = 2000;

/** In the order of their keys. */
export async function* findPlaces(evidence: Evidence, filter: PlaceFilter): AsyncGenerator<Place> {
  for (const root of await findRoots(evidence, filter.prefix)) {
    for (const name of await evidence.folders(root)) {
      if (isAccount(name))
        yield* placesOfAccount(evidence, { base: `${root}${name}/`, account: name }, filter);
      if (!/^o-[a-z0-9]{10,32}$/.test(name)) continue;
      const organization = `${root}${name}/`;
      for (const account of (await evidence.folders(organization)).filter(isAccount)) {
        yield* placesOfAccount(evidence, { base: `${organization}${account}/`, account }, filter);
      }
    }
  }
}

async function* placesOfAccount(
  evidence: Evidence,
  { base, account }: Pick<Place, "base" | "account">,
  filter: PlaceFilter,
): AsyncGenerator<Place> {
  if (filter.account !== undefined && account !== filter.account) return;
  const folders = (await evidence.folders(base)).filter((name) => knownFolders.includes(name));
  const regions = new Set<string>();
  for (const folder of folders) {
    for (const region of await evidence.folders(`${base}${folder}/`)) regions.add(region);
  }
  for (const region of [...regions].sort()) {
    if (filter.region === undefined || region === filter.region) yield { base, account, region, folders };
  }
}

async function findRoots(evidence: Evidence, prefix: string | undefined): Promise<readonly string[]> {
  if (prefix !== undefined) return [prefix === "" ? "AWSLogs/" : `${prefix}/AWSLogs/`];
  const roots: string[] = [];
  let level = [""];
  let lookups = 0;
  for (let depth = 0; depth <= depthMax && level.length > 0; depth += 1) {
    const below: string[] = [];
    for (const folder of level) {
      lookups += 1;
      if (lookups > lookupsMax) throw new TooManyFolders();
      for (const name of await evidence.folders(folder)) {
        const inside = `${folder}${name}/`;
        if (name === "AWSLogs") roots.push(inside);
        else below.push(inside);
      }
    }
    level = below;
  }
  return roots.sort();
}

function isAccount(name: string): boolean {
  return /^\d{12}$/.test(name);
}
