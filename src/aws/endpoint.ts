// Where a service answers, and what every client of these services has in common. Must not: know credentials.
import { assert } from "../model/assert.ts";

/** A given URL (an emulator, a proxy, a VPC endpoint), or AWS's own endpoint of the Region. */
export type Endpoint = ({ readonly kind: "url"; readonly url: string } | { readonly kind: "aws" }) & {
  /** Goes into the user agent: how Cairn knows its own requests. */
  readonly appId?: () => Promise<string>;
};

const connectMsMax = 5_000;
/** A connection on which nothing moves for so long is given up; callers end a request earlier by their signal. */
const silenceMsMax = 60_000;

/** The SDK's 50 are fewer than delivery has requests under way: the rest would wait inside their own time-outs. */
const socketsMax = 512;

/** Options for the constructor of any SDK client. One attempt per call: retrying is the caller's business. */
export function clientOptions(endpoint: Endpoint, region: string) {
  return {
    region,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectMsMax,
      socketTimeout: silenceMsMax,
      httpAgent: { keepAlive: true, maxSockets: socketsMax },
      httpsAgent: { keepAlive: true, maxSockets: socketsMax },
    },
    // AWS_ENDPOINT_URL is what points clients at Cairn: followed here, Cairn would call itself.
    ignoreConfiguredEndpointUrls: true,
    ...(endpoint.kind === "url" && { endpoint: endpoint.url }),
    ...(endpoint.appId && { userAgentAppId: endpoint.appId }),
  };
}

/**
 * SDK clients by Region (or Region and role), made at their first use. The one used longest ago is dropped beyond
 * `max`; it is not closed, since it may still have a request under way, and its connections end idle.
 */
export class ClientPool<Client extends { destroy(): void }> {
  private readonly max: number;
  private readonly clients = new Map<string, Client>();

  constructor(max = 64) {
    assert(max > 0, "a pool has room for a client");
    this.max = max;
  }

  of(key: string, make: () => Client): Client {
    const client = this.clients.get(key) ?? make();
    this.clients.delete(key);
    this.clients.set(key, client);
    const [oldest] = this.clients.keys();
    if (this.clients.size > this.max && oldest !== undefined) this.clients.delete(oldest);
    return client;
  }

  drop(key: string): void {
    this.clients.delete(key);
  }

  close(): void {
    for (const client of this.clients.values()) client.destroy();
    this.clients.clear();
  }
}
