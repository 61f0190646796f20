// Credentials of the roles that trails name, by STS AssumeRole: asked once, kept until shortly before they expire.
// Must not: log or name the credentials.
import type { Credentials, STSClient } from "@aws-sdk/client-sts";
import type { Clock } from "../model/environment.ts";
import type { Region } from "../model/regions.ts";
import { ClientPool, clientOptions, type Endpoint } from "./endpoint.ts";
import { answerOf, isVerdict, type Refused, type ServiceAnswer, type Unknown } from "./service-answer.ts";

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

type Assumed = ServiceAnswer<RoleCredentials>;

const sessionName = "cairn";
/** More than the five minutes at which the SDK itself finds credentials too old. */
const refreshBeforeMs = 6 * 60_000;
/** An AssumeRole belongs to all who wait for it, so no caller's signal ends it. */
const assumeMsMax = 30_000;
const rememberedRolesMax = 1_000;

export class AssumedRoles {
  private readonly endpoint: Endpoint;
  private readonly clock: Clock;
  private readonly clients = new ClientPool<STSClient>();
  private readonly known = new Map<string, RoleCredentials>();
  /** Bounded by the callers that wait. */
  private readonly underWay = new Map<string, Promise<Assumed>>();

  constructor(endpoint: Endpoint, clock: Clock) {
    this.endpoint = endpoint;
    this.clock = clock;
  }

  /** Credentials that last for some minutes. A role that may not be assumed is refused with code `AssumeRole`. */
  async credentials(roleArn: string, region: Region, signal?: AbortSignal): Promise<Assumed> {
    const known = this.known.get(roleArn);
    if (known && known.expiration.getTime() - this.clock.nowMs() > refreshBeforeMs) {
      return { kind: "answer", answer: known };
    }
    const waited = await answerOf(() => this.assumeOnce(roleArn, region), signal);
    return waited.kind === "answer" ? waited.answer : waited;
  }

  /** A service found the credentials invalid: the next caller assumes the role again. */
  forget(roleArn: string): void {
    this.known.delete(roleArn);
  }

  close(): void {
    this.clients.close();
    this.known.clear();
  }

  /** Several callers at once share one request. */
  private assumeOnce(roleArn: string, region: Region): Promise<Assumed> {
    const running = this.underWay.get(roleArn);
    if (running) return running;
    const assuming = this.assume(roleArn, region).finally(() => this.underWay.delete(roleArn));
    this.underWay.set(roleArn, assuming);
    return assuming;
  }

  private async assume(roleArn: string, region: Region): Promise<Assumed> {
    const alarm = new AbortController();
    const awake = new AbortController();
    void this.clock.sleep(assumeMsMax, awake.signal).then(() => alarm.abort());
    const answer = await answerOf(async () => {
      const sdk = await import("@aws-sdk/client-sts");
      const client = this.clients.of(region, () => new sdk.STSClient(clientOptions(this.endpoint, region)));
      return client.send(new sdk.AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }), {
        abortSignal: alarm.signal,
      });
    }, alarm.signal);
    awake.abort();
    if (answer.kind !== "answer") return failureToAssume(answer);
    const credentials = readCredentials(answer.answer.Credentials);
    if (!credentials) return { kind: "unknown", message: "The answer of STS has no credentials." };
    this.remember(roleArn, credentials);
    return { kind: "answer", answer: credentials };
  }

  private remember(roleArn: string, credentials: RoleCredentials): void {
    this.known.delete(roleArn);
    this.known.set(roleArn, credentials);
    const [oldest] = this.known.keys();
    if (this.known.size > rememberedRolesMax && oldest !== undefined) this.known.delete(oldest);
  }
}

function failureToAssume(failure: Refused | Unknown): Refused | Unknown {
  if (failure.kind === "unknown" || !isVerdict(failure.code)) return failure;
  return { kind: "refused", code: "AssumeRole", message: `${failure.code}: ${failure.message}` };
}

function readCredentials(given: Credentials | undefined): RoleCredentials | undefined {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) return undefined;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}
