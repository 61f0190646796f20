// Inflates a gzip body piece by piece, so that a small body that grows without end is stopped at the limit.
import { createGunzip, gunzipSync } from "node:zlib";
import type { ByteLease } from "./exchange.ts";

export type GunzipOutcome =
  | { readonly kind: "inflated"; readonly bytes: Uint8Array }
  | { readonly kind: "malformed" }
  | { readonly kind: "tooLarge" }
  | { readonly kind: "noRoom" };

export interface GunzipLimits {
  readonly inflatedBytesMax: number;
  readonly lease: ByteLease;
}

// Up to these, inflating at once costs less than handing the work to another thread. One body at a time is inflated
// so: what it needs for that moment is not counted before it is known.
const quickBytesMax = 16 * 1024;
const quickInflatedBytesMax = 256 * 1024;

/** Inflates all members of `bytes`. Stops at the first byte beyond a limit. */
export async function gunzip(bytes: Uint8Array, limits: GunzipLimits): Promise<GunzipOutcome> {
  if (bytes.length > quickBytesMax) return gunzipPieces(bytes, limits);
  try {
    const inflated = gunzipSync(bytes, { maxOutputLength: quickInflatedBytesMax });
    if (inflated.length > limits.inflatedBytesMax) return { kind: "tooLarge" };
    if (!limits.lease.take(inflated.length)) return { kind: "noRoom" };
    return { kind: "inflated", bytes: inflated };
  } catch (error) {
    const isLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return isLarge ? gunzipPieces(bytes, limits) : { kind: "malformed" };
  }
}

// Each piece is a trip to another thread and back; but what a piece may hold is taken beforehand, so it stands in
// proportion to the body.
const pieceBytesMin = 16 * 1024;
const pieceBytesMax = 256 * 1024;

async function gunzipPieces(bytes: Uint8Array, limits: GunzipLimits): Promise<GunzipOutcome> {
  const chunkSize = Math.min(Math.max(4 * bytes.length, pieceBytesMin), pieceBytesMax);
  const inflating = createGunzip({ chunkSize });
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    inflating.end(bytes);
    for await (const piece of inflating) {
      if (!Buffer.isBuffer(piece)) return { kind: "malformed" };
      size += piece.length;
      if (size > limits.inflatedBytesMax) return { kind: "tooLarge" };
      if (!limits.lease.take(piece.length)) return { kind: "noRoom" };
      pieces.push(piece);
    }
    const [only] = pieces;
    return { kind: "inflated", bytes: pieces.length === 1 && only ? only : Buffer.concat(pieces, size) };
  } catch {
    // zlib speaks up for the client's bytes only: a bad header, a bad checksum, an early end.
    return { kind: "malformed" };
  } finally {
    inflating.destroy();
  }
}

/** True when the bytes begin as a gzip member does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}
