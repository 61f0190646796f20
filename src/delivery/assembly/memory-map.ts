// AssemblyScript. Where things lie in the encoder's memory, which never grows. The host reads the exported ones.
// Texts are read 16 bytes at a time: behind the input lie `padding` bytes of anything.

/** Where each stretch of six bytes was seen last, see matches.ts. */
export const bucketsAt: usize = 0x10000;
export const bucketBits: u32 = 13;
export const bucketBytes: usize = 16;

/** The block under way, see sequences.ts. */
export const sequencesAt: usize = bucketsAt + (bucketBytes << bucketBits);
export const sequencesMax: u32 = 8192;

/** How often each symbol stands in the block, words of 32 bits; then its code, and the code's length in bytes. */
export const literalsMax: usize = 288;
export const distancesMax: usize = 32;
export const literalCountsAt: usize = sequencesAt + 8 * (sequencesMax + 1);
export const distanceCountsAt: usize = literalCountsAt + 4 * literalsMax;
export const literalCodesAt: usize = distanceCountsAt + 4 * distancesMax;
export const distanceCodesAt: usize = literalCodesAt + 4 * literalsMax;
export const literalLengthsAt: usize = distanceCodesAt + 4 * distancesMax;
export const distanceLengthsAt: usize = literalLengthsAt + literalsMax;

/** The same of the code that code lengths are written in, and the run-length coded lengths, words of 32 bits. */
export const metaMax: usize = 32;
export const metaCountsAt: usize = distanceLengthsAt + distancesMax;
export const metaCodesAt: usize = metaCountsAt + 4 * metaMax;
export const metaLengthsAt: usize = metaCodesAt + 4 * metaMax;
export const metaRunsAt: usize = metaLengthsAt + metaMax;

/** Room of huffman.ts. */
export const sortedAt: usize = metaRunsAt + 4 * (literalsMax + distancesMax);
export const weightsAt: usize = sortedAt + 4 * literalsMax;
export const perLengthAt: usize = weightsAt + 4 * literalsMax;

/** For every match length up to 258 its symbol, how many extra bits it has, and which (symbols.ts); by block, its whole code. */
export const lengthsMax: usize = 260;
export const lengthSymbolsAt: usize = perLengthAt + 4 * 64;
export const lengthCodesAt: usize = lengthSymbolsAt + 4 * lengthsMax;
/** The symbol of a distance, by the distance less one, or by its upper bits; and the least distance of each symbol. */
export const nearSymbolsAt: usize = lengthCodesAt + 8 * lengthsMax;
export const farSymbolsAt: usize = nearSymbolsAt + 256;
export const distanceBasesAt: usize = farSymbolsAt + 256;

export const inputAt: usize = 0x90000;
export const inputBytesMax: usize = 1024 * 1024;
export const padding: usize = 1024;

/** What is written at most: the input in stored blocks, and what goes beyond its end before that is known. */
export const outputAt: usize = inputAt + inputBytesMax + padding;
export const outputBytesMax: usize = inputBytesMax + 192 * 1024;
