// What a selector demands of an event, as a list of conditions that must all hold (api.md §5.7). Pure.
// The compiler asks whether they hold, `explain` which one fails first: both use these, so they cannot disagree.
// All comparisons are case-sensitive, literal, without wildcards.
import { categoryOf, type RecordFields, type RecordResource } from "../event/record.ts";
import { canonicalResourceType } from "../model/resource-types.ts";
import type {
  AdvancedSelector,
  BasicSelector,
  DataResource,
  FieldSelector,
  SelectorOperator,
} from "./selectors.ts";

export interface Condition {
  /** What of the selector it is: `eventName`, `ReadWriteType`. */
  readonly field: string;
  /** What is demanded, in the words of the selector: `StartsWith ["Put"]`. */
  readonly demand: string;
  readonly holds: (event: RecordFields) => boolean;
  /** What the event has there; undefined when it has nothing. */
  readonly value: (event: RecordFields) => string | undefined;
  /** A sentence saying why it does not hold; meant for events for which it does not. */
  readonly refusal: (event: RecordFields) => string;
  /** Conditions on resources only: how each resource of the event fares. */
  readonly resources?: (event: RecordFields) => readonly ResourceVerdict[];
}

export interface ResourceVerdict extends RecordResource {
  /** The fields that it fails; one that fails none makes the condition hold. */
  readonly fails: readonly string[];
}

/** Whether selectors decide about the event's category at all; Insights records follow the Insights settings. */
export function isDecidedBySelectors(event: RecordFields): boolean {
  const category = categoryOf(event);
  return category === "Management" || category === "Data" || category === "NetworkActivity";
}

/** The conditions of a basic selector. Network activity events never match one. */
export function basicConditions(selector: BasicSelector): Condition[] {
  const { readWriteType, includeManagementEvents, excludeManagementEventSources } = selector;
  const category = (event: RecordFields) => `${categoryOf(event)} event`;
  return [
    {
      ...{ field: "ReadWriteType", demand: readWriteType },
      holds: ({ readOnly }) =>
        readWriteType === "All" || (readWriteType === "ReadOnly") === (readOnly === true),
      value: readOrWrite,
      refusal: (event) => `The event is a ${readOrWrite(event)} and ReadWriteType is ${readWriteType}.`,
    },
    {
      ...{ field: "IncludeManagementEvents", demand: String(includeManagementEvents) },
      holds: (event) => categoryOf(event) !== "Management" || includeManagementEvents,
      value: category,
      refusal: () => "It is a management event and IncludeManagementEvents is false.",
    },
    {
      ...{ field: "ExcludeManagementEventSources", demand: JSON.stringify(excludeManagementEventSources) },
      holds: (event) =>
        categoryOf(event) !== "Management" ||
        event.eventSource === undefined ||
        !excludeManagementEventSources.includes(event.eventSource),
      value: (event) => event.eventSource,
      refusal: (event) => `ExcludeManagementEventSources names ${event.eventSource ?? ""}.`,
    },
    dataResourcesCondition(selector.dataResources),
    {
      ...{ field: "eventCategory", demand: "Management or Data" },
      holds: (event) => categoryOf(event) === "Management" || categoryOf(event) === "Data",
      value: categoryOf,
      refusal: (event) => `Basic selectors never match events of category ${categoryOf(event)}.`,
    },
  ];
}

function readOrWrite({ readOnly }: RecordFields): string {
  return readOnly === true ? "read" : "write";
}

function dataResourcesCondition(dataResources: readonly DataResource[]): Condition {
  const tests = dataResources.map(dataResourceTest);
  const passes = (found: RecordResource) => tests.some((test) => test(found));
  return {
    field: "DataResources",
    demand: dataResources.map(({ type, values }) => `${type} ${JSON.stringify(values)}`).join(", ") || "none",
    holds: (event) => categoryOf(event) !== "Data" || event.resources.some(passes),
    value: (event) => `${categoryOf(event)} event`,
    refusal: () => "It is a data event and no entry of DataResources matches any of its resources.",
    resources: (event) =>
      categoryOf(event) === "Data"
        ? event.resources.map((found) => verdictOn(found, passes(found) ? [] : ["DataResources"]))
        : [],
  };
}

function verdictOn({ type, arn }: RecordResource, fails: readonly string[]): ResourceVerdict {
  return { type, arn, fails };
}

/** Matches one resource of a record against one entry of DataResources. */
function dataResourceTest({ type, values }: DataResource): (found: RecordResource) => boolean {
  const isAll = values.some(isWholeService);
  const isPrefix = type === "AWS::S3::Object";
  const equal = new Set(values);
  return (found) => {
    if (found.type !== type) return false;
    if (isAll) return true;
    const { arn } = found;
    if (arn === undefined) return false;
    return isPrefix ? values.some((value) => arn.startsWith(value)) : equal.has(arn);
  };
}

