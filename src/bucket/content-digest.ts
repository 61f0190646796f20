// Digests of content that comes in pieces: MD5 for ETags, and the five checksums that S3 clients send. No I/O.
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { ChecksumAlgorithm } from "./object-contract.ts";

/** So much is digested before other work gets its turn. */
const bytesPerTurn = 4 * 1024 * 1024;

export interface DigestedContent {
  readonly md5Hex: string;
  readonly sizeBytes: number;
  /** Base64, of the algorithm that was asked for. */
  readonly checksum?: string;
}

export interface ContentDigest {
  update(piece: Uint8Array): void;
  finish(): Promise<DigestedContent>;
}

/** MD5, and one checksum if one is wanted. */
export async function openContentDigest(algorithm?: ChecksumAlgorithm): Promise<ContentDigest> {
  const md5 = createHash("md5");
  const checksum = algorithm && (await checksumOf(algorithm));
  let sizeBytes = 0;
  return {
    update(piece) {
      sizeBytes += piece.length;
      md5.update(piece);
      checksum?.update(piece);
    },
    async finish() {
      const value = await checksum?.digest();
      const md5Hex = md5.digest("hex");
      return { md5Hex, sizeBytes, ...(value && { checksum: Buffer.from(value).toString("base64") }) };
    },
  };
}

/** The same of bytes that are all there. */
export async function digestBytes(
  bytes: Uint8Array,
  algorithm?: ChecksumAlgorithm,
): Promise<DigestedContent> {
  const digest = await openContentDigest(algorithm);
  for (let at = 0; at < bytes.length; at += bytesPerTurn) {
    if (at > 0) await setImmediate();
    digest.update(bytes.subarray(at, at + bytesPerTurn));
  }
  return digest.finish();
}

/** The checksum of a few bytes, as bytes. */
export async function checksumBytes(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<Uint8Array> {
  const checksum = await checksumOf(algorithm);
  checksum.update(bytes);
  return checksum.digest();
}

interface RunningChecksum {
  update(piece: Uint8Array): void;
  digest(): Promise<Uint8Array> | Uint8Array;
}

/** CRC32C and CRC64NVME are the vendor's own, loaded when they are first asked for. */
async function checksumOf(algorithm: ChecksumAlgorithm): Promise<RunningChecksum> {
  switch (algorithm) {
    case "CRC32":
      return runningCrc32();
    case "CRC32C":
      return new (await import("@aws-sdk/checksums/crc")).Crc32c();
    case "CRC64NVME":
      return new (await import("@aws-sdk/checksums/crc")).Crc64Nvme();
    case "SHA1":
    case "SHA256": {
      const hash = createHash(algorithm);
      return { update: (piece) => void hash.update(piece), digest: () => hash.digest() };
    }
    default:
      return algorithm satisfies never;
  }
}

function runningCrc32(): RunningChecksum {
  let value = 0;
  return {
    update(piece) {
      value = crc32(piece, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}
