// UpdateTrail (api.md §4.2): merges what was sent into what is stored, checks the result, writes it once.
import type { Call } from "../model/call.ts";
import type { Handler, Input } from "../model/operations.ts";
import {
  asStored,
  type CheckedDestinations,
  checkDestinations,
  checkedAgain,
  withCheckedKey,
} from "./destination-checks.ts";
import { checkSettings, completeSettings, mergeSettings } from "./destination-settings.ts";
import { findChangeableTrail } from "./find-trail.ts";
import { organizationAfterUpdate } from "./organizations.ts";
import type { TrailContext } from "./trail-context.ts";
import { settingsToOutput } from "./trail-output.ts";
import { checkNameIsFree, checkRoomForTrail } from "./trail-quota.ts";
import type { Trail } from "./trail.ts";

/** How often the destinations are asked again because another update moved the trail meanwhile. */
const attemptsMax = 3;

export function updateTrail(context: TrailContext): Handler<"UpdateTrail"> {
  return async (input, call) => {
    const trail = findChangeableTrail(context, { name: input.Name, call });
    const { Name: _name, ...members } = input;
    if (Object.values(members).every((value) => value === undefined)) return settingsToOutput(trail);
    // The destinations are asked without holding up the account's other changes.
    const known: CheckedDestinations[] = [];
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const { stored, next } = planUpdate(context, input, call);
      const checked = await checkDestinations(context.ports, next, [asStored(stored), ...known]);
      const updated = await writeUpdate(context, { input, call }, checked);
      if (updated) return settingsToOutput(updated);
      known.push(checked);
    }
    return settingsToOutput(await checkAndWriteUpdate(context, { input, call }, known));
  };
}

interface PlannedUpdate {
  readonly stored: Trail;
  readonly next: Trail;
}

/** The trail as it would be now; throws what api.md §2.4-§2.8 forbid of it. */
function planUpdate(context: TrailContext, input: Input<"UpdateTrail">, call: Call): PlannedUpdate {
  const configuration = context.ports.configuration();
  const trail = findChangeableTrail(context, { name: input.Name, call });
  const merged = mergeSettings(input, trail.settings);
  checkSettings(merged, trail.homeRegion);
  const organizationId = organizationAfterUpdate(
    trail,
    { wanted: input.IsOrganizationTrail, caller: call.caller.accountId },
    configuration,
  );
  if (merged.isMultiRegion && !trail.settings.isMultiRegion) checkRoomForShadows(context, trail);
  const { organizationId: _previous, ...rest } = trail;
  const next = {
    ...rest,
    settings: completeSettings(merged, trail),
    ...(organizationId !== undefined && { organizationId }),
  };
  return { stored: trail, next };
}

/** A trail that becomes multi-Region takes its name and a place in every other Region. */
function checkRoomForShadows({ registry, ports }: TrailContext, trail: Trail): void {
  const wanted = { name: trail.name, owner: trail.owner, homeRegion: trail.homeRegion, isMultiRegion: true };
  const others = registry.ofOwner(trail.owner).filter((other) => other.incarnation !== trail.incarnation);
  checkNameIsFree(wanted, others);
  checkRoomForTrail(wanted, others, ports.configuration());
}

interface UpdateCall {
  readonly input: Input<"UpdateTrail">;
  readonly call: Call;
}

/** Plans again on what is stored when its turn comes; undefined when that leads to a destination that was not asked. */
async function writeUpdate(
  context: TrailContext,
  { input, call }: UpdateCall,
  checked: CheckedDestinations,
): Promise<Trail | undefined> {
  const { owner, arn } = checked.trail;
  return context.registry.serialised(owner, arn, async (writer) => {
    const { stored, next } = planUpdate(context, input, call);
    const updated = checkedAgain(next, { checked, stored });
    if (updated) await writer.replace(stored, updated);
    return updated;
  });
}

/** The last resort while others keep moving the trail: asks the destinations when nobody can. */
async function checkAndWriteUpdate(
  context: TrailContext,
  { input, call }: UpdateCall,
  known: readonly CheckedDestinations[],
): Promise<Trail> {
  const { owner, arn } = findChangeableTrail(context, { name: input.Name, call });
  return context.registry.serialised(owner, arn, async (writer) => {
    const { stored, next } = planUpdate(context, input, call);
    const checked = await checkDestinations(context.ports, next, [asStored(stored), ...known]);
    const updated = withCheckedKey(next, checked);
    await writer.replace(findChangeableTrail(context, { name: input.Name, call }), updated);
    return updated;
  });
}
