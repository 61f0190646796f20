// Reads GET /tail: the lines of a server's event stream, one by one, each checked; what a newer server adds is passed over.
// src/tail/tail-stream.ts says what the lines are. Must not: print, or connect again.
import { z } from "zod";
import { fetchFailure } from "./fetch-failure.ts";
import { printable } from "./printable.ts";
import { parsed, refusalOf, requestServer, type ServerRequest } from "./server-request.ts";
import type { AskingTerminal } from "./cloudtrail-client.ts";

/** A record has at most some hundred kilobytes; a frame of the journal 2 MB. */
const lineBytesMax = 8 * 1024 * 1024;
const connectMsMax = 30_000;
/** The server says something every 10 s. */
const silenceMsMax = 35_000;

const lineForm = z.object({
  cursor: z.string(),
  start: z.object({ isCut: z.boolean() }).exactOptional(),
  event: z.record(z.string(), z.unknown()).exactOptional(),
  derived: z
    .object({
      username: z.string().exactOptional(),
      resources: z.array(z.object({ type: z.string().exactOptional(), name: z.string() })).readonly(),
    })
    .exactOptional(),
  skipped: z.object({ frames: z.number() }).exactOptional(),
  end: z.string().exactOptional(),
  failure: z.object({ message: z.string() }).exactOptional(),
});

export type StreamLine = Readonly<z.infer<typeof lineForm>>;

/** Why there is no stream, or no more of it. */
export class StreamProblem extends Error {
  /** `refused`: the server answered, and asking again is of no use. `lost`: it may be there again. */
  readonly kind: "refused" | "lost";

  constructor(kind: StreamProblem["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

export type StreamQuestion = Omit<ServerRequest, "method" | "path" | "body">;

/** The lines until the server ends the stream or `signal` aborts. Throws StreamProblem; each call connects once. */
export async function* readStream(
  question: StreamQuestion,
  terminal: AskingTerminal,
): AsyncGenerator<StreamLine, void> {
  const where = printable(question.url.href);
  const silence = new Silence(question.signal);
  try {
    silence.start(connectMsMax);
    const response = await requestServer(
      { ...question, method: "GET", path: "/tail", signal: silence.signal },
      terminal,
    );
    if (response.status !== 200) {
      const kind = response.status === 503 ? "lost" : "refused";
      throw new StreamProblem(kind, await refusalOf(response, where));
    }
    silence.start(silenceMsMax);
    for await (const text of linesOf(response, () => silence.start(silenceMsMax))) {
      const line = lineForm.safeParse(parsed(text));
      if (!line.success) throw new StreamProblem("refused", `What ${where} answered is no stream of events.`);
      yield line.data;
    }
  } catch (error) {
    if (error instanceof StreamProblem) throw error;
    if (question.signal.aborted) return;
    throw problemOf(error, where);
  } finally {
    silence.end();
  }
}

function problemOf(error: unknown, where: string): StreamProblem {
  const isOfCredentials = error instanceof Error && error.name.startsWith("CredentialsProvider");
  if (isOfCredentials) return new StreamProblem("refused", `No AWS credentials: ${printable(error.message)}`);
  return new StreamProblem("lost", `${where} does not answer: ${fetchFailure(error, silenceMsMax)}.`);
}

async function* linesOf(response: Response, heard: () => void): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of response.body ?? []) {
    heard();
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineBytesMax) {
      throw new StreamProblem("refused", `A line of the stream is longer than ${lineBytesMax} characters.`);
    }
    yield* lines;
  }
}

/** Gives up a connection over which nothing comes any more. */
class Silence {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #abort = (): void => this.#controller.abort(this.#outer.reason);
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    outer.addEventListener("abort", this.#abort);
    if (outer.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new DOMException("", "TimeoutError")), ms);
  }

  /** Also lets go of the connection. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }
}
