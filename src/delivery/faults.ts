// What is wrong inside delivery right now: a part names its trouble and takes it back. Read by `health`.
import type { Log } from "../model/environment.ts";

export type FaultyPart = "cutter" | "composer" | "outbox" | "state" | "journal";

export class Faults {
  readonly #log: Log;
  readonly #current = new Map<FaultyPart, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs the error and keeps it until `clear`. `message` says what did not happen and what follows. */
  raise(part: FaultyPart, error: unknown, message: string): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#log.error({ part, error: detail }, message);
    this.#current.set(part, `${message} ${detail}`);
  }

  clear(part: FaultyPart): void {
    this.#current.delete(part);
  }

  /** One line, or undefined when all is well. */
  text(): string | undefined {
    return this.#current.size === 0 ? undefined : [...this.#current.values()].join(" ");
  }
}
