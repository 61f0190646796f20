// One POST to the events door, signed when there are credentials, and what its answer means for the batch.
import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Sending {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

interface Rejection {
  readonly code: string;
  readonly message: string;
}

export type SendOutcome =
  /** By place in the batch; all others are stored. */
  | { readonly kind: "taken"; readonly rejected: ReadonlyMap<number, Rejection> }
  | { readonly kind: "tooLarge"; readonly message: string }
  /** It would be refused again. */
  | { readonly kind: "refused"; readonly message: string }
  /** To be sent again. */
  | { readonly kind: "failed"; readonly message: string; readonly retryAfterMs?: number };

/** Rejects when there was no answer. */
export async function sendBatch(body: string, sending: Sending): Promise<SendOutcome> {
  const url = new URL("events", sending.endpoint.endsWith("/") ? sending.endpoint : `${sending.endpoint}/`);
  const headers = { "content-type": "application/x-ndjson", ...signature(url, body, sending) };
  const response = await fetch(url, {
    method: "POST",
    headers,
    body,
    signal: sending.signal,
    redirect: "error",
  });
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) return { kind: "taken", rejected: rejectionsOf(answer) };
  const message = `${response.status} ${textOf(answer["__type"]) ?? ""}: ${textOf(answer["message"]) ?? text.slice(0, 200)}`;
  if (response.status === 413) return { kind: "tooLarge", message };
  const isPassing = response.status >= 500 || response.status === 408 || response.status === 429;
  if (!isPassing) return { kind: "refused", message };
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return { kind: "failed", message, ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}) };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function rejectionsOf(answer: Readonly<Record<string, unknown>>): ReadonlyMap<number, Rejection> {
  const rejected = new Map<number, Rejection>();
  const list: readonly unknown[] = Array.isArray(answer["rejected"]) ? answer["rejected"] : [];
  for (const entry of list) {
    const { index, code, message }: Record<string, unknown> =
      typeof entry === "object" && entry !== null ? { ...entry } : {};
    if (typeof index === "number") {
      rejected.set(index, { code: textOf(code) ?? "", message: textOf(message) ?? "" });
    }
  }
  return rejected;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

const service = "cairn";

/** SigV4's headers; none without credentials. */
function signature(url: URL, body: string, sending: Sending): Record<string, string> {
  const { credentials, region, nowMs } = sending;
  if (!credentials) return {};
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const date = time.slice(0, 8);
  const payloadHash = createHash("sha256").update(body).digest("hex");
  const signed = {
    host: url.host,
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": time,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(signed).join(";");
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n${url.pathname}\n\n${lines.join("")}\n${names}\n${payloadHash}`;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const steps = [date, region, service, "aws4_request", `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash}`];
  let key: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const step of steps) key = createHmac("sha256", key).update(step).digest();
  const { host: _, ...headers } = signed;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${key.toString("hex")}`,
  };
}
