// The members of an event record that Cairn itself reads: to validate it, to select it, to file it.
// Everything else in a record is bytes that are passed on untouched. Pure.

/** Categories a record may carry (formats.md §1.8). Only the first three are decided by selectors. */
export type EventCategory =
  | "Management"
  | "Data"
  | "NetworkActivity"
  | "Insight"
  | "Aggregated"
  | "ActivityAuditLog";

/** One entry of `resources`: `arn` is ARN, or ARNPrefix where the record has that instead (api.md §5.7). */
export interface RecordResource {
  readonly type?: string;
  readonly arn?: string;
}

/** Absent members are absent keys. Strings are as JSON.parse gives them. */
export interface RecordFields {
  readonly eventVersion?: string;
  readonly eventTime?: string;
  readonly eventSource?: string;
  readonly eventName?: string;
  readonly awsRegion?: string;
  readonly eventID?: string;
  readonly eventType?: string;
  readonly eventCategory?: string;
  readonly recipientAccountId?: string;
  readonly readOnly?: boolean;
  readonly managementEvent?: boolean;
  readonly errorCode?: string;
  readonly vpcEndpointId?: string;
  readonly sessionCredentialFromConsole?: string;
  readonly userIdentityArn?: string;
  /** Insights records only: insightDetails.insightType. */
  readonly insightType?: string;
  /** True when the member exists, also when it is null (formats.md §1.3). */
  readonly hasUserIdentity: boolean;
  readonly resources: readonly RecordResource[];
}

/** The category of a record (api.md §5.7): its own, else Data when `managementEvent` is false, else Management. */
export function categoryOf(fields: RecordFields): string {
  if (fields.eventCategory !== undefined) return fields.eventCategory;
  return fields.managementEvent === false ? "Data" : "Management";
}
