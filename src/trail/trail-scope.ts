// What the selector index must know of a trail: its scope and its selectors. Pure.
import type { TrailScope } from "../selector/match-set.ts";
import { organizationOf } from "./organizations.ts";
import type { TrailConfiguration } from "./ports.ts";
import type { Trail } from "./trail.ts";

/** Of a trail as it would log, whether it is logging or not. */
export function scopeOfTrail(trail: Trail, configuration: TrailConfiguration): TrailScope {
  return {
    destination: { kind: "trail", incarnation: trail.incarnation },
    account: trail.owner,
    homeRegion: trail.homeRegion,
    isMultiRegion: trail.settings.isMultiRegion,
    includeGlobalServiceEvents: trail.settings.includeGlobalServiceEvents,
    // The trail of an organization that is configured no more logs its own account only.
    isOrganization: organizationOf(trail, configuration) !== undefined,
    selectors: trail.selectors,
    insightTypes: trail.insightSelectors.map((selector) => selector.insightType),
  };
}
