// Cairn's own API calls as events: built, decided and journaled before the call is answered. Must not: know HTTP.
import {
  type CallAttempt,
  callRecordText,
  isReadOnlyOperation,
  recordedCode,
  type RecordStamp,
} from "../event/call-record.ts";
import type { RecordFields } from "../event/record.ts";
import type { AppendOutcome, Frame, FrameHeader, FrameRecord, Reservation } from "../journal/contract.ts";
import type { Destination, MatchSet } from "../selector/match-set.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";
import { createGatheredFrames } from "./gathered-frames.ts";
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
  const reads = createGatheredFrames(ports.journal);
  const appendChange = (frame: Frame, { room }: CallReservation): Promise<AppendOutcome> => {
    // The call that stops a trail is the last one in its log.
    reads.flush();
    return ports.journal.append(frame, room);
  };
  return {
    reserve() {
      const room = ports.journal.reserve(callRecordBytesMax);
      const indexBefore = ports.index();
      return room && { room, indexBefore, release: () => room.release() };
    },
    async record(attempt, reservation) {
      const finishedMs = ports.clock.nowMs();
      const eventId = ports.random.uuid();
      const header: FrameHeader = {
        door: "own-calls",
        principal: attempt.call.caller.arn,
        arrivedMs: finishedMs,
        configurationVersion: ports.index().version,
      };
      const record = decide(attempt, { eventId, finishedMs, indexBefore: reservation?.indexBefore }, ports);
      // A frame may have the id of its first record: both are made here, once.
      const outcome = await (reservation
        ? appendChange({ id: eventId, header, records: [record] }, reservation)
        : reads.append(eventId, header, record));
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

interface Moment extends RecordStamp {
  readonly indexBefore: SelectorIndex | undefined;
}

function decide(attempt: CallAttempt, moment: Moment, ports: IntakePorts): FrameRecord {
  const bytes = Buffer.from(callRecordText(attempt, moment), "utf8");
  return { bytes, matchSet: matchSetOf(attempt, moment.indexBefore, ports) };
}

/**
 * The trails that log the call are those that logged when it began and those that log now: the call that stops a
 * trail is the last one in its log, as the call that starts it is the first. A trail deleted by it gets nothing more;
 * the event bus, which follows the trails, outlives them and gets that call too.
 */
function matchSetOf(
  attempt: CallAttempt,
  indexBefore: SelectorIndex | undefined,
  ports: IntakePorts,
): MatchSet {
  const { caller, region } = attempt.call;
  const where = { account: caller.accountId, region };
  const fields = fieldsOf(attempt);
  const index = ports.index();
  const now = index.match(fields, where);
  if (!indexBefore || indexBefore === index) return now;
  const ended = indexBefore
    .match(fields, where)
    .destinations.filter(
      ({ kind, incarnation }) =>
        (kind === "event-bus" || ports.isLive(incarnation)) &&
        !now.destinations.some((other) => other.incarnation === incarnation),
    );
  return ended.length === 0 ? now : { ...now, destinations: sorted([...now.destinations, ...ended]) };
}

function sorted(destinations: readonly Destination[]): Destination[] {
  return [...destinations].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
}

/** What selectors look at; the record is our own, so nothing needs to be scanned. */
function fieldsOf({ call, operation, error }: CallAttempt): RecordFields {
  const { caller, region } = call;
  return {
    eventSource: "cloudtrail.amazonaws.com",
    eventName: operation,
    awsRegion: region,
    eventType: "AwsApiCall",
    eventCategory: "Management",
    managementEvent: true,
    recipientAccountId: caller.accountId,
    readOnly: isReadOnlyOperation(operation),
    hasUserIdentity: true,
    resources: [],
    ...(error && { errorCode: recordedCode(error.code) }),
    ...(caller.kind !== "unverified" && { userIdentityArn: caller.arn }),
  };
}
