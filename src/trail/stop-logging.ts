// StopLogging (api.md §4.8): idempotent. What was decided before is still delivered; the configuration stays.
import type { Handler } from "../model/operations.ts";
import { changeTrail } from "./change-trail.ts";
import { findChangeableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

export function stopLogging(context: TrailContext): Handler<"StopLogging"> {
  return async (input, call) => {
    const find = () => findChangeableTrail(context, { name: input.Name, call });
    await changeTrail(context, find, (trail) => {
      if (!trail.logging.isLogging) return trail;
      const stoppedMs = context.ports.clock.nowMs();
      return { ...trail, logging: { ...trail.logging, isLogging: false, stoppedMs } };
    });
    return {};
  };
}
