// Writes an answer to a node:http response, with the headers every answer bears, and ends connections politely.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../model/environment.ts";
import type { DoorAnswer } from "./exchange.ts";
import { httpDate } from "./iso-basic.ts";
import { type StreamedAnswer, streamAnswer } from "./stream-answer.ts";

/** A refused body is still received for so long and so much, so that its sender reads the answer instead of a reset. */
const lingerMs = 1000;
const lingerBytesMax = 4 * 1024 * 1024;

export interface AnswerFrame {
  readonly requestId: string;
  readonly clock: Clock;
  /** Whether the connection may serve another request. */
  readonly connection: "keep" | "close";
  /** How long a client may take none of the answer's bytes before it is cut off. */
  readonly stalledMsMax: number;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Headers that every answer bears. */
export function frameHeaders(requestId: string, nowMs: number): Readonly<Record<string, string>> {
  return { "x-amzn-RequestId": requestId, Date: httpDate(nowMs) };
}

/**
 * Writes the answer. Throws what node:http throws for headers it cannot write; nothing is sent then. What it gives back
 * resolves when a streamed body is over and rejects with what ended it.
 */
export function writeAnswer(
  exchange: Exchange,
  answer: DoorAnswer,
  frame: AnswerFrame,
): Promise<void> | undefined {
  const { incoming, outgoing } = exchange;
  if (outgoing.destroyed || outgoing.headersSent) return forget(answer);
  const isUnread = !incoming.complete && !incoming.destroyed;
  const mustClose = frame.connection === "close" || isUnread || answer.endsAtClosing === true;
  outgoing.sendDate = false;
  try {
    outgoing.writeHead(answer.status, headersOf(answer, frame, mustClose ? "close" : "keep"));
  } catch (error) {
    void forget(answer);
    throw error;
  }
  const { body } = answer;
  if (!isPlain(body)) return writeStream(exchange, { ...answer, body }, frame);
  outgoing.setTimeout(frame.stalledMsMax, () => outgoing.socket?.destroy());
  if (!isUnread) {
    // A text goes out in one write with the headers; bytes would need a second one.
    outgoing.end(body);
    return undefined;
  }
  outgoing.flushHeaders();
  outgoing.write(body);
  lingerThenEnd(exchange, frame.clock);
  return undefined;
}

async function writeStream(exchange: Exchange, answer: StreamedAnswer, frame: AnswerFrame): Promise<void> {
  const { incoming, outgoing } = exchange;
  const isWhole = await streamAnswer(outgoing, answer, frame);
  if (!isWhole) {
    incoming.socket.destroy();
    return;
  }
  outgoing.setTimeout(frame.stalledMsMax, () => outgoing.socket?.destroy());
  // The headers may have promised another request before the server closed.
  if (frame.closing.aborted) outgoing.once("finish", () => incoming.socket.destroySoon());
  endAnswer(exchange, frame.clock);
}

/** Nobody will read the answer: what a streamed body holds is let go. */
function forget({ body }: DoorAnswer): Promise<void> | undefined {
  if (isPlain(body)) return undefined;
  return body[Symbol.asyncIterator]()
    .return?.()
    .then(() => undefined);
}

function isPlain(body: DoorAnswer["body"]): body is string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array;
}

function headersOf(
  answer: DoorAnswer,
  { requestId, clock }: AnswerFrame,
  connection: AnswerFrame["connection"],
): Record<string, string> {
  const headers: Record<string, string> = {};
  const { body } = answer;
  if (isPlain(body) && needsLength(answer)) headers["Content-Length"] = String(Buffer.byteLength(body));
  Object.assign(headers, answer.headers, frameHeaders(requestId, clock.nowMs()));
  if (connection === "close") headers["Connection"] = "close";
  return headers;
}

/** A HEAD answer's length is told by the door; 204 and 304 have none. */
function needsLength({ status, headers }: DoorAnswer): boolean {
  if (status === 204 || status === 304) return false;
  for (const name in headers) if (name.toLowerCase() === "content-length") return false;
  return true;
}

/** Ends an answer that somebody else wrote. */
export function endAnswer(exchange: Exchange, clock: Clock): void {
  const { incoming, outgoing } = exchange;
  if (incoming.complete || incoming.destroyed) outgoing.end();
  else lingerThenEnd(exchange, clock);
}

/**
 * Closing at once while the client still sends makes its system throw the answer away unread. So the rest of the body is
 * received and dropped for a moment after the answer, and then the connection ends.
 */
function lingerThenEnd({ incoming, outgoing }: Exchange, clock: Clock): void {
  const over = new AbortController();
  let dropped = 0;
  incoming.on("data", (piece: Buffer) => {
    dropped += piece.length;
    if (dropped > lingerBytesMax) over.abort();
  });
  incoming.once("end", () => over.abort());
  incoming.once("close", () => over.abort());
  incoming.resume();
  const close = heldOpen(incoming.socket);
  outgoing.end();
  void clock.sleep(lingerMs, over.signal).then(() => {
    // An answer that waits behind a pipelined one ends the connection when it has left.
    const hasLeft = outgoing.socket !== null || outgoing.writableFinished;
    close(hasLeft && !incoming.complete ? "anyway" : "asWanted");
  });
}

/** Keeps node from closing the connection when an answer has ended that bears `Connection: close`, until that is let. */
function heldOpen(socket: Socket): (when: "asWanted" | "anyway") => void {
  let isWanted = false;
  socket.destroySoon = () => void (isWanted = true);
  return (when) => {
    // The socket's own method is that of its class.
    Reflect.deleteProperty(socket, "destroySoon");
    if (isWanted || when === "anyway") socket.destroySoon();
  };
}
