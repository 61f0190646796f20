// Log groups in CloudWatch Logs or what speaks its language, by the vendor's client. With an STS endpoint Cairn
// becomes the role that the trail names; without one it writes with its own credentials, so to groups of its own account.
import type * as LogsSdk from "@aws-sdk/client-cloudwatch-logs";
import { parseArn } from "../model/arn.ts";
import { assert } from "../model/assert.ts";
import type { Region } from "../model/regions.ts";
import { regionOfArn } from "./arn-region.ts";
import type { AssumedRoles } from "./assumed-roles.ts";
import type { LogGroup, LogGroups } from "./contract.ts";
import { ClientPool, clientOptions, type Endpoint } from "./endpoint.ts";
import { abortBy, answerOf, isAboutCredentials, outcomeOf, type ServiceAnswer } from "./service-answer.ts";

type Sdk = typeof LogsSdk;
type Client = LogsSdk.CloudWatchLogsClient;
type Send<Answer> = (sdk: Sdk, client: Client) => Promise<Answer>;

/** A client per Region and role. */
const clientsMax = 256;

/** No request is made before the first call; `close` closes idle connections, also to STS. */
export function openLogGroups(endpoint: Endpoint, roles?: AssumedRoles): LogGroups & { close(): void } {
  const clients = new LogsClients(endpoint, roles);
  return {
    async createStream(group, stream, signal) {
      const names = { logGroupName: groupName(group), logStreamName: stream };
      const answer = await clients.send(
        group,
        (sdk, client) => client.send(new sdk.CreateLogStreamCommand(names), abortBy(signal)),
        signal,
      );
      const isThere = answer.kind === "refused" && answer.code === "ResourceAlreadyExistsException";
      return isThere ? { kind: "done" } : outcomeOf(answer);
    },
    async putEvents({ group, stream, events }, signal) {
      const request = {
        logGroupName: groupName(group),
        logStreamName: stream,
        logEvents: events.map(({ timestampMs, message }) => ({ timestamp: timestampMs, message })),
      };
      const answer = await clients.send(
        group,
        (sdk, client) => client.send(new sdk.PutLogEventsCommand(request), abortBy(signal)),
        signal,
      );
      // Answered with 200, and yet not there: events too old or too new for the group.
      if (answer.kind === "answer" && answer.answer.rejectedLogEventsInfo) {
        const which = JSON.stringify(answer.answer.rejectedLogEventsInfo);
        return { kind: "refused", code: "RejectedLogEvents", message: `Events were not taken: ${which}` };
      }
      return outcomeOf(answer);
    },
    close: () => clients.close(),
  };
}

class LogsClients {
  private readonly endpoint: Endpoint;
  private readonly roles: AssumedRoles | undefined;
  private readonly pool = new ClientPool<Client>(clientsMax);

  constructor(endpoint: Endpoint, roles: AssumedRoles | undefined) {
    this.endpoint = endpoint;
    this.roles = roles;
  }

  /** One request as the role of the group; never rejects. */
  async send<Answer>(
    group: LogGroup,
    send: Send<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<ServiceAnswer<Answer>> {
    const { roles } = this;
    const { roleArn } = group;
    const region = regionOfArn(group.arn);
    if (!roles) return answerOf(async () => send(...(await this.client(region))), signal);
    const assumed = await roles.credentials(roleArn, region, signal);
    if (assumed.kind !== "answer") return assumed;
    const answer = await answerOf(async () => send(...(await this.client(region, roleArn))), signal);
    if (answer.kind === "refused" && isAboutCredentials(answer.code)) {
      this.pool.drop(`${region} ${roleArn}`);
      roles.forget(roleArn);
    }
    return answer;
  }

  close(): void {
    this.pool.close();
    this.roles?.close();
  }

  private async client(region: Region, roleArn?: string): Promise<[Sdk, Client]> {
    const sdk = await import("@aws-sdk/client-cloudwatch-logs");
    const options = clientOptions(this.endpoint, region);
    const make = () => {
      if (roleArn === undefined) return new sdk.CloudWatchLogsClient(options);
      return new sdk.CloudWatchLogsClient({ ...options, credentials: () => this.assumed(roleArn, region) });
    };
    return [sdk, this.pool.of(roleArn === undefined ? region : `${region} ${roleArn}`, make)];
  }

  /** What the SDK asks when the credentials it holds grow old; `send` has just seen to it that there are some. */
  private async assumed(roleArn: string, region: Region) {
    const assumed = await this.roles?.credentials(roleArn, region);
    if (assumed?.kind !== "answer") throw new Error("The role of the log group could not be assumed.");
    return assumed.answer;
  }
}

function groupName(group: LogGroup): string {
  const name = /^log-group:([^:]+)(?::\*)?$/.exec(parseArn(group.arn)?.resource ?? "")?.[1];
  assert(name !== undefined, "the ARN of a log group names the group");
  return name;
}
