// PutInsightSelectors (api.md §6.1) on a trail: replaces the stored list, an empty one turns Insights off.
import { apiError } from "../model/errors.ts";
import type { Handler, Input } from "../model/operations.ts";
import { checkBucket } from "./bucket-check.ts";
import { changeTrail } from "./change-trail.ts";
import { findChangeableTrail } from "./find-trail.ts";
import { checkNeededEvents, insightSelectorsToOutput, readInsightSelectors } from "./insight-selectors.ts";
import type { TrailContext } from "./trail-context.ts";

export function putInsightSelectors(context: TrailContext): Handler<"PutInsightSelectors"> {
  return async (input, call) => {
    const list = input.InsightSelectors ?? [];
    checkTarget(input, list.length);
    const find = () => findChangeableTrail(context, { name: input.TrailName, call });
    const trail = find();
    const insightSelectors = readInsightSelectors(list);
    checkNeededEvents(insightSelectors, trail.selectors);
    if (insightSelectors.length > 0) await checkBucket(context.ports, { ...trail, insightSelectors });
    const changed = await changeTrail(context, find, (current) => {
      checkNeededEvents(insightSelectors, current.selectors);
      return { ...current, insightSelectors };
    });
    return {
      TrailARN: changed.arn,
      InsightSelectors: insightSelectorsToOutput(changed.insightSelectors),
    };
  };
}

/** Either a trail, or an event data store with the one its Insights go to; turning off needs no such other one. */
function checkTarget(input: Input<"PutInsightSelectors">, listLength: number): void {
  const { TrailName: trail, EventDataStore: store, InsightsDestination: destination } = input;
  const isTrail = trail !== undefined && store === undefined && destination === undefined;
  if (isTrail) return;
  const isStore =
    trail === undefined && store !== undefined && (destination !== undefined || listLength === 0);
  if (!isStore) throw apiError("InvalidParameterCombinationException.trailOrStoreWithDestination");
  // Insights of event data stores come with the stores; the operation has no error that says `not found`.
  throw apiError("UnsupportedOperationException");
}
