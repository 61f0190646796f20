// What a command sees of the process it runs in, so that tests can be that process. Types only.
import type { Configuration, ConfigurationFile } from "../config.ts";
import type { Log } from "../model/environment.ts";

/** Exit codes: done; failed while running; refused because of what the user wrote. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A server that accepts requests. */
export interface RunningServer {
  /** `http://127.0.0.1:4577` */
  readonly url: string;
  /** Takes over what a reload may change. */
  reload(configuration: Configuration): void;
  /** Stops accepting, syncs, and leaves what is not yet delivered to the next start. */
  stop(): Promise<void>;
}

export type StartServer = (configuration: Configuration, log: Log) => Promise<RunningServer>;

export interface LeveledLog extends Log {
  setLevel(level: Configuration["logLevel"]): void;
}

export type Signal = "SIGHUP" | "SIGINT" | "SIGTERM";

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes one line. */
  out(line: string): void;
  err(line: string): void;
  /** Whether standard output is a terminal, which shows colours. */
  readonly isOutTty: boolean;
  /** Calls back once nobody reads standard output any more. */
  onOutputClosed(listener: () => void): void;
  /** Whether standard error is a terminal, where a line may be written over. */
  readonly isErrorTty: boolean;
  /** Writes to standard error as it is, without the end of a line. */
  writeError(text: string): void;
  /** Throws an error with a `code` when the file cannot be read. */
  readFile(path: string): ConfigurationFile;
  /** All of standard input; throws an error when it is larger than a file may be. */
  readInput(): Promise<string>;
  /** Writes a file that only this user can read; throws EEXIST when there is one. */
  writeNewFile(path: string, text: string): void;
  /** `length` characters of `alphabet`, from a cryptographic source. */
  randomText(alphabet: string, length: number): string;
  createLog(level: Configuration["logLevel"]): LeveledLog;
  readonly startServer: StartServer;
  onSignal(signal: Signal, listener: () => void): void;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
  /** Resolves after `ms`. */
  wait(ms: number): Promise<void>;
  readonly version: string;
}
