// Opens the other AWS services that are configured. A service without an endpoint is absent: nothing calls AWS by itself.
import type { Clock } from "../model/environment.ts";
import { AssumedRoles } from "./assumed-roles.ts";
import type { Services } from "./contract.ts";
import type { Endpoint } from "./endpoint.ts";
import { openBuses } from "./events.ts";
import { openKeys } from "./kms.ts";
import { openLogGroups } from "./logs.ts";
import { openTopics } from "./sns.ts";

export interface ServiceEndpoints {
  readonly sns?: Endpoint;
  readonly logs?: Endpoint;
  readonly events?: Endpoint;
  readonly kms?: Endpoint;
  /** With it the role of a log group is assumed; without it Cairn's own credentials write there. */
  readonly sts?: Endpoint;
  /** Name or ARN of the event bus; AWS's own is `default`. */
  readonly eventBusName: string;
}

/** Loads no SDK and makes no request: each service does at its first use. Credentials: the SDK's usual chain. */
export function openServices(endpoints: ServiceEndpoints, clock: Clock): Services {
  const { sns, logs, events, kms, sts, eventBusName } = endpoints;
  const topics = sns && openTopics(sns);
  const logGroups = logs && openLogGroups(logs, sts && new AssumedRoles(sts, clock));
  const buses = events && openBuses(events, eventBusName);
  const keys = kms && openKeys(kms);
  return {
    ...(topics && { topics }),
    ...(logGroups && { logGroups }),
    ...(buses && { buses }),
    ...(keys && { keys }),
    close() {
      for (const service of [topics, logGroups, buses, keys]) service?.close();
    },
  };
}
