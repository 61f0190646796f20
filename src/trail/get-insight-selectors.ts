// GetInsightSelectors (api.md §6.2): an error while Insights are off.
import { apiError } from "../model/errors.ts";
import type { Handler } from "../model/operations.ts";
import { findReadableTrail } from "./find-trail.ts";
import { insightSelectorsToOutput } from "./insight-selectors.ts";
import type { TrailContext } from "./trail-context.ts";

export function getInsightSelectors(context: TrailContext): Handler<"GetInsightSelectors"> {
  return async (input, call) => {
    const { TrailName: name, EventDataStore: store } = input;
    if ((name === undefined) === (store === undefined)) {
      throw apiError("InvalidParameterCombinationException.trailOrStore");
    }
    // Insights of event data stores come with the stores; the operation has no error that says `not found`.
    if (store !== undefined) throw apiError("UnsupportedOperationException");
    const trail = findReadableTrail(context, { name, call });
    if (trail.insightSelectors.length === 0)
      throw apiError("InsightNotEnabledException", { name: trail.name });
    return { TrailARN: trail.arn, InsightSelectors: insightSelectorsToOutput(trail.insightSelectors) };
  };
}
