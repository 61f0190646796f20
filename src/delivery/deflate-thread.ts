// What runs in a deflating thread: the host of the WebAssembly encoder (assembly/deflate.ts). tools/setup.mjs compiles both
// into generated/deflate-code.ts as text, which a thread is started from. Must not: import anything but Node's own and types,
// or run in the main thread.
//
// A text comes in shared memory and stays where it is; its blocks go back without a copy. Texts longer than the encoder's
// input are deflated window by window: blocks of any texts stand one behind the other.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { crc32 } from "node:zlib";
import type { Answered, Asked } from "../threads/job-threads.ts";

/** How hard to look for repetitions; see `setEffort` in assembly/deflate.ts. */
export type Effort = readonly [lazy: number, near: number, step: number, skip: number];

export interface DeflateJob {
  readonly text: Uint8Array<SharedArrayBuffer>;
  readonly effort: Effort;
}

export interface DeflateAnswer {
  readonly blocks: Uint8Array<ArrayBuffer>;
  readonly crc: number;
}

interface Place {
  readonly value: number;
}

interface Encoder {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly inputAt: Place;
  readonly inputBytesMax: Place;
  readonly outputAt: Place;
  setEffort(...effort: Effort): void;
  /** The bytes at `inputAt`; returns how many bytes of blocks lie at `outputAt`. */
  deflate(bytes: number): number;
}

// Node's types leave WebAssembly to the browser's.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Encoder };
};

if (parentPort) serve(parentPort);

function serve(port: MessagePort): void {
  const code: Uint8Array<ArrayBuffer> = workerData;
  const encoder = new WebAssembly.Instance(new WebAssembly.Module(code), {}).exports;
  port.on("message", ({ id, job: { text, effort } }: Asked<DeflateJob>) => {
    encoder.setEffort(...effort);
    const blocks = deflate(encoder, text);
    const message: Answered<DeflateAnswer> = { id, answer: { blocks, crc: crc32(text) } };
    port.postMessage(message, [blocks.buffer]);
  });
}

function deflate(encoder: Encoder, text: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(encoder.memory.buffer);
  const windowBytesMax = encoder.inputBytesMax.value;
  const windows: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < text.length; at += windowBytesMax) {
    const window = text.subarray(at, at + windowBytesMax);
    bytes.set(window, encoder.inputAt.value);
    const start = encoder.outputAt.value;
    windows.push(bytes.slice(start, start + encoder.deflate(window.length)));
  }
  const [first] = windows;
  return first && windows.length === 1 ? first : joined(windows);
}

function joined(windows: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(windows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const window of windows) {
    all.set(window, at);
    at += window.length;
  }
  return all;
}
