// Decides which trails log an event: scope, then selectors, then one interned match set (api.md §5.7); and whether the
// event bus gets it, which follows the trails (formats.md §5.2). Pure.
// An index is built whenever a trail changes and replaced as a whole; its version travels with what it decided.
//
// How it is fast (compile.ts and conditions.ts say the same plainly, and tests compare the two):
// 1. The place of the event, account and Region, has its trails in scope (places.ts).
// 2. Trails with equal selectors have one demand, compiled once also over versions (demands.ts).
// 3. Each field that a demand asks for is classified: values that no test tells apart are one class (field-words.ts).
// 4. From class to class the event walks a graph of what is left undecided (decision-graph.ts); its resources walk on
//    in one of their own (resource-stage.ts). The end of the walk is interned, and so is the match set made of it.
// All that is made when an event first comes that way, and forgotten together when it takes too much memory.
import { categoryOf, type RecordFields } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import { isGlobalServiceEvent } from "../model/global-services.ts";
import { DecisionGraph } from "./decision-graph.ts";
import { bytesOf, type Verdict } from "./decision-memo.ts";
import { type Demand, DemandCatalog, demandedCategories, type DemandedCategory } from "./demands.ts";
import {
  type Destination,
  eventBusDestination,
  type Folder,
  type MatchSet,
  type TrailScope,
} from "./match-set.ts";
import { type Member, type Outcome, type Place, Places, type Scope } from "./places.ts";
import type { EventPlace } from "./scope.ts";

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
  /** The index that this one replaces: what is compiled already is taken over. It may be used on. */
  readonly replaces?: SelectorIndex;
  /** Estimated memory that decisions may take before they are forgotten. */
  readonly memoBytesMax?: number;
}

/** Takes the trails that are logging now. */
export function buildSelectorIndex(scopes: readonly TrailScope[], options: IndexOptions): SelectorIndex {
  return new CompiledIndex(scopes, options);
}

/** More where there are more selectors: their number is not the callers' choice. */
const memoBytesMaxDefault = 64 * 1024 * 1024;
const memoBytesMaxPerAlternative = 8 * bytesOf.tested;

/** All that is remembered of decisions: forgotten as a whole. */
interface Remembered {
  readonly graph: DecisionGraph;
  readonly places: Places;
  readonly outcomes: Map<string, Outcome>;
}

class CompiledIndex implements SelectorIndex {
  readonly version: number;
  readonly catalog: DemandCatalog;
  readonly #organizationMembers: ReadonlySet<AccountId>;
  readonly #memoBytesMax: number;
  readonly #members: readonly Member[];
  readonly #busDemand: Demand | undefined;
  #remembered: Remembered;

  constructor(scopes: readonly TrailScope[], options: IndexOptions) {
    const { eventBus = "off", replaces } = options;
    this.version = options.version;
    this.#organizationMembers = options.organizationMembers;
    this.catalog = catalogFor(scopes, replaces);
    this.#members = scopes
      .toSorted((a, b) => compareTexts(a.destination.incarnation, b.destination.incarnation))
      .map((trail, rank) => ({ trail, rank, demand: this.catalog.demandOf(trail) }));
    this.#memoBytesMax = options.memoBytesMax ?? suitableBytesMax(this.#members);
    this.#busDemand = eventBus === "off" ? undefined : this.catalog.busDemand(eventBus);
    // What was decided about demands stays true; where trails are in scope may have changed.
    const before =
      replaces instanceof CompiledIndex && replaces.catalog === this.catalog ? replaces : undefined;
    this.#remembered = this.#rememberWith(before?.graph ?? new DecisionGraph(this.catalog));
  }

  get graph(): DecisionGraph {
    return this.#remembered.graph;
  }

