// A trail as the API shows it: which members are always there and which only when set (api.md §4). Pure.
import type { Output } from "../model/operations.ts";
import { hasCustomEventSelectors } from "../selector/selectors-output.ts";
import { snsTopicArn } from "./destination-settings.ts";
import type { Trail } from "./trail.ts";

type TrailMember = NonNullable<Output<"GetTrail">["Trail"]>;

/** The answer of CreateTrail and UpdateTrail. */
export function settingsToOutput(trail: Trail): Output<"CreateTrail"> {
  const { settings } = trail;
  return {
    Name: trail.name,
    S3BucketName: settings.bucket,
    ...(settings.keyPrefix !== undefined && { S3KeyPrefix: settings.keyPrefix }),
    ...(settings.snsTopicName !== undefined && {
      SnsTopicName: settings.snsTopicName,
      SnsTopicARN: snsTopicArn(settings.snsTopicName, trail),
    }),
    IncludeGlobalServiceEvents: settings.includeGlobalServiceEvents,
    IsMultiRegionTrail: settings.isMultiRegion,
    TrailARN: trail.arn,
    LogFileValidationEnabled: settings.logFileValidation,
    ...(settings.logGroupArn !== undefined && { CloudWatchLogsLogGroupArn: settings.logGroupArn }),
    ...(settings.roleArn !== undefined && { CloudWatchLogsRoleArn: settings.roleArn }),
    ...(settings.kmsKeyArn !== undefined && { KmsKeyId: settings.kmsKeyArn }),
    IsOrganizationTrail: settings.isOrganization,
  };
}

// A trail is never changed, only replaced: what is shown of it is asked for often and made once.
const shown = new WeakMap<Trail, TrailMember>();

/** The trail in the answers of GetTrail and DescribeTrails. */
export function trailToOutput(trail: Trail): TrailMember {
  const known = shown.get(trail);
  if (known) return known;
  const output = {
    ...settingsToOutput(trail),
    HomeRegion: trail.homeRegion,
    HasCustomEventSelectors: hasCustomEventSelectors(trail.selectors),
    HasInsightSelectors: trail.insightSelectors.length > 0,
  };
  shown.set(trail, output);
  return output;
}
