// Where one trail's objects go. Shared by the trail resource, which decides it, and delivery, which writes there. Types only.
import type { AccountId, TrailArn } from "../model/arn.ts";

export interface DeliveryPlace {
  readonly incarnation: string;
  readonly trailArn: TrailArn;
  readonly owner: AccountId;
  readonly bucket: string;
  /** S3KeyPrefix as given, without the joining slash; absent when none. */
  readonly keyPrefix?: string;
  /** Organization trails: the folder between AWSLogs/ and the account (formats.md §2.1). */
  readonly organizationId?: string;
  readonly kmsKeyArn?: string;
  /** When the trail was deleted; what was decided before is still delivered for an hour. */
  readonly deletedMs?: number;
}