/** `arn:{p}:s3`, `arn:{p}:s3:::`, `arn:{p}:lambda`, `arn:{p}:dynamodb`. */
export function isWholeService(value: string): boolean {
  return /^arn:[^:]+:[^:]+(:::)?$/.test(value);
}

/** The conditions of an advanced selector: one per field; those on resources are one, for they are correlated. */
export function advancedConditions({ fieldSelectors }: AdvancedSelector): Condition[] {
  const ofResources = fieldSelectors.filter(({ field }) => field.startsWith("resources."));
  const ofEvent = fieldSelectors.filter((selector) => !ofResources.includes(selector));
  const conditions = ofEvent.map(fieldCondition);
  return ofResources.length > 0 ? [...conditions, resourceCondition(ofResources)] : conditions;
}

function fieldCondition(selector: FieldSelector): Condition {
  const read = fieldReader(selector.field);
  const test = valueTest(selector);
  return {
    field: selector.field,
    demand: demandOf(selector),
    holds: (event) => test(read(event)),
    value: read,
    refusal: (event) => {
      const value = read(event);
      const has = value === undefined ? `has no ${selector.field}` : `has ${selector.field} "${value}"`;
      return `The event ${has}, which does not satisfy ${described(selector)}.`;
    },
  };
}

/** Reads a field's value from the record; undefined when the record lacks it. */
function fieldReader(field: string): (event: RecordFields) => string | undefined {
  switch (field) {
    case "eventCategory":
      return categoryOf;
    case "readOnly":
      // A record that does not say counts as a write: losing writes would be the worse error in an audit log.
      return (event) => String(event.readOnly === true);
    case "userIdentity.arn":
      return (event) => event.userIdentityArn;
    case "eventName":
    case "eventSource":
    case "eventType":
    case "errorCode":
    case "vpcEndpointId":
    case "sessionCredentialFromConsole":
      return (event) => event[field];
    default:
      return () => undefined;
  }
}

/** One and the same resource must pass every field; a record without resources lacks both values. */
function resourceCondition(selectors: readonly FieldSelector[]): Condition {
  const tests = selectors.map((selector) => {
    const test = valueTest(selector);
    const passes =
      selector.field === "resources.type"
        ? ({ type }: RecordResource) => test(type === undefined ? undefined : canonicalResourceType(type))
        : ({ arn }: RecordResource) => test(arn);
    return { field: selector.field, passes };
  });
  const failed = (found: RecordResource) => tests.filter((test) => !test.passes(found));
  const passes = (found: RecordResource) => tests.every((test) => test.passes(found));
  const found = ({ resources }: RecordFields) => (resources.length > 0 ? resources : [{}]);
  return {
    field: [...new Set(selectors.map(({ field }) => field))].join(", "),
    demand: selectors.map(described).join(" and "),
    holds: (event) => found(event).some(passes),
    // Each resource has a verdict of its own.
    value: () => undefined,
    refusal: () => `No resource of the event satisfies ${selectors.map(described).join(" and ")}.`,
    resources: ({ resources }) =>
      resources.map((one) =>
        verdictOn(
          one,
          failed(one).map(({ field }) => field),
        ),
      ),
  };
}

/**
 * Positive operators: one value of any of them must match. Negative ones: none of their values may match. Both
 * groups must hold. A missing value fails the positive group and passes the negative one.
 */
export function valueTest(selector: FieldSelector): (value: string | undefined) => boolean {
  const spell = selector.field === "resources.type" ? canonicalResourceType : (text: string) => text;
  const given = (operator: SelectorOperator) => selector[operator]?.map(spell) ?? [];
  const wanted = textTest(given("Equals"), given("StartsWith"), given("EndsWith"));
  const unwanted = textTest(given("NotEquals"), given("NotStartsWith"), given("NotEndsWith"));
  return (value) => {
    if (value === undefined) return wanted === undefined;
    return (wanted === undefined || wanted(value)) && (unwanted === undefined || !unwanted(value));
  };
}

/** Whether a text equals, begins with or ends with one of the values; undefined when there are no values at all. */
function textTest(
  equal: readonly string[],
  prefixes: readonly string[],
  suffixes: readonly string[],
): ((text: string) => boolean) | undefined {
  if (equal.length + prefixes.length + suffixes.length === 0) return undefined;
  const exact = new Set(equal);
  return (text) =>
    exact.has(text) ||
    prefixes.some((prefix) => text.startsWith(prefix)) ||
    suffixes.some((suffix) => text.endsWith(suffix));
}

/** `eventName Equals ["PutObject"]`, in the words of the selector. */
function described(selector: FieldSelector): string {
  return `${selector.field} ${demandOf(selector)}`;
}

/** `Equals ["PutObject"]` */
function demandOf({ field: _field, ...operators }: FieldSelector): string {
  const parts = Object.entries(operators).map(
    ([operator, values]) => `${operator} ${JSON.stringify(values)}`,
  );
  return parts.join(" and ");
}
