// What the index must decide, without any of its means: every trail asked in turn, scope first, then the plain engine.
import { categoryOf, type RecordFields } from "../event/record.ts";
import { compileSelectors } from "./compile.ts";
import { eventBusDestination, type Folder, type TrailScope } from "./match-set.ts";
import { outOfScope, type ScopedPlace, scopedPlace } from "./scope.ts";
import { type IndexOptions, logsInsight } from "./selector-index.ts";

export interface PlainDecision {
  readonly folder: Folder;
  /** Incarnations, sorted. */
  readonly destinations: readonly string[];
}

type Place = Pick<ScopedPlace, "account" | "region">;

/** Returns what decides; compiled once, asked as often as wanted. */
export function plainIndex(
  scopes: readonly TrailScope[],
  { organizationMembers, eventBus = "off" }: Omit<IndexOptions, "version">,
): (event: RecordFields, place: Place) => PlainDecision {
  const trails = scopes.map((trail) => ({ trail, selects: compileSelectors(trail.selectors) }));
  return (event, place) => {
    const where = scopedPlace(event, { ...place, organizationMembers });
    const category = categoryOf(event);
    const inScope = trails.filter(({ trail }) => outOfScope(trail, where) === undefined);
    const logging = inScope.filter(({ trail, selects }) =>
      category === "Insight" ? logsInsight(trail, event) : selects(event),
    );
    const isSent = eventBus === "all" || (eventBus === "write" && event.readOnly !== true);
    const goesToBus =
      category === "Management" ? isSent && inScope.length > 0 : eventBus !== "off" && logging.length > 0;
    const destinations = logging.map(({ trail }) => trail.destination.incarnation);
    if (goesToBus) destinations.push(eventBusDestination.incarnation);
    return { folder: folders[category] ?? "CloudTrail", destinations: destinations.sort() };
  };
}

const folders: Readonly<Record<string, Folder>> = {
  Insight: "CloudTrail-Insight",
  NetworkActivity: "CloudTrail-NetworkActivity",
  Aggregated: "CloudTrail-Aggregated",
};
