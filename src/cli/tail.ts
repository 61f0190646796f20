// `cairn tail`: events as they become durable, one line each, until Ctrl-C; goes on where it was when the server is back.
import { paintOf } from "./colors.ts";
import { eventJson, eventLine } from "./event-line.ts";
import {
  type EventQuestion,
  eventQuestion,
  questionFlags,
  streamQuestion,
  switchProblem,
} from "./event-question.ts";
import { readStream, type StreamLine, StreamProblem } from "./event-stream.ts";
import { unknownFlag } from "./server-address.ts";
import { type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

const knownFlags = [...questionFlags, "since", "from-start", "follow", "limit", "json", "color"];
const retryMs = 500;
const retryMsMax = 5_000;

export type TailTerminal = Pick<
  Terminal,
  "environment" | "readFile" | "out" | "err" | "isOutTty" | "onSignal" | "onOutputClosed" | "wait"
>;

/** Exit code 0 when the limit or the end is reached or the user ends it, 1 when the server fails, 2 when it refuses. */
export async function tail(
  flags: Readonly<Record<string, string>>,
  terminal: TailTerminal,
): Promise<ExitCode> {
  const refuse = (problem: string): ExitCode => {
    terminal.err(problem);
    return exitCodes.usage;
  };
  const unknown = unknownFlag(flags, "cairn tail", knownFlags);
  const wrong = unknown ?? switchProblem(flags, ["json", "from-start", "follow"]);
  if (wrong !== undefined) return refuse(wrong);
  if (flags["since"] !== undefined && flags["from-start"] === "true") {
    return refuse("--since and --from-start: give one of them.");
  }
  const question = eventQuestion(flags, terminal.environment);
  if ("problem" in question) return refuse(question.problem);
  const paint = paintOf(flags["color"], terminal);
  if (typeof paint !== "function") return refuse(paint.problem);
  const over = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) terminal.onSignal(signal, () => over.abort());
  terminal.onOutputClosed(() => over.abort());
  const show = (line: StreamLine): void =>
    terminal.out(flags["json"] === "true" ? eventJson(line.event ?? {}) : eventLine(line, paint));
  return new Tailing({ question, flags, show, terminal, over: over.signal }).run();
}

interface TailingParts {
  readonly question: EventQuestion;
  readonly flags: Readonly<Record<string, string>>;
  readonly show: (line: StreamLine) => void;
  readonly terminal: TailTerminal;
  readonly over: AbortSignal;
}

class Tailing {
  readonly #parts: TailingParts;
  /** Where to go on; undefined until the first line came. */
  #cursor: string | undefined;
  #shown = 0;
  #isLost = false;
  #retries = 0;

  constructor(parts: TailingParts) {
    this.#parts = parts;
  }

  async run(): Promise<ExitCode> {
    const { over, terminal } = this.#parts;
    while (!over.aborted) {
      try {
        const end = await this.#readOnce();
        if (end !== undefined) return end;
        this.#lose("The server ended the stream");
      } catch (error) {
        if (!(error instanceof StreamProblem)) throw error;
        // Who never had a stream is told why, and not made to wait.
        if (error.kind === "refused" || this.#cursor === undefined) {
          terminal.err(error.message);
          return exitCodes.usage;
        }
        this.#lose(error.message.replace(/\.$/, ""));
      }
      await Promise.race([terminal.wait(this.#nextRetryMs()), aborted(over)]);
    }
    return exitCodes.done;
  }

  /** The exit code, or undefined when the stream broke off. */
  async #readOnce(): Promise<ExitCode | undefined> {
    const { question, terminal, over, show } = this.#parts;
    for await (const line of readStream(streamQuestion(question, this.#parameters(), over), terminal)) {
      this.#find();
      this.#cursor = line.cursor === "" ? this.#cursor : line.cursor;
      if (line.start?.isCut === true) {
        terminal.err("The journal no longer has all of that time: what is older is in the log files.");
      }
      if (line.skipped) terminal.err(skippedText(line.skipped.frames));
      if (line.event) {
        show(line);
        this.#shown += 1;
      }
      if (line.end !== undefined) return exitCodes.done;
      if (line.failure) {
        terminal.err(line.failure.message);
        return exitCodes.failed;
      }
    }
    return over.aborted ? exitCodes.done : undefined;
  }

  #parameters(): Record<string, string | undefined> {
    const { flags } = this.#parts;
    const json = flags["json"] === "true";
    const limit = flags["limit"];
    const start =
      this.#cursor === undefined
        ? { since: flags["since"], ...(flags["from-start"] === "true" && { from: "start" }) }
        : { cursor: this.#cursor };
    return {
      ...start,
      ...(!json && { derived: "true" }),
      follow: flags["follow"],
      limit: limit === undefined || !/^\d{1,15}$/.test(limit) ? limit : String(Number(limit) - this.#shown),
    };
  }

  #lose(why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#parts.terminal.err(`${why}; trying again.`);
  }

  #find(): void {
    this.#retries = 0;
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#parts.terminal.err("The server is back.");
  }

  #nextRetryMs(): number {
    this.#retries += 1;
    return Math.min(retryMs * this.#retries, retryMsMax);
  }
}

function skippedText(frames: number): string {
  return `This reader was too slow: ${frames} ${frames === 1 ? "batch" : "batches"} of events left the journal unread.`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
