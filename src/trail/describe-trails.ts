// DescribeTrails (api.md §4.4): unknown names and ARNs are left out, malformed ones are errors.
import type { Handler } from "../model/operations.ts";
import { isShadow, lookUpTrail, readTrailReference, visibleTrails } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";
import { trailToOutput } from "./trail-output.ts";

export function describeTrails(context: TrailContext): Handler<"DescribeTrails"> {
  return async (input, call) => {
    const references = (input.trailNameList ?? []).map((text) => readTrailReference(text, call));
    const trails =
      references.length === 0
        ? visibleTrails(context, call)
        : references.flatMap((reference) => lookUpTrail(context, reference, call) ?? []);
    const wanted =
      input.includeShadowTrails === false ? trails.filter((trail) => !isShadow(trail, call)) : trails;
    return { trailList: [...new Set(wanted)].map(trailToOutput) };
  };
}
