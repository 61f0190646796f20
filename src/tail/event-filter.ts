// Which records somebody wants to see: by the attributes that LookupEvents knows, by error code, account, Region, and by
// the trail that logged them as it was decided at the door. Pure.
import type { LookupAttribute } from "../event/lookup-fields.ts";
import type { FrameRecord } from "../journal/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { RecordLookups } from "./looked-up.ts";

/** All of it must hold; what is absent does not matter. */
export interface EventFilter {
  readonly attributes?: readonly (readonly [attribute: LookupAttribute, value: string])[];
  readonly errorCode?: string;
  readonly account?: AccountId;
  readonly region?: Region;
  /** Of the trail that logs the record. */
  readonly incarnation?: string;
}

/** The cheapest question comes first: a match set is asked once, bytes are looked through, and few records are scanned. */
export function compileFilter(filter: EventFilter): (record: FrameRecord) => boolean {
  const { errorCode } = filter;
  const isWanted = onceForEach((matchSet) => isWantedPlace(filter, matchSet));
  const texts = needlesOf(filter);
  const attributes = (filter.attributes ?? []).toSorted(([a], [b]) => costOf(a) - costOf(b));
  const isPlain = attributes.length === 0 && errorCode === undefined;
  const lookups = new RecordLookups();
  return ({ bytes, matchSet }) => {
    if (!isWanted(matchSet)) return false;
    if (isPlain) return true;
    if (!mayHold(bytes, texts)) return false;
    const record = lookups.of(bytes);
    if (!record || (errorCode !== undefined && record.errorCode !== errorCode)) return false;
    return attributes.every(([attribute, value]) => record.has(attribute, value));
  };
}

/** What stands in the record itself is asked before what is derived. */
function costOf(attribute: LookupAttribute): number {
  return ["EventId", "EventName", "EventSource", "ReadOnly"].includes(attribute) ? 0 : 1;
}

function isWantedPlace(filter: EventFilter, matchSet: MatchSet): boolean {
  const { account, region, incarnation } = filter;
  if (account !== undefined && matchSet.account !== account) return false;
  if (region !== undefined && matchSet.region !== region) return false;
  return (
    incarnation === undefined || matchSet.destinations.some((logged) => logged.incarnation === incarnation)
  );
}

/** Match sets are interned: thousands of records ask about the same few. */
function onceForEach(decide: (matchSet: MatchSet) => boolean): (matchSet: MatchSet) => boolean {
  const known = new WeakMap<MatchSet, boolean>();
  return (matchSet) => {
    const answer = known.get(matchSet) ?? decide(matchSet);
    known.set(matchSet, answer);
    return answer;
  };
}

/** Texts that stand in every record that matches, unless one of its characters is escaped. */
function needlesOf({ attributes = [], errorCode }: EventFilter): readonly Buffer[] {
  const texts = attributes.flatMap(([attribute, value]) => (isCopied(attribute, value) ? [value] : []));
  if (errorCode !== undefined) texts.push(errorCode);
  return texts.map((text) => Buffer.from(text, "utf8"));
}

/** Whether such a value is part of the record itself, and not derived (event/lookup-fields.ts). */
function isCopied(attribute: LookupAttribute, value: string): boolean {
  switch (attribute) {
    case "EventId":
    case "EventName":
    case "EventSource":
    case "AccessKeyId":
    case "ResourceName":
      return true;
    case "Username":
      return value !== "root";
    case "ReadOnly":
    case "ResourceType":
    default:
      return false;
  }
}

const backslash = 0x5c;

function mayHold(bytes: Uint8Array, texts: readonly Buffer[]): boolean {
  if (texts.length === 0) return true;
  const own = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return texts.every((text) => own.includes(text)) || own.includes(backslash);
}
