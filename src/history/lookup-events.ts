// LookupEvents (api.md §6.3, lake.md §1): management events, or Insights events, of the caller's account and Region.
import type { Event } from "@aws-sdk/client-cloudtrail";
import { readOne } from "../event/event-time.ts";
import type { LookupAttribute } from "../event/lookup-fields.ts";
import { LookupScan } from "../event/lookup-scan.ts";
import { isPlaced } from "../event/record.ts";
import { withoutSpace } from "../event/scan.ts";
import { assert } from "../model/assert.ts";
import type { Call } from "../model/call.ts";
import type { Clock } from "../model/environment.ts";
import { apiError } from "../model/errors.ts";
import type { Handler, Input } from "../model/operations.ts";
import type { History, HistoryRecord } from "./history.ts";
import { LookupRate } from "./lookup-rate.ts";
import type { PagePlace, PageTokens } from "./page-token.ts";
import type { Wanted, WantedTerm } from "./search.ts";
import { scopeText } from "./terms.ts";

export interface LookupPorts {
  readonly history: Pick<History, "lookup" | "endOrdinal" | "retentionMs">;
  readonly tokens: PageTokens;
  readonly clock: Clock;
  /** Calls per second of an account in a Region; 0 for any number. */
  readonly lookupsPerSecond: () => number;
}

const pageSizeMax = 50;
const valueCharactersMax = 2000;
const secondsMax = 2 ** 32 - 1;
const insightAttributes: readonly LookupAttribute[] = ["EventId", "EventName", "EventSource"];

export function lookupEvents(ports: LookupPorts): Handler<"LookupEvents"> {
  const rate = new LookupRate();
  const scan = new LookupScan();
  return async (input, call) => {
    const perSecond = ports.lookupsPerSecond();
    const key = `${call.caller.accountId}/${call.region}`;
    if (perSecond > 0 && !rate.admit(key, perSecond, ports.clock.monotonicMs())) {
      throw apiError("ThrottlingException");
    }
    const request = requestOf(input, call);
    const place = await placeOf(input, request, ports);
    const pageSize = input.MaxResults ?? pageSizeMax;
    const { records, hasMore } = await ports.history.lookup(wantedOf(request, place, pageSize));
    const last = records.at(-1);
    const next = hasMore && last && { ...place, last };
    return {
      Events: records.flatMap((record) => eventOf(record, request, scan)),
      ...(next && { NextToken: ports.tokens.write(next, textOf(request)) }),
    };
  };
}

/** What all pages of a lookup have in common. */
interface LookupRequest {
  readonly scope: string;
  readonly account: string;
  readonly region: string;
  readonly isInsight: boolean;
  readonly term: WantedTerm;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
}

/** The first attribute counts, the others are not looked at. */
function requestOf(input: Input<"LookupEvents">, { caller, region }: Call): LookupRequest {
  const isInsight = input.EventCategory === "insight";
  const [attribute] = input.LookupAttributes ?? [];
  const startMs = input.StartTime?.getTime();
  const endMs = input.EndTime?.getTime();
  return {
    scope: scopeText({ account: caller.accountId, region, category: isInsight ? "I" : "M" }),
    ...{ account: caller.accountId, region, isInsight },
    term: attribute ? termOf(attribute, isInsight) : { kind: "All", value: "" },
    startMs,
    endMs,
  };
}

type GivenAttribute = NonNullable<Input<"LookupEvents">["LookupAttributes"]>[number];

function termOf(
  { AttributeKey: kind, AttributeValue: value }: GivenAttribute,
  isInsight: boolean,
): WantedTerm {
  if (kind === undefined || (isInsight && !insightAttributes.includes(kind))) {
    throw apiError("InvalidLookupAttributesException", { key: kind ?? "null" });
  }
  if (value === undefined || charactersOf(value) > valueCharactersMax) {
    throw apiError("InvalidLookupAttributesException.value", {
      field: "lookupAttributes.1.member.attributeValue",
      constraint: `Member must have length less than or equal to ${valueCharactersMax}`,
    });
  }
  return { kind, value };
}

/** Some count twice (api.md §6.3). */
function charactersOf(value: string): number {
  return value.length + (value.match(/[_ ,\n]/g)?.length ?? 0);
}

/** Where the page begins: behind the token's event, or at the end of the times that were asked for. */
async function placeOf(
  { NextToken: token }: Input<"LookupEvents">,
  request: LookupRequest,
  { history, tokens, clock }: LookupPorts,
): Promise<Omit<PagePlace, "last"> & Partial<Pick<PagePlace, "last">>> {
  const nowMs = clock.nowMs();
  const oldestMs = nowMs - history.retentionMs;
  const { startMs = oldestMs, endMs = nowMs } = request;
  if (startMs > endMs) throw apiError("InvalidTimeRangeException");
  const fromSeconds = wholeSeconds(Math.ceil(Math.max(startMs, oldestMs) / 1000));
  if (token !== undefined) {
    const place = tokens.read(token, textOf(request));
    if (!place) throw apiError("InvalidNextTokenException");
    // What was too old meanwhile is not shown any more.
    return { ...place, fromSeconds: Math.max(place.fromSeconds, wholeSeconds(Math.ceil(oldestMs / 1000))) };
  }
  const toSeconds = Math.min(secondsMax, Math.floor(endMs / 1000));
  return { fromSeconds, toSeconds, endOrdinal: await history.endOrdinal() };
}

function wholeSeconds(seconds: number): number {
  return Math.min(secondsMax, Math.max(0, seconds));
}

function wantedOf(
  { scope, term }: LookupRequest,
  { fromSeconds, toSeconds, endOrdinal, last }: Awaited<ReturnType<typeof placeOf>>,
  limit: number,
): Wanted {
  return { scope, term, fromSeconds, toSeconds, endOrdinal, limit, ...(last && { before: last }) };
}

/** Tokens are bound to it. */
function textOf({ scope, term, startMs, endMs }: LookupRequest): string {
  return JSON.stringify([scope, term.kind, term.value, startMs ?? null, endMs ?? null]);
}

/** As the API shows a record. None when it was found by the hash of an id alone, and is another. */
function eventOf({ seconds, bytes }: HistoryRecord, request: LookupRequest, scan: LookupScan): Event[] {
  const { isInsight, term } = request;
  const reading = readOne(bytes);
  assert(reading.kind === "fields", "history holds records that were accepted");
  const { recipientAccountId, awsRegion } = reading.fields;
  const isOfPlace = recipientAccountId === request.account && awsRegion === request.region;
  const fields = scan.lookupFieldsOf({ body: bytes, start: 0, end: bytes.length }, reading.fields);
  if (term.kind === "EventId" && (fields.eventId !== term.value || !isOfPlace)) return [];
  const isCompact = isPlaced(reading.fields) && !reading.fields.hasSpace;
  const text = (isCompact ? bytes : Buffer.from(withoutSpace(bytes))).toString("utf8");
  const { eventId, eventName, eventSource, readOnly, accessKeyId, username, resources } = fields;
  const named = {
    EventId: eventId,
    EventName: eventName,
    // oxlint-disable-next-line no-restricted-globals -- the form of a timestamp in the SDK's types, not a look at the clock
    EventTime: new Date(seconds * 1000),
    EventSource: eventSource,
    CloudTrailEvent: text,
  };
  if (isInsight) return [named];
  return [
    {
      ...named,
      ReadOnly: readOnly,
      AccessKeyId: accessKeyId,
      Username: username,
      Resources: resources.map(({ type, name }) => ({ ResourceType: type, ResourceName: name })),
    },
  ];
}
