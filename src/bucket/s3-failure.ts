// What went wrong at an S3 store: an answer with an error code, or no usable answer. Pure.
import { BucketError, type PutOutcome } from "./contract.ts";

export interface Failure {
  /** Undefined when there was no answer. */
  readonly status?: number;
  /** The S3 error code; undefined when the store did not say one that can be used. */
  readonly code?: string;
  readonly message: string;
}

/** Names that the SDK makes up when the answer has no error body. */
const madeUpNames = new Set(["Error", "SyntaxError", "TypeError", "Unknown", "UnknownError", "NotFound", ""]);

const codesByStatus: Readonly<Record<number, string>> = {
  301: "PermanentRedirect",
  307: "TemporaryRedirect",
  401: "AccessDenied",
  403: "AccessDenied",
};

/** Reads any error that the SDK throws. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const status = numberIn(error, "$metadata", "httpStatusCode") ?? numberIn(error, "$response", "statusCode");
  if (status === undefined || status < 300) return { message };
  const name = error instanceof Error ? error.name : "";
  const said = madeUpNames.has(name) || /^\d+$/.test(name) ? codesByStatus[status] : name;
  return { status, message, ...(said !== undefined && { code: said }) };
}

/**
 * `refused` when the store answered that it will not: 3xx and 4xx, `NotImplemented` and `SlowDown`. Time-outs
 * (408, RequestTimeout), throttling without S3's own code (429) and other 5xx are `unknown`: trying again may help,
 * and the object may have been written.
 */
export function refusalOrUnknown(error: unknown): PutOutcome {
  const { status = 0, code, message } = failureOf(error);
  const isRefusal =
    code === "NotImplemented" ||
    code === "SlowDown" ||
    (status >= 300 && status < 500 && status !== 408 && status !== 429 && code !== "RequestTimeout");
  if (!isRefusal) return { kind: "unknown", message: code === undefined ? message : `${code}: ${message}` };
  return { kind: "refused", code: code ?? `Http${status}`, message };
}

/** The error to throw from reads: a BucketError when the store said what is wrong, else the one that came. */
export function thrownFor(error: unknown): Error {
  const { code, message } = failureOf(error);
  if (code !== undefined) return new BucketError(code, message);
  return error instanceof Error ? error : new Error(message);
}

function numberIn(value: unknown, outer: string, inner: string): number | undefined {
  const found = memberOf(memberOf(value, outer), inner);
  return typeof found === "number" ? found : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Reflect.get(value, name);
}
