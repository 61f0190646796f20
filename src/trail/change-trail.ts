// The way of every change to one existing trail: find it, wait for its turn, find it again, change it.
import type { TrailContext } from "./trail-context.ts";
import type { Trail } from "./trail.ts";

/**
 * Changes the trail that `find` gives and returns it as it is then. `find` is asked twice, because the trail may have
 * changed or gone while others had their turn; it throws when there is none. When `change` returns its argument,
 * nothing is written.
 */
export async function changeTrail(
  context: TrailContext,
  find: () => Trail,
  change: (trail: Trail) => Trail,
): Promise<Trail> {
  const { owner, arn } = find();
  return context.registry.serialisedByTrail(owner, arn, async (writer) => {
    const current = find();
    const next = change(current);
    if (next !== current) await writer.replace(current, next);
    return next;
  });
}
