// One exchange on its way through: the body up, the answer down, both at the pace of their reader, nothing buffered but
// what the record needs. Ends exactly once, whoever goes first. Must not: know services, records or policies.
//
//   client → incoming ─(counted, captured)→ upstream → service
//   client ← outgoing ←(counted, captured)─ response ← service
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Clock } from "../model/environment.ts";
import { BodyCapture } from "./body-capture.ts";
import type { CapturedBody, WantedBytes } from "./contract.ts";
import { headersToClient, pairsOf } from "./passed-headers.ts";
import type { Passing } from "./ports.ts";

export interface CrossingPlan {
  /** Begins the request to the service. Called again when an idle connection turned out to be dead. */
  readonly open: () => ClientRequest;
  readonly body: PlannedBody;
  readonly capture: WantedBytes;
  /** The end of the answer waits for this; false: the client must not get it. */
  readonly beforeEnd?: (soFar: AnsweredCrossing) => Promise<boolean>;
}

export type PlannedBody =
  | { readonly kind: "none" }
  | { readonly kind: "stream"; readonly reframe?: Reframe }
  /** Read before, whole. */
  | { readonly kind: "whole"; readonly bytes: Uint8Array };

/** Writes a body in another form. Both give undefined when the body is not what it should be. */
export interface Reframe {
  take(piece: Uint8Array): readonly Uint8Array[] | undefined;
  end(): readonly Uint8Array[] | undefined;
}

interface Moved {
  readonly request: CapturedBody;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface AnsweredCrossing extends Moved {
  readonly kind: "answered";
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: CapturedBody;
  /** `withheld`: `beforeEnd` said no. `isBegun` tells whether the client has got a part of the answer. */
  readonly end: "complete" | "clientGone" | "serviceGone" | "withheld";
  readonly isBegun: boolean;
}

export type Unanswered =
  /** No connection, or it ended before an answer. */
  | "unreachable"
  /** Too long without a sign. */
  | "silent"
  /** What came is no HTTP answer. */
  | "garbled"
  | "clientGone"
  /** The client stopped sending its body. */
  | "clientSilent"
  /** The body is not in the form that the headers say. */
  | "badBody";

export type Crossed = AnsweredCrossing | (Moved & { readonly kind: "unanswered"; readonly why: Unanswered });

/** How long each side may be silent. */
export interface Patience {
  readonly clientMs: number;
  readonly serviceMs: number;
  readonly connectMs: number;
}

/** A client that sends its body without having been asked is not kept waiting for longer. */
const continueMsMax = 1_000;

/** Without a socket yet, or before the end of its handshakes. */
function isConnecting(upstream: ClientRequest | undefined): boolean {
  const socket = upstream?.socket;
  if (!socket || socket.connecting) return true;
  return "secureConnecting" in socket && socket.secureConnecting === true;
}

/** Idle connections that may turn out to be dead one after the other. */
const retriesMax = 3;

export class Crossing {
  readonly #passing: Passing;
  readonly #plan: CrossingPlan;
  readonly #clock: Clock;
  readonly #requestBody: BodyCapture;
  #answerBody: BodyCapture;
  #upstream: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #resolve: (crossed: Crossed) => void = () => undefined;
  #state: "open" | "ending" | "settled" = "open";
  #isSending = false;
  #isBegun = false;
  #held: Uint8Array | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #movedMs: number;
  #unsentBytes = 0;
  #retries = 0;

  constructor(passing: Passing, plan: CrossingPlan, clock: Clock) {
    this.#passing = passing;
    this.#plan = plan;
    this.#clock = clock;
    this.#movedMs = clock.monotonicMs();
    this.#requestBody = this.#captureOf(plan.capture.requestBytes);
    this.#answerBody = this.#captureOf(0);
  }

  #captureOf(bytesMax: number): BodyCapture {
    return new BodyCapture(bytesMax, (bytes) => this.#passing.take(bytes));
  }

  /** Resolves when the answer has left, or when there will be none. Never rejects. */
  run(): Promise<Crossed> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const { incoming, outgoing } = this.#passing;
      if (outgoing.destroyed || incoming.socket.destroyed) {
        this.#fail("clientGone");
        return;
      }
      // The connection's end too: an answer that waits behind a pipelined one does not hear of it.
      outgoing.on("close", this.#onClientClosed);
      incoming.socket.on("close", this.#onClientClosed);
      this.#open();
    });
  }

  /** Nothing of it is left to be watched. */
  get isOver(): boolean {
    const { incoming, outgoing } = this.#passing;
    return this.#state === "settled" && (outgoing.writableFinished || incoming.socket.destroyed);
  }

