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
  /** The SNS topic that hears of every log file, as a full ARN. */
  readonly topicArn?: string;
  /** The log group that gets every record, as its ARN that ends in `:*`, and the role that writes there. */
  readonly logGroupArn?: string;
  readonly roleArn?: string;
  /** Present once log file validation was on while the trail logged. */
  readonly validation?: ValidationPeriod;
  /** When the trail was deleted; what was decided before is still delivered for an hour. */
  readonly deletedMs?: number;
}

/**
 * The last time during which a trail logged with log file validation on: its digest chains live as long. Each period
 * begins later than the one before, so `sinceMs` names it. Milliseconds since the epoch.
 */
export type ValidationPeriod = {
  readonly sinceMs: number;
  /** When it ended (StopLogging, validation off, DeleteTrail); absent while it lasts. */
  readonly untilMs?: number;
  /** End of the period before, whose chains may still need their last digest. */
  readonly previousUntilMs?: number;
};
