// Why a server did not answer, in words: fetch says "fetch failed" and hides why in the cause.
import { printable } from "./printable.ts";

/** Part of a sentence. `msMax` is how long the answer was waited for. */
export function fetchFailure(error: unknown, msMax: number): string {
  if (!(error instanceof Error)) return "unknown reason";
  if (error.name === "TimeoutError") return `nothing came within ${msMax / 1000} s`;
  const cause: unknown = error.cause;
  if (!(cause instanceof Error)) return printable(error.message);
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED") return "no server listens there";
  return printable(cause.message === "" ? code : cause.message);
}
