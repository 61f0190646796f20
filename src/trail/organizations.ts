// Who may have an organization trail, and who sees it (api.md §2.5). Pure.
import type { AccountId } from "../model/arn.ts";
import { apiError } from "../model/errors.ts";
import type { Organization, TrailConfiguration } from "./ports.ts";
import type { Trail } from "./trail.ts";

/**
 * The organization in which `account` may create or change organization trails: as its management account or as a
 * delegated administrator. Throws OrganizationsNotInUseException or NotOrganizationMasterAccountException.
 */
export function organizationAdministeredBy(
  account: AccountId,
  configuration: TrailConfiguration,
): Organization {
  const { organization } = configuration;
  if (!organization?.members.includes(account)) throw apiError("OrganizationsNotInUseException", { account });
  if (!mayAdminister(account, organization))
    throw apiError("NotOrganizationMasterAccountException", { account });
  return organization;
}

/**
 * The organization id of a trail after an update. `wanted` is IsOrganizationTrail as sent, undefined when it was not.
 * Only the management account converts between an organization trail and a plain one; the owner never changes.
 */
export function organizationAfterUpdate(
  trail: Trail,
  change: { readonly wanted: boolean | undefined; readonly caller: AccountId },
  configuration: TrailConfiguration,
): string | undefined {
  const { wanted, caller } = change;
  const isConversion = wanted !== undefined && wanted !== trail.settings.isOrganization;
  if (wanted === true) {
    const organization = organizationAdministeredBy(caller, configuration);
    if (!isConversion) return trail.organizationId;
    if (caller !== organization.managementAccount) {
      throw apiError("NotOrganizationMasterAccountException", { account: caller });
    }
    return organization.id;
  }
  if (!isConversion) return trail.organizationId;
  // An organization trail belongs to the management account, also when the organization was configured away since.
  if (caller !== trail.owner) throw apiError("NotOrganizationMasterAccountException", { account: caller });
  return undefined;
}

/** The configured organization when the trail is one of its organization trails. */
export function organizationOf(trail: Trail, configuration: TrailConfiguration): Organization | undefined {
  const { organization } = configuration;
  const isItsTrail = trail.settings.isOrganization && organization?.id === trail.organizationId;
  return isItsTrail ? organization : undefined;
}

/** Whether `account` is told of the trail at all: its owner, or any member while it is an organization trail. */
export function isKnownTo(trail: Trail, account: AccountId, configuration: TrailConfiguration): boolean {
  if (trail.owner === account) return true;
  return organizationOf(trail, configuration)?.members.includes(account) ?? false;
}

/** Whether `account`, which knows the trail, may also change it: its owner or a delegated administrator. */
export function mayChange(trail: Trail, account: AccountId, configuration: TrailConfiguration): boolean {
  if (trail.owner === account) return true;
  const organization = organizationOf(trail, configuration);
  return organization !== undefined && mayAdminister(account, organization);
}

function mayAdminister(account: AccountId, organization: Organization): boolean {
  return account === organization.managementAccount || organization.delegatedAdministrators.includes(account);
}
