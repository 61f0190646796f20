// The name of the log stream that gets the records of one account and Region (formats.md §5.1). Pure.
import type { AccountId } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";

/** `123456789012_CloudTrail_us-east-2`; `org_` before it for an organization trail. */
export function logStreamName(of: {
  readonly account: AccountId;
  readonly region: Region;
  readonly organizationId?: string;
}): string {
  const name = `${of.account}_CloudTrail_${of.region}`;
  return of.organizationId === undefined ? name : `org_${name}`;
}
