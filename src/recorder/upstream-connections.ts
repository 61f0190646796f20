// Connections to the services behind Cairn: kept open, reused, and thrown away before the other side does.
// Must not: know what passes over them.
import { Agent, type ClientRequest, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP, type Socket } from "node:net";

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
      const servername = isIP(address.hostname) === 0 ? address.hostname : "";
      const begun = address.isTls
        ? tlsRequest({ ...common, agent: tls, servername })
        : request({ ...common, agent: plain });
      return begun.on("socket", hearOut);
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/* oxlint-disable no-underscore-dangle -- so streams name the hooks behind their writes */
const heardOut = new WeakSet<Socket>();

/**
 * Lets a service finish that takes no more. One that refuses an upload answers and closes in the middle of it; the next
 * write fails then, and node would close the connection over the answer, which has already arrived and is not yet read.
 * So what can no longer be written is thrown away: the connection ends when it has been read to its end.
 */
function hearOut(socket: Socket): void {
  if (heardOut.has(socket)) return;
  heardOut.add(socket);
  let takesNoMore = false;
  const unlessGone =
    (done: Done): Done =>
    (error) => {
      takesNoMore ||= isOfGoneReader(error);
      done(takesNoMore ? undefined : error);
    };
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) => {
    if (takesNoMore) done();
    else write(chunk, encoding, unlessGone(done));
  };
  const writev = socket._writev?.bind(socket);
  if (!writev) return;
  socket._writev = (chunks, done) => {
    if (takesNoMore) done();
    else writev(chunks, unlessGone(done));
  };
}

type Done = (error?: Error | null) => void;

function isOfGoneReader(error: Error | null | undefined): boolean {
  return error instanceof Error && "code" in error && /^(EPIPE|ECONNRESET)$/.test(String(error.code));
}
