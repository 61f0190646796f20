// GetEventSelectors (api.md §5.1): the default basic list when none was ever put.
import type { Handler } from "../model/operations.ts";
import { selectorsToOutput } from "../selector/selectors-output.ts";
import { findReadableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

export function getEventSelectors(context: TrailContext): Handler<"GetEventSelectors"> {
  return async (input, call) => {
    const trail = findReadableTrail(context, { name: input.TrailName, call });
    return { TrailARN: trail.arn, ...selectorsToOutput(trail.selectors) };
  };
}
