// A second matcher for tests, written straight from api.md §5.7, sentence by sentence, slow and without cleverness.
// Must not: import anything of the real engine.
import type { RecordFields, RecordResource } from "../event/record.ts";
import type { AccountId } from "../model/arn.ts";
import type { TrailScope } from "./match-set.ts";
import type { AdvancedSelector, BasicSelector, FieldSelector, TrailSelectors } from "./selectors.ts";

/** "Category of a record: eventCategory if present; else Data if managementEvent is false; else Management." */
function naiveCategory(event: RecordFields): string {
  if (event.eventCategory !== undefined) return event.eventCategory;
  if (event.managementEvent === false) return "Data";
  return "Management";
}

/** "readOnly missing → treated as false, i.e. a write." */
function naiveReadOnly(event: RecordFields): boolean {
  return event.readOnly === undefined ? false : event.readOnly;
}

export function naiveMatches(selectors: TrailSelectors, event: RecordFields): boolean {
  // "Insights records are never matched by selectors." Nor are the categories that trails do not know.
  if (!["Management", "Data", "NetworkActivity"].includes(naiveCategory(event))) return false;
  let matched = false;
  if (selectors.kind === "basic") {
    for (const selector of selectors.selectors) if (naiveBasic(selector, event)) matched = true;
  } else {
    for (const selector of selectors.selectors) if (naiveAdvanced(selector, event)) matched = true;
  }
  return matched;
}

function naiveBasic(selector: BasicSelector, event: RecordFields): boolean {
  let readWrite = false;
  if (selector.readWriteType === "All") readWrite = true;
  if (selector.readWriteType === "ReadOnly" && naiveReadOnly(event)) readWrite = true;
  if (selector.readWriteType === "WriteOnly" && !naiveReadOnly(event)) readWrite = true;
  if (!readWrite) return false;
  if (naiveCategory(event) === "Management") {
    if (!selector.includeManagementEvents) return false;
    return !selector.excludeManagementEventSources.some((source) => source === event.eventSource);
  }
  if (naiveCategory(event) === "Data") {
    for (const entry of selector.dataResources) {
      for (const resource of event.resources) {
        if (resource.type !== entry.type) continue;
        for (const value of entry.values) if (naiveResourceValue(entry.type, value, resource)) return true;
      }
    }
    return false;
  }
  return false;
}

/** The table of resource rules, row by row. */
function naiveResourceValue(type: string, value: string, resource: RecordResource): boolean {
  if (type === "AWS::S3::Object") {
    if (/^arn:[a-z-]+:s3$/.test(value) || /^arn:[a-z-]+:s3:::$/.test(value)) return true;
    return resource.arn !== undefined && resource.arn.slice(0, value.length) === value;
  }
  if (type === "AWS::Lambda::Function") {
    return /^arn:[a-z-]+:lambda$/.test(value) || resource.arn === value;
  }
  return /^arn:[a-z-]+:dynamodb$/.test(value) || resource.arn === value;
}

function naiveAdvanced(selector: AdvancedSelector, event: RecordFields): boolean {
  for (const field of selector.fieldSelectors) {
    if (field.field === "resources.type" || field.field === "resources.ARN") continue;
    if (!naiveField(field, naiveValue(field.field, event))) return false;
  }
  const type = selector.fieldSelectors.find((field) => field.field === "resources.type");
  const arn = selector.fieldSelectors.find((field) => field.field === "resources.ARN");
  if (!type && !arn) return true;
  // "The selector holds if one and the same resource has the type and passes the ARN conditions."
  const resources = event.resources.length === 0 ? [{}] : event.resources;
  for (const resource of resources) {
    const typeHolds = !type || naiveField(respelled(type), respelledType(resource.type));
    const arnHolds = !arn || naiveField(arn, resource.arn);
    if (typeHolds && arnHolds) return true;
  }
  return false;
}

/** Appendix A: "accept both spellings" of AWS::QApps:QApp. They are the same type on either side. */
function respelledType<Text extends string | undefined>(type: Text): Text | "AWS::QApps::QApp" {
  return type === "AWS::QApps:QApp" ? "AWS::QApps::QApp" : type;
}

