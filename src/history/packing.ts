// Compresses blocks of records and inflates them. Brotli at its second fastest level: half the work of deflate's fastest and
// a tenth smaller on blocks of this size. Packing is done here and now: a block takes a tenth of a millisecond, and twice
// that of the processor's time on the thread pool, whose caches know nothing of it. Inflating is asked for by lookups, many
// blocks at once, and does go to the pool.
import { promisify } from "node:util";
import { brotliCompressSync, brotliDecompress, constants } from "node:zlib";

const decompress = promisify(brotliDecompress);

export function pack(raw: Uint8Array): Buffer {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 1,
    [constants.BROTLI_PARAM_LGWIN]: 18,
    [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
  };
  const packed = brotliCompressSync(raw, { params });
  // What the compressor gives is the beginning of something larger, which would be held with it.
  const own = Buffer.allocUnsafeSlow(packed.length);
  packed.copy(own);
  return own;
}

/** `rawBytes` is what went in: more never comes out. */
export function unpack(packed: Uint8Array, rawBytes: number): Promise<Buffer> {
  return decompress(packed, { maxOutputLength: rawBytes });
}
