// Event buses in EventBridge or what speaks its language, by the vendor's client.
import type { EventBridgeClient, PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import type { EventBuses } from "./contract.ts";
import { ClientPool, clientOptions, type Endpoint } from "./endpoint.ts";
import { abortBy, answerOf } from "./service-answer.ts";

/** `busName`: name or ARN of the bus that gets every event. No request is made before the first put. */
export function openBuses(endpoint: Endpoint, busName: string): EventBuses & { close(): void } {
  const clients = new ClientPool<EventBridgeClient>();
  return {
    async putEvents(region, events, signal) {
      const answer = await answerOf(async () => {
        const sdk = await import("@aws-sdk/client-eventbridge");
        const client = clients.of(region, () => new sdk.EventBridgeClient(clientOptions(endpoint, region)));
        const Entries = events.map((event) => ({
          EventBusName: busName,
          Source: event.source,
          DetailType: event.detailType,
          Detail: event.detail,
          Time: sdkDate(event.timeMs),
          Resources: [...event.resources],
        }));
        return client.send(new sdk.PutEventsCommand({ Entries }), abortBy(signal));
      }, signal);
      if (answer.kind !== "answer") return answer;
      const entries = answer.answer.Entries ?? [];
      if (entries.length !== events.length) {
        return {
          kind: "unknown",
          message: `The bus answered ${entries.length} of ${events.length} entries.`,
        };
      }
      return { kind: "done", entries: entries.map(entryOutcome) };
    },
    close: () => clients.close(),
  };
}

function sdkDate(epochMs: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- the form of a timestamp in the SDK's types, not a look at the clock
  return new Date(epochMs);
}

function entryOutcome({ ErrorCode, ErrorMessage }: PutEventsResultEntry) {
  if (ErrorCode === undefined) return { isTaken: true } as const;
  return { isTaken: false, code: ErrorCode, message: ErrorMessage ?? "" } as const;
}
