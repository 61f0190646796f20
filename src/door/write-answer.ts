// Writes an answer to a node:http response, with the headers every answer bears, and ends connections politely.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../model/environment.ts";
import type { DoorAnswer } from "./exchange.ts";
import { httpDate } from "./iso-basic.ts";

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
}

/** Headers that every answer bears. */
export function frameHeaders(requestId: string, nowMs: number): Readonly<Record<string, string>> {
  return { "x-amzn-RequestId": requestId, Date: httpDate(nowMs) };
}

/** Writes the answer. Throws what node:http throws for headers it cannot write; nothing is sent then. */
export function writeAnswer(
  exchange: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  answer: DoorAnswer,
  frame: AnswerFrame,
): void {
  const { incoming, outgoing } = exchange;
  if (outgoing.destroyed || outgoing.headersSent) return;
  // A text goes out in one write with the headers; bytes would need a second one.
  const { body } = answer;
  const isUnread = !incoming.complete && !incoming.destroyed;
  const mustClose = frame.connection === "close" || isUnread;
  outgoing.sendDate = false;
  outgoing.setTimeout(frame.stalledMsMax, () => outgoing.socket?.destroy());
  outgoing.writeHead(answer.status, headersOf(answer, frame, mustClose ? "close" : "keep"));
  if (!isUnread) {
    outgoing.end(body);
    return;
  }
  outgoing.flushHeaders();
  outgoing.write(body);
  lingerThenEnd(exchange, frame.clock);
}

function headersOf(
  answer: DoorAnswer,
  { requestId, clock }: AnswerFrame,
  connection: AnswerFrame["connection"],
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (needsLength(answer)) headers["Content-Length"] = String(Buffer.byteLength(answer.body));
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

/**
 * Closing at once while the client still sends makes its system throw the answer away unread. So the rest of the body
 * is received and dropped for a moment, and then the connection ends.
 */
function lingerThenEnd(
  { incoming, outgoing }: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  clock: Clock,
): void {
  const over = new AbortController();
  let dropped = 0;
  incoming.on("data", (piece: Buffer) => {
    dropped += piece.length;
    if (dropped > lingerBytesMax) over.abort();
  });
  incoming.once("end", () => over.abort());
  incoming.once("close", () => over.abort());
  incoming.resume();
  void clock.sleep(lingerMs, over.signal).then(() => {
    outgoing.end();
    if (!incoming.complete) outgoing.socket?.destroySoon();
  });
}
