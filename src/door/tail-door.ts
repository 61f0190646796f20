// GET /tail: events as they become durable, as NDJSON without end (tail/tail-stream.ts tells the lines). What to see stands
// in the query: `tailParameters` below. Must not: read the journal; that is the tail's.
//
// With authentication on the request is signed for the service `cloudtrail` (or `cairn`) by somebody who may
// `cairn:TailEvents` on `arn:{partition}:cairn:{region}:{account}:events`, and shows events of the caller's account only.
import { lookupAttributes, type LookupAttribute } from "../event/lookup-fields.ts";
import { parseAccountId } from "../model/arn.ts";
import type { Call } from "../model/call.ts";
import { ApiError } from "../model/errors.ts";
import { partitionOf, parseRegion } from "../model/regions.ts";
import { type EventFilter, parseTailPosition, type TailQuestion } from "../tail/tails.ts";
import { methodNotAllowed, plainError } from "./answers.ts";
import { type Admission, type AdmissionParts, authenticate, permissionsOf } from "./authenticate.ts";
import { authorize, decide, type Deed } from "./authorize.ts";
import { deedsOf } from "./call-deeds.ts";
import type { DoorAnswer, DoorRequest } from "./exchange.ts";
import type { DoorPorts } from "./ports.ts";

export type TailParts = AdmissionParts & Pick<DoorPorts, "tails" | "explainer">;

const rules = { services: ["cloudtrail", "cairn"], style: "standard" } as const;
/** That of an attribute of LookupEvents. */
const valueCharactersMax = 2000;
const eventsMax = 1_000_000_000;

const attributeOf: ReadonlyMap<string, LookupAttribute> = new Map(
  lookupAttributes.map((attribute) => [
    `${attribute.charAt(0).toLowerCase()}${attribute.slice(1)}`,
    attribute,
  ]),
);
/** Beside the attributes, written `eventName`: each at most once, and all of them must hold. */
const tailParameters = [
  ...attributeOf.keys(),
  ...["errorCode", "account", "region", "trail", "since", "from", "cursor", "limit", "follow", "derived"],
];

/** Throws ApiErrors of authentication, and of the query. */
export function answerTail(request: DoorRequest, parts: TailParts): DoorAnswer {
  if (request.method !== "GET") return methodNotAllowed("GET");
  const admission = authenticate({ ...request, body: new Uint8Array(0) }, rules, parts);
  mayTail(admission);
  const question = readQuestion(parametersOf(request.query), admission, parts);
  const tail = parts.tails.open(question);
  if (tail === "full") {
    const text = "As many tails are open as there may be at once. End one, or try again later.";
    return plainError(503, { code: "ServiceUnavailable", text, retryAfterSeconds: 5 });
  }
  return {
    status: 200,
    headers: {
      "Content-Type": "application/x-ndjson",
      "Cache-Control": "no-store",
      // Proxies that gather answers would hold lines back.
      "X-Accel-Buffering": "no",
    },
    body: tail,
    endsAtClosing: true,
  };
}

/** Throws AccessDeniedException when the caller may not see the events of the own account. */
export function mayTail({ call, permissions }: Admission): void {
  authorize(permissions, call.caller.arn, [deedOfTail(call)]);
}

function deedOfTail({ region, caller }: Call): Deed {
  const resource = `arn:${partitionOf(region)}:cairn:${region}:${caller.accountId}:events`;
  return { action: "cairn:TailEvents", resource };
}

/** Whether a caller who was admitted would be still: keys are taken away, expire, and policies change while a tail is open. */
function mayTailStill({ call, signature }: Admission, parts: TailParts): boolean {
  if (parts.configuration().auth === "off") return true;
  const nowMs = parts.clock.nowMs();
  const identity = signature && parts.identity(signature.claim.scope.accessKeyId);
  if (!identity || (identity.expiresMs ?? Number.POSITIVE_INFINITY) <= nowMs) return false;
  return decide(permissionsOf(identity, call, nowMs), deedOfTail(call)) === "allowed";
}

type Parameters = ReadonlyMap<string, string>;

function parametersOf(query: string): Parameters {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    // Those of a presigned request were read before.
    if (/^x-amz-/i.test(name)) continue;
    if (!tailParameters.includes(name)) {
      throw invalid(`There is no parameter of that name; there are ${tailParameters.join(", ")}.`);
    }
    if (given.has(name)) throw invalid(`The parameter ${name} is given twice.`);
    if (value === "" || value.length > valueCharactersMax) {
      throw invalid(`The parameter ${name} must have 1 to ${valueCharactersMax} characters.`);
    }
    given.set(name, value);
  }
  return given;
}

