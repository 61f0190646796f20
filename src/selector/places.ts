// Where events belong, and which trails are in scope there (scope.ts): found once for each account and Region. Places
// with the same trails in scope share what follows from these. Pure.
import type { AccountId } from "../model/arn.ts";
import { globalServiceRegion, type Region } from "../model/regions.ts";
import type { DecisionGraph, DemandSet } from "./decision-graph.ts";
import { bytesOf, sortedById, type Verdict } from "./decision-memo.ts";
import type { Demand } from "./demands.ts";
import type { Destination, Folder, MatchSet, TrailScope } from "./match-set.ts";
import { type EventPlace, outOfScope, type ScopedPlace } from "./scope.ts";

/** A trail among those of an index. */
export interface Member {
  readonly trail: TrailScope;
  readonly demand: Demand;
  /** Its place among all trails sorted by incarnation. */
  readonly rank: number;
}

/** Trails that are in scope together; one object for the same trails. */
export interface Scope {
  readonly demands: DemandSet;
  /** Ranks of the trails that have a demand. */
  readonly ranksOf: ReadonlyMap<Demand, readonly number[]>;
  readonly outcomes: Map<Verdict, Outcome>;
}

/** A match set without its place; one object for equal ones. */
export interface Outcome {
  readonly folder: Folder;
  readonly destinations: readonly Destination[];
}

export interface Place extends EventPlace {
  readonly scope: Scope;
  /** That of global service events; most often the same. */
  readonly globalScope: Scope;
  readonly matchSets: Map<Outcome, MatchSet>;
}

export interface PlacesOptions {
  readonly organizationMembers: ReadonlySet<AccountId>;
  /** What the event bus demands wherever a trail is in scope. */
  readonly busDemand: Demand | undefined;
  readonly graph: DecisionGraph;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #byOwner: ReadonlyMap<AccountId, readonly Member[]>;
  readonly #ofOrganization: readonly Member[];
  readonly #places = new Map<AccountId, Map<Region, Place>>();
  readonly #scopes = new Map<string, Scope>();
  #last: Place | undefined;

  constructor(members: readonly Member[], options: PlacesOptions) {
    this.#options = options;
    this.#byOwner = grouped(members, ({ trail }) => trail.account);
    this.#ofOrganization = members.filter(({ trail }) => trail.isOrganization);
  }

  at({ account, region }: EventPlace): Place {
    // Events come in runs of one place.
    const last = this.#last;
    if (last !== undefined && last.account === account && last.region === region) return last;
    this.#last = this.#places.get(account)?.get(region) ?? this.#newPlace(account, region);
    return this.#last;
  }

  #newPlace(account: AccountId, region: Region): Place {
    const { organizationMembers, graph } = this.#options;
    const where = { account, region, organizationMembers };
    const scope = this.#scopeAt({ ...where, isGlobalService: false });
    const globalScope =
      region === globalServiceRegion ? this.#scopeAt({ ...where, isGlobalService: true }) : scope;
    const place = { account, region, scope, globalScope, matchSets: new Map<Outcome, MatchSet>() };
    const ofAccount = this.#places.get(account) ?? new Map<Region, Place>();
    this.#places.set(account, ofAccount.set(region, place));
    graph.memo.note(2 * bytesOf.node);
    return place;
  }

  #scopeAt(where: ScopedPlace): Scope {
    // Most trails belong to other accounts: only those that can be in scope are looked at.
    const own = this.#byOwner.get(where.account) ?? [];
    const isMember = where.organizationMembers.has(where.account);
    const others = isMember
      ? this.#ofOrganization.filter(({ trail }) => trail.account !== where.account)
      : [];
    const members = [...own, ...others]
      .filter(({ trail }) => outOfScope(trail, where) === undefined)
      .sort((a, b) => a.rank - b.rank);
    const key = members.map(({ rank }) => rank).join();
    const known = this.#scopes.get(key);
    if (known) return known;
    const scope = this.#newScope(members);
    this.#scopes.set(key, scope);
    return scope;
  }

  #newScope(members: readonly Member[]): Scope {
    const { graph, busDemand } = this.#options;
    const membersOf = grouped(members, ({ demand }) => demand);
    const ranksOf = new Map(
      [...membersOf].map(([demand, ofDemand]) => [demand, ofDemand.map(({ rank }) => rank)]),
    );
    const demands = new Set(ranksOf.keys());
    if (busDemand && members.length > 0) demands.add(busDemand);
    graph.memo.note(2 * bytesOf.node + 16 * bytesOf.reference * members.length);
    return { demands: graph.setOf(sortedById(demands)), ranksOf, outcomes: new Map() };
  }
}

function grouped<Key, Thing>(things: readonly Thing[], keyOf: (thing: Thing) => Key): Map<Key, Thing[]> {
  const groups = new Map<Key, Thing[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group) group.push(thing);
    else groups.set(key, [thing]);
  }
  return groups;
}
