// DeleteTrail (api.md §4.3): works while the trail logs. Bucket, objects and topic are not touched.
import type { Handler } from "../model/operations.ts";
import { findChangeableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

/** What was decided before is delivered for this long before the call is answered, and afterwards behind it. */
const flushMsMax = 5_000;

export function deleteTrail(context: TrailContext): Handler<"DeleteTrail"> {
  const { registry, ports } = context;
  return async (input, call) => {
    const find = () => findChangeableTrail(context, { name: input.Name, call });
    const { owner, arn } = find();
    const { incarnation } = await registry.serialised(owner, arn, async (writer) => {
      const trail = find();
      await writer.remove(trail);
      return trail;
    });
    try {
      await ports.delivery.flush(incarnation, flushMsMax);
    } catch (error) {
      // The trail is gone all the same; delivery goes on trying.
      ports.log.warn({ trail: arn, error }, "The last files of a deleted trail are not delivered yet.");
    }
    return {};
  };
}
