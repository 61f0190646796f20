// The Authorization header of SigV4: reads the claim; sigv4.ts judges it.
import { hash } from "node:crypto";
import { headerOf, type RequestHeaders } from "./exchange.ts";
import { isoBasic, parseHttpDate } from "./iso-basic.ts";
import {
  checkedParts,
  type CredentialScope,
  incomplete,
  parseScope,
  type SignatureClaim,
} from "./signature-claim.ts";

/** Reads the header. Throws IncompleteSignatureException that names what is missing. */
export function readHeaderClaim(authorization: string, headers: RequestHeaders): SignatureClaim {
  const { credential, scope, signature, signedHeaders } = parametersOf(authorization);
  const time = timeOf(headers);
  if (!credential || !signature || !signedHeaders || time === undefined) {
    throw incomplete(missingParts({ credential, signature, signedHeaders, time }, authorization));
  }
  if (!/^AWS4-HMAC-SHA256\s/.test(authorization)) {
    throw incomplete("The Authorization header must begin with the algorithm AWS4-HMAC-SHA256.");
  }
  const securityToken = headerOf({ headers }, "x-amz-security-token");
  return checkedParts({ scope, signature, signedHeaders, time, securityToken });
}

interface Parameters {
  readonly credential: string | undefined;
  /** Of the credential; undefined when that is none. */
  readonly scope: CredentialScope | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
}

/** How every SDK writes the header; all that is written otherwise is read part by part. */
const usualForm =
  /^AWS4-HMAC-SHA256 Credential=(([^,=\s/]+)\/([^,=\s/]+)\/([^,=\s/]+)\/([^,=\s/]+)\/([^,=\s/]+)), ?SignedHeaders=([^,=\s]+), ?Signature=([^,=\s]+)$/;

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; of a doubled parameter the last counts. */
export function parametersOf(authorization: string): Parameters {
  const usual = usualForm.exec(authorization);
  if (usual) {
    const [, credential, accessKeyId = "", date = "", region = "", service = "", terminator = ""] = usual;
    const scope = { accessKeyId, date, region, service, terminator };
    return { credential, scope, signedHeaders: usual[7], signature: usual[8] };
  }
  const space = authorization.indexOf(" ");
  const parameters = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals > 0) parameters.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const credential = parameters.get("Credential");
  return {
    credential,
    scope: credential === undefined ? undefined : parseScope(credential),
    signedHeaders: parameters.get("SignedHeaders"),
    signature: parameters.get("Signature"),
  };
}

/** X-Amz-Date, else Date in either form; undefined when there is none. A doubled one is no date. */
function timeOf(headers: RequestHeaders): string | undefined {
  const amzDate = headerOf({ headers }, "x-amz-date");
  if (amzDate !== undefined) return amzDate;
  const date = headerOf({ headers }, "date");
  if (date === undefined) return undefined;
  const epochMs = parseHttpDate(date);
  return epochMs === undefined ? date : isoBasic(epochMs);
}

/** Names what is missing. The header is shown as a hash alone: it may hold a token of some other scheme. */
function missingParts(
  parts: Readonly<Record<"credential" | "signature" | "signedHeaders" | "time", string | undefined>>,
  authorization: string,
): string {
  const digest = hash("sha256", Buffer.from(authorization, "latin1"), "base64");
  return [
    ...(parts.credential ? [] : ["Authorization header requires 'Credential' parameter."]),
    ...(parts.signature ? [] : ["Authorization header requires 'Signature' parameter."]),
    ...(parts.signedHeaders ? [] : ["Authorization header requires 'SignedHeaders' parameter."]),
    ...(parts.time === undefined
      ? ["Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."]
      : []),
    `(Hashed with SHA-256 and encoded with Base64) Authorization=${digest}`,
  ].join(" ");
}
