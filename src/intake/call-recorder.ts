// Cairn's own API calls as events: built, decided and journaled before the call is answered. Must not: know HTTP.
import { type CallAttempt, callRecord } from "../event/call-record.ts";
import type { RecordFields } from "../event/record.ts";
import type { FrameRecord, Reservation } from "../journal/contract.ts";
import type { Destination } from "../selector/match-set.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";
import type { IntakePorts } from "./ports.ts";

/** Room for the record of a call that will change something, and what was logged before it did. */
export interface CallReservation {
  readonly room: Reservation;
  readonly indexBefore: SelectorIndex;
  /** Gives the room back when no record was made of it; harmless otherwise. */
  release(): void;
}

/** Every API call to Cairn is itself an event. */
export interface CallRecorder {
  /** Undefined when not even the reserve has room: nothing may be changed then. */
  reserve(): CallReservation | undefined;
  /** Resolves to true when the record is durable. Uses up the reservation when one is given. */
  record(attempt: CallAttempt, reservation?: CallReservation): Promise<boolean>;
}

// Two capped objects of 100 KB, the texts of 1 KB each, and the members around them (event/call-record.ts).
const callRecordBytesMax = 256 * 1024;

export function createCallRecorder(ports: IntakePorts): CallRecorder {
  return {
    reserve() {
      const room = ports.journal.reserve(callRecordBytesMax);
      const indexBefore = ports.index();
      return room && { room, indexBefore, release: () => room.release() };
    },
    async record(attempt, reservation) {
      const finishedMs = ports.clock.nowMs();
      const frame = {
        id: ports.random.uuid(),
        header: {
          door: "own-calls" as const,
          principal: attempt.call.caller.arn,
          arrivedMs: finishedMs,
          configurationVersion: ports.index().version,
        },
        records: [decide(attempt, { finishedMs, indexBefore: reservation?.indexBefore }, ports)],
      };
      const outcome = await ports.journal.append(frame, reservation?.room);
      if (outcome.kind === "durable") {
        ports.metrics.count("events_accepted_total", { door: "own-calls" });
        return true;
      }
      const { operation, call } = attempt;
      ports.log.error(
        { operation, requestId: call.requestId, outcome },
        "The record of an API call could not be journaled.",
      );
      return false;
    },
  };
}

interface Moment {
  readonly finishedMs: number;
  readonly indexBefore: SelectorIndex | undefined;
}

/**
 * The trails that log the call are those that logged when it began and those that log now: the call that stops a
 * trail is the last one in its log, as the call that starts it is the first. A trail deleted by it gets nothing more;
 * the event bus, which follows the trails, outlives them and gets that call too.
 */
function decide(attempt: CallAttempt, { finishedMs, indexBefore }: Moment, ports: IntakePorts): FrameRecord {
  const record = callRecord(attempt, { eventId: ports.random.uuid(), finishedMs });
  const { caller, region } = attempt.call;
  const where = { account: caller.accountId, region };
  const fields = fieldsOf(attempt, record);
  const now = ports.index().match(fields, where);
  const before = indexBefore?.match(fields, where).destinations ?? [];
  const ended = before.filter(
    ({ kind, incarnation }) =>
      (kind === "event-bus" || ports.isLive(incarnation)) &&
      !now.destinations.some((other) => other.incarnation === incarnation),
  );
  const matchSet =
    ended.length === 0 ? now : { ...now, destinations: sorted([...now.destinations, ...ended]) };
  return { bytes: new TextEncoder().encode(JSON.stringify(record)), matchSet };
}

function sorted(destinations: readonly Destination[]): Destination[] {
  return [...destinations].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
}

/** What selectors look at; the record is our own, so nothing needs to be scanned. */
function fieldsOf(attempt: CallAttempt, record: Record<string, unknown>): RecordFields {
  const { caller, region } = attempt.call;
  const { errorCode, readOnly } = record;
  return {
    eventSource: "cloudtrail.amazonaws.com",
    eventName: attempt.operation,
    awsRegion: region,
    eventType: "AwsApiCall",
    eventCategory: "Management",
    managementEvent: true,
    recipientAccountId: caller.accountId,
    readOnly: readOnly === true,
    hasUserIdentity: true,
    resources: [],
    ...(typeof errorCode === "string" && { errorCode }),
    ...(caller.kind !== "unverified" && { userIdentityArn: caller.arn }),
  };
}
