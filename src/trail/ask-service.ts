// One question to another AWS service about a trail's settings: bounded in time, and without a verdict it is skipped
// with a warning (api.md §2.6: a check that cannot be made is skipped, never failed).
import { isVerdict, type Refused, type Unknown } from "../aws/service-answer.ts";
import { inTime } from "../model/in-time.ts";
import type { TrailPorts } from "./ports.ts";

const answerMsMax = 10_000;

export interface Question<Answer> {
  /** What is checked, as the log names it: `SNS topic`. */
  readonly subject: string;
  /** For the log: the trail, and what it names. */
  readonly fields: Readonly<Record<string, string>>;
  /** Absent when the service is not configured. */
  readonly ask: ((signal: AbortSignal) => Promise<Answer>) | undefined;
}

/**
 * What the service says; `unknown` when it says nothing of the matter: it is not configured, is late, throttles, or does
 * not accept Cairn's own credentials. Never rejects.
 */
export async function askService<Answer extends { readonly kind: string }>(
  ports: Pick<TrailPorts, "clock" | "log">,
  { subject, fields, ask }: Question<Answer | Refused | Unknown>,
): Promise<Answer | Refused | Unknown> {
  const answer = ask ? await answerInTime(ports, ask) : unknown("No endpoint of the service is configured.");
  const reason = whyNoVerdict(answer);
  if (reason === undefined) return answer;
  ports.log.warn(
    { ...fields, reason },
    `The ${subject} of a trail could not be checked; the check is skipped.`,
  );
  return unknown(reason);
}

async function answerInTime<Answer>(
  { clock }: Pick<TrailPorts, "clock">,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | Unknown> {
  const question = new AbortController();
  const answer = ask(question.signal).catch((error: unknown) => unknown(String(error)));
  const first = await inTime(answer, answerMsMax, clock);
  question.abort();
  return first === "late" ? unknown(`The service did not answer within ${answerMsMax} ms.`) : first;
}

function whyNoVerdict(answer: { readonly kind: string } | Refused | Unknown): string | undefined {
  if (answer.kind === "unknown") return "message" in answer ? answer.message : "";
  if (answer.kind !== "refused" || !("code" in answer)) return undefined;
  return isVerdict(answer.code) ? undefined : `${answer.code}: ${answer.message}`;
}

function unknown(message: string): Unknown {
  return { kind: "unknown", message };
}
