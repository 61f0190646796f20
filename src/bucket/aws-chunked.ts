// The `aws-chunked` body encoding: `{hex size}[;chunk-signature=…]\r\n{bytes}\r\n` … `0\r\n{trailers}\r\n`. Pure.
// Chunk signatures are not checked here: the signature of the headers was, before the request came to the door.
import { BucketError } from "./contract.ts";

export interface DecodedBody {
  readonly body: Uint8Array;
  /** Headers after the last chunk, names in lower case. */
  readonly trailers: Readonly<Record<string, string>>;
}

const lineBytesMax = 8 * 1024;

/** Whether the request says that its body is chunked this way. */
export function isAwsChunked(headers: Readonly<Record<string, string>>): boolean {
  const encodings = (headers["content-encoding"] ?? "").toLowerCase().split(/\s*,\s*/);
  return (
    encodings.includes("aws-chunked") || (headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-")
  );
}

/** The Content-Encoding without `aws-chunked`; undefined when nothing is left. */
export function encodingOfContent(contentEncoding: string | undefined): string | undefined {
  const rest = (contentEncoding ?? "")
    .split(/\s*,\s*/)
    .filter((name) => name.toLowerCase() !== "aws-chunked");
  return rest.join(",") || undefined;
}

/** Throws BucketError `IncompleteBody` or `InvalidRequest` when the chunks are not what the request says. */
export function decodeAwsChunked(
  encoded: Uint8Array,
  headers: Readonly<Record<string, string>>,
): DecodedBody {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = readLine(bytes, at);
    const size = /^([0-9a-fA-F]{1,8})(;.*)?$/.exec(line.text)?.[1];
    if (size === undefined)
      throw new BucketError("InvalidRequest", "The chunked body has a line that is no chunk header.");
    const length = parseInt(size, 16);
    if (length === 0) {
      at = line.next;
      break;
    }
    if (line.next + length + 2 > bytes.length) throw incompleteBody();
    if (bytes.toString("latin1", line.next + length, line.next + length + 2) !== "\r\n") {
      throw new BucketError("InvalidRequest", "A chunk of the body is not as long as it says.");
    }
    chunks.push(bytes.subarray(line.next, line.next + length));
    at = line.next + length + 2;
  }
  const body = Buffer.concat(chunks);
  const declared = headers["x-amz-decoded-content-length"];
  if (declared !== undefined && declared !== String(body.length)) throw incompleteBody();
  return { body, trailers: readTrailers(bytes, at) };
}

function readTrailers(bytes: Buffer, from: number): Readonly<Record<string, string>> {
  const trailers = new Map<string, string>();
  for (let at = from; at < bytes.length; ) {
    const line = readLine(bytes, at);
    at = line.next;
    const colon = line.text.indexOf(":");
    if (colon > 0)
      trailers.set(line.text.slice(0, colon).trim().toLowerCase(), line.text.slice(colon + 1).trim());
  }
  return Object.fromEntries(trailers);
}

function readLine(bytes: Buffer, at: number): { text: string; next: number } {
  const end = bytes.subarray(at, at + lineBytesMax).indexOf("\r\n");
  if (end < 0) throw incompleteBody();
  return { text: bytes.toString("latin1", at, at + end), next: at + end + 2 };
}

function incompleteBody(): BucketError {
  return new BucketError(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );
}
