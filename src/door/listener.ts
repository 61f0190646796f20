// The one listener: node:http or node:https, connections and their limits, and what is no HTTP at all.
// Must not: know routes or protocols; a request goes to dispatch.ts and comes back as an answer.
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
import { type Arrival, type DoorParts, dispatch } from "./dispatch.ts";
import { type BodyOutcome, type ByteLease, type DoorAnswer, groupHeaders } from "./exchange.ts";
import { failureText } from "./failure-text.ts";
import type { DoorPorts } from "./ports.ts";
import { announcesTooMuch, readBody } from "./read-body.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { frameHeaders, writeAnswer } from "./write-answer.ts";

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
  readonly sourceIp: string;
  readonly localAddress: string;
}

class HttpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #budget: ByteBudget;
  readonly #rooms = new BodyRooms();
  readonly #server: Server | TlsServer;
  readonly #connections = new Map<Duplex, Connection>();
  /** Every socket, also one whose TLS handshake never ends: closing must not wait for it. */
  readonly #sockets = new Set<Duplex>();
  readonly #refused = new WeakSet<Duplex>();
  #isClosing = false;

  constructor(ports: DoorPorts) {
    this.#parts = { ...ports, signingKeys: createSigningKeys() };
    this.#budget = createByteBudget(
      () => ports.configuration().limits.bytesInFlightMax,
      (bytesTaken) => ports.metrics.gauge("bytes_in_flight", bytesTaken),
    );
    this.#server = this.#createServer();
    this.#applyLimits();
    this.#attach();
  }

  listen(): Promise<{ readonly url: string }> {
    const { host, port, tls } = this.#parts.configuration();
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#log("error", error, "The listener failed."));
        const address = this.#server.address();
        const bound = typeof address === "object" && address ? address.port : port;
        const shownHost = host.includes(":") ? `[${host}]` : host;
        resolve({ url: `${tls ? "https" : "http"}://${shownHost}:${bound}` });
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    if (!this.#server.listening) return;
    const closed = new AbortController();
    const isClosed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        closed.abort();
        resolve();
      });
    });
    this.#server.closeIdleConnections();
    await this.#parts.clock.sleep(graceMs, closed.signal);
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await isClosed;
  }

  reload(): void {
    const { tls } = this.#parts.configuration();
    if (tls && "setSecureContext" in this.#server) {
      this.#server.setSecureContext({ cert: tls.certificate, key: tls.key });
    }
    this.#applyLimits();
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
    this.#server.headersTimeout = limits.headersTimeoutMs;
    this.#server.requestTimeout = limits.requestTimeoutMs;
    this.#server.keepAliveTimeout = limits.keepAliveTimeoutMs;
    this.#server.maxConnections = limits.connectionsMax + politeRefusalsMax;
    // Their bytes are bounded; a limit on their number would drop headers without a word.
    this.#server.maxHeadersCount = 0;
  }

  #attach(): void {
    const isTls = "setSecureContext" in this.#server;
    this.#server.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on(isTls ? "secureConnection" : "connection", (socket: Duplex) => this.#admit(socket));
    this.#server.on("request", (incoming, outgoing) => this.#take({ incoming, outgoing }, "none"));
    this.#server.on("checkContinue", (incoming, outgoing) => this.#take({ incoming, outgoing }, "continue"));
    this.#server.on("checkExpectation", (incoming, outgoing) => {
      const answer = plainError(417, {
        code: "ExpectationFailed",
        text: "Of Expect only 100-continue is known.",
      });
      this.#write({ incoming, outgoing }, answer, this.#parts.random.uuid());
    });
    this.#server.on("connect", (_request, socket) => {
      this.#refuse(socket, { status: "405 Method Not Allowed", text: "This server is no proxy." });
    });
    this.#server.on("clientError", (error, socket) => this.#refuseGarbled(error, socket));
    this.#server.on("tlsClientError", (error) => this.#log("debug", error, "A TLS handshake failed."));
  }

  #admit(socket: Duplex): void {
    this.#connections.set(socket, connectionOf(socket));
    this.#parts.metrics.gauge("connections", this.#connections.size);
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
      this.#write(exchange, refusal, requestId);
      return;
    }
    this.#answer(exchange, { connection, expectation, requestId }).catch((error: unknown) => {
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
      const answer = await dispatch(arrivalOf(exchange, context, { lease, rooms: this.#rooms }), this.#parts);
      if (answer) this.#write(exchange, answer, context.requestId);
    } finally {
      lease.release();
    }
  }

  #write(exchange: Exchange, answer: DoorAnswer, requestId: string): void {
    const isLast = this.#isClosing || this.#refused.has(exchange.incoming.socket);
    const frame = {
      requestId,
      clock: this.#parts.clock,
      connection: isLast ? "close" : "keep",
      stalledMsMax: this.#parts.configuration().limits.requestTimeoutMs,
    } as const;
    try {
      writeAnswer(exchange, answer, frame);
    } catch (error) {
      // A door gave a header that HTTP does not allow; the client still gets an answer.
      this.#log("error", error, "An answer had a header that cannot be written.");
      writeAnswer(exchange, errorAnswer(apiError("InternalFailure"), "plain", { requestId }), frame);
    }
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

function connectionOf(socket: Duplex): Connection {
  const { remoteAddress, localAddress } = socket instanceof Socket ? socket : {};
  return { owed: new Set(), sourceIp: plainIp(remoteAddress), localAddress: plainIp(localAddress) };
}

/** `::ffff:10.0.0.1` is 10.0.0.1 on a socket that speaks both. */
function plainIp(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

interface Context {
  readonly connection: Connection;
  readonly expectation: "none" | "continue";
  readonly requestId: string;
}

function arrivalOf(
  { incoming, outgoing }: Exchange,
  context: Context,
  { lease, rooms }: { readonly lease: ByteLease; readonly rooms: BodyRooms },
): Arrival {
  const { connection, expectation, requestId } = context;
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const tls = tlsDetailsOf(incoming);
  return {
    request: {
      method: incoming.method ?? "",
      path: mark === -1 ? url : url.slice(0, mark),
      query: mark === -1 ? "" : url.slice(mark + 1),
      headers: groupHeaders(incoming.rawHeaders),
      requestId,
      sourceIp: connection.sourceIp,
      localAddress: connection.localAddress,
      httpVersion: incoming.httpVersion,
      ...(tls ? { tls } : {}),
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
