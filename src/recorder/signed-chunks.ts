// A streamed S3 upload whose chunks are signed (aws-chunked), on its way to a service that knows another key: the framing
// is read piece by piece, each signature checked, and the body framed anew or not at all. The format stands in
// door/aws-chunked.ts, which does the same with a whole body.
import { createHash, type Hash } from "node:crypto";
import { unreachable } from "../model/assert.ts";
import type { Reframe } from "./crossing.ts";
import type { ChunkChain } from "./ports.ts";

/** A line of framing is short. */
const lineBytesMax = 1024;
/** Chunks of the new framing. */
const chunkBytes = 64 * 1024;
/** A chunk size has so many digits at most. */
const sizeDigitsMax = 8;

/** The object alone. */
export function plainChunks(chain: ChunkChain): Reframe {
  const reader = new ChunkReader(chain);
  return {
    take: (piece) => reader.take(piece),
    end: () => (reader.isComplete ? [] : undefined),
  };
}

/** Chunks of one size without signatures, then the trailer. */
export function unsignedChunks(chain: ChunkChain): Reframe {
  const reader = new ChunkReader(chain);
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = (isLast: boolean): Uint8Array[] => {
    const bytes = Buffer.concat(waiting, size);
    const result: Uint8Array[] = [];
    let at = 0;
    for (; bytes.length - at >= chunkBytes; at += chunkBytes) {
      result.push(...chunk(bytes.subarray(at, at + chunkBytes)));
    }
    if (isLast && at < bytes.length) {
      result.push(...chunk(bytes.subarray(at)));
      at = bytes.length;
    }
    waiting = at < bytes.length ? [bytes.subarray(at)] : [];
    size = bytes.length - at;
    return result;
  };
  return {
    take(piece) {
      const data = reader.take(piece);
      if (!data) return undefined;
      for (const part of data) {
        waiting.push(part);
        size += part.length;
      }
      return size >= chunkBytes ? flush(false) : [];
    },
    end() {
      if (!reader.isComplete) return undefined;
      const lines = reader.trailers.map(([name, value]) => `${name}:${value}\r\n`).join("");
      return [...flush(true), Buffer.from(`0\r\n${lines}\r\n`, "latin1")];
    },
  };
}

function chunk(bytes: Uint8Array): Uint8Array[] {
  return [Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1"), bytes, Buffer.from("\r\n", "latin1")];
}

/** Base64 characters of each checksum that may come as a trailer. */
const checksumCharacters: ReadonlyMap<string, number> = new Map([
  ["x-amz-checksum-crc32", 8],
  ["x-amz-checksum-crc32c", 8],
  ["x-amz-checksum-crc64nvme", 12],
  ["x-amz-checksum-sha1", 28],
  ["x-amz-checksum-sha256", 44],
]);

/** How long the body of `unsignedChunks` will be; undefined for a trailer whose length is not known before. */
export function unsignedChunksLength(objectBytes: number, trailer: string): number | undefined {
  const characters = checksumCharacters.get(trailer);
  if (characters === undefined) return undefined;
  const frame = (bytes: number) => bytes.toString(16).length + 2 + bytes + 2;
  const rest = objectBytes % chunkBytes;
  const whole = ((objectBytes - rest) / chunkBytes) * frame(chunkBytes);
  const trailers = trailer.length + 1 + characters + 2;
  return whole + (rest === 0 ? 0 : frame(rest)) + "0\r\n".length + trailers + "\r\n".length;
}

type Expecting = "size" | "data" | "afterData" | "trailer";

/** Reads the framing; what it gives out is the object. */
class ChunkReader {
  readonly #chain: ChunkChain;
  readonly trailers: (readonly [name: string, value: string])[] = [];
  #expecting: Expecting = "size";
  #line = "";
  #left = 0;
  #hash: Hash = createHash("sha256");
  #signature = "";
  #isSealed = false;

  constructor(chain: ChunkChain) {
    this.#chain = chain;
  }

  /** The last chunk was there, and the trailers (if any) were signed. */
  get isComplete(): boolean {
    if (this.#expecting === "trailer" && this.#line === "" && !this.#isSealed) this.#seal();
    return this.#isSealed;
  }

  /** Undefined when the framing or a signature is not right. */
  take(piece: Uint8Array): Uint8Array[] | undefined {
    const input = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const data: Uint8Array[] = [];
    for (let at = 0; at < input.length; ) {
      if (this.#expecting === "data") {
        const part = input.subarray(at, at + this.#left);
        this.#hash.update(part);
        this.#left -= part.length;
        at += part.length;
        data.push(part);
        if (this.#left === 0) this.#expecting = "afterData";
        continue;
      }
      const end = input.indexOf(0x0a, at);
      const text = input.toString("latin1", at, end === -1 ? input.length : end + 1);
      at += text.length;
      this.#line += text;
      if (this.#line.length > lineBytesMax) return undefined;
      if (end === -1) break;
      const line = this.#line;
      this.#line = "";
      if (!line.endsWith("\r\n") || !this.#takeLine(line.slice(0, -2))) return undefined;
    }
    return data;
  }

  #takeLine(line: string): boolean {
    switch (this.#expecting) {
      case "size":
        return this.#takeSize(line);
      case "afterData":
        this.#expecting = "size";
        return line === "" && this.#isSigned();
      case "trailer":
        return line === "" ? this.#seal() : this.#takeTrailer(line);
      case "data":
        return false;
      default:
        return unreachable(this.#expecting);
    }
  }

  #takeSize(line: string): boolean {
    const match = /^([0-9A-Fa-f]+);chunk-signature=([0-9a-f]{64})$/.exec(line);
    const [, digits = "", signature = ""] = match ?? [];
    if (!match || digits.length > sizeDigitsMax) return false;
    this.#left = Number.parseInt(digits, 16);
    this.#signature = signature;
    this.#expecting = this.#left === 0 ? "trailer" : "data";
    return this.#left > 0 || this.#isSigned();
  }

  #isSigned(): boolean {
    const contentHash = this.#hash.digest("hex");
    this.#hash = createHash("sha256");
    return this.#chain.isNext("PAYLOAD", contentHash, this.#signature);
  }

  #takeTrailer(line: string): boolean {
    const colon = line.indexOf(":");
    if (colon < 1 || this.trailers.length > 16) return false;
    this.trailers.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]);
    return true;
  }

  /** After the last line: the trailers but the last, which signs them. */
  #seal(): boolean {
    if (this.#isSealed) return true;
    const at = this.trailers.findIndex(([name]) => name === "x-amz-trailer-signature");
    const [signature] = at === -1 ? [] : this.trailers.splice(at, 1);
    if (this.trailers.length > 0) {
      const canonical = this.trailers.map(([name, value]) => `${name}:${value}\n`).join("");
      const contentHash = createHash("sha256").update(canonical).digest("hex");
      if (!this.#chain.isNext("TRAILER", contentHash, signature?.[1] ?? "")) return false;
    }
    this.#isSealed = true;
    this.#expecting = "trailer";
    return true;
  }
}
