// GetTrailStatus (api.md §4.7, formats.md §2.7): logging state from the home Region, deliveries of the Region of the call.
import type { Handler } from "../model/operations.ts";
import { isoSeconds } from "../model/timestamp.ts";
import { findReadableTrail } from "./find-trail.ts";
import type { DeliveryStatus } from "./ports.ts";
import type { TrailContext } from "./trail-context.ts";
import type { LoggingState, TrailSettings } from "./trail.ts";

type Status = Awaited<ReturnType<Handler<"GetTrailStatus">>>;

export function getTrailStatus(context: TrailContext): Handler<"GetTrailStatus"> {
  return async (input, call) => {
    const trail = findReadableTrail(context, { name: input.Name, call });
    const delivery = context.ports.delivery.status(trail.incarnation, call.region);
    return {
      ...loggingMembers(trail.logging),
      ...deliveryMembers(delivery, trail.settings),
      ...legacyMembers(delivery, trail.logging),
    };
  };
}

function loggingMembers({ isLogging, startedMs, stoppedMs }: LoggingState): Status {
  return {
    IsLogging: isLogging,
    ...at("StartLoggingTime", startedMs),
    ...at("StopLoggingTime", stoppedMs),
  };
}

/**
 * The last success and, while it fails, the last error of each way out. Of digests nothing without validation (api.md
 * §4.7). A topic or log group that the trail no longer has keeps its last success and cannot fail any more.
 */
function deliveryMembers(delivery: DeliveryStatus, settings: TrailSettings): Status {
  const { bucket, digest, notification, logGroup } = delivery;
  return {
    ...at("LatestDeliveryTime", bucket.latestMs),
    ...told("LatestDeliveryError", bucket.latestError),
    ...(settings.logFileValidation && {
      ...at("LatestDigestDeliveryTime", digest.latestMs),
      ...told("LatestDigestDeliveryError", digest.latestError),
    }),
    ...at("LatestNotificationTime", notification.latestMs),
    ...(settings.snsTopicName !== undefined && told("LatestNotificationError", notification.latestError)),
    ...at("LatestCloudWatchLogsDeliveryTime", logGroup.latestMs),
    ...(settings.logGroupArn !== undefined &&
      told("LatestCloudWatchLogsDeliveryError", logGroup.latestError)),
  };
}

/** No longer in use says the model, yet always there: empty, or whole seconds. */
function legacyMembers({ bucket, notification }: DeliveryStatus, logging: LoggingState): Status {
  return {
    LatestDeliveryAttemptTime: legacyTime(bucket.latestAttemptMs),
    LatestDeliveryAttemptSucceeded: legacyTime(bucket.latestSuccessfulAttemptMs),
    LatestNotificationAttemptTime: legacyTime(notification.latestAttemptMs),
    LatestNotificationAttemptSucceeded: legacyTime(notification.latestSuccessfulAttemptMs),
    TimeLoggingStarted: legacyTime(logging.startedMs),
    TimeLoggingStopped: legacyTime(logging.stoppedMs),
  };
}

function at<Name extends string>(name: Name, epochMs: number | undefined): { [Member in Name]?: Date } {
  // oxlint-disable-next-line no-restricted-globals -- the form of a timestamp in the SDK's types, not a look at the clock
  return told(name, epochMs === undefined ? undefined : new Date(epochMs));
}

/** One member, or none when there is nothing to tell. */
function told<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [Member in Name]?: Value } {
  const members: { [Member in Name]?: Value } = {};
  if (value !== undefined) members[name] = value;
  return members;
}

function legacyTime(epochMs: number | undefined): string {
  return epochMs === undefined ? "" : isoSeconds(epochMs);
}