  match(event: RecordFields, at: EventPlace): MatchSet {
    if (this.graph.memo.bytes > this.#memoBytesMax) {
      this.#remembered = this.#rememberWith(new DecisionGraph(this.catalog));
    }
    const { graph, places } = this.#remembered;
    const place = places.at(at);
    const scope = scopeOf(event, place);
    const category = categoryOf(event);
    const demanded = demandedCategory(category);
    if (demanded === undefined) return this.#matchSet(place, this.#outcome(folderOf(category), [], false));
    const verdict = graph.decide(scope.demands, demanded, event);
    const outcome = scope.outcomes.get(verdict) ?? this.#newOutcome(scope, verdict);
    return place.matchSets.get(outcome) ?? this.#matchSet(place, outcome);
  }

  #rememberWith(graph: DecisionGraph): Remembered {
    const organizationMembers = this.#organizationMembers;
    const places = new Places(this.#members, { organizationMembers, busDemand: this.#busDemand, graph });
    return { graph, places, outcomes: new Map() };
  }

  #newOutcome(scope: Scope, verdict: Verdict): Outcome {
    const { category, met } = verdict;
    const ranks = met.flatMap((demand) => scope.ranksOf.get(demand) ?? []).sort((a, b) => a - b);
    const outcome = this.#outcome(folderOf(category), ranks, this.#isForBus(category, met));
    scope.outcomes.set(verdict, outcome);
    return outcome;
  }

  /** Management events go there as the bus demands; others when a trail logs them. */
  #isForBus(category: DemandedCategory, met: readonly Demand[]): boolean {
    if (this.#busDemand === undefined) return false;
    return category === "Management" ? met.includes(this.#busDemand) : met.length > 0;
  }

  #outcome(folder: Folder, ranks: readonly number[], isForBus: boolean): Outcome {
    const { outcomes, graph } = this.#remembered;
    const key = `${folder} ${ranks.join()}${isForBus ? " bus" : ""}`;
    const known = outcomes.get(key);
    if (known) return known;
    const trails = ranks.flatMap((rank) => this.#members[rank]?.trail.destination ?? []);
    const outcome = { folder, destinations: isForBus ? withBus(trails) : trails };
    outcomes.set(key, outcome);
    graph.memo.note(bytesOf.entry + key.length + bytesOf.reference * ranks.length);
    return outcome;
  }

  #matchSet(place: Place, outcome: Outcome): MatchSet {
    const known = place.matchSets.get(outcome);
    if (known) return known;
    const { account, region } = place;
    const set = { account, region, ...outcome };
    place.matchSets.set(outcome, set);
    this.graph.memo.note(bytesOf.node);
    return set;
  }
}

function suitableBytesMax(members: readonly Member[]): number {
  let alternatives = 0;
  for (const demand of new Set(members.map((member) => member.demand))) {
    for (const category of demandedCategories) alternatives += demand.alternatives[category].length;
  }
  return memoBytesMaxDefault + memoBytesMaxPerAlternative * alternatives;
}

/** The compiled demands of the index before, unless most of them are those of trails that are gone or changed. */
function catalogFor(scopes: readonly TrailScope[], replaces: SelectorIndex | undefined): DemandCatalog {
  if (!(replaces instanceof CompiledIndex)) return new DemandCatalog();
  const { catalog } = replaces;
  return catalog.isWorthKeeping(scopes.map((trail) => catalog.demandOf(trail)))
    ? catalog
    : new DemandCatalog();
}

function scopeOf(event: RecordFields, place: Place): Scope {
  if (place.scope === place.globalScope) return place.scope;
  return isGlobalServiceEvent(event.eventSource, place.region) ? place.globalScope : place.scope;
}

/** Categories beyond these (ActivityAuditLog, Aggregated …) match no selector, hence no trail and no bus. */
function demandedCategory(category: string): DemandedCategory | undefined {
  switch (category) {
    case "Management":
    case "Data":
    case "NetworkActivity":
    case "Insight":
      return category;
    default:
      return undefined;
  }
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

function withBus(trails: readonly Destination[]): Destination[] {
  return [...trails, eventBusDestination].sort((a, b) => compareTexts(a.incarnation, b.incarnation));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
