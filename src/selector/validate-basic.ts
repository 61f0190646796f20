// The rules of basic event selectors, in the order in which they are checked (api.md §5.2). Pure.
import { apiError } from "../model/errors.ts";
import type { Input } from "../model/operations.ts";
import { parseRegion } from "../model/regions.ts";
import { type BasicResourceType, basicResourceTypes } from "../model/resource-types.ts";
import { requirePresent } from "./present.ts";
import { type BasicSelector, type DataResource, excludableManagementSources } from "./selectors.ts";

type GivenSelector = NonNullable<Input<"PutEventSelectors">["EventSelectors"]>[number];
type GivenResource = NonNullable<GivenSelector["DataResources"]>[number];

const readWriteTypes = ["All", "ReadOnly", "WriteOnly"] as const;

/**
 * Takes at least one selector and returns them with all four members; nothing is merged, sorted or trimmed.
 * Checks selector by selector, then the number of values over all of them.
 */
export function readBasicSelectors(given: readonly GivenSelector[], valuesMax: number): BasicSelector[] {
  const selectors = given.map((selector, index) =>
    readSelector(requirePresent(selector, `eventSelectors.${index + 1}.member`)),
  );
  const values = selectors.flatMap(({ dataResources }) =>
    dataResources.flatMap((resource) => resource.values),
  );
  if (values.length > valuesMax) {
    throw apiError("InvalidEventSelectorsException.resourceCount", { max: valuesMax });
  }
  return selectors;
}

function readSelector(given: GivenSelector): BasicSelector {
  const readWriteType = readReadWriteType(given.ReadWriteType);
  const includeManagementEvents = given.IncludeManagementEvents ?? true;
  const dataResources = readDataResources(given.DataResources ?? [], includeManagementEvents);
  const excludeManagementEventSources = given.ExcludeManagementEventSources ?? [];
  for (const value of excludeManagementEventSources) {
    if (!excludableManagementSources.has(value))
      throw apiError("InvalidEventSelectorsException.exclude", { value });
  }
  if (!includeManagementEvents && excludeManagementEventSources.length > 0) {
    throw apiError("InvalidEventSelectorsException.excludeWithoutManagement");
  }
  return {
    readWriteType,
    includeManagementEvents,
    dataResources,
    excludeManagementEventSources: [...excludeManagementEventSources],
  };
}

function readReadWriteType(given: string | undefined): BasicSelector["readWriteType"] {
  const value = given ?? "All";
  const known = readWriteTypes.find((type) => type === value);
  if (known === undefined) throw apiError("InvalidEventSelectorsException.readWriteType", { value });
  return known;
}

function readDataResources(given: readonly GivenResource[], withManagement: boolean): DataResource[] {
  if (!withManagement && given.length === 0) throw apiError("InvalidEventSelectorsException.noData");
  const typed = given.map((resource) => ({ type: readType(resource), values: resource?.Values ?? [] }));
  for (const { type, values } of typed) {
    const bad = values.find((value) => !isResourceValue(type, value));
    if (bad !== undefined) throw apiError("InvalidEventSelectorsException.resourceValue", { value: bad });
  }
  return typed.map(({ type, values }) => ({ type, values: [...values] }));
}

function readType(given: GivenResource): BasicResourceType {
  const known = basicResourceTypes.find((type) => type === given?.Type);
  if (known === undefined) {
    throw apiError("InvalidEventSelectorsException.resourceType", { value: String(given?.Type ?? null) });
  }
  return known;
}

const partition = "arn:aws(?:-[a-z]+)*";
const valueForms: Readonly<Record<BasicResourceType, RegExp>> = {
  // A prefix may hold any text: `*` in it is a literal character.
  "AWS::S3::Object": new RegExp(`^${partition}:s3(?::::(?:[A-Za-z0-9._-]{3,63}/.*)?)?$`, "s"),
  "AWS::Lambda::Function": new RegExp(
    `^${partition}:lambda(?::([^:]+):\\d{12}:function:[A-Za-z0-9_-]{1,140}(?::[A-Za-z0-9$_-]{1,128})?)?$`,
  ),
  "AWS::DynamoDB::Table": new RegExp(
    `^${partition}:dynamodb(?::([^:]+):\\d{12}:table/[A-Za-z0-9_.-]{1,255})?$`,
  ),
};

function isResourceValue(type: BasicResourceType, value: string): boolean {
  const match = valueForms[type].exec(value);
  if (!match) return false;
  const region = match[1];
  return region === undefined || parseRegion(region) !== undefined;
}
