// What a request says about its own signature: the parts that header and query share, and the checks of their form.
// Must not: judge whether any of it is true; that is sigv4.ts.
import { type ApiError, apiError } from "../model/errors.ts";
import { parseIsoBasic } from "./iso-basic.ts";

export interface CredentialScope {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
}

export interface SignatureClaim {
  readonly scope: CredentialScope;
  /** Lower case, as listed. */
  readonly signedHeaders: readonly string[];
  /** Hexadecimal. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, also as milliseconds. */
  readonly requestTime: string;
  readonly requestTimeMs: number;
  readonly securityToken: string | undefined;
  /** Presigned requests only: for how long the signature holds. */
  readonly expiresSeconds?: number;
}

/** Checks the forms that header and query share. */
export function checkedParts(parts: {
  /** Undefined when the credential is none. */
  readonly scope: CredentialScope | undefined;
  readonly signature: string;
  readonly signedHeaders: string;
  readonly time: string;
  readonly securityToken: string | undefined;
}): SignatureClaim {
  const { scope } = parts;
  if (!scope) {
    throw incomplete(
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    );
  }
  const requestTimeMs = parseIsoBasic(parts.time);
  if (requestTimeMs === undefined) throw incomplete("Date must be in ISO-8601 'basic format'.");
  return {
    scope,
    signedHeaders: parts.signedHeaders.split(";"),
    signature: parts.signature,
    requestTime: parts.time,
    requestTimeMs,
    securityToken: parts.securityToken,
  };
}

/** `keyid/date/region/service/term` → its parts; undefined when there are not exactly five. */
export function parseScope(credential: string): CredentialScope | undefined {
  const parts = credential.split("/");
  const [accessKeyId = "", date = "", region = "", service = "", terminator = ""] = parts;
  if (parts.length !== 5 || accessKeyId === "") return undefined;
  return { accessKeyId, date, region, service, terminator };
}

export function incomplete(text: string): ApiError {
  return apiError("IncompleteSignatureException", { text });
}
