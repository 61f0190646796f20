// StartLogging (api.md §4.8): idempotent, the times of a trail that already logs stay.
import type { Handler } from "../model/operations.ts";
import { changeTrail } from "./change-trail.ts";
import { findChangeableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

export function startLogging(context: TrailContext): Handler<"StartLogging"> {
  return async (input, call) => {
    const find = () => findChangeableTrail(context, { name: input.Name, call });
    await changeTrail(context, find, (trail) => {
      if (trail.logging.isLogging) return trail;
      const startedMs = context.ports.clock.nowMs();
      return { ...trail, logging: { ...trail.logging, isLogging: true, startedMs } };
    });
    return {};
  };
}
