// AddTags (api.md §6.5): adds or overwrites by key.
import type { Handler } from "../model/operations.ts";
import { changeTrail } from "./change-trail.ts";
import { findTaggedTrail } from "./tagged-resource.ts";
import { mergeTags, readTags } from "./tags.ts";
import type { TrailContext } from "./trail-context.ts";

export function addTags(context: TrailContext): Handler<"AddTags"> {
  return async (input, call) => {
    const find = () => findTaggedTrail(context, input.ResourceId, { call, operation: "AddTags" });
    const { tagsPerResource } = context.ports.configuration().quotas;
    await changeTrail(context, find, (trail) => ({
      ...trail,
      tags: mergeTags(trail.tags, readTags(input.TagsList ?? []), tagsPerResource),
    }));
    return {};
  };
}
