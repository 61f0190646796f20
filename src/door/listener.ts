// The one listener: node:http or node:https, connections and their limits, and what is no HTTP at all.
// Must not: know routes or protocols; a request goes to dispatch.ts and comes back as an answer.
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { apiError } from "../model/errors.ts";
import type { TlsDetails } from "../model/call.ts";
import { errorAnswer, plainError } from "./answers.ts";
import { BodyRooms } from "./body-rooms.ts";
import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { type Arrival, type DoorParts, dispatch, type RawExchange } from "./dispatch.ts";
import { type BodyOutcome, type ByteLease, type DoorAnswer, groupHeaders } from "./exchange.ts";
import { failureText } from "./failure-text.ts";
import type { DoorLimits, DoorPorts } from "./ports.ts";
import { announcesTooMuch, readBody } from "./read-body.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { sourceAddress, type TrustedProxies } from "./source-address.ts";
import { endAnswer, frameHeaders, writeAnswer } from "./write-answer.ts";

export interface Door {
  /** Begins to accept; resolves with the address when it does, rejects when the port cannot be had. */
  listen(): Promise<{ readonly url: string }>;
  /** Stops accepting, lets what is under way finish for `graceMs`, then cuts it off. */
  close(graceMs: number): Promise<void>;
  /** Takes the certificate and the connection limits of the configuration as it is now. */
  reload(): void;
}

/** Connections beyond the limit that still get an answer that says so; more are dropped without a word. */
const politeRefusalsMax = 32;
/** Requests one connection may have under way (HTTP pipelining). */
const pipelinedRequestsMax = 64;
/** How often node looks for connections that are too slow. */
const slowCheckMs = 500;
/** A refused connection is kept open for so long, for its client to read why. */
const refusedLingerMs = 250;

/** Makes the door over its ports; nothing listens yet. */
export function createDoor(ports: DoorPorts): Door {
  return new HttpDoor(ports);
}

type Exchange = { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };

/** What stays the same for all requests of a connection, and the answers it still owes. */
interface Connection {
  readonly owed: Set<ServerResponse>;
  readonly peerIp: string;
  readonly localAddress: string;
  readonly vpcEndpointId?: string;
}

/** One address where connections come in. */
interface Listening {
  readonly host: string;
  readonly port: number;
  /** Everything that comes in here came by this VPC endpoint. */
  readonly vpcEndpointId?: string;
  readonly server: Server | TlsServer;
}

class HttpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #budget: ByteBudget;
  readonly #rooms = new BodyRooms();
  /** The main one first. */
  readonly #listenings: readonly Listening[];
  readonly #connections = new Map<Duplex, Connection>();
  /** Every socket, also one whose TLS handshake never ends: closing must not wait for it. */
  readonly #sockets = new Set<Duplex>();
  readonly #refused = new WeakSet<Duplex>();
  /** Requests to these may take as long as they move; who took them over watches that. */
  readonly #takenOver = new WeakSet<ServerResponse>();
  readonly #closing = new AbortController();

  constructor(ports: DoorPorts) {
    this.#parts = { ...ports, signingKeys: createSigningKeys() };
    this.#budget = createByteBudget(
      () => ports.configuration().limits.bytesInFlightMax,
      (bytesTaken) => ports.metrics.gauge("bytes_in_flight", bytesTaken),
    );
    this.#listenings = this.#createListenings();
    // Every stream listens, and pipelined ones to the same socket.
    setMaxListeners(0, this.#closing.signal);
    this.#applyLimits();
    for (const listening of this.#listenings) this.#attach(listening);
  }

  async listen(): Promise<{ readonly url: string }> {
    const urls: string[] = [];
    for (const listening of this.#listenings) urls.push(await this.#listenAt(listening));
    return { url: urls[0] ?? "" };
  }

  #listenAt({ server, host, port }: Listening): Promise<string> {
    const { tls } = this.#parts.configuration();
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#log("error", error, "The listener failed."));
        const address = server.address();
        const bound = typeof address === "object" && address ? address.port : port;
        const shownHost = host.includes(":") ? `[${host}]` : host;
        resolve(`${tls ? "https" : "http"}://${shownHost}:${bound}`);
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
    const servers = this.#listenings.map(({ server }) => server).filter(({ listening }) => listening);
    if (servers.length === 0) return;
    const closed = new AbortController();
    const areClosed = Promise.all(servers.map(closeServer)).then(() => closed.abort());
    for (const server of servers) server.closeIdleConnections();
    await this.#parts.clock.sleep(graceMs, closed.signal);
    for (const server of servers) server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await areClosed;
  }

  reload(): void {
    const { tls } = this.#parts.configuration();
    for (const { server } of this.#listenings) {
      if (tls && "setSecureContext" in server) {
        server.setSecureContext({ cert: tls.certificate, key: tls.key });
      }
    }
    this.#applyLimits();
  }

  #createListenings(): readonly Listening[] {
    const { host, port, vpcEndpoints = [] } = this.#parts.configuration();
    return [
      { host, port, server: this.#createServer() },
      ...vpcEndpoints.map((endpoint) => ({
        ...{ host: endpoint.host, port: endpoint.port, vpcEndpointId: endpoint.id },
        server: this.#createServer(),
      })),
    ];
  }

  #createServer(): Server | TlsServer {
    const { tls, limits } = this.#parts.configuration();
    const options = {
      maxHeaderSize: limits.headerBytesMax,
      connectionsCheckingInterval: slowCheckMs,
      keepAlive: true,
      noDelay: true,
      // Checked in foreign-names.ts, so that the answer bears the headers of all answers.
      requireHostHeader: false,
    };
    if (!tls) return createServer(options);
    const handshakeTimeout = limits.headersTimeoutMs;
    return createTlsServer({ ...options, handshakeTimeout, cert: tls.certificate, key: tls.key });
  }

  #applyLimits(): void {
    const { limits } = this.#parts.configuration();
    for (const { server } of this.#listenings) applyLimits(server, limits);
  }

  #attach({ server, vpcEndpointId }: Listening): void {
    const isTls = "setSecureContext" in server;
    server.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on(isTls ? "secureConnection" : "connection", (socket: Duplex) => {
      this.#admit(socket, vpcEndpointId);
    });
    server.on("request", (incoming, outgoing) => this.#take({ incoming, outgoing }, "none"));
    server.on("checkContinue", (incoming, outgoing) => this.#take({ incoming, outgoing }, "continue"));
    server.on("checkExpectation", (incoming, outgoing) => {
      const answer = plainError(417, {
        code: "ExpectationFailed",
        text: "Of Expect only 100-continue is known.",
      });
      void this.#write({ incoming, outgoing }, answer, this.#parts.random.uuid());
    });
    server.on("connect", (_request, socket) => {
      this.#refuse(socket, { status: "405 Method Not Allowed", text: "This server is no proxy." });
    });
    server.on("clientError", (error, socket) => this.#refuseGarbled(error, socket));
    server.on("tlsClientError", (error) => this.#log("debug", error, "A TLS handshake failed."));
  }

  #admit(socket: Duplex, vpcEndpointId: string | undefined): void {
    this.#connections.set(socket, connectionOf(socket, vpcEndpointId));
    this.#parts.metrics.gauge("connections", this.#connections.size);
    socket.setMaxListeners(0);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#parts.metrics.gauge("connections", this.#connections.size);
    });
    if (this.#connections.size > this.#parts.configuration().limits.connectionsMax) this.#refused.add(socket);
  }

  /** One request: refuses what is too much, else has it answered. Never throws. */
  #take(exchange: Exchange, expectation: "none" | "continue"): void {
    const { incoming, outgoing } = exchange;
    const connection = this.#connections.get(incoming.socket) ?? connectionOf(incoming.socket);
    connection.owed.add(outgoing);
    outgoing.on("close", () => connection.owed.delete(outgoing));
    // A client that goes away shows as `close`; the error itself has nobody to be told to.
    incoming.on("error", (error) => this.#log("debug", error, "A client went away while it was sending."));
    outgoing.on("error", (error) => this.#log("debug", error, "A client went away before its answer."));
    const requestId = this.#parts.random.uuid();
    const refusal = this.#refusalOf(exchange, connection.owed.size, requestId);
    if (refusal) {
      this.#parts.metrics.count("requests_refused_total", { reason: String(refusal.status) });
      void this.#write(exchange, refusal, requestId);
      return;
    }
    const { trustedProxies } = this.#parts.configuration();
    this.#answer(exchange, { connection, expectation, requestId, trustedProxies }).catch((error: unknown) => {
      this.#log("error", error, "An answer could not be written.");
      outgoing.destroy();
    });
  }

  #refusalOf({ incoming }: Exchange, owed: number, requestId: string): DoorAnswer | undefined {
    if (this.#refused.has(incoming.socket) || owed > pipelinedRequestsMax) {
      const text = "Too many connections or requests at once. Try again.";
      return plainError(503, { code: "ServiceUnavailable", text, retryAfterSeconds: 1 });
    }
    if (!(incoming.url ?? "").startsWith("/")) {
      const text = "The request target must be a path that begins with a slash.";
      return plainError(400, { code: "BadRequest", text }, { "x-amzn-RequestId": requestId });
    }
    return undefined;
  }

  async #answer(exchange: Exchange, context: Context): Promise<void> {
    const lease = this.#budget.open();
    try {
      const arrived = arrivalOf(exchange, context, { lease, rooms: this.#rooms });
      const arrival = { ...arrived, exchange: this.#rawOf(exchange, context) };
      const answer = await dispatch(arrival, this.#parts);
      if (answer) await this.#write(exchange, answer, context.requestId);
    } finally {
      lease.release();
    }
  }

  #rawOf(exchange: Exchange, { expectation, requestId }: Context): RawExchange {
    const { incoming, outgoing } = exchange;
    return {
      incoming,
      outgoing,
      expectsContinue: expectation === "continue",
      takeOver: () => void this.#takenOver.add(outgoing),
      write: (answer) => void this.#write(exchange, answer, requestId),
      isLast: () => this.#isLast(exchange),
      end: () => endAnswer(exchange, this.#parts.clock),
    };
  }

  #isLast({ incoming }: Exchange): boolean {
    return this.#closing.signal.aborted || this.#refused.has(incoming.socket);
  }

  /** Resolves when a streamed body is over too; never rejects. */
  #write(exchange: Exchange, answer: DoorAnswer, requestId: string): Promise<void> | undefined {
    const frame = {
      requestId,
      clock: this.#parts.clock,
      connection: this.#isLast(exchange) ? "close" : "keep",
      stalledMsMax: this.#parts.configuration().limits.requestTimeoutMs,
      closing: this.#closing.signal,
    } as const;
    try {
      // What breaks off while it streams can only be cut.
      return writeAnswer(exchange, answer, frame)?.catch((error: unknown) => {
        const { socket } = exchange.incoming;
        // With its client gone it may well fail.
        this.#log(socket.destroyed ? "debug" : "error", error, "An answer broke off.");
        socket.destroy();
      });
    } catch (error) {
      // A door gave a header that HTTP does not allow; the client still gets an answer.
      this.#log("error", error, "An answer had a header that cannot be written.");
      return writeAnswer(exchange, errorAnswer(apiError("InternalFailure"), "plain", { requestId }), frame);
    }
  }

  #isTakenOver(socket: Duplex): boolean {
    const owed = this.#connections.get(socket)?.owed ?? [];
    return [...owed].some((outgoing) => this.#takenOver.has(outgoing));
  }

  /** What node:http could not read as a request, or not in time. */
  #refuseGarbled(error: Error, socket: Duplex): void {
    const code = "code" in error ? String(error.code) : "";
    if (code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    switch (code) {
      case "HPE_HEADER_OVERFLOW": {
        const { headerBytesMax } = this.#parts.configuration().limits;
        const text = `The request line and headers are larger than ${headerBytesMax} bytes.`;
        this.#refuse(socket, { status: "431 Request Header Fields Too Large", text });
        return;
      }
      case "ERR_HTTP_REQUEST_TIMEOUT":
        if (this.#isTakenOver(socket)) return;
        this.#refuse(socket, { status: "408 Request Timeout", text: "The request did not arrive in time." });
        return;
      default:
        this.#refuse(socket, { status: "400 Bad Request", text: "This is not a well-formed HTTP request." });
    }
  }

  /** Answers on the bare socket and ends the connection. Once per connection: more bytes mean more errors. */
  #refuse(socket: Duplex, refusal: { readonly status: string; readonly text: string }): void {
    if (this.#refused.has(socket) && socket.writableEnded) return;
    this.#refused.add(socket);
    const owed = this.#connections.get(socket)?.owed ?? [];
    if ([...owed].some((outgoing) => outgoing.headersSent)) {
      socket.destroy();
      return;
    }
    this.#parts.metrics.count("requests_refused_total", { reason: refusal.status.slice(0, 3) });
    const code = refusal.status.slice(4).replaceAll(" ", "");
    const body = JSON.stringify({ __type: code, message: refusal.text });
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": String(Buffer.byteLength(body)),
      Connection: "close",
      ...frameHeaders(this.#parts.random.uuid(), this.#parts.clock.nowMs()),
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.on("error", (error) => this.#log("debug", error, "A refused client went away."));
    socket.end([`HTTP/1.1 ${refusal.status}`, ...lines, "", body].join("\r\n"));
    void this.#parts.clock.sleep(refusedLingerMs).then(() => socket.destroy());
  }

  #log(level: "debug" | "error", error: unknown, message: string): void {
    this.#parts.log[level]({ failure: failureText(error) }, message);
  }
}

function applyLimits(server: Server | TlsServer, limits: DoorLimits): void {
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.maxConnections = limits.connectionsMax + politeRefusalsMax;
  // Their bytes are bounded; a limit on their number would drop headers without a word.
  server.maxHeadersCount = 0;
}

function closeServer(server: Server | TlsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function connectionOf(socket: Duplex, vpcEndpointId?: string): Connection {
  const { remoteAddress, localAddress } = socket instanceof Socket ? socket : {};
  return {
    ...{ owed: new Set(), peerIp: plainIp(remoteAddress), localAddress: plainIp(localAddress) },
    ...(vpcEndpointId === undefined ? {} : { vpcEndpointId }),
  };
}

/** `::ffff:10.0.0.1` is 10.0.0.1 on a socket that speaks both. */
function plainIp(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

interface Context {
  readonly connection: Connection;
  readonly trustedProxies: TrustedProxies;
  readonly expectation: "none" | "continue";
  readonly requestId: string;
}

function arrivalOf(
  { incoming, outgoing }: Exchange,
  context: Context,
  { lease, rooms }: { readonly lease: ByteLease; readonly rooms: BodyRooms },
): Omit<Arrival, "exchange"> {
  const { connection, expectation, requestId } = context;
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const headers = groupHeaders(incoming.rawHeaders);
  const tls = tlsDetailsOf(incoming);
  return {
    request: {
      method: incoming.method ?? "",
      path: mark === -1 ? url : url.slice(0, mark),
      query: mark === -1 ? "" : url.slice(mark + 1),
      headers,
      requestId,
      sourceIp: sourceAddress(connection.peerIp, headers.get("x-forwarded-for"), context.trustedProxies),
      localAddress: connection.localAddress,
      httpVersion: incoming.httpVersion,
      ...(tls ? { tls } : {}),
      ...(connection.vpcEndpointId === undefined ? {} : { vpcEndpointId: connection.vpcEndpointId }),
    },
    lease,
    giveBack: (body) => rooms.takeBack(body),
    readBody: (bytesMax): Promise<BodyOutcome> => {
      if (expectation === "continue" && !announcesTooMuch(incoming, bytesMax)) outgoing.writeContinue();
      return readBody(incoming, { bytesMax, lease, rooms });
    },
  };
}

function tlsDetailsOf(incoming: IncomingMessage): TlsDetails | undefined {
  const { socket } = incoming;
  if (!(socket instanceof TLSSocket)) return undefined;
  return {
    tlsVersion: socket.getProtocol() ?? "",
    cipherSuite: socket.getCipher().name,
    clientProvidedHostHeader: incoming.headers.host ?? "",
  };
}
