// Makes the log stream of a trail's home Region in its new log group, as the role that the trail names (formats.md
// §5.1): whether the role can be assumed, the group is there and the role may write shows in that.
import type { LogGroup } from "../aws/contract.ts";
import { logStreamName } from "../aws/log-stream-name.ts";
import { type ApiError, apiError } from "../model/errors.ts";
import { askService } from "./ask-service.ts";
import type { CheckedTrail } from "./bucket-check.ts";
import type { TrailPorts } from "./ports.ts";

/** Throws InvalidCloudWatchLogsRoleArnException or InvalidCloudWatchLogsLogGroupArnException. */
export async function checkLogGroup(ports: TrailPorts, trail: CheckedTrail, group: LogGroup): Promise<void> {
  const logGroups = ports.services?.logGroups;
  const stream = homeStream(trail);
  const fields = { trail: trail.arn, logGroupArn: group.arn, roleArn: group.roleArn, stream };
  const answer = await askService(ports, {
    subject: "log group",
    fields,
    ask: logGroups && (async (signal) => logGroups.createStream(group, stream, signal)),
  });
  if (answer.kind !== "refused") return;
  const { code, message } = answer;
  // The client's text names no cause.
  ports.log.info({ ...fields, code, reason: message }, "The log stream of a trail was refused.");
  throw refusedStream(code);
}

/** The log stream of the trail's own account in its home Region. */
export function homeStream(trail: CheckedTrail): string {
  const { owner, homeRegion, organizationId } = trail;
  return logStreamName({
    account: owner,
    region: homeRegion,
    ...(organizationId !== undefined && { organizationId }),
  });
}

function refusedStream(code: string): ApiError {
  if (code === "AssumeRole") return apiError("InvalidCloudWatchLogsRoleArnException.trust");
  if (code.startsWith("AccessDenied")) {
    return apiError("InvalidCloudWatchLogsLogGroupArnException.permissions");
  }
  return apiError("InvalidCloudWatchLogsLogGroupArnException.invalid");
}
