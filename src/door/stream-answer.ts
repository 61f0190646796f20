// Writes an answer's body that is made while it is written: at the pace of its reader, until either side ends it.
// Must not: know what the pieces are.
import type { ServerResponse } from "node:http";
import type { DoorAnswer } from "./exchange.ts";

interface StreamLimits {
  /** How long a client may take none of the bytes that wait for it before it is cut off. */
  readonly stalledMsMax: number;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

export type StreamedAnswer = DoorAnswer & { readonly body: AsyncIterable<Uint8Array> };

/**
 * Writes the pieces after the headers. Resolves to true when the answer is whole and may be ended, to false when its
 * client is gone or must be cut off; rejects with what the iterator throws. The iterator is ended either way.
 */
export async function streamAnswer(
  outgoing: ServerResponse,
  answer: StreamedAnswer,
  limits: StreamLimits,
): Promise<boolean> {
  const { closing, stalledMsMax } = limits;
  // The connection's end, not the answer's: an answer that waits behind a pipelined one has no socket yet.
  const { socket } = outgoing.req;
  const pieces = answer.body[Symbol.asyncIterator]();
  const end = (): void => void pieces.return?.().catch(() => undefined);
  const stopsAtClosing = answer.endsAtClosing === true;
  socket.once("close", end);
  if (stopsAtClosing) closing.addEventListener("abort", end);
  try {
    if (socket.destroyed || outgoing.req.method === "HEAD" || (stopsAtClosing && closing.aborted)) {
      end();
      return !socket.destroyed;
    }
    outgoing.flushHeaders();
    const written = await writePieces(outgoing, pieces, stalledMsMax);
    return !socket.destroyed && isWhole(answer, written);
  } finally {
    socket.off("close", end);
    closing.removeEventListener("abort", end);
  }
}

async function writePieces(
  outgoing: ServerResponse,
  pieces: AsyncIterator<Uint8Array>,
  stalledMsMax: number,
): Promise<number> {
  let written = 0;
  for (;;) {
    const piece = await pieces.next();
    if (piece.done === true || outgoing.req.socket.destroyed) return written;
    // An empty piece would end a chunked answer.
    if (piece.value.length === 0) continue;
    written += piece.value.length;
    if (!outgoing.write(piece.value)) await drained(outgoing, stalledMsMax);
  }
}

/** Resolves when there is room again or nobody reads any more; who takes nothing for too long is cut off. */
function drained(outgoing: ServerResponse, stalledMsMax: number): Promise<void> {
  const { socket } = outgoing.req;
  if (socket.destroyed || !outgoing.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    // node's timeout runs while no bytes move; a quiet stream is no stalled one, so it holds only here.
    outgoing.setTimeout(stalledMsMax);
    const done = (): void => {
      outgoing.off("drain", done);
      socket.off("close", done);
      outgoing.setTimeout(0);
      resolve();
    };
    outgoing.on("drain", done);
    socket.on("close", done);
  });
}

/** A length that was promised and not kept must not look like the whole answer. */
function isWhole({ headers }: DoorAnswer, written: number): boolean {
  for (const name in headers) {
    if (name.toLowerCase() === "content-length") return headers[name] === String(written);
  }
  return true;
}
