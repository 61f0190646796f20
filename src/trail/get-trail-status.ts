// GetTrailStatus (api.md §4.7): logging state from the home Region, deliveries of the Region of the call.
import type { Handler } from "../model/operations.ts";
import { isoSeconds } from "../model/timestamp.ts";
import { findReadableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";

export function getTrailStatus(context: TrailContext): Handler<"GetTrailStatus"> {
  return async (input, call) => {
    const trail = findReadableTrail(context, { name: input.Name, call });
    const { isLogging, startedMs, stoppedMs } = trail.logging;
    const delivery = context.ports.delivery.status(trail.incarnation, call.region);
    const { latestDeliveryMs, latestDeliveryError } = delivery;
    return {
      IsLogging: isLogging,
      ...(startedMs !== undefined && { StartLoggingTime: timestamp(startedMs) }),
      ...(stoppedMs !== undefined && { StopLoggingTime: timestamp(stoppedMs) }),
      ...(latestDeliveryMs !== undefined && { LatestDeliveryTime: timestamp(latestDeliveryMs) }),
      ...(latestDeliveryError !== undefined && { LatestDeliveryError: latestDeliveryError }),
      // No longer in use says the model, yet always there: empty, or whole seconds.
      LatestDeliveryAttemptTime: legacyTime(delivery.latestAttemptMs),
      LatestDeliveryAttemptSucceeded: legacyTime(delivery.latestSuccessfulAttemptMs),
      LatestNotificationAttemptTime: "",
      LatestNotificationAttemptSucceeded: "",
      TimeLoggingStarted: legacyTime(startedMs),
      TimeLoggingStopped: legacyTime(stoppedMs),
    };
  };
}

function legacyTime(epochMs: number | undefined): string {
  return epochMs === undefined ? "" : isoSeconds(epochMs);
}

function timestamp(epochMs: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- the form of a timestamp in the SDK's types, not a look at the clock
  return new Date(epochMs);
}
