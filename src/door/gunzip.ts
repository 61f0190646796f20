// Inflates a gzip body piece by piece, so that a small body that grows without end is stopped at the limit.
import { createGunzip } from "node:zlib";
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

/** Inflates all members of `bytes`. Stops at the first byte beyond a limit. */
export async function gunzip(bytes: Uint8Array, limits: GunzipLimits): Promise<GunzipOutcome> {
  const inflating = createGunzip();
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
    return { kind: "inflated", bytes: Buffer.concat(pieces) };
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
