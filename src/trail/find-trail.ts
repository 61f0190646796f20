// From a name or ARN to a trail, and which trails a call sees (api.md §2.3, §2.4). Pure over the registry.
import { parseTrailArn, trailArn, type TrailIdentity } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import { apiError } from "../model/errors.ts";
import type { Region } from "../model/regions.ts";
import { isKnownTo, mayChange, organizationOf } from "./organizations.ts";
import type { TrailContext } from "./trail-context.ts";
import { checkTrailName } from "./trail-name.ts";
import type { Trail } from "./trail.ts";

export interface TrailReference {
  readonly kind: "name" | "arn";
  /** As the client gave it. */
  readonly text: string;
  readonly identity: TrailIdentity;
}

/**
 * Reads `Name`/`TrailName`. A bare name means the caller's own trail homed in the Region of the call.
 * Throws InvalidTrailNameException or CloudTrailARNInvalidException.
 */
export function readTrailReference(text: string | undefined, call: Call): TrailReference {
  if (text?.startsWith("arn:")) {
    const identity = parseTrailArn(text);
    // A colon in the name would be a seventh part.
    if (!identity || identity.name.includes(":")) {
      throw apiError("CloudTrailARNInvalidException.invalid", { value: text });
    }
    checkTrailName(identity.name);
    return { kind: "arn", text, identity };
  }
  const name = checkTrailName(text);
  return {
    kind: "name",
    text: name,
    identity: { name, account: call.caller.accountId, homeRegion: call.region },
  };
}

/** The trail a reference means if the call may see it, else undefined (api.md §2.4, first four rows). */
export function lookUpTrail(context: TrailContext, reference: TrailReference, call: Call): Trail | undefined {
  const trail = context.registry.find(reference.identity);
  if (!trail || !isKnownTo(trail, call.caller.accountId, context.ports.configuration())) return undefined;
  return isPresentIn(trail, call.region) ? trail : undefined;
}

export interface TrailQuery {
  /** The `Name` or `TrailName` of the input. */
  readonly name: string | undefined;
  readonly call: Call;
  /** How TrailNotFoundException names a trail that was given by its bare name; GetTrail repeats the name. */
  readonly notFoundAs?: "arn" | "as-given";
}

/** The trail for a reading call: by ARN also shadow trails and organization trails of members. */
export function findReadableTrail(context: TrailContext, query: TrailQuery): Trail {
  const reference = readTrailReference(query.name, query.call);
  const trail = lookUpTrail(context, reference, query.call);
  if (!trail) throw trailNotFound(reference, query);
  return trail;
}

/**
 * The trail for a changing call: only in its home Region, and never by a member account that merely sees it.
 * Throws TrailNotFoundException, AccessDeniedException or InvalidHomeRegionException.
 */
export function findChangeableTrail(context: TrailContext, query: TrailQuery): Trail {
  const { call } = query;
  const configuration = context.ports.configuration();
  const reference = readTrailReference(query.name, call);
  const trail = context.registry.find(reference.identity);
  if (!trail || !isKnownTo(trail, call.caller.accountId, configuration))
    throw trailNotFound(reference, query);
  if (!mayChange(trail, call.caller.accountId, configuration)) {
    throw apiError("AccessDeniedException.organizationTrail");
  }
  if (trail.homeRegion !== call.region) {
    throw apiError("InvalidHomeRegionException", { arn: trail.arn, homeRegion: trail.homeRegion });
  }
  return trail;
}

/**
 * All trails a call sees without naming any: those of the caller homed in the Region, then shadow trails (multi-Region
 * trails homed elsewhere, and organization trails of another account), each group in creation order (api.md §4.4).
 */
export function visibleTrails(context: TrailContext, call: Call): readonly Trail[] {
  const { accountId } = call.caller;
  const { organization } = context.ports.configuration();
  const own = context.registry.ofOwner(accountId);
  const ofOrganization =
    organization && organization.managementAccount !== accountId && organization.members.includes(accountId)
      ? context.registry
          .ofOwner(organization.managementAccount)
          .filter((trail) => organizationOf(trail, context.ports.configuration()))
      : [];
  const present = [...own, ...ofOrganization].filter((trail) => isPresentIn(trail, call.region));
  const home = present.filter((trail) => !isShadow(trail, call));
  const shadows = present.filter((trail) => isShadow(trail, call));
  return [...home, ...shadows.sort((a, b) => a.createdMs - b.createdMs)];
}

/** Whether the call sees the trail as a shadow: from another Region than its home, or from a member account. */
export function isShadow(trail: Trail, call: Call): boolean {
  return trail.homeRegion !== call.region || trail.owner !== call.caller.accountId;
}

/** A trail is in its home Region, and in every other one while it is multi-Region. */
function isPresentIn(trail: Trail, region: Region): boolean {
  return trail.homeRegion === region || trail.settings.isMultiRegion;
}

function trailNotFound(reference: TrailReference, query: TrailQuery): Error {
  const isAsGiven = reference.kind === "arn" || query.notFoundAs === "as-given";
  const ref = isAsGiven ? reference.text : trailArn(reference.identity);
  return apiError("TrailNotFoundException", { ref, account: query.call.caller.accountId });
}
