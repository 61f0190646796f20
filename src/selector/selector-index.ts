// Decides which trails log an event: scope, then selectors, then one interned match set (api.md §5.7); and whether the
// event bus gets it, which follows the trails (formats.md §5.2). Pure.
// An index is built whenever a trail changes and replaced as a whole; its version travels with what it decided.
// This is the seam for speed: callers know only `match`.
import { categoryOf, type RecordFields } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import { compileSelectors, type EventPredicate } from "./compile.ts";
import {
  type Destination,
  eventBusDestination,
  type Folder,
  type MatchSet,
  type TrailScope,
} from "./match-set.ts";
import { type EventPlace, outOfScope, scopedPlace, type ScopedPlace } from "./scope.ts";

export interface SelectorIndex {
  readonly version: number;
  /** The destinations that log the event, as an interned match set; `place` is the record's account and Region. */
  match(event: RecordFields, place: EventPlace): MatchSet;
}

export interface IndexOptions {
  readonly version: number;
  /** Every account of the organization; empty without one. */
  readonly organizationMembers: ReadonlySet<AccountId>;
  /**
   * What goes to the event bus besides the data, network and Insights events that a trail logs: management events that
   * write, or all of them, where a trail is in scope, whatever its selectors. `off`, and when absent: nothing at all.
   */
  readonly eventBus?: "off" | "write" | "all";
}

/** Trails with equal selectors share one predicate, asked at most once per event. */
interface Group {
  readonly matches: EventPredicate;
  readonly members: readonly Member[];
}

interface Member {
  readonly trail: TrailScope;
  /** Its place among all trails sorted by incarnation. */
  readonly rank: number;
}

/** Whether an event goes to the bus, given how many trails log it. */
type BusRule = (placed: PlacedEvent, trailsThatLog: number) => boolean;

/** Takes the trails that are logging now. */
export function buildSelectorIndex(scopes: readonly TrailScope[], options: IndexOptions): SelectorIndex {
  const members = [...scopes]
    .sort((a, b) => compareTexts(a.destination.incarnation, b.destination.incarnation))
    .map((trail, rank) => ({ trail, rank }));
  const groups = groupBySelectors(members);
  const intern = createInterner(members);
  const { eventBus = "off" } = options;
  const goesToBus = eventBus === "off" ? () => false : busRule(members, eventBus);
  return {
    version: options.version,
    match(event, place) {
      const scoped = scopedPlace(event, { ...place, organizationMembers: options.organizationMembers });
      const category = categoryOf(event);
      const placed = { event, place: scoped };
      const ranks = category === "Insight" ? insightRanks(members, placed) : selectedRanks(groups, placed);
      const isForBus = goesToBus(placed, ranks.length);
      const { account, region } = place;
      return intern({ account, region, folder: folderOf(category), ranks, isForBus });
    },
  };
}

function groupBySelectors(members: readonly Member[]): Group[] {
  const groups = new Map<string, { matches: EventPredicate; members: Member[] }>();
  for (const member of members) {
    const { selectors } = member.trail;
    const key = JSON.stringify(selectors);
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { matches: compileSelectors(selectors), members: [member] });
  }
  return [...groups.values()];
}

interface PlacedEvent {
  readonly event: RecordFields;
  readonly place: ScopedPlace;
}

/** Categories beyond the three (ActivityAuditLog, Aggregated …) match no selector, hence no trail. */
function selectedRanks(groups: readonly Group[], { event, place }: PlacedEvent): number[] {
  const ranks: number[] = [];
  for (const { matches, members } of groups) {
    const inScope = members.filter(({ trail }) => outOfScope(trail, place) === undefined);
    if (inScope.length > 0 && matches(event)) ranks.push(...inScope.map(({ rank }) => rank));
  }
  return ranks.sort((a, b) => a - b);
}

function insightRanks(members: readonly Member[], { event, place }: PlacedEvent): number[] {
  return members
    .filter(({ trail }) => outOfScope(trail, place) === undefined && logsInsight(trail, event))
    .map(({ rank }) => rank);
}

/** Categories that no trail logs never go to the bus either. */
function busRule(members: readonly Member[], eventBus: "write" | "all"): BusRule {
  return ({ event, place }, trailsThatLog) => {
    if (categoryOf(event) !== "Management") return trailsThatLog > 0;
    // A record that does not say is a write (api.md §5.7).
    if (eventBus === "write" && event.readOnly === true) return false;
    return trailsThatLog > 0 || members.some(({ trail }) => outOfScope(trail, place) === undefined);
  };
}

/** Insights records follow what PutInsightSelectors enabled; one that does not name its type goes with any. */
export function logsInsight(trail: TrailScope, event: RecordFields): boolean {
  return event.insightType === undefined
    ? trail.insightTypes.length > 0
    : trail.insightTypes.includes(event.insightType);
}

/** The key folder of a category's log files (formats.md §1.8). */
function folderOf(category: string): Folder {
  switch (category) {
    case "Insight":
      return "CloudTrail-Insight";
    case "NetworkActivity":
      return "CloudTrail-NetworkActivity";
    case "Aggregated":
      return "CloudTrail-Aggregated";
    default:
      return "CloudTrail";
  }
}

interface SetParts extends EventPlace {
  readonly folder: Folder;
  readonly ranks: readonly number[];
  readonly isForBus: boolean;
}

// A caller who may put events of every account could invent 10^12 of them, so the number of sets has no natural
// bound. At this many the map starts anew: sets made later are equal to earlier ones, only no longer identical.
const internedMax = 65_536;

function createInterner(members: readonly Member[]): (parts: SetParts) => MatchSet {
  let interned = new Map<string, MatchSet>();
  return ({ account, region, folder, ranks, isForBus }) => {
    const key = `${account} ${region} ${folder} ${ranks.join()}${isForBus ? " bus" : ""}`;
    const known = interned.get(key);
    if (known) return known;
    const trails = ranks.flatMap((rank) => members[rank]?.trail.destination ?? []);
    const destinations = isForBus ? withBus(trails) : trails;
    const set: MatchSet = { account, region, folder, destinations };
    if (interned.size >= internedMax) interned = new Map();
    interned.set(key, set);
    return set;
  };
}

function withBus(trails: readonly Destination[]): Destination[] {
  return [...trails, eventBusDestination].sort((a, b) => compareTexts(a.incarnation, b.incarnation));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
