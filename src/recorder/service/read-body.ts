// A captured body for those who read it: gzip undone within limits, its text decoded once. And headers by name. Pure but
// for node:zlib.
import { gunzipSync, inflateSync } from "node:zlib";
import type { RequestHeaders } from "../../model/headers.ts";
import type { CapturedBody } from "../contract.ts";

/** What is larger when it is inflated is not read. */
const inflatedBytesMax = 4 * 1024 * 1024;

export interface ReadBody {
  readonly bytes: Uint8Array;
  /** Only the beginning is there. */
  readonly isCut: boolean;
  text(): string;
}

export function readBody(body: CapturedBody, headers: RequestHeaders): ReadBody {
  const plain = inflated(body.bytes, headers);
  let text: string | undefined;
  return {
    bytes: plain ?? new Uint8Array(0),
    isCut: body.kind === "cut" || plain === undefined,
    text: () => (text ??= plain === undefined ? "" : new TextDecoder().decode(plain)),
  };
}

function inflated(bytes: Uint8Array, headers: RequestHeaders): Uint8Array | undefined {
  const encoding = headerOf(headers, "content-encoding")?.toLowerCase();
  if (encoding === undefined || bytes.length === 0) return bytes;
  try {
    if (/\bgzip\b/.test(encoding)) return gunzipSync(bytes, { maxOutputLength: inflatedBytesMax });
    return /\bdeflate\b/.test(encoding) ? inflateSync(bytes, { maxOutputLength: inflatedBytesMax }) : bytes;
  } catch {
    return undefined;
  }
}

/** The first value of a header, by its name in lower case. */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  return headers.get(name)?.[0];
}
