// One call of an AWS service and what came of it: an answer, a refusal with an error code, or no usable answer.
// Must not: log, since requests carry credentials.
import type { ServiceOutcome } from "./contract.ts";

export type Refused = Extract<ServiceOutcome, { readonly kind: "refused" }>;
export type Unknown = Extract<ServiceOutcome, { readonly kind: "unknown" }>;
export type ServiceAnswer<Answer> = { readonly kind: "answer"; readonly answer: Answer } | Refused | Unknown;

/**
 * Waits for one request until its signal aborts, also while the SDK looks for credentials, which knows no signal.
 * Never rejects.
 */
export async function answerOf<Answer>(
  request: () => Promise<Answer>,
  signal: AbortSignal | undefined,
): Promise<ServiceAnswer<Answer>> {
  if (signal?.aborted) return { kind: "unknown", message: "The request was given up before it was sent." };
  const sent = request().then((answer) => ({ kind: "answer", answer }) as const, failureOf);
  if (!signal) return sent;
  let giveUp = () => {};
  const late = new Promise<Unknown>((resolve) => {
    giveUp = () => resolve({ kind: "unknown", message: "No answer came before the request was given up." });
    signal.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([sent, late]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/** The outcome of a call whose answer says nothing more than that it worked. */
export function outcomeOf(answer: ServiceAnswer<unknown>): ServiceOutcome {
  return answer.kind === "answer" ? { kind: "done" } : answer;
}

/** Options of one `send`. */
export function abortBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

/** Names that the SDK makes up when the answer has no error body. */
const madeUpNames = new Set(["Error", "SyntaxError", "TypeError", "Unknown", "UnknownError", "NotFound", ""]);

/** What an answer without an error body means. */
const codesByStatus: Readonly<Record<number, string>> = { 401: "AccessDenied", 403: "AccessDenied" };

const throttlings =
  /^(Throttl\w*|TooManyRequests(Exception)?|RequestLimitExceeded|LimitExceeded\.Throttling|SlowDown)$/;

const callerProblems = new Set([
  ...["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"],
  ...["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "RequestExpired"],
  ...["IncompleteSignatureException", "InvalidAccessKeyId", "InvalidToken", "AuthFailure", "OptInRequired"],
  ...["MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotSignedUp"],
]);

/** Whether a refusal means the caller's own credentials, and says nothing about what was asked for. */
export function isAboutCredentials(code: string): boolean {
  return callerProblems.has(code);
}

/** The service, or what stands in for it, does not know what was asked. */
const notUnderstood = /^(UnknownOperation(Exception)?|InvalidAction|NotImplemented(Exception)?|Http\d+)$/;

/** Whether a refusal is an answer about what was asked for: not about the caller's credentials, its pace or its language. */
export function isVerdict(code: string): boolean {
  return !isAboutCredentials(code) && !throttlings.test(code) && !notUnderstood.test(code);
}

/**
 * Reads any error of the SDK. `refused`: 3xx and 4xx, and throttling of any status. `unknown`: no answer, time-outs
 * (408, RequestTimeout) and 5xx: trying again may help, and it may have happened.
 */
export function failureOf(error: unknown): Refused | Unknown {
  const message = messageOf(error);
  const status = numberAt(error, "$metadata", "httpStatusCode") ?? numberAt(error, "$response", "statusCode");
  if (status === undefined || status < 300) return { kind: "unknown", message };
  const code = codeOf(error) ?? codesByStatus[status];
  const isRefusal =
    code !== undefined && throttlings.test(code)
      ? true
      : status < 500 && status !== 408 && !code?.startsWith("RequestTimeout");
  if (isRefusal) return { kind: "refused", code: code ?? `Http${status}`, message };
  return { kind: "unknown", message: `${code ?? `Http${status}`}: ${message}` };
}

/** The code as the service wrote it: the SDK's own name may differ (AuthorizationError is AuthorizationErrorException). */
function codeOf(error: unknown): string | undefined {
  const written = textAt(error, "Error", "Code") ?? textAt(error, "Code");
  if (written !== undefined && written !== "") return written;
  const name = error instanceof Error ? error.name : "";
  return madeUpNames.has(name) || /^\d+$/.test(name) ? undefined : name;
}

/** Of several failed connections (IPv6, then IPv4) the first says what is wrong. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return messageOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}

function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = memberAt(value, path);
  return typeof found === "number" ? found : undefined;
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = memberAt(value, path);
  return typeof found === "string" ? found : undefined;
}

function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) => (typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined),
    value,
  );
}
