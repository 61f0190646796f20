// PutEventSelectors (api.md §5.1): the new list replaces everything; one kind drops the other.
import type { Handler } from "../model/operations.ts";
import { selectorsFromInput } from "../selector/choose-selectors.ts";
import { selectorsToOutput } from "../selector/selectors-output.ts";
import { changeTrail } from "./change-trail.ts";
import { findChangeableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

export function putEventSelectors(context: TrailContext): Handler<"PutEventSelectors"> {
  return async (input, call) => {
    const find = () => findChangeableTrail(context, { name: input.TrailName, call });
    const { quotas: limits, extraResourceTypes } = context.ports.configuration();
    const { arn, selectors } = await changeTrail(context, find, (trail) => {
      const current = trail.selectors;
      return { ...trail, selectors: selectorsFromInput(input, { current, limits, extraResourceTypes }) };
    });
    return { TrailARN: arn, ...selectorsToOutput(selectors) };
  };
}
