// Reads the body of a node:http request within its limits. Must not: know what the bytes are.
import type { IncomingMessage } from "node:http";
import type { BodyRooms } from "./body-rooms.ts";
import type { BodyOutcome, ByteLease } from "./exchange.ts";

export interface BodyLimits {
  readonly bytesMax: number;
  readonly lease: ByteLease;
  readonly rooms: BodyRooms;
}

/** True when the head announces a body of at least one byte. */
function announcesBody(incoming: IncomingMessage): boolean {
  if (incoming.headers["transfer-encoding"] !== undefined) return true;
  return Number(incoming.headers["content-length"] ?? 0) > 0;
}

/** True when the announced length alone is beyond the limit: not a byte needs to be read then. */
export function announcesTooMuch(incoming: IncomingMessage, bytesMax: number): boolean {
  return Number(incoming.headers["content-length"] ?? 0) > bytesMax;
}

/** Reads until the end or the first byte beyond a limit; then it stops reading. */
export function readBody(incoming: IncomingMessage, limits: BodyLimits): Promise<BodyOutcome> {
  if (announcesTooMuch(incoming, limits.bytesMax)) return Promise.resolve({ kind: "tooLarge" });
  if (!announcesBody(incoming)) return Promise.resolve({ kind: "complete", bytes: new Uint8Array(0) });
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const room = limits.rooms.lend(Number(incoming.headers["content-length"]));
    let size = 0;
    const stop = (kind: "tooLarge" | "noRoom"): void => {
      incoming.off("data", onData).off("end", onEnd).off("close", onGone);
      incoming.pause();
      resolve({ kind });
    };
    const onData = (piece: Buffer): void => {
      const at = size;
      size += piece.length;
      if (size > limits.bytesMax) stop("tooLarge");
      else if (!limits.lease.take(piece.length)) stop("noRoom");
      else if (room) room.set(piece, at);
      else pieces.push(piece);
    };
    const onEnd = (): void => {
      const [only] = pieces;
      const bytes =
        room?.subarray(0, size) ?? (pieces.length === 1 && only ? only : Buffer.concat(pieces, size));
      resolve({ kind: "complete", bytes });
    };
    // Comes after the end too, when the outcome is known and stays.
    const onGone = (): void => resolve({ kind: "gone" });
    incoming.on("data", onData).on("end", onEnd).on("close", onGone);
  });
}
