// What an S3 request says once its signature is off: the body without aws-chunked framing, its headers, its query.
// Must not: know S3's operations.
import { ApiError } from "../model/errors.ts";
import type { ReadRequest } from "./authenticate.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { headerOf, queryParameter } from "./exchange.ts";
import { isPresigned } from "./presigned.ts";
import type { VerifiedSignature } from "./sigv4.ts";

export interface Payload {
  readonly headers: Readonly<Record<string, string>>;
  /** The object itself. */
  readonly body: Uint8Array;
}

/** Throws an ApiError for framing that is not what the headers say. */
export function payloadOf(request: ReadRequest, signature: VerifiedSignature | undefined): Payload {
  const headers = Object.fromEntries([...request.headers].map(([name, values]) => [name, values.join(", ")]));
  const kind = headerOf(request, "x-amz-content-sha256");
  if (!kind?.startsWith("STREAMING-")) return { headers, body: request.body };
  const chunked = decodeAwsChunked(request.body, { kind, ...(signature ? { signature } : {}) });
  const said = headers["x-amz-decoded-content-length"];
  if (said !== undefined && said !== String(chunked.bytes.length)) {
    throw new ApiError(
      "IncompleteBody",
      "The body has another length than x-amz-decoded-content-length says.",
    );
  }
  refuseMissingTrailers(headers["x-amz-trailer"] ?? "", chunked.trailers);
  return { headers: plainHeaders(headers, chunked), body: chunked.bytes };
}

/** A checksum that was announced and did not come would leave the body unchecked. */
function refuseMissingTrailers(announced: string, trailers: ReadonlyMap<string, string>): void {
  const names = announced
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.startsWith("x-amz-checksum-"));
  if (names.every((name) => trailers.has(name))) return;
  throw new ApiError(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

/**
 * The headers as if the object had been sent without framing. Trailers become headers, but only checksums do: a trailer
 * may stand outside the signature and must not say what a header would.
 */
function plainHeaders(
  headers: Readonly<Record<string, string>>,
  chunked: { readonly bytes: Uint8Array; readonly trailers: ReadonlyMap<string, string> },
): Readonly<Record<string, string>> {
  const framing = [
    "x-amz-decoded-content-length",
    "x-amz-content-sha256",
    "x-amz-trailer",
    "transfer-encoding",
  ];
  const kept = Object.entries(headers).filter(
    ([name]) => !framing.includes(name) && name !== "content-encoding",
  );
  const encodings = (headers["content-encoding"] ?? "").split(",").map((part) => part.trim());
  const encoding = encodings.filter((part) => part !== "" && part !== "aws-chunked").join(", ");
  const checksums = [...chunked.trailers].filter(([name]) => name.startsWith("x-amz-checksum-"));
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(checksums),
    ...(encoding === "" ? {} : { "content-encoding": encoding }),
    "content-length": String(chunked.bytes.length),
  };
}

/** The query without what belongs to a signature, or to the headers. */
export function plainQuery(text: string): URLSearchParams {
  const query = new URLSearchParams(text);
  for (const name of [...query.keys()]) {
    if (/^x-amz-/i.test(name) || (oldSigningNames.has(name) && isSigned(text))) query.delete(name);
  }
  return query;
}

function isSigned(query: string): boolean {
  return isPresigned(query) || /(^|&)AWSAccessKeyId=/.test(query);
}

const oldSigningNames = new Set(["AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5"]);
const signingNames =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/;

/** Presigners move headers into the query: there they count as if they had come as headers. */
export function hoistedHeaders(query: string): Readonly<Record<string, string>> {
  if (!isSigned(query)) return {};
  const names = [...new URLSearchParams(query).keys()].map((name) => name.toLowerCase());
  const hoisted = names.filter(
    (name) => (name.startsWith("x-amz-") && !signingNames.test(name)) || /^content-(type|md5)$/.test(name),
  );
  return Object.fromEntries(hoisted.map((name) => [name, queryParameter(query, name) ?? ""]));
}
