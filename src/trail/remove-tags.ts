// RemoveTags (api.md §6.5): by key alone; keys that are not there are ignored.
import type { Handler } from "../model/operations.ts";
import { changeTrail } from "./change-trail.ts";
import { findTaggedTrail } from "./tagged-resource.ts";
import { readTagKeys } from "./tags.ts";
import type { TrailContext } from "./trail-context.ts";

export function removeTags(context: TrailContext): Handler<"RemoveTags"> {
  return async (input, call) => {
    const find = () => findTaggedTrail(context, input.ResourceId, { call, operation: "RemoveTags" });
    await changeTrail(context, find, (trail) => {
      const removed = new Set(readTagKeys(input.TagsList ?? []));
      const tags = trail.tags.filter((tag) => !removed.has(tag.key));
      return tags.length === trail.tags.length ? trail : { ...trail, tags };
    });
    return {};
  };
}
