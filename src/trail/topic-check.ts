// Publishes the validation message to a trail's new SNS topic (formats.md §4.3): the only way to learn whether it is
// there and lets CloudTrail publish.
import { apiError } from "../model/errors.ts";
import { askService } from "./ask-service.ts";
import type { CheckedTrail } from "./bucket-check.ts";
import type { TrailPorts } from "./ports.ts";

/** Plain text; consumers of log file notifications skip it. */
const validationMessage = "CloudTrail validation message.";

/** Throws InsufficientSnsTopicPolicyException. */
export async function checkTopic(ports: TrailPorts, trail: CheckedTrail, topicArn: string): Promise<void> {
  const topics = ports.services?.topics;
  const fields = { trail: trail.arn, topicArn };
  const answer = await askService(ports, {
    subject: "SNS topic",
    fields,
    ask: topics && (async (signal) => topics.publish(topicArn, validationMessage, signal)),
  });
  if (answer.kind !== "refused") return;
  const { code, message } = answer;
  // The client's text names no cause.
  ports.log.info(
    { ...fields, code, reason: message },
    "The SNS topic of a trail refused the validation message.",
  );
  throw apiError("InsufficientSnsTopicPolicyException");
}
