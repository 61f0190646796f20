// What came while something else was waited for: the events most like it first, so that a wrong name or user shows at once.
import { type EventQuestion, streamQuestion } from "./event-question.ts";
import { resourcesOf, whatOf, whoOf } from "./event-line.ts";
import { readStream, type StreamLine, StreamProblem } from "./event-stream.ts";
import type { AskingTerminal } from "./cloudtrail-client.ts";
import { printable } from "./printable.ts";

const eventsMax = 1000;
const kindsShown = 5;
const askMsMax = 3_000;
/** Filters that say whose events are looked at, and not which. */
const kept = ["account", "region"];

/** A sentence. Never rejects. */
export async function seenInstead(
  question: EventQuestion,
  since: string,
  terminal: AskingTerminal,
): Promise<string> {
  const lines = await linesSince(question, since, terminal);
  if (lines.length === 0) return "Nothing else came either.";
  const wanted = question.filters.get("eventName");
  const alike = lines.filter(({ event }) => event?.["eventName"] === wanted);
  const counts = new Map<string, number>();
  for (const line of alike.length > 0 ? alike : lines) {
    const kind = kindOf(line);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = kinds.slice(0, kindsShown).map(([kind, count]) => `${count} x ${kind}`);
  const more = kinds.length > kindsShown ? `, and ${kinds.length - kindsShown} other kinds` : "";
  return `Seen instead: ${shown.join(", ")}${more}.`;
}

/** `s3:PutObject by mary on my-bucket (AccessDenied)` */
function kindOf(line: StreamLine): string {
  const { event = {}, derived } = line;
  const who = derived?.username === undefined ? whoOf(event["userIdentity"]) : printable(derived.username);
  const [resource] = resourcesOf(line);
  const error = typeof event["errorCode"] === "string" ? ` (${printable(event["errorCode"])})` : "";
  return `${whatOf(event)} by ${who}${resource === undefined ? "" : ` on ${printable(resource)}`}${error}`;
}

async function linesSince(
  question: EventQuestion,
  since: string,
  terminal: AskingTerminal,
): Promise<readonly StreamLine[]> {
  const filters = new Map([...question.filters].filter(([name]) => kept.includes(name)));
  const more = { since, follow: "false", derived: "true", limit: String(eventsMax) };
  const signal = AbortSignal.timeout(askMsMax);
  const lines: StreamLine[] = [];
  try {
    for await (const line of readStream(streamQuestion({ ...question, filters }, more, signal), terminal)) {
      if (line.event) lines.push(line);
    }
  } catch (error) {
    // Then nothing more can be told than that nothing came.
    if (!(error instanceof StreamProblem)) throw error;
  }
  return lines;
}
