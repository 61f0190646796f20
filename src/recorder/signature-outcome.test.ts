// What answers tell about the signature of their requests.
import { expect, test } from "vitest";
import { signatureOutcome } from "./signature-outcome.ts";

test.each([
  ["done", 200, undefined, "accepted"],
  ["redirected", 307, undefined, "accepted"],
  ["denied", 403, "AccessDenied", "accepted"],
  ["denied in JSON", 400, "AccessDeniedException", "accepted"],
  ["denied by EC2", 403, "Client.UnauthorizedOperation", "accepted"],
  ["not there", 404, "NoSuchKey", "accepted"],
  ["not valid", 400, "ValidationException", "accepted"],
  ["a wrong signature", 403, "SignatureDoesNotMatch", "refused"],
  ["a wrong signature in JSON", 400, "InvalidSignatureException", "refused"],
  ["an unknown key", 403, "InvalidClientTokenId", "refused"],
  ["an unknown key in JSON", 400, "UnrecognizedClientException", "refused"],
  ["an unknown key of S3", 403, "InvalidAccessKeyId", "refused"],
  ["EC2's word for both", 401, "Client.AuthFailure", "refused"],
  ["too late", 403, "RequestTimeTooSkewed", "refused"],
  ["over", 400, "ExpiredTokenException", "refused"],
  ["not signed", 403, "MissingAuthenticationTokenException", "refused"],
  ["throttled", 400, "ThrottlingException", "untold"],
  ["slowed down", 503, "SlowDown", "untold"],
  ["broken", 500, "InternalFailure", "untold"],
  ["no such operation", 400, "UnknownOperationException", "untold"],
  ["not readable", 400, "SerializationException", "untold"],
  ["without a code", 403, undefined, "untold"],
] as const)("%s: %i %s", (_what, status, errorCode, outcome) => {
  expect(signatureOutcome({ status, errorCode, isOwn: false })).toBe(outcome);
});

test("what Cairn answers itself tells nothing", () => {
  expect(signatureOutcome({ status: 200, isOwn: true })).toBe("untold");
  expect(signatureOutcome({ status: 403, errorCode: "AccessDenied", isOwn: true })).toBe("untold");
});

test("S3 denies links that are over before it looks at them", () => {
  const over = { status: 403, errorCode: "AccessDenied", errorMessage: "Request has expired", isOwn: false };
  expect(signatureOutcome(over)).toBe("refused");
});
