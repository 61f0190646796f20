// AssemblyScript. Where things lie in the scanner's memory, which never grows. The host reads the exported ones.
// Texts are read 16 bytes at a time: behind the input lie `padding` zero bytes, at which every walk ends.

/** Keys the scanner looks for; see keys.ts. */
export const keysAt: usize = 0x10000;
export const keyContexts: usize = 4;
export const keySlots: usize = 64;
export const keyBytes: usize = 64;

/** One byte per open bracket of a value that is only skipped. */
export const bracketsAt: usize = keysAt + keyContexts * keySlots * keyBytes;

/** What a call leaves for the host, in words: see scanner.ts. */
export const reportAt: usize = bracketsAt + 256;

/** What is known of each record: `rowWords` words of 32 bits, see scanner.ts. */
export const rowsAt: usize = reportAt + 64;
export const rowWords: usize = 29;
export const rowsMax: usize = 1024;

/** What is known of each entry of `resources`. Behind the last row up to three words are cleared with it. */
export const resourcesAt: usize = rowsAt + rowsMax * rowWords * 4 + 16;
export const resourceWords: usize = 5;
export const resourcesMax: usize = 4096;
/** A record with more is left to the host. */
export const resourcesOfRecordMax: usize = 1024;

/** Texts that many records share, see interned.ts. */
export const internedSlotsAt: usize = resourcesAt + resourcesMax * resourceWords * 4;
export const internedSlots: usize = 32768;
export const internedAt: usize = internedSlotsAt + internedSlots * 4;
export const internedMax: usize = 16384;
export const internedBytes: usize = 16;
export const internedTextsAt: usize = internedAt + internedMax * internedBytes;
export const internedTextsEnd: usize = internedTextsAt + 1024 * 1024;

/** Keys in the order they come, see key-order.ts. */
export const knownKeySlotsAt: usize = internedTextsEnd;
export const knownKeySlots: usize = 4096;
export const knownKeysAt: usize = knownKeySlotsAt + knownKeySlots * 4;
export const knownKeysMax: usize = 1024;
export const knownKeyBytes: usize = 96;

export const inputAt: usize = knownKeysAt + knownKeysMax * knownKeyBytes;
/** One record of the greatest size, and the brackets around it. */
export const inputBytesMax: usize = 1024 * 1024 + 64 * 1024;
export const padding: usize = 64;
