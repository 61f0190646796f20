// Whether an event lies within a trail's scope: its account and its Regions, decided before the selectors
// (api.md §5.7, §2.4). Pure.
import type { RecordFields } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import { unreachable } from "../model/assert.ts";
import { isGlobalServiceEvent } from "../model/global-services.ts";
import { globalServiceRegion, type Region } from "../model/regions.ts";
import type { TrailScope } from "./match-set.ts";

/** Where an event belongs: the record's recipientAccountId and awsRegion, parsed. */
export interface EventPlace {
  readonly account: AccountId;
  readonly region: Region;
}

/** An event's place and what the scope must know besides. */
export interface ScopedPlace extends EventPlace {
  /** Every account of the organization; empty without one. */
  readonly organizationMembers: ReadonlySet<AccountId>;
  readonly isGlobalService: boolean;
}

export type OutOfScope = "account" | "region" | "global-service";

export function scopedPlace(
  event: RecordFields,
  place: EventPlace & Pick<ScopedPlace, "organizationMembers">,
): ScopedPlace {
  const { account, region, organizationMembers } = place;
  const isGlobalService = isGlobalServiceEvent(event.eventSource, region);
  return { account, region, organizationMembers, isGlobalService };
}

/** Why the event is outside the trail's scope, or undefined when it is inside. */
export function outOfScope(trail: TrailScope, place: ScopedPlace): OutOfScope | undefined {
  return scopeDemands.find((demand) => !isWithin[demand](trail, place));
}

/** All that the scope demands, in the order in which reasons are told. */
export const scopeDemands: readonly OutOfScope[] = ["account", "region", "global-service"];

/** Whether the event meets one demand of the trail's scope. */
export const isWithin: Readonly<Record<OutOfScope, (trail: TrailScope, place: ScopedPlace) => boolean>> = {
  account: (trail, place) =>
    place.account === trail.account || (trail.isOrganization && place.organizationMembers.has(place.account)),
  region: (trail, place) => trail.isMultiRegion || trail.homeRegion === place.region,
  // Matters for multi-Region trails, and for those at home in us-east-1.
  "global-service": (trail, place) => !place.isGlobalService || trail.includeGlobalServiceEvents,
};

/** The reason as a sentence about this event and this trail. */
export function scopeSentence(reason: OutOfScope, trail: TrailScope, place: EventPlace): string {
  switch (reason) {
    case "account":
      return `The event belongs to account ${place.account}, the trail to ${trail.account}.`;
    case "region":
      return `The event is of Region ${place.region}; the trail logs its home Region ${trail.homeRegion} only.`;
    case "global-service":
      return `It is a global service event of ${globalServiceRegion} and IncludeGlobalServiceEvents is false.`;
    default:
      return unreachable(reason);
  }
}