  /** Ends what has stood still for too long. Asked about once a second. */
  check(nowMs: number, patience: Patience): void {
    const { incoming, outgoing } = this.#passing;
    const unsent = outgoing.writableLength;
    if (unsent !== this.#unsentBytes) this.#movedMs = nowMs;
    this.#unsentBytes = unsent;
    const stillMs = nowMs - this.#movedMs;
    if (this.#state === "ending") return;
    if (this.#state === "settled") {
      if (unsent > 0 && stillMs > patience.clientMs) outgoing.destroy();
    } else if (this.#response) {
      if (outgoing.writableNeedDrain) {
        if (stillMs > patience.clientMs) outgoing.destroy();
      } else if (stillMs > patience.serviceMs) this.#response.destroy(new Error("The service fell silent."));
    } else if (isConnecting(this.#upstream)) {
      if (stillMs > patience.connectMs) this.#fail("silent");
    } else if (this.#isAwaitingContinue()) {
      if (stillMs > continueMsMax && (incoming.readableLength > 0 || incoming.complete)) this.#continue();
      else if (stillMs > patience.serviceMs) this.#fail("silent");
    } else if (this.#isSending && !incoming.isPaused() && !incoming.complete) {
      if (stillMs > patience.clientMs) this.#fail("clientSilent");
    } else if (stillMs > patience.serviceMs) this.#fail("silent");
  }

  #isAwaitingContinue(): boolean {
    return this.#passing.expectsContinue && this.#plan.body.kind === "stream" && !this.#isSending;
  }

  #open(): void {
    const { body } = this.#plan;
    let upstream: ClientRequest;
    try {
      upstream = this.#plan.open();
    } catch {
      this.#fail("garbled");
      return;
    }
    this.#upstream = upstream;
    upstream.on("error", (error) => this.#failed(error, upstream));
    upstream.on("response", (response) => this.#answered(response));
    upstream.on("information", ({ statusCode }) => {
      if (statusCode === 102 && !this.#passing.outgoing.headersSent) this.#passing.outgoing.writeProcessing();
    });
    if (body.kind === "none") upstream.end();
    else if (body.kind === "whole") this.#sendWhole(upstream, body.bytes);
    else if (this.#passing.expectsContinue) {
      upstream.on("continue", () => this.#continue());
      upstream.flushHeaders();
    } else this.#send(upstream);
  }

  #sendWhole(upstream: ClientRequest, bytes: Uint8Array): void {
    this.#bytesIn = bytes.length;
    this.#requestBody.add(bytes);
    upstream.end(bytes);
  }

  /** The service wants the body, or its client did not wait to be asked. */
  #continue(): void {
    if (this.#state !== "open" || this.#isSending || !this.#upstream) return;
    this.#movedMs = this.#clock.monotonicMs();
    this.#passing.outgoing.writeContinue();
    this.#send(this.#upstream);
  }

  #send(upstream: ClientRequest): void {
    const { incoming } = this.#passing;
    this.#isSending = true;
    upstream.on("drain", () => {
      this.#movedMs = this.#clock.monotonicMs();
      incoming.resume();
    });
    incoming.on("data", this.#onRequestPiece);
    incoming.on("end", this.#onRequestEnd);
  }

  readonly #onRequestPiece = (piece: Buffer): void => {
    this.#movedMs = this.#clock.monotonicMs();
    this.#bytesIn += piece.length;
    this.#requestBody.add(piece);
    const { body } = this.#plan;
    const reframe = body.kind === "stream" ? body.reframe : undefined;
    this.#write(reframe ? reframe.take(piece) : [piece]);
  };

  #write(pieces: readonly Uint8Array[] | undefined): void {
    if (!pieces) {
      this.#fail("badBody");
      return;
    }
    for (const piece of pieces) {
      if (this.#upstream?.write(piece) === false) this.#passing.incoming.pause();
    }
  }

  readonly #onRequestEnd = (): void => {
    const { incoming } = this.#passing;
    const upstream = this.#upstream;
    if (this.#state === "settled" || !upstream) return;
    const { body } = this.#plan;
    if (body.kind === "stream" && body.reframe) this.#write(body.reframe.end());
    if (upstream.destroyed) return;
    if (incoming.rawTrailers.length > 0) upstream.addTrailers(pairsOf(incoming.rawTrailers));
    upstream.end();
  };

  #answered(response: IncomingMessage): void {
    if (this.#state !== "open") {
      response.destroy();
      return;
    }
    this.#movedMs = this.#clock.monotonicMs();
    this.#response = response;
    const { answerBytes, errorBytes } = this.#plan.capture;
    this.#answerBody = this.#captureOf((response.statusCode ?? 0) < 400 ? answerBytes : errorBytes);
    response.on("error", () => this.#serviceGone());
    const { outgoing } = this.#passing;
    outgoing.on("drain", () => {
      this.#movedMs = this.#clock.monotonicMs();
      response.resume();
    });
    response.on("data", (piece: Buffer) => this.#takeAnswer(piece));
    response.on("end", () => void this.#end(response));
    // A body that is slow to come must not hold the head back: event streams, long polls.
    if (!this.#holds(response)) {
      setImmediate(() => {
        if (this.#state === "open" && this.#begin(response)) outgoing.flushHeaders();
      });
    }
  }

  /** Whether pieces are kept back by one, so that the last byte can wait for the record. */
  #holds(response: IncomingMessage): boolean {
    return this.#plan.beforeEnd !== undefined && response.headers["transfer-encoding"] === undefined;
  }

  #takeAnswer(piece: Buffer): void {
    const response = this.#response;
    if (this.#state !== "open" || !response) return;
    this.#movedMs = this.#clock.monotonicMs();
    this.#bytesOut += piece.length;
    this.#answerBody.add(piece);
    const next = this.#holds(response) ? this.#held : piece;
    if (this.#holds(response)) this.#held = piece;
    if (next && this.#begin(response) && !this.#passing.outgoing.write(next)) response.pause();
  }

  /** Writes the head, once. False when that cannot be done, or the crossing is over. */
  #begin(response: IncomingMessage): boolean {
    if (this.#state === "settled") return false;
    if (this.#isBegun) return true;
    const { incoming, outgoing } = this.#passing;
    const { statusCode = 502, statusMessage = "", rawHeaders } = response;
    const isLast = (this.#isUnread() && statusCode >= 300) || this.#passing.isLast();
    try {
      outgoing.sendDate = false;
      const headers = headersToClient({ rawHeaders, httpVersion: incoming.httpVersion, isLast });
      outgoing.writeHead(statusCode, statusMessage, headers);
    } catch {
      this.#fail("garbled");
      return false;
    }
    this.#isBegun = true;
    return true;
  }

  /** The client still has a part of its body to send, and nobody wants it. */
  #isUnread(): boolean {
    return this.#plan.body.kind === "stream" && !this.#passing.incoming.complete;
  }

  async #end(response: IncomingMessage): Promise<void> {
    if (this.#state !== "open") return;
    if (!response.complete) {
      this.#serviceGone();
      return;
    }
    if (this.#plan.beforeEnd) {
      this.#state = "ending";
      if (!(await this.#plan.beforeEnd(this.#soFar(response, "complete")))) {
        this.#settle(this.#soFar(response, "withheld"));
        if (this.#isBegun) this.#passing.outgoing.destroy();
        return;
      }
      if (this.#passing.outgoing.destroyed) {
        this.#settle(this.#soFar(response, "clientGone"));
        return;
      }
    }
    this.#finish(response);
  }

  #finish(response: IncomingMessage): void {
    const { outgoing } = this.#passing;
    if (!this.#begin(response)) return;
    if (this.#held) outgoing.write(this.#held);
    if (response.rawTrailers.length > 0 && outgoing.chunkedEncoding) {
      outgoing.addTrailers(pairsOf(response.rawTrailers));
    }
    const isUnread = this.#isUnread();
    this.#settle(this.#soFar(response, "complete"));
    if (isUnread) this.#upstream?.destroy();
    this.#passing.end();
  }

  #serviceGone(): void {
    const response = this.#response;
    if (this.#state !== "open" || !response) return;
    if (!this.#isBegun) {
      this.#fail("unreachable");
      return;
    }
    this.#settle(this.#soFar(response, "serviceGone"));
    // The client must see that the answer is not whole.
    this.#passing.outgoing.destroy();
  }

  readonly #onClientClosed = (): void => {
    if (this.#state === "settled" || this.#passing.outgoing.writableFinished) return;
    const response = this.#response;
    if (this.#state === "ending") return;
    if (response && this.#isBegun) this.#settle(this.#soFar(response, "clientGone"));
    else this.#fail("clientGone");
    this.#upstream?.destroy();
  };

  #failed(error: Error, upstream: ClientRequest): void {
    if (this.#state !== "open" || this.#response || upstream !== this.#upstream) return;
    const code = "code" in error ? String(error.code) : "";
    if (code.startsWith("HPE_")) this.#fail("garbled");
    else if (upstream.reusedSocket && this.#isSafe() && this.#retries++ < retriesMax) this.#open();
    else this.#fail("unreachable");
  }

  /** May be sent twice: the service closed an idle connection while the request was on its way. */
  #isSafe(): boolean {
    const { method } = this.#passing.head;
    return this.#plan.body.kind === "none" && /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method);
  }

  #fail(why: Unanswered): void {
    if (this.#state === "settled") return;
    this.#settle({ kind: "unanswered", why, ...this.#moved() });
    this.#upstream?.destroy();
  }

  #settle(crossed: Crossed): void {
    this.#state = "settled";
    const { incoming } = this.#passing;
    incoming.off("data", this.#onRequestPiece);
    incoming.off("end", this.#onRequestEnd);
    incoming.socket.off("close", this.#onClientClosed);
    this.#resolve(crossed);
  }

  #soFar(response: IncomingMessage, end: AnsweredCrossing["end"]): AnsweredCrossing {
    const { statusCode = 0, rawHeaders } = response;
    const body = this.#answerBody.body();
    const isBegun = this.#isBegun;
    return { kind: "answered", status: statusCode, rawHeaders, body, end, isBegun, ...this.#moved() };
  }

  #moved(): Moved {
    return { request: this.#requestBody.body(), bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }
}
