// Deflates texts on the thread pool, a few at once, and lends the rooms that they are gathered in. Must not: know what
// they are.
import { type CompressionLevel, type DeflatedText, deflateText } from "./gzip-member.ts";

/** The usual room of a text. */
export const roomBytes = 1024 * 1024;

export interface Deflater {
  /** A buffer of `roomBytes` with anything in it. */
  lend(): Buffer;
  /** Takes a lent room back; nobody may look at it any more. */
  takeBack(room: Buffer): void;
  /** Starts as soon as there is room; texts in the order in which they came. */
  deflate(text: Uint8Array): Promise<DeflatedText>;
}

/** Of the four threads of Node's pool, one stays free for the journal's syncs: answers wait for them. */
const atOnceMax = 3;
/** Rooms kept for the next: memory that is made anew for every text makes the garbage collector run for nothing else. */
const roomsMax = 16;

export function createDeflater(level: CompressionLevel): Deflater {
  let running = 0;
  const rooms: Buffer[] = [];
  // Bounded by those who call: a pass holds its texts anyway.
  const waiting: (() => void)[] = [];
  const next = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return {
    lend: () => rooms.pop() ?? Buffer.allocUnsafeSlow(roomBytes),
    takeBack: (room) => {
      if (room.length === roomBytes && rooms.length < roomsMax) rooms.push(room);
    },
    deflate(text) {
      return new Promise((resolve, reject) => {
        const start = (): void => {
          running += 1;
          void deflateText(text, level).then(resolve, reject).finally(next);
        };
        if (running < atOnceMax) start();
        else waiting.push(start);
      });
    },
  };
}
