// POST /audit/minio: MinIO's audit webhook. Who may post, and the JSON entries of the body, one or many.
// Must not: know what an entry says; that is recorder/minio-audit.ts.
import type { MinioAudit } from "../recorder/minio-audit.ts";
import { methodNotAllowed, plainError } from "./answers.ts";
import type { ReadRequest } from "./authenticate.ts";
import { type DoorAnswer, headerOf } from "./exchange.ts";
import { isLoopback } from "./health.ts";
import type { DoorPorts } from "./ports.ts";
import { isSameText } from "./sigv4.ts";

export type AuditMinioParts = Pick<DoorPorts, "configuration"> & { readonly minioAudit?: MinioAudit };

/** Answers when everything of the body is in the journal. MinIO takes 200 for good and sends the rest again. */
export async function answerMinioAudit(request: ReadRequest, parts: AuditMinioParts): Promise<DoorAnswer> {
  if (request.method !== "POST" && request.method !== "PUT") return methodNotAllowed("POST, PUT");
  const refusal = refuseStranger(request, parts);
  if (refusal) return refusal;
  const entries = entriesOf(request.body);
  if (!entries) {
    const text = "The body must be JSON objects: one, a list, or one per line.";
    return plainError(400, { code: "MalformedAuditEntry", text });
  }
  if (!parts.minioAudit) {
    const text = "Nothing is recorded here: the recorder is not running.";
    return plainError(503, { code: "ServiceUnavailable", text, retryAfterSeconds: 5 });
  }
  const outcome = await parts.minioAudit.accept(entries);
  if (outcome.refused > 0) {
    const text = `${outcome.refused} of ${entries.length} entries could not be journaled. Send them again.`;
    return plainError(503, { code: "ThrottlingException", text, retryAfterSeconds: 5 });
  }
  return { status: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify(outcome) };
}

/** MinIO sends the token as it is configured there: by itself or after `Bearer`. */
function refuseStranger(request: ReadRequest, parts: AuditMinioParts): DoorAnswer | undefined {
  const { auditWebhookToken } = parts.configuration();
  if (auditWebhookToken === undefined) {
    if (isLoopback(request.sourceIp)) return undefined;
    const text =
      "Audit entries are taken from this machine only, unless the setting auditWebhookToken gives a token.";
    return plainError(403, { code: "AccessDeniedException", text });
  }
  const said = headerOf(request, "authorization") ?? "";
  if (isSameText(said.replace(/^Bearer /i, ""), auditWebhookToken)) return undefined;
  const text =
    "Audit entries are taken with the header Authorization and the token of the setting auditWebhookToken.";
  return plainError(401, { code: "AccessDeniedException", text }, { "WWW-Authenticate": "Bearer" });
}

/** One object, a list of them, or one per line; undefined when the body is none of these. */
function entriesOf(body: Uint8Array): readonly unknown[] | undefined {
  const text = new TextDecoder().decode(body).trim();
  if (text === "") return [];
  const whole = parsed(text);
  if (whole !== undefined) return Array.isArray(whole) ? whole : [whole];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map(parsed);
  return lines.length > 1 && entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
