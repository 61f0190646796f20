// Which error a broken constraint becomes, and which constraints the model states but the service does not enforce
// or a handler checks itself: the one table to look at (api.md §1.5 last paragraph, §2.7, §6.5). Pure.
import { type ApiError, apiError } from "./errors.ts";
import { operationShapes } from "./generated/shapes.ts";
import type { OperationName } from "./operations.ts";

export interface Violation {
  /** Lower-camel members joined by dots; list positions as `.1.member`. */
  readonly path: string;
  /** As printed in the answer; null when the member is missing. */
  readonly value: string | null;
  readonly constraint: string;
  /** The modelled bounds of the member that broke one. */
  readonly min?: number;
  readonly max?: number;
}

/** Shapes whose constraints src/selector checks, with texts of its own (api.md §5): here only their JSON types. */
export const shapesLeftToHandlers: ReadonlySet<string> = new Set([
  "EventSelectors",
  "AdvancedEventSelectors",
]);

/** Where the service's limits are known to differ from its model: these replace the modelled ones. */
export const looserLimits: Readonly<Record<string, { readonly min?: number; readonly max?: number }>> = {
  // An empty tag value is accepted (api.md §2.7).
  TagValue: { min: 0 },
  // ListTags takes 1 to 20 ARNs (api.md §6.5); the model has no bound.
  ResourceIdList: { min: 1, max: 20 },
};

/**
 * Required members whose absence the handlers tell, by texts and in an order of their own: trail names
 * (`Trail name cannot be blank!`, api.md §2.2) and, because CreateTrail checks the name first (api.md §4.1),
 * its bucket name. The typed inputs say `string | undefined`, so a handler cannot overlook it.
 */
export function leftToHandler(operation: OperationName, path: string): boolean {
  if (path === "s3BucketName") return operation === "CreateTrail";
  return trailNamed.has(operation) && (path === "name" || path === "trailName");
}

const trailNamed: ReadonlySet<OperationName> = new Set<OperationName>([
  ...(["CreateTrail", "UpdateTrail", "DeleteTrail", "GetTrail", "GetTrailStatus"] as const),
  ...(["StartLogging", "StopLogging", "GetEventSelectors", "PutEventSelectors"] as const),
]);

/** The error for the first broken constraint; others are told with it where the text has room for them. */
export function errorOf(operation: OperationName, violations: readonly Violation[]): ApiError {
  const [first, ...rest] = violations;
  if (!first) throw new Error("There is no broken constraint to tell.");
  const codes: readonly string[] = operationShapes[operation].errors;
  const row = ownErrorOf(operation, first);
  if (row && row !== "tags") return row;
  const isTag = ({ path }: Violation) => tagMembers.has(memberOf(path));
  if (row === "tags") return listed("InvalidTagParameterException", [first, ...rest.filter(isTag)]);
  const others = rest.filter((violation) => ownErrorOf(operation, violation) === undefined);
  const code = codes.includes("InvalidParameterException")
    ? "InvalidParameterException"
    : "ValidationException";
  return listed(code, [first, ...others]);
}

const tagMembers: ReadonlySet<string> = new Set(["tagsList", "tags"]);

/** The operation's own error for a member, when it lists one; `tags` has the general text under its own code. */
function ownErrorOf(operation: OperationName, violation: Violation): ApiError | "tags" | undefined {
  const member = memberOf(violation.path);
  const codes: readonly string[] = operationShapes[operation].errors;
  if (tagMembers.has(member)) return codes.includes("InvalidTagParameterException") ? "tags" : undefined;
  const error = ownErrors[member]?.(violation);
  return error && codes.includes(error.code) ? error : undefined;
}

/**
 * Input member → its own error. It counts only for operations that list the code. A missing member that the rows
 * do not describe is told by the general text.
 */
const ownErrors: Readonly<Record<string, (violation: Violation) => ApiError | undefined>> = {
  maxResults: maxResultsError,
  maxQueryResults: maxResultsError,
  trailNameList: () => apiError("InvalidTrailNameException.blank"),
  nextToken: () => apiError("InvalidNextTokenException"),
  lookupAttributes: lookupAttributeError,
  eventCategory: ({ value }) => apiError("InvalidEventCategoryException", { value: value ?? "null" }),
  queryStatus: ({ value }) => apiError("InvalidQueryStatusException", { value: value ?? "null" }),
  eventSelectors: eventSelectorError,
  advancedEventSelectors: eventSelectorError,
  insightSelectors: insightSelectorError,
  eventDataStore: ({ value }) =>
    value === null ? undefined : apiError("EventDataStoreARNInvalidException", { arn: value }),
  channel: ({ value }) =>
    value === null ? undefined : apiError("ChannelARNInvalidException", { arn: value }),
  resourceArn: ({ value }) =>
    value === null ? undefined : apiError("ResourceARNNotValidException", { arn: value }),
  resourcePolicy: ({ value, constraint }) =>
    value === null ? undefined : apiError("ResourcePolicyNotValidException", { detail: constraint }),
  kmsKeyId: ({ value }) => (value === null ? undefined : apiError("InvalidKmsKeyIdException", { value })),
  source: ({ value }) => (value === null ? undefined : apiError("InvalidSourceException", { source: value })),
  queryStatement: ({ value, constraint }) =>
    value === null ? undefined : apiError("InvalidQueryStatementException", { detail: constraint }),
};

function maxResultsError({ min, max }: Violation): ApiError {
  return apiError("InvalidMaxResultsException", { min: min ?? 1, max: max ?? 1000 });
}

function lookupAttributeError({ path, value, constraint }: Violation): ApiError {
  return path.endsWith("attributeKey")
    ? apiError("InvalidLookupAttributesException", { key: value ?? "null" })
    : apiError("InvalidLookupAttributesException.value", { field: path, constraint });
}

/** Only a null entry is seen here: every other rule of selectors is src/selector's. */
function eventSelectorError({ path }: Violation): ApiError {
  return apiError("InvalidEventSelectorsException.missing", { field: path });
}

function insightSelectorError({ path, value }: Violation): ApiError {
  if (value === null) return apiError("InvalidInsightSelectorsException.missing", { field: path });
  return path.includes("eventCategories")
    ? apiError("InvalidInsightSelectorsException.category", { value })
    : apiError("InvalidInsightSelectorsException.type", { value });
}

function memberOf(path: string): string {
  return path.replace(/\..*/s, "");
}

type ListedCode = "InvalidParameterException" | "InvalidTagParameterException" | "ValidationException";

/** `1 validation error detected: …`, or `N validation errors detected: …; …`. */
function listed(code: ListedCode, violations: readonly Violation[]): ApiError {
  const [first] = violations;
  if (violations.length === 1 && first) {
    const { path: field, value, constraint } = first;
    return value === null
      ? apiError(`${code}.missing`, { field })
      : apiError(`${code}.constraint`, { value, field, constraint });
  }
  const texts = violations.map(({ path, value, constraint }) => {
    const shown = value === null ? "null" : `'${value}'`;
    return `Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
  });
  return apiError(`${code}.constraints`, { n: violations.length, violations: texts.join("; ") });
}
