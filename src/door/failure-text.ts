// What the log says of an unexpected failure. Must not: be shown to clients.

/** The stack of an error, or whatever was thrown as text. */
export function failureText(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
