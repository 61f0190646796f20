// From the ARN of a tag operation to the trail that has the tags (api.md §6.5). Only trails have tags here: an event
// data store, channel or dashboard is never found.
import { parseAccountId, parseArn, type ArnParts, type AccountId } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import { apiError } from "../model/errors.ts";
import { parseRegion, partitionOf, type Region } from "../model/regions.ts";
import type { TrailContext } from "./trail-context.ts";
import { checkTrailName } from "./trail-name.ts";
import type { Trail } from "./trail.ts";

interface TaggedResource {
  readonly arn: string;
  readonly kind: "trail" | "eventdatastore" | "channel" | "dashboard";
  readonly id: string;
  readonly region: Region;
  readonly account: AccountId;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const serviceChannel = /^aws-service-channel\/[a-z0-9-]+\/[A-Za-z0-9._-]+$/;

/**
 * The trail of each ARN, in order. The form of all is checked first, then the Region, the owner, and that it exists.
 * `operation` decides the error for a channel: ListTags has none of its own for one that is not found.
 */
export function findTaggedTrails(
  context: TrailContext,
  arns: readonly string[],
  query: { readonly call: Call; readonly operation: "ListTags" | "AddTags" | "RemoveTags" },
): readonly Trail[] {
  const { call } = query;
  const resources = arns.map(readTaggedResource);
  if (resources.some(({ region }) => region !== call.region)) {
    throw apiError("CloudTrailARNInvalidException.region", { region: call.region });
  }
  if (resources.some(({ account }) => account !== call.caller.accountId)) {
    throw apiError("CloudTrailARNInvalidException.owners");
  }
  return resources.map((resource) => {
    const { arn, kind, id, region, account } = resource;
    if (kind === "eventdatastore") throw apiError("EventDataStoreNotFoundException", { arn });
    if (kind === "channel" && query.operation !== "ListTags")
      throw apiError("ChannelNotFoundException", { arn });
    const trail =
      kind === "trail" ? context.registry.find({ account, homeRegion: region, name: id }) : undefined;
    if (!trail) throw apiError("ResourceNotFoundException", { arn });
    return trail;
  });
}

function readTaggedResource(arn: string): TaggedResource {
  const { resource, ...place } = readCloudTrailArn(arn);
  const slash = resource.indexOf("/");
  const kind = resource.slice(0, Math.max(slash, 0));
  const id = resource.slice(slash + 1);
  switch (kind) {
    case "trail":
      // A colon in the name would be a seventh part of the ARN.
      if (id.includes(":")) throw apiError("CloudTrailARNInvalidException.resource", { value: arn });
      checkTrailName(id);
      break;
    case "eventdatastore":
      if (!uuid.test(id)) throw apiError("EventDataStoreARNInvalidException", { arn });
      break;
    case "channel":
      if (!uuid.test(id) && !serviceChannel.test(id)) throw apiError("ChannelARNInvalidException", { arn });
      break;
    case "dashboard":
      break;
    default:
      throw apiError("ResourceTypeNotSupportedException", { arn });
  }
  return { arn, kind, id, ...place };
}

function readCloudTrailArn(arn: string): { resource: string; region: Region; account: AccountId } {
  const parts: ArnParts | undefined = parseArn(arn);
  const region = parseRegion(parts?.region ?? "");
  const account = parseAccountId(parts?.account ?? "");
  if (parts?.service !== "cloudtrail" || !region || !account || parts.partition !== partitionOf(region)) {
    throw apiError("CloudTrailARNInvalidException.resource", { value: arn });
  }
  return { resource: parts.resource, region, account };
}

/** The one trail of AddTags and RemoveTags. */
export function findTaggedTrail(
  context: TrailContext,
  arn: string | undefined,
  query: { readonly call: Call; readonly operation: "AddTags" | "RemoveTags" },
): Trail {
  const [trail] = findTaggedTrails(context, [arn ?? ""], query);
  if (!trail) throw apiError("ResourceNotFoundException", { arn: arn ?? "" });
  return trail;
}
