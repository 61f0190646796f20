// The settings CreateTrail and UpdateTrail write: merging an input into them and checking the result (api.md §2.6,
// §4.2). Pure: syntax only; whether bucket, key, topic, log group and role are there is asked in destination-checks.ts.
import { isBucketName } from "../bucket/bucket-name.ts";
import { type AccountId, parseArn } from "../model/arn.ts";
import { apiError } from "../model/errors.ts";
import type { Input } from "../model/operations.ts";
import { parseRegion, partitionOf, type Region } from "../model/regions.ts";
import type { TrailSettings } from "./trail.ts";

export type SettingsInput = Omit<Input<"UpdateTrail">, "Name">;

const prefixLengthMax = 200;
const topicLengthMax = 256;

/** What a trail has before any member is given (api.md §4). */
const defaults: TrailSettings = {
  bucket: "",
  includeGlobalServiceEvents: true,
  isMultiRegion: false,
  logFileValidation: false,
  isOrganization: false,
};

/**
 * The settings after an input: an absent member keeps its value, `""` clears an optional one; clearing either of the
 * two CloudWatch Logs members clears both. `kmsKeyArn` is still as given: see `completeSettings`.
 */
export function mergeSettings(input: SettingsInput, current: TrailSettings = defaults): TrailSettings {
  const keyPrefix = mergeText(input.S3KeyPrefix, current.keyPrefix);
  const snsTopicName = mergeText(input.SnsTopicName, current.snsTopicName);
  const kmsKeyArn = mergeText(input.KmsKeyId, current.kmsKeyArn);
  const logs = mergeLogs(input, current);
  return {
    bucket: input.S3BucketName ?? current.bucket,
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(snsTopicName !== undefined && { snsTopicName }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
    ...(logs.logGroupArn !== undefined && { logGroupArn: logs.logGroupArn }),
    ...(logs.roleArn !== undefined && { roleArn: logs.roleArn }),
    includeGlobalServiceEvents: input.IncludeGlobalServiceEvents ?? current.includeGlobalServiceEvents,
    isMultiRegion: input.IsMultiRegionTrail ?? current.isMultiRegion,
    logFileValidation: input.EnableLogFileValidation ?? current.logFileValidation,
    isOrganization: input.IsOrganizationTrail ?? current.isOrganization,
  };
}

/** Checks merged settings in the order of api.md §4.1; throws the error of the first broken rule. */
export function checkSettings(settings: TrailSettings, homeRegion: Region): void {
  if (settings.isMultiRegion && !settings.includeGlobalServiceEvents) {
    throw apiError("InvalidParameterCombinationException.multiRegion");
  }
  if (settings.kmsKeyArn !== undefined) checkKmsKey(settings.kmsKeyArn);
  checkLogs(settings, homeRegion);
  if (settings.snsTopicName !== undefined) checkTopic(settings.snsTopicName);
  const { bucket } = settings;
  if (!isBucketName(bucket)) throw apiError("InvalidS3BucketNameException", { bucket });
  if (settings.keyPrefix !== undefined) checkKeyPrefix(settings.keyPrefix);
}

/**
 * Gives the key its full ARN. A bare key id is a key of the owner in the home Region. An alias stays an alias ARN
 * here: KMS says which key it means (key-check.ts).
 */
export function completeSettings(
  settings: TrailSettings,
  trail: { readonly homeRegion: Region; readonly owner: AccountId },
): TrailSettings {
  const { kmsKeyArn } = settings;
  if (kmsKeyArn === undefined || kmsKeyArn.startsWith("arn:")) return settings;
  const resource = kmsKeyArn.startsWith("alias/") ? kmsKeyArn : `key/${kmsKeyArn}`;
  const partition = partitionOf(trail.homeRegion);
  return { ...settings, kmsKeyArn: `arn:${partition}:kms:${trail.homeRegion}:${trail.owner}:${resource}` };
}

/** The full ARN of a topic given by name or ARN. */
export function snsTopicArn(
  topic: string,
  trail: { readonly homeRegion: Region; readonly owner: AccountId },
): string {
  if (topic.startsWith("arn:")) return topic;
  return `arn:${partitionOf(trail.homeRegion)}:sns:${trail.homeRegion}:${trail.owner}:${topic}`;
}

function mergeText(given: string | undefined, current: string | undefined): string | undefined {
  if (given === undefined) return current;
  return given === "" ? undefined : given;
}

function mergeLogs(
  input: SettingsInput,
  current: TrailSettings,
): Pick<TrailSettings, "logGroupArn" | "roleArn"> {
  const { CloudWatchLogsLogGroupArn: group, CloudWatchLogsRoleArn: role } = input;
  // One cleared and the other set in one request is no clearing of both: it is left to fail as half a pair.
  const isCleared = (group === "" && !role) || (role === "" && !group);
  if (isCleared) return {};
  const logGroupArn = mergeText(group, current.logGroupArn);
  const roleArn = mergeText(role, current.roleArn);
  return {
    ...(logGroupArn !== undefined && { logGroupArn }),
    ...(roleArn !== undefined && { roleArn }),
  };
}

const kmsKeyId = /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;
const kmsAlias = /^alias\/[A-Za-z0-9/_-]{1,250}$/;

function checkKmsKey(value: string): void {
  if (kmsKeyId.test(value) || kmsAlias.test(value)) return;
  const resource = resourceOf(value, "kms");
  const isArn = resource?.startsWith("key/")
    ? kmsKeyId.test(resource.slice("key/".length))
    : kmsAlias.test(resource ?? "");
  if (!isArn) throw apiError("InvalidKmsKeyIdException", { value });
}

function checkLogs(settings: TrailSettings, homeRegion: Region): void {
  const { logGroupArn, roleArn } = settings;
  if (logGroupArn === undefined && roleArn === undefined) return;
  if (roleArn === undefined) throw apiError("InvalidCloudWatchLogsRoleArnException.missing");
  if (logGroupArn === undefined) throw apiError("InvalidCloudWatchLogsLogGroupArnException.missing");
  const resource = resourceOf(logGroupArn, "logs") ?? "";
  if (!/^log-group:[A-Za-z0-9_/.#-]{1,512}:\*$/.test(resource)) {
    throw apiError("InvalidCloudWatchLogsLogGroupArnException.invalid");
  }
  if (parseArn(logGroupArn)?.region !== homeRegion) {
    throw apiError("InvalidCloudWatchLogsLogGroupArnException.region");
  }
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/.test(roleArn)) {
    throw apiError("InvalidCloudWatchLogsRoleArnException.invalid", { value: roleArn });
  }
}

function checkTopic(topic: string): void {
  const name = topic.startsWith("arn:") ? resourceOf(topic, "sns") : topic;
  // No dot, and so no FIFO topic (`.fifo`), is accepted (formats.md §4.3).
  if (topic.length > topicLengthMax || name === undefined || !/^[A-Za-z0-9_-]+$/.test(name)) {
    throw apiError("InvalidSnsTopicNameException", { topic });
  }
}

function checkKeyPrefix(prefix: string): void {
  if (prefix.length > prefixLengthMax) throw apiError("InvalidS3PrefixException.tooLong");
  if (prefix.startsWith("/")) throw apiError("InvalidS3PrefixException.leadingSlash", { prefix });
  // Control characters, and halves of surrogate pairs, which UTF-8 cannot express.
  if (/[\p{Cc}\p{Cs}]/u.test(prefix)) throw apiError("InvalidS3PrefixException.characters", { prefix });
}

/** The resource part of a regional ARN of `service`; undefined when the text is no such ARN. */
function resourceOf(text: string, service: string): string | undefined {
  const parts = parseArn(text);
  if (!parts || parts.service !== service || !/^\d{12}$/.test(parts.account)) return undefined;
  const region = parseRegion(parts.region);
  return region && partitionOf(region) === parts.partition ? parts.resource : undefined;
}
