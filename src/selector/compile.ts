// Compiles a trail's selectors into one predicate over events (api.md §5.7). Pure.
// Must not: know Regions, accounts or trails; those are decided first, in scope.ts.
import type { RecordFields } from "../event/record.ts";
import { advancedConditions, basicConditions, type Condition, isDecidedBySelectors } from "./conditions.ts";
import type { TrailSelectors } from "./selectors.ts";

export type EventPredicate = (event: RecordFields) => boolean;

/** Returns whether at least one of the selectors matches an event. Insights records never match. */
export function compileSelectors(selectors: TrailSelectors): EventPredicate {
  const alternatives = conditionsOf(selectors);
  return (event) =>
    isDecidedBySelectors(event) &&
    alternatives.some((conditions) => conditions.every(({ holds }) => holds(event)));
}

/** The conditions of each selector, in the selectors' order. */
export function conditionsOf(selectors: TrailSelectors): Condition[][] {
  return selectors.kind === "basic"
    ? selectors.selectors.map(basicConditions)
    : selectors.selectors.map(advancedConditions);
}
