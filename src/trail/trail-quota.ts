// Which names are taken, and how many trails a Region may hold (api.md §2.4, §2.8). Pure.
import type { AccountId } from "../model/arn.ts";
import { apiError } from "../model/errors.ts";
import type { Region } from "../model/regions.ts";
import type { TrailConfiguration } from "./ports.ts";
import type { Trail } from "./trail.ts";

/** A trail as it would be: new, or about to become multi-Region. */
export interface WantedTrail {
  readonly name: string;
  readonly owner: AccountId;
  readonly homeRegion: Region;
  readonly isMultiRegion: boolean;
}

/**
 * Throws TrailAlreadyExistsException when `others` (trails of the same owner) have the name: in the home Region, or,
 * because a multi-Region trail occupies its name in every Region, in any.
 */
export function checkNameIsFree(wanted: WantedTrail, others: readonly Trail[]): void {
  const isTaken = others.some(
    (trail) =>
      trail.name === wanted.name &&
      (wanted.isMultiRegion || trail.settings.isMultiRegion || trail.homeRegion === wanted.homeRegion),
  );
  if (isTaken) throw apiError("TrailAlreadyExistsException", { name: wanted.name, account: wanted.owner });
}

/** Throws MaximumNumberOfTrailsExceededException naming the first Region that is full, the home Region first. */
export function checkRoomForTrail(
  wanted: WantedTrail,
  others: readonly Trail[],
  configuration: TrailConfiguration,
): void {
  const max = configuration.quotas.trailsPerRegion;
  const regions = wanted.isMultiRegion
    ? new Set([wanted.homeRegion, ...configuration.regions])
    : [wanted.homeRegion];
  for (const region of regions) {
    const count = others.filter(
      (trail) => trail.settings.isMultiRegion || trail.homeRegion === region,
    ).length;
    if (count >= max) {
      throw apiError("MaximumNumberOfTrailsExceededException", { account: wanted.owner, max, region });
    }
  }
}
