// Asks the places that a trail names whether they are there and let CloudTrail in: bucket, key, topic, log group, in
// that order (api.md §4.1). The bucket is looked at each time. The others are asked only about what is new, since a
// question leaves traces: a message to the topic, a log stream in the group.
import type { LogGroup } from "../aws/contract.ts";
import { type CheckedTrail, checkBucket, needsSameBucket } from "./bucket-check.ts";
import { snsTopicArn } from "./destination-settings.ts";
import { lookAtKey } from "./key-check.ts";
import { checkLogGroup, homeStream } from "./log-group-check.ts";
import type { TrailPorts } from "./ports.ts";
import { checkTopic } from "./topic-check.ts";

/** A trail whose destinations were asked, also if some could not be. */
export interface CheckedDestinations {
  readonly trail: CheckedTrail;
  /** The ARN to store: of the key itself where KMS could say it. */
  readonly kmsKeyArn?: string;
}

/** What is stored was checked when it was written. */
export function asStored(trail: CheckedTrail): CheckedDestinations {
  const { kmsKeyArn } = trail.settings;
  return { trail, ...(kmsKeyArn !== undefined && { kmsKeyArn }) };
}

/** Throws the error of the first destination that is not as it must be. What `known` ones have is not asked again. */
export async function checkDestinations(
  ports: TrailPorts,
  trail: CheckedTrail,
  known: readonly CheckedDestinations[] = [],
): Promise<CheckedDestinations> {
  const { kmsKeyArn: wanted } = trail.settings;
  const earlier = keyKnown(trail, known);
  // An alias that KMS could not resolve then is asked about again when it can be asked.
  const isOpen = ports.services?.keys !== undefined && earlier?.kmsKeyArn?.includes(":alias/");
  const key =
    wanted === undefined || (earlier && !isOpen)
      ? { keyArn: earlier?.kmsKeyArn }
      : await lookAtKey(ports, trail, wanted);
  const checked = { trail, ...(key.keyArn !== undefined && { kmsKeyArn: key.keyArn }) };
  // The policy of the bucket may name the key, not its alias.
  await checkBucket(ports, withCheckedKey(trail, checked));
  if ("problem" in key && key.problem) throw key.problem;
  const topicArn = topicOf(trail);
  if (topicArn !== undefined && !topicKnown(trail, known)) await checkTopic(ports, trail, topicArn);
  const group = logGroupOf(trail);
  if (group && !logGroupKnown(trail, known)) await checkLogGroup(ports, trail, group);
  return checked;
}

/**
 * The trail to write when all of its destinations have been asked: in `checked`, of which the bucket counts, or in
 * `stored`, which another call checked. Undefined when there is a destination that was not.
 */
export function checkedAgain<T extends CheckedTrail>(
  trail: T,
  { checked, stored }: { readonly checked: CheckedDestinations; readonly stored: CheckedTrail },
): T | undefined {
  const known = [checked, asStored(stored)];
  const key = keyKnown(trail, known);
  const isAsked =
    needsSameBucket(trail, checked.trail) &&
    key !== undefined &&
    topicKnown(trail, known) &&
    logGroupKnown(trail, known);
  return isAsked ? withCheckedKey(trail, key) : undefined;
}

/** The trail with the ARN of the key that was found for it. */
export function withCheckedKey<T extends CheckedTrail>(
  trail: T,
  { kmsKeyArn }: Pick<CheckedDestinations, "kmsKeyArn">,
): T {
  return kmsKeyArn === undefined ? trail : { ...trail, settings: { ...trail.settings, kmsKeyArn } };
}

function keyKnown(
  trail: CheckedTrail,
  known: readonly CheckedDestinations[],
): CheckedDestinations | undefined {
  return known.find((other) => other.trail.settings.kmsKeyArn === trail.settings.kmsKeyArn);
}

function topicKnown(trail: CheckedTrail, known: readonly CheckedDestinations[]): boolean {
  return known.some((other) => topicOf(other.trail) === topicOf(trail));
}

function logGroupKnown(trail: CheckedTrail, known: readonly CheckedDestinations[]): boolean {
  const needs = (one: CheckedTrail) => JSON.stringify([logGroupOf(one), homeStream(one)]);
  return known.some((other) => needs(other.trail) === needs(trail));
}

function topicOf(trail: CheckedTrail): string | undefined {
  const { snsTopicName } = trail.settings;
  return snsTopicName === undefined ? undefined : snsTopicArn(snsTopicName, trail);
}

function logGroupOf(trail: CheckedTrail): LogGroup | undefined {
  const { logGroupArn, roleArn } = trail.settings;
  return logGroupArn === undefined || roleArn === undefined ? undefined : { arn: logGroupArn, roleArn };
}
