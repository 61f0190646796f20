// Asks a server for its status report (GET /statusz) and reads the answer. The wire form is the door's StatusReport
// (src/door/ports.ts); what a newer server adds is passed over. Must not: print.
import { z } from "zod";
import { fetchFailure } from "./fetch-failure.ts";
import { printable } from "./printable.ts";

const answerBytesMax = 64 * 1024 * 1024;
const answerMsMax = 30_000;

/** Milliseconds since the epoch, as far as dates go. */
const epochMs = z.number().min(0).max(8.64e15);
const count = z.number().min(0);

const failing = z.object({
  sinceMs: epochMs,
  code: z.string(),
  message: z.string().exactOptional(),
  attempts: count,
  nextTryMs: epochMs.exactOptional(),
});

const destination = z.object({
  kind: z.string(),
  target: z.string(),
  delivered: z.object({ latestMs: epochMs }).exactOptional(),
  failing: failing.exactOptional(),
  waiting: z.object({ files: count, records: count, bytes: count, oldestMs: epochMs.exactOptional() }),
  givenUp: z.object({ files: count, records: count, latestMs: epochMs.exactOptional() }),
  note: z.string().exactOptional(),
  regions: z
    .array(
      z.object({
        region: z.string(),
        latestMs: epochMs.exactOptional(),
        latestError: z.string().exactOptional(),
      }),
    )
    .readonly()
    .exactOptional(),
});

const report = z.object({
  startedMs: epochMs,
  nowMs: epochMs,
  health: z.object({
    ready: z.boolean(),
    parts: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().exactOptional() })),
  }),
  journal: z.object({ bytes: count, bytesMax: count }),
  isCut: z.boolean(),
  trails: z
    .array(
      z.object({
        arn: z.string(),
        isLogging: z.boolean(),
        isDeleted: z.boolean(),
        destinations: z.array(destination).readonly(),
      }),
    )
    .readonly(),
});

export type ReadReport = Readonly<z.infer<typeof report>>;
export type ReadTrail = ReadReport["trails"][number];
export type ReadDestination = ReadTrail["destinations"][number];

export interface StatusQuestion {
  readonly url: URL;
  readonly token?: string;
  /** A name or an ARN. */
  readonly trail?: string;
}

/** `raw` is the whole answer, also what this version does not know. The problem is a sentence. */
export type StatusAnswer =
  | { readonly report: ReadReport; readonly raw: unknown }
  | { readonly problem: string };

/** Asks once. Never rejects; redirects are not followed, so that the token goes nowhere else. */
export async function askStatus(question: StatusQuestion): Promise<StatusAnswer> {
  const page = new URL(question.url);
  page.pathname = `${page.pathname.replace(/\/+$/, "")}/statusz`;
  if (question.trail !== undefined) page.searchParams.set("trail", question.trail);
  const where = printable(question.url.href);
  try {
    const response = await fetch(page, {
      headers: question.token === undefined ? {} : { authorization: `Bearer ${question.token}` },
      redirect: "manual",
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await textOf(response);
    if (text === undefined) return { problem: `${where} answered more than ${answerBytesMax} bytes.` };
    return response.status === 200 ? readReport(text, where) : { problem: refusal(response, text, where) };
  } catch (error) {
    return { problem: `${where} does not answer: ${fetchFailure(error, answerMsMax)}.` };
  }
}

function readReport(text: string, where: string): StatusAnswer {
  const raw = parsed(text);
  const reading = report.safeParse(raw);
  if (reading.success) return { report: reading.data, raw };
  return { problem: `What ${where} answered is no status report of a Cairn.` };
}

function refusal({ status }: Response, text: string, where: string): string {
  if (status === 401 || status === 403) {
    const hint = "give the token with --token or CAIRN_METRICS_TOKEN";
    const said = z.object({ message: z.string() }).safeParse(parsed(text));
    const reason = said.success ? ` ${printable(said.data.message)}` : "";
    return `${where} does not show its status to this client; ${hint}.${reason}`;
  }
  const hint = status === 404 ? "; is it a Cairn, and not an older one?" : ".";
  return `${where} answered ${status} to GET /statusz${hint}`;
}

/** Undefined when it is too long. */
async function textOf(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > answerBytesMax) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
