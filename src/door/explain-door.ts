// POST /explain?trail=NAME|ARN: whether the trail logs the events of the body, and why, as JSON; or, without a body, the event
// that `eventId` names, which is looked for in the journal and then in the event history. Must not: know selectors.
//
// With authentication on the caller needs cloudtrail:GetTrail and cloudtrail:GetEventSelectors on the trail; for `eventId` also
// cairn:TailEvents (the journal) or cloudtrail:LookupEvents (the history), and finds events of the own account only.
import { ApiError } from "../model/errors.ts";
import type { Unfound } from "../tail/tails.ts";
import type { ExplainQuestion } from "../trail/explain-events.ts";
import { methodNotAllowed, plainError } from "./answers.ts";
import { type Admission, type AdmissionParts, authenticate, type ReadRequest } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { deedsOf } from "./call-deeds.ts";
import type { DoorAnswer } from "./exchange.ts";
import type { DoorPorts } from "./ports.ts";
import { mayTail } from "./tail-door.ts";

export type ExplainParts = AdmissionParts & Pick<DoorPorts, "tails" | "explainer" | "operations">;

const rules = { services: ["cloudtrail", "cairn"], style: "standard" } as const;
const idCharactersMax = 200;

/** Throws ApiErrors of authentication, and those of GetTrail. */
export async function answerExplain(request: ReadRequest, parts: ExplainParts): Promise<DoorAnswer> {
  if (request.method !== "POST") return methodNotAllowed("POST");
  const admission = authenticate(request, rules, parts);
  const query = new URLSearchParams(request.query);
  const trail = query.get("trail") ?? "";
  const eventId = query.get("eventId");
  const { call, permissions } = admission;
  authorize(permissions, call.caller.arn, [
    ...deedsOf("GetTrail", { Name: trail }, call),
    ...deedsOf("GetEventSelectors", { TrailName: trail }, call),
  ]);
  // A trail that is not there is told before an event is looked for.
  parts.explainer.incarnationOf(trail, call);
  if (eventId === null) return explained({ trail, body: request.body }, "request", { admission, parts });
  if (eventId === "" || eventId.length > idCharactersMax || request.body.length > 0) {
    return invalid(`The parameter eventId has 1 to ${idCharactersMax} characters, and the request no body.`);
  }
  const found = await findEvent(eventId, { admission, parts });
  if (typeof found === "string") {
    return plainError(503, { code: "ServiceUnavailable", text: unfoundTexts[found], retryAfterSeconds: 5 });
  }
  if (!found) {
    const text = `Neither the journal nor the event history of ${call.region} has an event ${JSON.stringify(eventId)} of account ${call.caller.accountId}.`;
    return plainError(404, { code: "EventNotFoundException", text });
  }
  const { body, decided } = found;
  return explained({ trail, body, ...(decided && { decided }) }, found.source, { admission, parts });
}

interface Asked {
  readonly admission: Admission;
  readonly parts: ExplainParts;
}

function explained(
  question: ExplainQuestion,
  source: "request" | "journal" | "history",
  { admission, parts }: Asked,
): DoorAnswer {
  const answer = parts.explainer.explain(question, admission.call);
  if (answer.kind === "malformed") return invalid(answer.message);
  const { trail, events } = answer;
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  return { status: 200, headers, body: JSON.stringify({ trail, source, events }) };
}

function invalid(text: string): DoorAnswer {
  return plainError(400, { code: "ValidationException", text });
}

interface FoundEvent {
  readonly body: Uint8Array;
  readonly source: "journal" | "history";
  readonly decided?: ExplainQuestion["decided"];
}

const unfoundTexts = {
  unfinished: "The journal is too long to be searched in time. Give the event itself instead of its id.",
  busy: "Too many events are looked for at this moment. Try again.",
} as const;

type Finding = FoundEvent | Unfound;

/** Throws the denial of the journal when the history is denied too. */
async function findEvent(eventId: string, asked: Asked): Promise<Finding> {
  const inJournal = await unlessDenied(() => findInJournal(eventId, asked));
  if (typeof inJournal.found === "object") return inJournal.found;
  const inHistory = await unlessDenied(() => findInHistory(eventId, asked));
  if (inJournal.denial && inHistory.denial) throw inJournal.denial;
  return inHistory.found ?? inJournal.found;
}

async function unlessDenied(
  find: () => Promise<Finding>,
): Promise<{ readonly found?: Finding; readonly denial?: ApiError }> {
  try {
    return { found: await find() };
  } catch (error) {
    if (error instanceof ApiError && error.code === "AccessDeniedException") return { denial: error };
    throw error;
  }
}

async function findInJournal(eventId: string, { admission, parts }: Asked): Promise<Finding> {
  mayTail(admission);
  const isOpen = parts.configuration().auth === "off";
  const account = isOpen ? undefined : admission.call.caller.accountId;
  const found = await parts.tails.find(eventId, account);
  if (typeof found !== "object") return found;
  const { bytes, matchSet, arrivedMs } = found;
  return { body: bytes, source: "journal", decided: { matchSet, arrivedMs } };
}

async function findInHistory(eventId: string, { admission, parts }: Asked): Promise<FoundEvent | undefined> {
  const { call, permissions } = admission;
  const LookupAttributes = [{ AttributeKey: "EventId", AttributeValue: eventId } as const];
  authorize(permissions, call.caller.arn, deedsOf("LookupEvents", { LookupAttributes }, call));
  try {
    const { Events = [] } = await parts.operations.LookupEvents({ LookupAttributes }, call);
    const text = Events[0]?.CloudTrailEvent;
    return text === undefined ? undefined : { body: Buffer.from(text), source: "history" };
  } catch (error) {
    // A server without event history has nothing there.
    if (error instanceof ApiError && error.code.startsWith("UnsupportedOperation")) return undefined;
    throw error;
  }
}
