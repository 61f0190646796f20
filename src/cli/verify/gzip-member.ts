// One gzip member (RFC 1952): inflates it, hashes what comes out, and sees whether anything follows it.
//
// The member is taken apart here and its deflate stream given to zlib raw: Node's own gunzip goes on into a second
// member or passes over what follows, and the AWS CLI refuses both (formats.md §2.2, §3.6).
// Limits: `bytesMax` inflated bytes; what is not kept is never held whole, whatever its size.
import { createHash, type Hash, hash as hashAtOnce } from "node:crypto";
import { crc32, createInflateRaw, inflateRaw, type InflateRaw, inflateRawSync } from "node:zlib";
import { afterwards, type AtOnce } from "./at-once.ts";
import type { EvidenceContent } from "./evidence.ts";

export type Inflated =
  | {
      readonly kind: "whole";
      /** Lower-case hex SHA-256 of the inflated bytes. */
      readonly hash: string;
      readonly sizeBytes: number;
      /** The inflated bytes, when they were to be kept. */
      readonly bytes: Uint8Array | undefined;
    }
  /** `reason` in the words of validate-logs where it has them. */
  | { readonly kind: "broken"; readonly reason: string };

export interface InflateOptions {
  readonly bytesMax: number;
  /** Whether the inflated bytes are wanted; then they are held in memory. */
  readonly content: "keep" | "drop";
}

/** Up to here inflating at once costs less than a way to the thread pool and back. */
const inlineBytesMax = 16 * 1024;
/** What a small member may inflate to in one piece; a larger one is inflated in chunks. */
const pieceBytesMax = 8 * 1024 * 1024;
const headerBytesMax = 64 * 1024;
const chunkBytes = 64 * 1024;
const trailerBytes = 8;

const invalidFormat = broken("invalid format");
const trailingData = broken("unexpected data after end of compressed stream");

/** Never throws for what the bytes are; throws when the content cannot be read. */
export function inflateMember(content: EvidenceContent, options: InflateOptions): AtOnce<Inflated> {
  if (!(content instanceof Uint8Array)) return inflateChunks(content, options);
  const start = headerLength(content);
  if (start === undefined) return invalidFormat;
  const deflated = content.subarray(start);
  return afterwards(inflatePiece(deflated, Math.min(pieceBytesMax, options.bytesMax)), (piece) => {
    switch (piece.kind) {
      case "done":
        return finish(deflated.subarray(piece.consumedBytes), piece.bytes, options);
      case "too large":
        return inflateChunks([content], options);
      case "not deflate":
        return invalidFormat;
      default:
        return piece satisfies never;
    }
  });
}

type Piece =
  | { readonly kind: "done"; readonly bytes: Uint8Array; readonly consumedBytes: number }
  | { readonly kind: "too large" }
  | { readonly kind: "not deflate" };

function inflatePiece(deflated: Uint8Array, bytesMax: number): AtOnce<Piece> {
  const settings = { maxOutputLength: bytesMax, chunkSize: outputBytes(deflated), info: true };
  if (deflated.length <= inlineBytesMax) {
    try {
      return pieceOf(inflateRawSync(deflated, settings));
    } catch (error) {
      return failedPiece(error);
    }
  }
  return new Promise((resolve) => {
    inflateRaw(deflated, settings, (error, answer) => resolve(error ? failedPiece(error) : pieceOf(answer)));
  });
}

function failedPiece(error: unknown): Piece {
  const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
  return { kind: isTooLarge ? "too large" : "not deflate" };
}

/** A buffer in which the output fits at once, when the member's last four bytes tell its size; else it takes several. */
function outputBytes(deflated: Uint8Array): number {
  if (deflated.length < trailerBytes) return chunkBytes;
  const view = new DataView(deflated.buffer, deflated.byteOffset + deflated.length - 4, 4);
  return Math.min(chunkBytes, view.getUint32(0, true) + 64);
}

/** With `info`, zlib answers its buffer together with the engine that made it; the types do not say so. */
function pieceOf(answer: unknown): Piece {
  if (typeof answer === "object" && answer !== null && "buffer" in answer && "engine" in answer) {
    const { buffer: bytes, engine } = answer;
    const isEngine = typeof engine === "object" && engine !== null && "bytesWritten" in engine;
    if (bytes instanceof Uint8Array && isEngine && typeof engine.bytesWritten === "number") {
      return { kind: "done", bytes, consumedBytes: engine.bytesWritten };
    }
  }
  throw new Error("zlib did not say how much it read.");
}

function finish(rest: Uint8Array, bytes: Uint8Array, { content }: InflateOptions): Inflated {
  const problem = trailerProblem(rest, { crc: crc32(bytes), sizeBytes: bytes.length });
  if (problem) return problem;
  const hash = hashAtOnce("sha256", bytes, "hex");
  return { kind: "whole", hash, sizeBytes: bytes.length, bytes: content === "keep" ? bytes : undefined };
}

