// Connections to the services behind Cairn: kept open, reused, and thrown away before the other side does.
// Must not: know what passes over them.
import { Agent, type ClientRequest, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";

/** Many servers close idle connections after 5 s; a request sent into that moment would fail. */
const idleMsMax = 4_000;
const idleConnectionsMax = 256;
/** Object metadata and long ids make answers' headers larger than node's 16 KB. */
const answerHeaderBytesMax = 128 * 1024;

/** A service's address, read from the configuration once. */
export interface UpstreamAddress {
  readonly isTls: boolean;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For a Host header: with the port unless it is the protocol's own. */
  readonly host: string;
  /** The path of the URL, without a slash at its end; stands before every request's path. */
  readonly basePath: string;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
}

export interface UpstreamConnections {
  /** Begins a request. Throws what node:http throws for a request that it cannot write. */
  open(address: UpstreamAddress, sent: UpstreamRequest): ClientRequest;
  close(): void;
}

export function addressOf(url: string): UpstreamAddress {
  const { protocol, hostname, port, host, pathname } = new URL(url);
  const isTls = protocol === "https:";
  return {
    isTls,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (isTls ? 443 : 80) : Number(port),
    host,
    basePath: pathname.replace(/\/$/, ""),
  };
}

export function createUpstreamConnections(): UpstreamConnections {
  const options = { keepAlive: true, timeout: idleMsMax, maxFreeSockets: idleConnectionsMax };
  const plain = new Agent(options);
  const tls = new TlsAgent(options);
  return {
    open(address, { method, target, headers }) {
      const common = {
        host: address.hostname,
        port: address.port,
        path: address.basePath + target,
        method,
        // As a list, names and order go out as they came in.
        headers: [...headers],
        setHost: false,
        maxHeaderSize: answerHeaderBytesMax,
      };
      if (!address.isTls) return request({ ...common, agent: plain });
      const servername = isIP(address.hostname) === 0 ? address.hostname : "";
      return tlsRequest({ ...common, agent: tls, servername });
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}
