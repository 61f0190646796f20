// Memory that begins where a page does, as a device wants the bytes it fetches by itself: Node's own buffers begin anywhere.
// WebAssembly's memory does. Must not: know what lies in it.

// Node's types leave WebAssembly to the browser's.
declare const WebAssembly: {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => { readonly buffer: ArrayBuffer & SharedArrayBuffer };
};

const wasmPageBytes = 64 * 1024;
/** What offsets, lengths and addresses are multiples of where bytes go past the page cache: no device asks for more. */
export const blockBytes = 4096;
/** Fewer bytes gain less by going past the page cache than the further calls, or the way into a room, cost. */
export const directBytesMin = 64 * 1024;

const made = new WeakSet<ArrayBufferLike>();

/** Undefined where the system has no such memory for us: a process may be held to less. What is not used takes nothing. */
export function pageMemory(bytes: number): ArrayBuffer | undefined {
  return newMemory(bytes, false);
}

/** The same, for several threads. */
export function sharedPageMemory(bytes: number): SharedArrayBuffer | undefined {
  return newMemory(bytes, true);
}

/** Whether these bytes surely begin at a block's boundary of memory. */
export function beginsAtBlock(bytes: Uint8Array): boolean {
  return bytes.byteOffset % blockBytes === 0 && made.has(bytes.buffer);
}

function newMemory(bytes: number, shared: boolean): (ArrayBuffer & SharedArrayBuffer) | undefined {
  const pages = Math.ceil(bytes / wasmPageBytes);
  try {
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    made.add(buffer);
    return buffer;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
