// What the code asks of the world around it: time, randomness, a log and counters. Types only.
// Nothing below server.ts sees the real clock or real randomness except through these arguments.

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** Monotonic milliseconds, for durations only. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A lower-case UUID, version 4. */
  uuid(): string;
  /** `length` characters of [A-Za-z0-9] from a cryptographic source. */
  alphanumeric(length: number): string;
  /** A number in [0, 1), for jitter only. */
  fraction(): number;
}

type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. Messages are full sentences; `error` means data loss or an operator is needed, `warn` means recovered. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Counters and gauges. The names and their help texts stand in door/metrics.ts. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}
