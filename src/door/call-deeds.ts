// What each CloudTrail operation does to which resource, in the words of IAM: one typed map of all of them.
// Bare names become ARNs in the caller's Region and account (api.md §2.1); ARNs stand as given. Pure.
import type { Call } from "../model/call.ts";
import { type ApiError, apiError } from "../model/errors.ts";
import type { Input, OperationName } from "../model/operations.ts";
import { partitionOf } from "../model/regions.ts";
import type { Deed } from "./authorize.ts";

/** One call asks the policies about so many resources at most; no operation takes nearly as many. */
const resourcesMax = 1000;

type Reference =
  | { readonly kind: "trail" | "eventdatastore" | "channel" | "dashboard"; readonly text: string }
  | "*";
type References = { readonly [Name in OperationName]: (input: Input<Name>) => readonly Reference[] };

/** The deeds of a call, all of which must be allowed. Never empty. */
export function deedsOf<Name extends OperationName>(
  operation: Name,
  input: Input<Name>,
  call: Call,
): readonly Deed[] {
  const resources = resourcesOf(referencesOf[operation](input), call);
  if (resources.length > resourcesMax) throw tooManyResources(resources.length);
  const deeds: Deed[] = [];
  for (const name of actionsOf(operation, input)) {
    const action = `cloudtrail:${name}`;
    for (const resource of resources) deeds.push({ action, resource });
  }
  return deeds;
}

/** Each once; `*` when there is none. */
function resourcesOf(references: readonly Reference[], call: Call): readonly string[] {
  const arns = references.map((reference) => arnOf(reference, call));
  if (arns.length === 0) return ["*"];
  return arns.length === 1 ? arns : [...new Set(arns)];
}

function tooManyResources(count: number): ApiError {
  return apiError("ValidationException.constraint", {
    value: `[${count} resources]`,
    field: "resourceIdList",
    constraint: `Member must have length less than or equal to ${resourcesMax}`,
  });
}

/** The action is named as the operation, with the exceptions of api.md §1.6. */
function actionsOf(operation: OperationName, input: object): readonly string[] {
  if (operation === "CreateTrail" && "TagsList" in input && input.TagsList) return ["CreateTrail", "AddTags"];
  if (operation === "ListInsightsMetricData") {
    return "TrailName" in input && input.TrailName ? ["LookupEvents", "ListInsightsData"] : ["LookupEvents"];
  }
  return [operation];
}

function arnOf(reference: Reference, call: Call): string {
  if (reference === "*" || reference.text.startsWith("arn:")) return reference === "*" ? "*" : reference.text;
  const { region, caller } = call;
  return `arn:${partitionOf(region)}:cloudtrail:${region}:${caller.accountId}:${reference.kind}/${reference.text}`;
}

const anything = (): readonly Reference[] => ["*"];
const trail = (name: string | undefined) => one("trail", name);
const store = (name: string | undefined) => one("eventdatastore", name);
const channel = (name: string | undefined) => one("channel", name);
const dashboard = (name: string | undefined) => one("dashboard", name);

function one(kind: Exclude<Reference, "*">["kind"], text: string | undefined): readonly Reference[] {
  return text === undefined || text === "" ? ["*"] : [{ kind, text }];
}

/** Operations that take a trail or an event data store, but never both. */
function trailOrStore(input: {
  TrailName?: string | undefined;
  EventDataStore?: string | undefined;
}): readonly Reference[] {
  return input.TrailName === undefined && input.EventDataStore !== undefined
    ? store(input.EventDataStore)
    : trail(input.TrailName);
}

const referencesOf: References = {
  AddTags: (input) => trail(input.ResourceId),
  CancelQuery: (input) => store(input.EventDataStore),
  CreateChannel: anything,
  CreateDashboard: (input) => dashboard(input.Name),
  CreateEventDataStore: anything,
  CreateTrail: (input) => trail(input.Name),
  DeleteChannel: (input) => channel(input.Channel),
  DeleteDashboard: (input) => dashboard(input.DashboardId),
  DeleteEventDataStore: (input) => store(input.EventDataStore),
  DeleteResourcePolicy: (input) => store(input.ResourceArn),
  DeleteTrail: (input) => trail(input.Name),
  DeregisterOrganizationDelegatedAdmin: anything,
  DescribeQuery: (input) => store(input.EventDataStore),
  DescribeTrails: anything,
  DisableFederation: (input) => store(input.EventDataStore),
  EnableFederation: (input) => store(input.EventDataStore),
  GenerateQuery: (input) => (input.EventDataStores ?? []).flatMap(store),
  GetChannel: (input) => channel(input.Channel),
  GetDashboard: (input) => dashboard(input.DashboardId),
  GetEventConfiguration: trailOrStore,
  GetEventDataStore: (input) => store(input.EventDataStore),
  GetEventSelectors: (input) => trail(input.TrailName),
  GetImport: anything,
  GetInsightSelectors: trailOrStore,
  GetQueryResults: (input) => store(input.EventDataStore),
  GetResourcePolicy: (input) => store(input.ResourceArn),
  GetTrail: (input) => trail(input.Name),
  GetTrailStatus: (input) => trail(input.Name),
  ListChannels: anything,
  ListDashboards: anything,
  ListEventDataStores: anything,
  ListImportFailures: anything,
  ListImports: anything,
  ListInsightsData: (input) => trail(input.InsightSource),
  ListInsightsMetricData: (input) => trail(input.TrailName),
  ListPublicKeys: anything,
  ListQueries: (input) => store(input.EventDataStore),
  ListTags: (input) => (input.ResourceIdList ?? []).flatMap(trail),
  ListTrails: anything,
  LookupEvents: anything,
  PutEventConfiguration: trailOrStore,
  PutEventSelectors: (input) => trail(input.TrailName),
  PutInsightSelectors: trailOrStore,
  PutResourcePolicy: (input) => store(input.ResourceArn),
  RegisterOrganizationDelegatedAdmin: anything,
  RemoveTags: (input) => trail(input.ResourceId),
  RestoreEventDataStore: (input) => store(input.EventDataStore),
  SearchSampleQueries: anything,
  StartDashboardRefresh: (input) => dashboard(input.DashboardId),
  StartEventDataStoreIngestion: (input) => store(input.EventDataStore),
  StartImport: (input) => (input.Destinations ?? []).flatMap(store),
  StartLogging: (input) => trail(input.Name),
  StartQuery: anything,
  StopEventDataStoreIngestion: (input) => store(input.EventDataStore),
  StopImport: anything,
  StopLogging: (input) => trail(input.Name),
  UpdateChannel: (input) => channel(input.Channel),
  UpdateDashboard: (input) => dashboard(input.DashboardId),
  UpdateEventDataStore: (input) => store(input.EventDataStore),
  UpdateTrail: (input) => trail(input.Name),
};
