// A match set as the text that a segment keeps of it, and back. Must not: know segments.
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import { type Destination, eventBusDestination, type Folder, type MatchSet } from "../selector/match-set.ts";

const folders: readonly Folder[] = [
  "CloudTrail",
  "CloudTrail-Insight",
  "CloudTrail-NetworkActivity",
  "CloudTrail-Aggregated",
];

// Match sets are interned and live as long as an index version: their text is made once.
const textOf = new WeakMap<MatchSet, string>();

/** The same text for every match set of the same content. */
export function matchSetText(matchSet: MatchSet): string {
  const known = textOf.get(matchSet);
  if (known !== undefined) return known;
  const { account, region, folder, destinations } = matchSet;
  const text = JSON.stringify({
    account,
    region,
    folder,
    destinations: destinations.map(({ kind, incarnation }) => ({ kind, incarnation })),
  });
  textOf.set(matchSet, text);
  return text;
}

/** The match set of a text, or undefined when the text is none (a newer Cairn wrote it). */
export function parseMatchSetText(text: string): MatchSet | undefined {
  const value = parseObject(text);
  if (!value) return undefined;
  const account = typeof value["account"] === "string" ? parseAccountId(value["account"]) : undefined;
  const region = typeof value["region"] === "string" ? parseRegion(value["region"]) : undefined;
  const folder = folders.find((name) => name === value["folder"]);
  const listed: unknown = value["destinations"];
  if (!account || !region || !folder || !Array.isArray(listed)) return undefined;
  const destinations = listed.map(parseDestination);
  if (!destinations.every((destination) => destination !== undefined)) return undefined;
  return { account, region, folder, destinations };
}

function parseDestination(value: unknown): Destination | undefined {
  if (!isObject(value)) return undefined;
  const { kind, incarnation } = value;
  if (kind === "trail" && typeof incarnation === "string") return { kind, incarnation };
  const isBus = kind === eventBusDestination.kind && incarnation === eventBusDestination.incarnation;
  return isBus ? eventBusDestination : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