function respelled(type: FieldSelector): FieldSelector {
  return type.Equals ? { ...type, Equals: type.Equals.map((name) => respelledType(name)) } : type;
}

function naiveValue(field: string, event: RecordFields): string | undefined {
  if (field === "eventCategory") return naiveCategory(event);
  if (field === "readOnly") return naiveReadOnly(event) ? "true" : "false";
  if (field === "userIdentity.arn") return event.userIdentityArn;
  if (field === "eventName") return event.eventName;
  if (field === "eventSource") return event.eventSource;
  if (field === "eventType") return event.eventType;
  if (field === "errorCode") return event.errorCode;
  if (field === "vpcEndpointId") return event.vpcEndpointId;
  if (field === "sessionCredentialFromConsole") return event.sessionCredentialFromConsole;
  return undefined;
}

function naiveField(selector: FieldSelector, value: string | undefined): boolean {
  const positives =
    (selector.Equals?.length ?? 0) + (selector.StartsWith?.length ?? 0) + (selector.EndsWith?.length ?? 0);
  // "A field selector with a positive operator does not hold; one with only negative operators holds."
  if (value === undefined) return positives === 0;
  let positive = false;
  for (const wanted of selector.Equals ?? []) if (value === wanted) positive = true;
  for (const wanted of selector.StartsWith ?? []) if (value.indexOf(wanted) === 0) positive = true;
  for (const wanted of selector.EndsWith ?? []) {
    if (value.length >= wanted.length && value.slice(value.length - wanted.length) === wanted)
      positive = true;
  }
  if (positives > 0 && !positive) return false;
  for (const bad of selector.NotEquals ?? []) if (value === bad) return false;
  for (const bad of selector.NotStartsWith ?? []) if (value.indexOf(bad) === 0) return false;
  for (const bad of selector.NotEndsWith ?? []) {
    if (value.length >= bad.length && value.slice(value.length - bad.length) === bad) return false;
  }
  return true;
}

export interface NaivePlace {
  readonly account: AccountId;
  readonly region: string;
  readonly organizationMembers: ReadonlySet<AccountId>;
}

const naiveGlobalSources = [
  ...["iam.amazonaws.com", "sts.amazonaws.com", "cloudfront.amazonaws.com", "route53.amazonaws.com"],
  ...["route53domains.amazonaws.com", "organizations.amazonaws.com", "waf.amazonaws.com"],
  "shield.amazonaws.com",
];

/** Region scope and account first, then the selectors or, for Insights records, the Insights configuration. */
export function naiveLogs(trail: TrailScope, event: RecordFields, place: NaivePlace): boolean {
  if (!naiveInScope(trail, event, place)) return false;
  if (naiveCategory(event) === "Insight") {
    if (event.insightType === undefined) return trail.insightTypes.length > 0;
    return trail.insightTypes.includes(event.insightType);
  }
  return naiveMatches(trail.selectors, event);
}

/**
 * formats.md §5.2. "A logging trail in the account is needed for these events. The trail's selectors decide which data
 * and network events exist; management write events go out as soon as a trail logs them." Reads only where all
 * management events are asked for.
 */
export function naiveGoesToBus(
  trails: readonly TrailScope[],
  event: RecordFields,
  where: { readonly place: NaivePlace; readonly eventBus: "off" | "write" | "all" },
): boolean {
  const { place, eventBus } = where;
  if (eventBus === "off") return false;
  if (naiveCategory(event) === "Management") {
    if (eventBus === "write" && naiveReadOnly(event)) return false;
    return trails.some((trail) => naiveInScope(trail, event, place));
  }
  return trails.some((trail) => naiveLogs(trail, event, place));
}

function naiveInScope(trail: TrailScope, event: RecordFields, place: NaivePlace): boolean {
  const ownAccount = place.account === trail.account;
  if (!ownAccount && !(trail.isOrganization && place.organizationMembers.has(place.account))) return false;
  const isGlobal = place.region === "us-east-1" && naiveGlobalSources.includes(event.eventSource ?? "");
  if (isGlobal) {
    if (!trail.includeGlobalServiceEvents) return false;
    if (!trail.isMultiRegion && trail.homeRegion !== "us-east-1") return false;
  } else if (!trail.isMultiRegion && trail.homeRegion !== place.region) return false;
  return true;
}
