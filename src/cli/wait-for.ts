// `cairn wait-for`: ends when such an event is there, which is what test suites wait for; it may have come a moment before.
import { duration } from "../config-values.ts";
import { plain } from "./colors.ts";
import { eventJson, eventLine } from "./event-line.ts";
import {
  type EventQuestion,
  eventQuestion,
  questionFlags,
  streamQuestion,
  switchProblem,
} from "./event-question.ts";
import { readStream, StreamProblem } from "./event-stream.ts";
import { seenInstead } from "./seen-instead.ts";
import { unknownFlag } from "./server-address.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags = [...questionFlags, "since", "timeout", "count", "json"];
const timeoutKind = duration("1ms", "24h");
const defaultSince = "1m";
const defaultTimeout = "30s";
const retryMs = 200;
const countMax = 1_000_000;

export type WaitTerminal = Pick<Terminal, "environment" | "readFile" | "out" | "err" | "wait" | "onSignal">;

/** Exit code 0 when as many such events are there, 1 when the time is over, 2 when a flag is wrong or no server tells. */
export async function waitFor(
  flags: Readonly<Record<string, string>>,
  terminal: WaitTerminal,
): Promise<ExitCode> {
  const refuse = (problem: string): ExitCode => {
    terminal.err(problem);
    return exitCodes.usage;
  };
  const wrong = unknownFlag(flags, "cairn wait-for", knownFlags) ?? switchProblem(flags, ["json"]);
  if (wrong !== undefined) return refuse(wrong);
  const question = eventQuestion(flags, terminal.environment);
  if ("problem" in question) return refuse(question.problem);
  if (question.filters.size === 0) return refuse("Say which event, with --event-name or another flag.");
  const timeout = timeoutKind.read(flags["timeout"] ?? defaultTimeout);
  if ("problem" in timeout) return refuse(`--timeout: ${timeout.problem}.`);
  const count = Number(flags["count"] ?? "1");
  if (!Number.isInteger(count) || count < 1 || count > countMax) {
    return refuse(`--count: write a whole number from 1 to ${countMax}.`);
  }
  const over = new AbortController();
  terminal.onSignal("SIGINT", () => over.abort());
  const since = flags["since"] ?? defaultSince;
  const wait = new Wait({ question, since, count, isJson: flags["json"] === "true", terminal });
  // The time of starting up, which may be long on a busy machine, does not count: what is there already is always found.
  void wait.begun.then(() => terminal.wait(timeout.value)).then(() => over.abort());
  const outcome = await wait.run(over.signal);
  if (typeof outcome !== "string") return refuse(outcome.problem);
  if (outcome === "found") return exitCodes.done;
  terminal.err(await wait.missed(flags["timeout"] ?? defaultTimeout));
  return exitCodes.failed;
}

interface WaitParts {
  readonly question: EventQuestion;
  readonly since: string;
  readonly count: number;
  readonly isJson: boolean;
  readonly terminal: WaitTerminal;
}

class Wait {
  /** Resolves when the server has begun to tell, or did not answer for the first time. */
  readonly begun: Promise<void>;
  readonly #parts: WaitParts;
  #begin: () => void = () => undefined;
  #found = 0;
  #cursor: string | undefined;
  /** Why there is no stream at the moment. */
  #problem: string | undefined;

  constructor(parts: WaitParts) {
    this.#parts = parts;
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** A server that is not there yet, or not at the moment, is waited for too. */
  async run(over: AbortSignal): Promise<"found" | "missed" | { readonly problem: string }> {
    while (!over.aborted) {
      try {
        if (await this.#readOnce(over)) return "found";
      } catch (error) {
        if (!(error instanceof StreamProblem)) throw error;
        if (error.kind === "refused") return { problem: error.message };
        this.#problem = error.message;
        this.#begin();
      }
      if (!over.aborted) await this.#parts.terminal.wait(retryMs);
    }
    return this.#problem === undefined ? "missed" : { problem: this.#problem };
  }

  /** True when all have been found. */
  async #readOnce(over: AbortSignal): Promise<boolean> {
    const { question, terminal, since, count, isJson } = this.#parts;
    const start = this.#cursor === undefined ? { since } : { cursor: this.#cursor };
    const more = { ...start, limit: String(count - this.#found), ...(!isJson && { derived: "true" }) };
    for await (const line of readStream(streamQuestion(question, more, over), terminal)) {
      this.#begin();
      this.#problem = line.failure?.message;
      if (line.cursor !== "") this.#cursor = line.cursor;
      if (!line.event) continue;
      terminal.out(isJson ? eventJson(line.event) : eventLine(line, plain));
      this.#found += 1;
      if (this.#found >= count) return true;
    }
    return false;
  }

  /** A line about what came instead. */
  async missed(timeout: string): Promise<string> {
    const { question, since, count, terminal } = this.#parts;
    const head =
      count === 1
        ? `No such event came within ${timeout}.`
        : `${this.#found} of ${count} such events came within ${timeout}.`;
    return `${head} ${await seenInstead(question, since, terminal)}`;
  }
}
