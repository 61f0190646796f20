// What the recorder itself answers: when nobody behind it did, when it must not, and what a caller may not. The form is
// the service's (UnderstoodHead.errorAnswer). Pure.
import type { ApiError } from "../model/errors.ts";
import type { Unanswered } from "./crossing.ts";

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** For counting. */
  readonly reason: string;
}

export const refusals = {
  loop: {
    status: 508,
    code: "LoopDetected",
    message:
      "This request passed this Cairn before. The endpoint configured for the service leads back here.",
    reason: "loop",
  },
  noRoom: {
    status: 503,
    code: "ServiceUnavailable",
    message: "The record of this call could not be kept, so the call was not made. Try again later.",
    reason: "no room",
  },
  unrecorded: {
    status: 500,
    code: "InternalFailure",
    message: "The call was made, but the record of this call could not be kept.",
    reason: "unrecorded",
  },
  unknownHost: {
    status: 502,
    code: "BadGateway",
    message: "AWS's host name for this service is not known. Configure the URL of its endpoint.",
    reason: "unknown host",
  },
  bodyTooLarge: {
    status: 413,
    code: "RequestEntityTooLarge",
    message: "The body is too large to be signed again.",
    reason: "too large",
  },
  noMemory: {
    status: 503,
    code: "ServiceUnavailable",
    message: "Too many bytes are being received at this moment. Try again.",
    reason: "no memory",
  },
} as const satisfies Readonly<Record<string, Refusal>>;

const unanswered: Readonly<Record<Unanswered, Refusal>> = {
  unreachable: {
    status: 502,
    code: "BadGateway",
    message: "The service behind Cairn cannot be reached.",
    reason: "unreachable",
  },
  silent: {
    status: 504,
    code: "GatewayTimeout",
    message: "The service behind Cairn did not answer in time.",
    reason: "silent",
  },
  garbled: {
    status: 502,
    code: "BadGateway",
    message: "The service behind Cairn gave an answer that is not HTTP.",
    reason: "garbled",
  },
  clientGone: {
    // Nobody reads it; 499 is what proxies note.
    status: 499,
    code: "ClientDisconnected",
    message: "The client ended the connection before the call was answered.",
    reason: "client gone",
  },
  clientSilent: {
    status: 408,
    code: "RequestTimeout",
    message:
      "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
    reason: "client silent",
  },
  badBody: {
    status: 400,
    code: "IncompleteBody",
    message: "The body is not in the form that the headers say, or a signature of its chunks is not right.",
    reason: "bad body",
  },
};

export function refusalOf(why: Unanswered): Refusal {
  return unanswered[why];
}

/** How clients of S3 and of the query protocols know the errors of authentication and policies; JSON's know ours. */
const otherCodes: ReadonlyMap<string, { readonly s3: string; readonly query: string }> = new Map([
  ["AccessDeniedException", { s3: "AccessDenied", query: "AccessDenied" }],
  ["ExpiredTokenException", { s3: "ExpiredToken", query: "ExpiredToken" }],
  ["IncompleteSignatureException", { s3: "AuthorizationHeaderMalformed", query: "IncompleteSignature" }],
  ["InvalidSignatureException", { s3: "SignatureDoesNotMatch", query: "SignatureDoesNotMatch" }],
  ["MissingAuthenticationTokenException", { s3: "AccessDenied", query: "MissingAuthenticationToken" }],
  ["UnrecognizedClientException", { s3: "InvalidAccessKeyId", query: "InvalidClientTokenId" }],
]);

/** JSON and REST carry the codes as they are; JSON answers 400 for all of them. */
export function refusalOfError(error: ApiError, protocol: "s3" | "query" | "json" | "rest"): Refusal {
  const isXml = protocol === "s3" || protocol === "query";
  const code = (isXml && otherCodes.get(error.code)?.[protocol]) || error.code;
  const isBadRequest =
    protocol === "json" || (protocol === "s3" && /^(ExpiredToken|Authorization)/.test(code));
  const isDenial = error.code === "AccessDeniedException";
  return {
    ...{ status: isBadRequest ? 400 : 403, code, message: error.message },
    reason: isDenial ? "denied" : "not authenticated",
  };
}
