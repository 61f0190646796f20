// AssemblyScript. Where things lie in the packer's memory, which never grows. The host reads the exported ones.
// Texts are read and written 16 bytes at a time: behind both rooms lie `padding` bytes of anything.

/** Where each stretch of six bytes was seen last, as an address; 0 for nowhere. */
export const seenAt: usize = 0x10000;
export const seenBits: u32 = 13;
export const seenBytes: usize = 4 << seenBits;

const padding: usize = 64;

/** A block as it is; it holds at least one record of the greatest size. */
export const rawAt: usize = seenAt + seenBytes;
export const rawBytesMax: usize = 1024 * 1024 + 64 * 1024;

/** The same block packed, which may be a little longer. */
export const packedAt: usize = rawAt + rawBytesMax + padding;
export const packedBytesMax: usize = rawBytesMax + rawBytesMax / 255 + 16;

export const memoryEnd: usize = packedAt + packedBytesMax + padding;
