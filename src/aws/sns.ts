// Topics in SNS or what speaks its language, by the vendor's client.
import type { SNSClient } from "@aws-sdk/client-sns";
import { regionOfArn } from "./arn-region.ts";
import type { ServiceOutcome, Topics } from "./contract.ts";
import { ClientPool, clientOptions, type Endpoint } from "./endpoint.ts";
import { abortBy, answerOf, outcomeOf } from "./service-answer.ts";

/** No request is made before the first publish; `close` closes idle connections. */
export function openTopics(endpoint: Endpoint): Topics & { close(): void } {
  const clients = new ClientPool<SNSClient>();
  return {
    async publish(topicArn, message, signal): Promise<ServiceOutcome> {
      const answer = await answerOf(async () => {
        const sdk = await import("@aws-sdk/client-sns");
        const region = regionOfArn(topicArn);
        const client = clients.of(region, () => new sdk.SNSClient(clientOptions(endpoint, region)));
        return client.send(new sdk.PublishCommand({ TopicArn: topicArn, Message: message }), abortBy(signal));
      }, signal);
      return outcomeOf(answer);
    },
    close: () => clients.close(),
  };
}
