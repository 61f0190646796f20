// Whether a trail logs events, and why: what its selectors, its scope and its logging state say now, beside what was decided
// when an event arrived. Must not: find events, or decide who may ask.
import { categoryOf, type RecordFields } from "../event/record.ts";
import { missingMember } from "../event/required.ts";
import { scanBatch, type ScannedRecord } from "../event/scan.ts";
import { spliceMissing } from "../event/splice.ts";
import { parseAccountId } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import { parseRegion } from "../model/regions.ts";
import { type ExplainedPlace, type Explanation, explainerOf } from "../selector/explain.ts";
import type { MatchSet } from "../selector/match-set.ts";
import { findReadableTrail } from "./find-trail.ts";
import type { TrailContext } from "./trail-context.ts";
import { scopeOfTrail } from "./trail-scope.ts";
import type { Trail } from "./trail.ts";

/** One request explains so many events at most, and fewer of a trail whose selectors are long. */
const eventsMax = 500;
const answerCharactersMax = 16 * 1024 * 1024;

export interface TrailExplainer {
  /** The incarnation of a trail that the call may see; throws the errors of GetTrail. */
  incarnationOf(name: string, call: Call): string;
  /** Throws the errors of GetEventSelectors. */
  explain(question: ExplainQuestion, call: Call): ExplainAnswer;
}

export interface ExplainQuestion {
  /** Name or ARN. */
  readonly trail: string;
  /** Events in any form that POST /events takes. */
  readonly body: Uint8Array;
  /** How the only event was decided at the door, where that is known. */
  readonly decided?: { readonly matchSet: MatchSet; readonly arrivedMs: number };
}

export type ExplainAnswer =
  | { readonly kind: "malformed"; readonly message: string }
  | {
      readonly kind: "explained";
      readonly trail: ExplainedTrail;
      readonly events: readonly (ExplainedEvent | UnreadableEvent)[];
    };

export interface ExplainedTrail {
  readonly arn: string;
  readonly isLogging: boolean;
  readonly selectorKind: "basic" | "advanced";
}

export interface ExplainedEvent extends Explanation {
  readonly index: number;
  readonly event: ShownEvent;
  readonly decided?: DecidedThen;
}

/** The event would be refused at the door. */
export interface UnreadableEvent {
  readonly index: number;
  readonly problem: string;
}

interface ShownEvent {
  readonly eventID?: string | undefined;
  readonly eventTime?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly eventName?: string | undefined;
  readonly eventCategory: string;
  readonly account: string;
  readonly region: string;
}

interface DecidedThen {
  readonly isLogged: boolean;
  readonly arrivedMs: number;
  /** Why it is not what it would be now; absent when it is the same. */
  readonly difference?: string;
}

export function createTrailExplainer(context: TrailContext): TrailExplainer {
  return {
    incarnationOf: (name, call) => findReadableTrail(context, { name, call }).incarnation,
    explain(question, call) {
      const trail = findReadableTrail(context, { name: question.trail, call });
      const scan = scanBatch(question.body);
      if (scan.kind === "malformed") return { kind: "malformed", message: scan.message };
      const { records } = scan;
      if (records.length === 0) return { kind: "malformed", message: "There is no event." };
      const { arn, logging, selectors } = trail;
      // Of each event every demand is told, and up to twice more why it is not met.
      const perEvent = 3 * JSON.stringify(selectors).length;
      const most = Math.max(1, Math.min(eventsMax, Math.floor(answerCharactersMax / perEvent)));
      if (records.length > most) {
        return { kind: "malformed", message: `Of this trail ${most} events can be explained at once.` };
      }
      const explain = explainerOf(scopeOfTrail(trail, context.ports.configuration()));
      return {
        kind: "explained",
        trail: { arn, isLogging: logging.isLogging, selectorKind: selectors.kind },
        events: records.map((record) => explainRecord(record, { trail, question, call, context, explain })),
      };
    },
  };
}

interface Explaining {
  readonly trail: Trail;
  readonly question: ExplainQuestion;
  readonly call: Call;
  readonly context: TrailContext;
  readonly explain: ReturnType<typeof explainerOf>;
}

function explainRecord(record: ScannedRecord, explaining: Explaining): ExplainedEvent | UnreadableEvent {
  const { index } = record;
  if ("problem" in record) return { index, problem: record.problem };
  const { trail, question, call, context, explain } = explaining;
  const own = question.body.subarray(record.start, record.end);
  // As the door does: what it may add is added, what it refuses is refused.
  const { fields } = spliceMissing(own, record.fields, {
    eventID: () => context.ports.random.uuid(),
    recipientAccountId: call.caller.accountId,
  });
  const missing = missingMember(fields);
  if (missing !== undefined) {
    return { index, problem: `The member ${missing} is missing or has a value that is not valid.` };
  }
  const place = placeOf(fields, context);
  if (typeof place === "string") return { index, problem: place };
  const now = withLogging(explain(fields, place), trail);
  const event = { ...shownEvent(fields, place), eventID: record.fields.eventID };
  const decided = question.decided && decidedThen(question.decided, now, trail);
  return { index, event, ...now, ...(decided && { decided }) };
}

function placeOf(fields: RecordFields, { ports }: TrailContext): ExplainedPlace | string {
  const { regions, organization } = ports.configuration();
  const region = parseRegion(fields.awsRegion ?? "");
  if (region === undefined || !regions.includes(region)) {
    return `The member awsRegion is ${JSON.stringify(fields.awsRegion)}, which is not a configured Region.`;
  }
  const account = parseAccountId(fields.recipientAccountId ?? "");
  if (account === undefined) return "The member recipientAccountId is not a 12-digit account id.";
  return { account, region, organizationMembers: new Set(organization?.members) };
}

function shownEvent(fields: RecordFields, place: ExplainedPlace): ShownEvent {
  const { eventTime, eventSource, eventName } = fields;
  const { account, region } = place;
  return { eventTime, eventSource, eventName, eventCategory: categoryOf(fields), account, region };
}

/** A trail that is not logging logs nothing, whatever it selects. */
function withLogging(explanation: Explanation, { logging }: Trail): Explanation {
  if (logging.isLogging) return explanation;
  return {
    ...explanation,
    isLogged: false,
    why: ["The trail is not logging.", ...explanation.why],
    changes: ["The trail would have to be logging.", ...explanation.changes],
  };
}

function decidedThen(
  { matchSet, arrivedMs }: NonNullable<ExplainQuestion["decided"]>,
  now: Explanation,
  trail: Trail,
): DecidedThen {
  const isLogged = matchSet.destinations.some(({ incarnation }) => incarnation === trail.incarnation);
  if (isLogged === now.isLogged) return { isLogged, arrivedMs };
  const difference =
    trail.createdMs > arrivedMs
      ? "The trail was created after the event arrived."
      : "The trail's selectors, its scope or its logging state were others when the event arrived.";
  return { isLogged, arrivedMs, difference };
}
