// UpdateTrail (api.md §4.2): merges what was sent into what is stored, checks the result, writes it once.
import type { Call } from "../model/call.ts";
import type { Handler, Input } from "../model/operations.ts";
import { checkBucket, needsSameBucket } from "./bucket-check.ts";
import { checkSettings, completeSettings, mergeSettings } from "./destination-settings.ts";
import { findChangeableTrail } from "./find-trail.ts";
import { organizationAfterUpdate } from "./organizations.ts";
import type { TrailContext } from "./trail-context.ts";
import { settingsToOutput } from "./trail-output.ts";
import { checkNameIsFree, checkRoomForTrail } from "./trail-quota.ts";
import type { Trail } from "./trail.ts";

/** How often the bucket is looked at again because another update moved the trail meanwhile. */
const attemptsMax = 3;

export function updateTrail(context: TrailContext): Handler<"UpdateTrail"> {
  return async (input, call) => {
    const trail = findChangeableTrail(context, { name: input.Name, call });
    const { Name: _name, ...members } = input;
    if (Object.values(members).every((value) => value === undefined)) return settingsToOutput(trail);
    // The bucket is looked at without holding up the account's other changes.
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const checked = planUpdate(context, input, call);
      await checkBucket(context.ports, checked);
      const updated = await writeUpdate(context, { input, call, checked });
      if (updated) return settingsToOutput(updated);
    }
    return settingsToOutput(await checkAndWriteUpdate(context, input, call));
  };
}

/** The trail as it would be now; throws what api.md §2.4-§2.8 forbid of it. */
function planUpdate(context: TrailContext, input: Input<"UpdateTrail">, call: Call): Trail {
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
  return {
    ...rest,
    settings: completeSettings(merged, trail),
    ...(organizationId !== undefined && { organizationId }),
  };
}

/** A trail that becomes multi-Region takes its name and a place in every other Region. */
function checkRoomForShadows({ registry, ports }: TrailContext, trail: Trail): void {
  const wanted = { name: trail.name, owner: trail.owner, homeRegion: trail.homeRegion, isMultiRegion: true };
  const others = registry.ofOwner(trail.owner).filter((other) => other.incarnation !== trail.incarnation);
  checkNameIsFree(wanted, others);
  checkRoomForTrail(wanted, others, ports.configuration());
}

interface CheckedUpdate {
  readonly input: Input<"UpdateTrail">;
  readonly call: Call;
  /** The plan whose bucket has been looked at. */
  readonly checked: Trail;
}

/** Plans again on what is stored when its turn comes; undefined when that leads to a bucket that was not looked at. */
async function writeUpdate(context: TrailContext, update: CheckedUpdate): Promise<Trail | undefined> {
  const { input, call, checked } = update;
  return context.registry.serialised(checked.owner, checked.arn, async (writer) => {
    const next = planUpdate(context, input, call);
    if (!needsSameBucket(next, checked)) return undefined;
    await writer.replace(findChangeableTrail(context, { name: input.Name, call }), next);
    return next;
  });
}

/** The last resort while others keep moving the trail: looks at the bucket when nobody can. */
async function checkAndWriteUpdate(
  context: TrailContext,
  input: Input<"UpdateTrail">,
  call: Call,
): Promise<Trail> {
  const find = () => findChangeableTrail(context, { name: input.Name, call });
  const { owner, arn } = find();
  return context.registry.serialised(owner, arn, async (writer) => {
    const next = planUpdate(context, input, call);
    await checkBucket(context.ports, next);
    await writer.replace(find(), next);
    return next;
  });
}
