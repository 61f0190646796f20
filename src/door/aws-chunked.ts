// The body of a streamed S3 upload (Content-Encoding: aws-chunked): takes the framing off and checks the chunk signatures.
//
//   {size in hex}[;chunk-signature={hex}]\r\n{bytes}\r\n … 0[;chunk-signature={hex}]\r\n
//   [{trailer}:{value}\r\n … [x-amz-trailer-signature:{hex}\r\n]]\r\n
//
// Each signature covers the one before it, the first one the signature of the request's headers.
import { hash } from "node:crypto";
import { ApiError, apiError } from "../model/errors.ts";
import { isSameText, scopeText, type VerifiedSignature } from "./sigv4.ts";

export interface ChunkedBody {
  readonly bytes: Uint8Array;
  /** Headers that came after the body, names in lower case. */
  readonly trailers: ReadonlyMap<string, string>;
}

export interface ChunkedRules {
  /** The value of x-amz-content-sha256, beginning with STREAMING-. */
  readonly kind: string;
  /** The verified signature of the request; undefined when signatures are not checked. */
  readonly signature?: VerifiedSignature;
}

const emptyHash = hash("sha256", "", "hex");

/** Decodes the body. Throws IncompleteBody, InvalidRequest or InvalidSignatureException. */
export function decodeAwsChunked(body: Uint8Array, rules: ChunkedRules): ChunkedBody {
  const isSigned = rules.kind.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  if (!isSigned && rules.kind !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    throw new ApiError("InvalidRequest", "The value of x-amz-content-sha256 is not supported.");
  }
  const chain = isSigned && rules.signature ? createChain(rules.signature) : undefined;
  const input = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const chunks: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const line = lineAt(input, offset);
    const match = /^([0-9A-Fa-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line.text);
    if (!match) throw malformed();
    const size = Number.parseInt(match[1] ?? "", 16);
    const chunk = input.subarray(line.next, line.next + size);
    if (chunk.length < size) throw malformed();
    chain?.check("PAYLOAD", `${emptyHash}\n${hash("sha256", chunk, "hex")}`, match[2] ?? "");
    if (size === 0) return { bytes: Buffer.concat(chunks), trailers: readTrailers(input, line.next, chain) };
    chunks.push(chunk);
    offset = line.next + size;
    if (input.toString("latin1", offset, offset + 2) !== "\r\n") throw malformed();
    offset += 2;
  }
}

interface Chain {
  /** Checks the next signature; the string to sign ends with `hashes`. */
  check(kind: "PAYLOAD" | "TRAILER", hashes: string, signature: string): void;
}

function createChain(verified: VerifiedSignature): Chain {
  const chain = createChunkChain(verified);
  return {
    check(kind, hashes, signature) {
      if (!chain.isNext(kind, hashes, signature)) throw apiError("InvalidSignatureException.mismatch");
    },
  };
}

export interface ChunkChain {
  /** Whether this is the next signature; the string to sign ends with `hashes`. */
  isNext(kind: "PAYLOAD" | "TRAILER", hashes: string, signature: string): boolean;
}

/** Each signature covers the one before it, the first one that of the request's headers. */
export function createChunkChain(verified: VerifiedSignature): ChunkChain {
  let previous = verified.claim.signature;
  return {
    isNext(kind, hashes, signature) {
      const head = [
        `AWS4-HMAC-SHA256-${kind}`,
        verified.claim.requestTime,
        scopeText(verified.claim),
        previous,
      ];
      const text = [...head, hashes].join("\n");
      const expected = verified.signingKey.sign(text);
      previous = expected;
      return isSameText(signature, expected);
    },
  };
}

/** Trailers up to the empty line or the end; the last of them signs the others. */
function readTrailers(input: Buffer, start: number, chain: Chain | undefined): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>();
  let offset = start;
  while (offset < input.length) {
    const line = lineAt(input, offset);
    offset = line.next;
    if (line.text === "") break;
    const colon = line.text.indexOf(":");
    if (colon < 1) throw malformed();
    trailers.set(line.text.slice(0, colon).trim().toLowerCase(), line.text.slice(colon + 1).trim());
  }
  const signature = trailers.get("x-amz-trailer-signature");
  trailers.delete("x-amz-trailer-signature");
  if (chain && trailers.size > 0) {
    const canonical = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("");
    chain.check("TRAILER", hash("sha256", canonical, "hex"), signature ?? "");
  }
  return trailers;
}

/** The line at `offset`, without its end (`\r\n`). A line of framing is short. */
function lineAt(input: Buffer, offset: number): { readonly text: string; readonly next: number } {
  const end = input.indexOf("\r\n", offset, "latin1");
  if (end === -1 || end - offset > 1024) throw malformed();
  return { text: input.toString("latin1", offset, end), next: end + 2 };
}

function malformed(): ApiError {
  return new ApiError("IncompleteBody", "The aws-chunked body is cut off or not well-formed.");
}
