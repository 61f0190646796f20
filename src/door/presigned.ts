// Presigned requests: the signature stands in the query. Reads the claim; sigv4.ts judges it.
import { queryParameter } from "./exchange.ts";
import { parseIsoBasic } from "./iso-basic.ts";
import { checkedParts, incomplete, parseScope, type SignatureClaim } from "./signature-claim.ts";

/** A signature holds for a week at most. */
const expiresSecondsMax = 604_800;

/** True when the query says that it carries a signature. */
export function isPresigned(query: string): boolean {
  return /(^|&)X-Amz-(Algorithm|Credential|Signature)=/.test(query);
}

/** Reads the X-Amz-* parameters. Throws IncompleteSignatureException that names what is missing or malformed. */
export function readPresignedClaim(query: string): SignatureClaim {
  const read = (name: string) => queryParameter(query, name) ?? "";
  const names = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
    "X-Amz-Expires",
  ];
  const missing = names.filter((name) => read(name) === "");
  if (missing.length > 0) {
    const sentences = missing.map((name) => `AWS query-string parameters must include '${name}'.`);
    throw incomplete(`${sentences.join(" ")} Re-examine the query-string parameters.`);
  }
  if (read("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") {
    throw incomplete("The query-string parameter X-Amz-Algorithm must be AWS4-HMAC-SHA256.");
  }
  return {
    ...checkedParts({
      scope: parseScope(read("X-Amz-Credential")),
      signature: read("X-Amz-Signature"),
      signedHeaders: read("X-Amz-SignedHeaders"),
      time: read("X-Amz-Date"),
      securityToken: queryParameter(query, "X-Amz-Security-Token"),
    }),
    expiresSeconds: expiresOf(read("X-Amz-Expires")),
  };
}

function expiresOf(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  if (seconds === undefined || seconds > expiresSecondsMax) {
    throw incomplete(`X-Amz-Expires must be a number of seconds from 0 to ${expiresSecondsMax}.`);
  }
  return seconds;
}

/** When a presigned request ends; undefined for others, and for those that do not say it rightly. */
export function presignedEndMs(query: string): number | undefined {
  if (!isPresigned(query)) return undefined;
  const beganMs = parseIsoBasic(queryParameter(query, "X-Amz-Date") ?? "");
  const seconds = queryParameter(query, "X-Amz-Expires") ?? "";
  return beganMs === undefined || !/^\d{1,9}$/.test(seconds) ? undefined : beganMs + Number(seconds) * 1000;
}
