// The trail resource: one document with settings, selectors, tags and logging state. Types only.
import type { ValidationPeriod } from "../bucket/place.ts";
import type { AccountId, TrailArn } from "../model/arn.ts";
import type { Region } from "../model/regions.ts";
import type { TrailSelectors } from "../selector/selectors.ts";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface InsightSelector {
  readonly insightType: "ApiCallRateInsight" | "ApiErrorRateInsight";
  /** Absent when the client gave none (api.md §6.1). */
  readonly eventCategories?: readonly ("Management" | "Data")[];
}

/** The settings that CreateTrail and UpdateTrail write; absent strings are unset. */
export interface TrailSettings {
  readonly bucket: string;
  readonly keyPrefix?: string;
  /** As the user gave it: name or ARN. */
  readonly snsTopicName?: string;
  readonly kmsKeyArn?: string;
  readonly logGroupArn?: string;
  readonly roleArn?: string;
  readonly includeGlobalServiceEvents: boolean;
  readonly isMultiRegion: boolean;
  readonly logFileValidation: boolean;
  readonly isOrganization: boolean;
}

/** Times are milliseconds since the epoch; absent until the first start or stop. */
export interface LoggingState {
  readonly isLogging: boolean;
  readonly startedMs?: number;
  readonly stoppedMs?: number;
}

export interface Trail {
  /** Made at creation, never reused: a trail deleted and made again is another destination. */
  readonly incarnation: string;
  readonly arn: TrailArn;
  readonly name: string;
  readonly owner: AccountId;
  readonly homeRegion: Region;
  /** Set while the trail is an organization trail. */
  readonly organizationId?: string;
  readonly createdMs: number;
  readonly settings: TrailSettings;
  readonly selectors: TrailSelectors;
  readonly insightSelectors: readonly InsightSelector[];
  readonly tags: readonly Tag[];
  readonly logging: LoggingState;
  /** Kept true by validation-period.ts wherever the registry writes; absent until validation was first on while logging. */
  readonly validation?: ValidationPeriod;
}
