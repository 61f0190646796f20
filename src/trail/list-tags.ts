// ListTags (api.md §6.5): one entry per ARN asked for, in that order.
import { apiError } from "../model/errors.ts";
import type { Handler } from "../model/operations.ts";
import { findTaggedTrails } from "./tagged-resource.ts";
import type { TrailContext } from "./trail-context.ts";

const resourcesMax = 20;

export function listTags(context: TrailContext): Handler<"ListTags"> {
  return async (input, call) => {
    const arns = input.ResourceIdList ?? [];
    checkCount(arns);
    // The token is reserved: none was ever given out.
    if (input.NextToken !== undefined) throw apiError("InvalidTokenException");
    const trails = findTaggedTrails(context, arns, { call, operation: "ListTags" });
    return {
      ResourceTagList: trails.map((trail) => ({
        ResourceId: trail.arn,
        TagsList: trail.tags.map(({ key, value }) => ({ Key: key, Value: value })),
      })),
    };
  };
}

function checkCount(arns: readonly string[]): void {
  if (arns.length >= 1 && arns.length <= resourcesMax) return;
  const constraint =
    arns.length === 0
      ? "Member must have length greater than or equal to 1"
      : `Member must have length less than or equal to ${resourcesMax}`;
  const value = `[${arns.join(", ")}]`.slice(0, 1000);
  throw apiError("ValidationException.constraint", { value, field: "resourceIdList", constraint });
}
