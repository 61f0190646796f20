// How answers and errors look in each protocol of the door: JSON 1.1, REST JSON, S3's and the query protocol's XML,
// and the door's own pages. The only place that gives an error its HTTP status.
import { unreachable } from "../model/assert.ts";
import type { ApiError } from "../model/errors.ts";
import type { DoorAnswer, DoorRequest } from "./exchange.ts";
import type { Route } from "./route.ts";

/** `plain` is the door's own JSON: events, health, paths where nothing is. */
export type ErrorStyle = "json" | "rest" | "s3" | "query" | "plain";

const jsonType = "application/x-amz-json-1.1";

/** Codes that answer another status than 400 (api.md §1.4), and whether waiting helps. */
const statuses: ReadonlyMap<string, { readonly status: number; readonly retryAfterSeconds?: number }> =
  new Map([
    ["InternalFailure", { status: 500 }],
    ["ServiceUnavailable", { status: 503, retryAfterSeconds: 1 }],
    ["RequestEntityTooLargeException", { status: 413 }],
  ]);

/** Authentication and authorization failures carry `message`, all others `Message` (api.md §1.4). */
const lowerCaseText: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

/** What S3's clients know these errors as. */
const s3Codes: ReadonlyMap<string, { readonly code: string; readonly status: number }> = new Map([
  ["AccessDeniedException", { code: "AccessDenied", status: 403 }],
  ["ExpiredTokenException", { code: "ExpiredToken", status: 400 }],
  ["IncompleteSignatureException", { code: "AuthorizationHeaderMalformed", status: 400 }],
  ["InvalidSignatureException", { code: "SignatureDoesNotMatch", status: 403 }],
  ["MissingAuthenticationTokenException", { code: "AccessDenied", status: 403 }],
  ["UnrecognizedClientException", { code: "InvalidAccessKeyId", status: 403 }],
  ["RequestEntityTooLargeException", { code: "EntityTooLarge", status: 413 }],
  ["RequestTimeTooSkewed", { code: "RequestTimeTooSkewed", status: 403 }],
  ["InternalFailure", { code: "InternalError", status: 500 }],
]);

/** What clients of the query protocol (STS) know these errors as. */
const queryCodes: ReadonlyMap<string, { readonly code: string; readonly status: number }> = new Map([
  ["AccessDeniedException", { code: "AccessDenied", status: 403 }],
  ["ExpiredTokenException", { code: "ExpiredToken", status: 403 }],
  ["IncompleteSignatureException", { code: "IncompleteSignature", status: 400 }],
  ["InvalidSignatureException", { code: "SignatureDoesNotMatch", status: 403 }],
  ["MissingAuthenticationTokenException", { code: "MissingAuthenticationToken", status: 403 }],
  ["UnrecognizedClientException", { code: "InvalidClientTokenId", status: 403 }],
]);

/** The style in which the clients of a route expect errors. */
export function styleOf(route: Route): ErrorStyle {
  switch (route.kind) {
    case "cloudtrail":
    case "organizations":
    case "rpcV2":
      return "json";
    case "auditEvents":
      return "rest";
    case "bucket":
      return "s3";
    case "callerIdentity":
      return "query";
    case "events":
    case "explain":
    case "front":
    case "healthz":
    case "metrics":
    case "minioAudit":
    case "nothing":
    case "otherService":
    case "readyz":
    case "recorder":
    case "statusz":
    case "tail":
      return "plain";
    default:
      return unreachable(route);
  }
}

/** An error of the API in the given style. An empty text means that the answer has no text member. */
export function errorAnswer(
  error: ApiError,
  style: ErrorStyle,
  request: Pick<DoorRequest, "requestId">,
): DoorAnswer {
  const { status, retryAfterSeconds } = statuses.get(error.code) ?? {
    status: 400,
    retryAfterSeconds: undefined,
  };
  const retry: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
  switch (style) {
    case "json": {
      const member = lowerCaseText.has(error.code) ? "message" : "Message";
      const text = error.message === "" ? {} : { [member]: error.message };
      const answer = jsonAnswer(status, { __type: error.code, ...text });
      return { ...answer, headers: { ...answer.headers, ...retry } };
    }
    case "rest": {
      const headers = { "Content-Type": "application/json", "x-amzn-ErrorType": error.code, ...retry };
      return { status, headers, body: JSON.stringify({ message: error.message }) };
    }
    case "s3": {
      const known = s3Codes.get(error.code) ?? { code: error.code, status };
      return s3Error(known.status, { ...known, text: error.message, requestId: request.requestId }, retry);
    }
    case "query": {
      const known = queryCodes.get(error.code) ?? { code: error.code, status };
      return queryError(known.status, { ...known, text: error.message, requestId: request.requestId }, retry);
    }
    case "plain": {
      const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
      return plainError(status, { code: error.code, text: error.message, ...wait });
    }
    default:
      return unreachable(style);
  }
}

/** A JSON 1.1 answer. */
export function jsonAnswer(status: number, body: object): DoorAnswer {
  return { status, headers: { "Content-Type": jsonType }, body: JSON.stringify(body) };
}

/** The answer to what is no JSON 1.1 request at all (api.md §1.5). */
export function unknownOperationXml(): DoorAnswer {
  return {
    status: 404,
    headers: { "Content-Type": "application/xml" },
    body: "<UnknownOperationException/>",
  };
}

/** `{"__type","message"}` in the door's own JSON. */
export function plainError(
  status: number,
  error: { readonly code: string; readonly text: string; readonly retryAfterSeconds?: number },
  more: Readonly<Record<string, string>> = {},
): DoorAnswer {
  const retry: Record<string, string> =
    error.retryAfterSeconds === undefined ? {} : { "Retry-After": String(error.retryAfterSeconds) };
  return {
    status,
    headers: { "Content-Type": "application/json", ...retry, ...more },
    body: JSON.stringify({ __type: error.code, message: error.text }),
  };
}

/** 405 with the methods that are allowed. */
export function methodNotAllowed(allowed: string): DoorAnswer {
  return plainError(
    405,
    { code: "MethodNotAllowed", text: `This path answers ${allowed} only.` },
    { Allow: allowed },
  );
}

export function escapeXml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  // Control characters have no place in XML 1.0, escaped or not.
  return text
    .replace(/[&<>"']/g, (character) => escapes[character] ?? character)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, "\uFFFD");
}

interface XmlError {
  readonly code: string;
  readonly text: string;
  readonly requestId: string;
}

function s3Error(status: number, error: XmlError, more: Readonly<Record<string, string>>): DoorAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.text)}</Message><RequestId>${error.requestId}</RequestId></Error>`;
  return {
    status,
    headers: { "Content-Type": "application/xml", "x-amz-request-id": error.requestId, ...more },
    body,
  };
}

function queryError(status: number, error: XmlError, more: Readonly<Record<string, string>>): DoorAnswer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.text)}</Message></Error><RequestId>${error.requestId}</RequestId></ErrorResponse>`;
  return { status, headers: { "Content-Type": "text/xml", ...more }, body };
}
