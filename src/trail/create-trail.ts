// CreateTrail (api.md §4.1): checks in the documented order, then one write. On any error nothing is created.
import { type AccountId, trailArn } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import type { Handler, Input } from "../model/operations.ts";
import { defaultSelectors } from "../selector/selectors.ts";
import { checkDestinations, withCheckedKey } from "./destination-checks.ts";
import { checkSettings, completeSettings, mergeSettings } from "./destination-settings.ts";
import { organizationAdministeredBy } from "./organizations.ts";
import type { Organization, TrailConfiguration } from "./ports.ts";
import { mergeTags, readTags } from "./tags.ts";
import type { TrailContext } from "./trail-context.ts";
import { checkTrailName } from "./trail-name.ts";
import { settingsToOutput } from "./trail-output.ts";
import { checkNameIsFree, checkRoomForTrail, type WantedTrail } from "./trail-quota.ts";
import type { NewTrail } from "./trail-registry.ts";

export function createTrail(context: TrailContext): Handler<"CreateTrail"> {
  const { registry, ports } = context;
  return async (input, call) => {
    const configuration = ports.configuration();
    const draft = readDraft(input, call, configuration);
    checkPlaceFor(context, draft);
    const checked = await checkDestinations(ports, draft);
    // Others may have created trails while the destinations were asked.
    const trail = await registry.serialised(draft.owner, draft.arn, async (writer) => {
      checkPlaceFor(context, draft);
      return writer.create(withCheckedKey(draft, checked));
    });
    return settingsToOutput(trail);
  };
}

/** Everything that the input alone, or together with the configuration, decides. */
function readDraft(input: Input<"CreateTrail">, call: Call, configuration: TrailConfiguration): NewTrail {
  const name = checkTrailName(input.Name);
  const homeRegion = call.region;
  const merged = mergeSettings(input);
  checkSettings(merged, homeRegion);
  const tags = mergeTags([], readTags(input.TagsList ?? []), configuration.quotas.tagsPerResource);
  const organization = merged.isOrganization
    ? organizationAdministeredBy(call.caller.accountId, configuration)
    : undefined;
  const owner = ownerOf(call, organization);
  return {
    arn: trailArn({ homeRegion, account: owner, name }),
    name,
    owner,
    homeRegion,
    ...(organization && { organizationId: organization.id }),
    settings: completeSettings(merged, { homeRegion, owner }),
    selectors: defaultSelectors,
    insightSelectors: [],
    tags,
    logging: { isLogging: false },
  };
}

/** An organization trail belongs to the management account, also when a delegated administrator makes it. */
function ownerOf(call: Call, organization: Organization | undefined): AccountId {
  return organization?.managementAccount ?? call.caller.accountId;
}

function checkPlaceFor({ registry, ports }: TrailContext, draft: NewTrail): void {
  const { name, owner, homeRegion } = draft;
  const wanted: WantedTrail = { name, owner, homeRegion, isMultiRegion: draft.settings.isMultiRegion };
  const others = registry.ofOwner(owner);
  checkNameIsFree(wanted, others);
  checkRoomForTrail(wanted, others, ports.configuration());
}