function invalid(message: string): ApiError {
  return new ApiError("ValidationException", message);
}

function readQuestion(given: Parameters, admission: Admission, parts: TailParts): TailQuestion {
  const limit = given.get("limit");
  if (
    limit !== undefined &&
    !(/^\d{1,10}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= eventsMax)
  ) {
    throw invalid(`The parameter limit must be a number from 1 to ${eventsMax}.`);
  }
  return {
    filter: readFilter(given, admission, parts),
    start: readStart(given, parts),
    follow: readSwitch(given, "follow", true),
    derived: readSwitch(given, "derived", false),
    mayGoOn: () => mayTailStill(admission, parts),
    ...(limit !== undefined && { limit: Number(limit) }),
  };
}

function readSwitch(given: Parameters, name: string, fallback: boolean): boolean {
  const value = given.get(name) ?? String(fallback);
  if (value !== "true" && value !== "false") throw invalid(`The parameter ${name} must be true or false.`);
  return value === "true";
}

function readFilter(given: Parameters, admission: Admission, parts: TailParts): EventFilter {
  const attributes = [...given].flatMap(([name, value]): (readonly [LookupAttribute, string])[] => {
    const attribute = attributeOf.get(name);
    return attribute === undefined ? [] : [[attribute, value]];
  });
  const errorCode = given.get("errorCode");
  const account = readAccount(given, admission, parts);
  const region = parseRegion(given.get("region") ?? "");
  if (given.has("region") && !region) throw invalid("The parameter region is no Region.");
  const incarnation = readTrail(given.get("trail"), admission, parts);
  return {
    attributes,
    ...(errorCode !== undefined && { errorCode }),
    ...(account && { account }),
    ...(region && { region }),
    ...(incarnation !== undefined && { incarnation }),
  };
}

/** With authentication off accounts are only names, and nothing is kept from anybody: all of them, unless one is named. */
function readAccount(given: Parameters, admission: Admission, parts: TailParts): EventFilter["account"] {
  const named = given.get("account");
  const account = parseAccountId(named ?? "");
  if (named !== undefined && !account) throw invalid("The parameter account must be 12 digits.");
  if (parts.configuration().auth === "off") return account;
  const { accountId } = admission.call.caller;
  if (account !== undefined && account !== accountId) {
    throw new ApiError("AccessDeniedException", "Events of the caller's own account can be seen only.");
  }
  return accountId;
}

function readTrail(
  trail: string | undefined,
  { call, permissions }: Admission,
  { explainer }: TailParts,
): string | undefined {
  if (trail === undefined) return undefined;
  authorize(permissions, call.caller.arn, deedsOf("GetTrail", { Name: trail }, call));
  return explainer.incarnationOf(trail, call);
}

const durationForm = /^(\d{1,10})(ms|s|m|h|d)$/;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

function readStart(given: Parameters, { clock }: TailParts): TailQuestion["start"] {
  const [since, from, cursor] = [given.get("since"), given.get("from"), given.get("cursor")];
  if ([since, from, cursor].filter((value) => value !== undefined).length > 1) {
    throw invalid("Of the parameters since, from and cursor one can be given only.");
  }
  if (since !== undefined) return { kind: "since", sinceMs: readSince(since, clock.nowMs()) };
  if (cursor !== undefined) {
    const positions = parseTailPosition(cursor);
    if (!positions) throw invalid("The parameter cursor is not one that this server gave.");
    return { kind: "positions", positions };
  }
  if (from !== undefined && from !== "now" && from !== "start") {
    throw invalid("The parameter from must be now or start.");
  }
  return { kind: from ?? "now" };
}

/** How long ago, or a time. */
function readSince(text: string, nowMs: number): number {
  const [, count, unit = ""] = durationForm.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (unitMs[unit] ?? 0);
  // oxlint-disable-next-line no-restricted-globals -- a conversion of the argument, not a look at the clock
  const timeMs = timeForm.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw invalid(
      "The parameter since must be a duration such as 5m, or a time such as 2026-01-10T08:00:00Z.",
    );
  }
  return timeMs;
}
