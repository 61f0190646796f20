// Finds the signature of a request, in the Authorization header or in the query.
import { apiError } from "../model/errors.ts";
import { parametersOf, readHeaderClaim } from "./authorization-header.ts";
import { type DoorRequest, queryParameter } from "./exchange.ts";
import { isPresigned, readPresignedClaim } from "./presigned.ts";
import { type CredentialScope, incomplete, parseScope, type SignatureClaim } from "./signature-claim.ts";

type ClaimSource = Pick<DoorRequest, "headers" | "query">;

/** Reads the claim. Throws MissingAuthenticationTokenException or IncompleteSignatureException (api.md §1.6). */
export function readClaim(request: ClaimSource): SignatureClaim {
  const authorization = request.headers.get("authorization");
  if (isPresigned(request.query)) {
    if (authorization)
      throw incomplete(
        "Only one of the Authorization header and the X-Amz-Algorithm query-string parameter may be given.",
      );
    return readPresignedClaim(request.query);
  }
  if (!authorization) throw apiError("MissingAuthenticationTokenException");
  if (authorization.length > 1) throw incomplete("The Authorization header must be given once.");
  return readHeaderClaim(authorization[0] ?? "", request.headers);
}

/** The scope as far as it can be read, for routing and for `auth off`; never throws. */
export function looseScope(request: ClaimSource): CredentialScope | undefined {
  const header = request.headers.get("authorization")?.[0];
  const { credential, scope } = header === undefined ? {} : parametersOf(header);
  if (credential !== undefined) return scope;
  const text = isPresigned(request.query) ? queryParameter(request.query, "X-Amz-Credential") : undefined;
  return text === undefined ? undefined : parseScope(text);
}
