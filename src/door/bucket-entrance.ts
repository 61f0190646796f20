// The way to the embedded bucket door: authenticates an S3 request, takes aws-chunked framing off, hands it on.
// Must not: know S3's operations.
import { ApiError } from "../model/errors.ts";
import { type AdmissionParts, authenticate, type ReadRequest } from "./authenticate.ts";
import { permissionCheck } from "./authorize.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { type DoorAnswer, headerOf } from "./exchange.ts";
import type { DoorPorts } from "./ports.ts";
import type { VerifiedSignature } from "./sigv4.ts";

export type BucketEntranceParts = AdmissionParts & Pick<DoorPorts, "bucketDoor">;

/** Answers one request; throws ApiErrors, which the dispatcher writes in the style of S3. */
export async function answerBucket(request: ReadRequest, parts: BucketEntranceParts): Promise<DoorAnswer> {
  if (!parts.bucketDoor) {
    throw new ApiError(
      "UnsupportedOperation",
      "Buckets lie behind the S3 endpoint of the setting endpoints.s3; send S3 requests there.",
    );
  }
  const { call, permissions, signature } = authenticate(request, { services: ["s3"], style: "s3" }, parts);
  const payload = payloadOf(request, signature);
  const query = new URLSearchParams(request.query);
  for (const name of [...query.keys()]) if (/^X-Amz-/i.test(name)) query.delete(name);
  return parts.bucketDoor({
    method: request.method,
    path: request.path,
    query,
    headers: payload.headers,
    body: payload.body,
    caller: call.caller,
    requestId: request.requestId,
    may: permissionCheck(permissions),
  });
}

interface Payload {
  readonly headers: Readonly<Record<string, string>>;
  /** The object itself, without any framing. */
  readonly body: Uint8Array;
}

function payloadOf(request: ReadRequest, signature: VerifiedSignature | undefined): Payload {
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
  return { headers: plainHeaders(headers, chunked), body: chunked.bytes };
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
