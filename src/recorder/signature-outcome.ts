// What an answer tells about the signature of its request. Pure.
import type { SignatureOutcome } from "./contract.ts";

/** Codes of services that did not believe who signed. */
const refusedSignatures: ReadonlySet<string> = new Set([
  "AuthFailure",
  "AuthorizationHeaderMalformed",
  "ExpiredToken",
  "IncompleteSignature",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSecurity",
  "InvalidSignature",
  "InvalidToken",
  "MissingAuthenticationToken",
  "MissingSecurityHeader",
  "NotAuthorized",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "TokenRefreshRequired",
  "UnrecognizedClient",
]);

/** Codes that are answered before anybody looks at the signature, or may be. */
const untoldCodes =
  /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|Serialization|Malformed|UnknownOperation|InvalidAction|MissingAction|BadRequest|RequestEntityTooLarge|EntityTooLarge|MethodNotAllowed|\d)/;

/** What the answer tells about the signature. A denial is given to somebody whom the service knows. */
export function signatureOutcome(answer: {
  readonly status: number;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
  /** The answer is Cairn's own: nobody behind it looked at the request. */
  readonly isOwn: boolean;
}): SignatureOutcome {
  const { status, errorCode, errorMessage, isOwn } = answer;
  if (isOwn) return "untold";
  if (status < 400 && errorCode === undefined) return "accepted";
  const code = (errorCode ?? "").replace(/^Client\./, "").replace(/Exception$/, "");
  if (refusedSignatures.has(code)) return "refused";
  // S3 says AccessDenied of presigned URLs that are over.
  if (code === "AccessDenied" && errorMessage === "Request has expired") return "refused";
  if (status >= 500 || code === "" || untoldCodes.test(code)) return "untold";
  return "accepted";
}
