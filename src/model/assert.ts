// Assertions for our own bugs. They stay on in production. Must not: be used for a client's mistake.

/** Throws when `condition` is false: the program is wrong, not its input. `what` says what must hold. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${what}`);
}

/** Marks a switch branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable value: ${JSON.stringify(value)}`);
}
