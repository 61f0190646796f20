// Selectors as logging trails of the records' account, and a selector index over them.
import type { MatchSet, TrailScope } from "../src/selector/match-set.ts";
import type { EventPlace } from "../src/selector/scope.ts";
import type { SelectorIndex } from "../src/selector/selector-index.ts";
import type { TrailSelectors } from "../src/selector/selectors.ts";
import { builtIndex } from "./built.ts";
import { account } from "./records/cast.ts";

const { buildSelectorIndex } = await builtIndex();

/** The place of a record of the synthetic account. */
export function placeIn(region: string): EventPlace {
  return { account, region } as EventPlace;
}

export function scopesOf(all: readonly TrailSelectors[]): TrailScope[] {
  const { account, region: homeRegion } = placeIn("us-east-1");
  return all.map((selectors, index) => ({
    destination: { kind: "trail", incarnation: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}` },
    ...{ account, homeRegion, isMultiRegion: true, includeGlobalServiceEvents: true, isOrganization: false },
    ...{ selectors, insightTypes: [] },
  }));
}

export function indexOf(scopes: readonly TrailScope[]): SelectorIndex {
  return buildSelectorIndex(scopes, { version: 1, organizationMembers: new Set() });
}

/** Matches nothing, at no cost: what is left of an intake is everything else. */
export function noIndex(): SelectorIndex {
  const set = { ...placeIn("us-east-1"), folder: "CloudTrail", destinations: [] } as MatchSet;
  return { version: 1, match: () => set };
}
