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
  readonly type?: string | undefined;
  readonly arn?: string | undefined;
}

/**
 * Absent members are undefined or absent keys. Strings are as JSON.parse gives them. An object may read them when asked
 * (in-place-fields.ts): to spread it, or to count its keys, shows nothing.
 */
export interface RecordFields {
  readonly eventVersion?: string | undefined;
  readonly eventTime?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly eventName?: string | undefined;
  readonly awsRegion?: string | undefined;
  readonly eventID?: string | undefined;
  readonly eventType?: string | undefined;
  readonly eventCategory?: string | undefined;
  readonly recipientAccountId?: string | undefined;
  readonly readOnly?: boolean | undefined;
  readonly managementEvent?: boolean | undefined;
  readonly errorCode?: string | undefined;
  readonly vpcEndpointId?: string | undefined;
  readonly sessionCredentialFromConsole?: string | undefined;
  readonly userIdentityArn?: string | undefined;
  /** Insights records only: insightDetails.insightType. */
  readonly insightType?: string | undefined;
  /** True when the member exists, also when it is null (formats.md §1.3). */
  readonly hasUserIdentity: boolean;
  readonly resources: readonly RecordResource[];
}

/** Fields of a record that was scanned, with where some members lie in its body: who needs more of them reads on there. */
export interface PlacedFields extends RecordFields {
  /** Of an object its brace; 0 when the member is none. */
  readonly userIdentityAt: number;
  readonly requestParametersAt: number;
  readonly responseElementsAt: number;
  /** Of the list its bracket; 0 when the member is none. */
  readonly resourcesAt: number;
  /** Of a text its first byte: 20 bytes of a time, 36 of an id, none of them escaped; 0 when the member is no such text. */
  readonly eventTimeAt: number;
  readonly eventIdAt: number;
  /** Whether there is white space between its tokens. */
  readonly hasSpace: boolean;
}

export function isPlaced(fields: RecordFields): fields is PlacedFields {
  return "eventIdAt" in fields;
}

/** The category of a record (api.md §5.7): its own, else Data when `managementEvent` is false, else Management. */
export function categoryOf(fields: RecordFields): string {
  if (fields.eventCategory !== undefined) return fields.eventCategory;
  return fields.managementEvent === false ? "Data" : "Management";
}