/** The CRC-32 and size that close a member, and whether anything comes after them. */
function trailerProblem(
  rest: Uint8Array,
  inflated: { readonly crc: number; readonly sizeBytes: number },
): Inflated | undefined {
  if (rest.length < trailerBytes) return invalidFormat;
  const view = new DataView(rest.buffer, rest.byteOffset, trailerBytes);
  const isWhole =
    view.getUint32(0, true) === inflated.crc && view.getUint32(4, true) === inflated.sizeBytes % 2 ** 32;
  if (!isWhole) return invalidFormat;
  return rest.length > trailerBytes ? trailingData : undefined;
}

/** Where the deflate stream begins; undefined when these bytes do not begin with a whole gzip header. */
function headerLength(bytes: Uint8Array): number | undefined {
  const [first, second, method, flags = 0] = bytes;
  if (first !== 0x1f || second !== 0x8b || method !== 8 || (flags & 0xe0) !== 0) return undefined;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & 2) at += 2;
  return at <= bytes.length ? at : undefined;
}

async function inflateChunks(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: InflateOptions,
): Promise<Inflated> {
  const inflater = new ChunkInflater(options);
  let head: Uint8Array | undefined = new Uint8Array();
  try {
    for await (const chunk of content) {
      let deflated = chunk;
      if (head) {
        head = Buffer.concat([head, chunk]);
        const start = headerLength(head);
        if (start === undefined && head.length < headerBytesMax) continue;
        if (start === undefined) return invalidFormat;
        deflated = head.subarray(start);
        head = undefined;
      }
      if (!(await inflater.push(deflated))) break;
    }
    return inflater.result();
  } finally {
    inflater.close();
  }
}

class ChunkInflater {
  private readonly options: InflateOptions;
  private readonly engine: InflateRaw;
  private readonly hash: Hash = createHash("sha256");
  private readonly kept: Uint8Array[] = [];
  private crc = 0;
  private sizeBytes = 0;
  private givenBytes = 0;
  /** What follows the deflate stream, as far as it matters; undefined before its end. */
  private rest: Uint8Array | undefined;
  private failure: Inflated | undefined;

  constructor(options: InflateOptions) {
    this.options = options;
    this.engine = createInflateRaw({ chunkSize: chunkBytes });
    this.engine.on("data", (bytes: Uint8Array) => this.take(bytes));
  }

  /** False when no more is needed. */
  async push(chunk: Uint8Array): Promise<boolean> {
    if (this.rest) {
      this.rest = Buffer.concat([this.rest, chunk.subarray(0, trailerBytes + 1)]);
    } else {
      await this.write(chunk);
      this.givenBytes += chunk.length;
      const unused = this.givenBytes - this.engine.bytesWritten;
      const at = chunk.length - unused;
      if (unused > 0) this.rest = chunk.slice(at, at + trailerBytes + 1);
    }
    return this.failure === undefined && (this.rest?.length ?? 0) <= trailerBytes;
  }

  result(): Inflated {
    if (this.failure) return this.failure;
    const problem = trailerProblem(this.rest ?? new Uint8Array(), {
      crc: this.crc,
      sizeBytes: this.sizeBytes,
    });
    if (problem) return problem;
    const bytes = this.options.content === "keep" ? Buffer.concat(this.kept) : undefined;
    return { kind: "whole", hash: this.hash.digest("hex"), sizeBytes: this.sizeBytes, bytes };
  }

  close(): void {
    this.engine.removeAllListeners().on("error", () => undefined);
    this.engine.destroy();
  }

  private take(bytes: Uint8Array): void {
    this.sizeBytes += bytes.length;
    if (this.sizeBytes > this.options.bytesMax) {
      this.failure ??= broken(`larger than ${String(this.options.bytesMax)} bytes, not read further`);
      this.engine.destroy();
      return;
    }
    this.hash.update(bytes);
    this.crc = crc32(bytes, this.crc);
    if (this.options.content === "keep") this.kept.push(bytes);
  }

  /** Resolves when the chunk is used up and all that came out of it was taken. */
  private async write(chunk: Uint8Array): Promise<void> {
    if (this.engine.destroyed) return;
    await new Promise<void>((resolve) => {
      const onError = () => {
        this.failure ??= invalidFormat;
        resolve();
      };
      // Closed when it gave more than was allowed.
      this.engine.once("error", onError).once("close", resolve);
      this.engine.write(chunk, () => {
        this.engine.off("error", onError).off("close", resolve);
        resolve();
      });
    });
    // Output may still wait in the stream's own buffer.
    while (this.engine.readableLength > 0 && !this.engine.destroyed) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function broken(reason: string): Inflated {
  return { kind: "broken", reason };
}
