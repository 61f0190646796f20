// Deflates texts beside the main thread, a few at once, and lends the rooms that they are gathered in. Must not: know what
// they are.
//
// Levels 1 to 6: texts of some size by Cairn's own encoder, in threads of its own. It is made for JSON records and takes less
// than half of zlib's time (docs/performance.md). Small texts, levels 7 to 9, and all when the threads fail: zlib, on the
// thread pool.
import type { Effort } from "./deflate-thread.ts";
import { DeflateThreads } from "./deflate-threads.ts";
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
  /** Ends the threads. What is deflated afterwards, or just now, is deflated by zlib. */
  close(): Promise<void>;
}

export interface DeflaterOptions {
  readonly level: CompressionLevel;
  /** Hears why a thread failed. */
  readonly onFailure?: (error: unknown) => void;
  /** Default: its own. */
  readonly threads?: DeflateThreads;
}

/** Of the four threads of Node's pool, one stays free for the journal's syncs: answers wait for them. */
const atOnceInPoolMax = 3;
/** Rooms kept for the next: memory that is made anew for every text makes the garbage collector run for nothing else. */
const roomsMax = 16;
/** Below this zlib is quick enough; so a server with little to do starts no thread. */
const threadBytesMin = 64 * 1024;

/** What each level asks of Cairn's own encoder; the first is level 1. Sizes against zlib stand in docs/performance.md. */
export const efforts: readonly Effort[] = [
  [0, 32, 8, 4],
  [0, 32, 4, 5],
  [16, 48, 4, 6],
  [32, 64, 4, 6],
  [64, 258, 3, 6],
  [64, 258, 2, 6],
];

export function createDeflater({
  level,
  onFailure,
  threads = new DeflateThreads(),
}: DeflaterOptions): Deflater {
  const effort = efforts[level - 1];
  const rooms: Buffer[] = [];
  let isClosed = false;
  const byZlib = inOrder(atOnceInPoolMax, (text) => deflateText(text, level));
  const byThread = inOrder(DeflateThreads.jobsMax, (text) =>
    effort && threads.areUsable ? threads.deflate(text, effort) : byZlib(text),
  );
  return {
    lend: () => rooms.pop() ?? Buffer.allocUnsafeSlow(roomBytes),
    takeBack: (room) => {
      if (room.length === roomBytes && rooms.length < roomsMax) rooms.push(room);
    },
    deflate(text) {
      if (!effort || text.length < threadBytesMin) return byZlib(text);
      return byThread(text).catch((error: unknown) => {
        if (!isClosed) onFailure?.(error);
        return byZlib(text);
      });
    },
    async close() {
      isClosed = true;
      await threads.close();
    },
  };
}

type Deflate = (text: Uint8Array) => Promise<DeflatedText>;

/** The same, a few at once. */
function inOrder(atOnceMax: number, deflate: Deflate): Deflate {
  let running = 0;
  // Bounded by those who call: a pass holds its texts anyway.
  const waiting: (() => void)[] = [];
  const next = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return (text) =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        running += 1;
        void deflate(text).then(resolve, reject).finally(next);
      };
      if (running < atOnceMax) start();
      else waiting.push(start);
    });
}
