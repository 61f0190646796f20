// Deflates texts on the thread pool, a few at once. Must not: know what they are.
import { type CompressionLevel, type DeflatedText, deflateText } from "./gzip-member.ts";

export interface Deflater {
  /** Starts as soon as there is room; texts in the order in which they came. */
  deflate(text: Uint8Array): Promise<DeflatedText>;
}

/** Of the four threads of Node's pool, one stays free for the journal's syncs: answers wait for them. */
const atOnceMax = 3;

export function createDeflater(level: CompressionLevel): Deflater {
  let running = 0;
  // Bounded by those who call: a pass holds its texts anyway.
  const waiting: (() => void)[] = [];
  const next = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return {
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
