// ONE typed map of every operation the API has: a missing one does not compile. Later issues replace the rows that say
// `unsupported`, one by one.
import { apiError } from "../model/errors.ts";
import type { Operations } from "../model/operations.ts";
import type { TrailOperations } from "../trail/trail-operations.ts";
import type { DoorOperations } from "./ports.ts";

/** Joins the handlers of the trail resource and of event history with those of the operations that are not there yet. */
export function createOperations(
  trailOperations: TrailOperations,
  historyOperations: Pick<Operations, "LookupEvents">,
): DoorOperations {
  return {
    ...trailOperations,
    ...historyOperations,
    CancelQuery: unsupported,
    CreateChannel: unsupported,
    CreateDashboard: unsupported,
    CreateEventDataStore: unsupported,
    DeleteChannel: unsupported,
    DeleteDashboard: unsupported,
    DeleteEventDataStore: unsupported,
    DeleteResourcePolicy: unsupported,
    DeregisterOrganizationDelegatedAdmin: unsupported,
    DescribeQuery: unsupported,
    DisableFederation: unsupported,
    EnableFederation: unsupported,
    GenerateQuery: unsupported,
    GetChannel: unsupported,
    GetDashboard: unsupported,
    GetEventConfiguration: unsupported,
    GetEventDataStore: unsupported,
    GetImport: unsupported,
    GetQueryResults: unsupported,
    GetResourcePolicy: unsupported,
    ListChannels: unsupported,
    ListDashboards: unsupported,
    ListEventDataStores: unsupported,
    ListImportFailures: unsupported,
    ListImports: unsupported,
    ListInsightsData: unsupported,
    ListInsightsMetricData: unsupported,
    ListQueries: unsupported,
    PutAuditEvents: unsupported,
    PutEventConfiguration: unsupported,
    PutResourcePolicy: unsupported,
    RegisterOrganizationDelegatedAdmin: unsupported,
    RestoreEventDataStore: unsupported,
    SearchSampleQueries: unsupported,
    StartDashboardRefresh: unsupported,
    StartEventDataStoreIngestion: unsupported,
    StartImport: unsupported,
    StartQuery: unsupported,
    StopEventDataStoreIngestion: unsupported,
    StopImport: unsupported,
    UpdateChannel: unsupported,
    UpdateDashboard: unsupported,
    UpdateEventDataStore: unsupported,
  };
}

/** The answer of an operation that this installation does not have: an error no client retries. */
function unsupported(): Promise<never> {
  return Promise.reject(apiError("UnsupportedOperationException"));
}
