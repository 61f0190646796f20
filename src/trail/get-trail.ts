// GetTrail (api.md §4.5).
import type { Handler } from "../model/operations.ts";
import { findReadableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";
import { trailToOutput } from "./trail-output.ts";

export function getTrail(context: TrailContext): Handler<"GetTrail"> {
  return async (input, call) => ({
    Trail: trailToOutput(findReadableTrail(context, { name: input.Name, call, notFoundAs: "as-given" })),
  });
}
