// Cairn's own API calls as events: built, decided and journaled before the call is answered. Must not: know HTTP.
import { type CallAttempt, callRecord } from "../event/call-record.ts";
import type { RecordFields } from "../event/record.ts";
import type { FrameRecord, Reservation } from "../journal/contract.ts";
import type { IntakePorts } from "./ports.ts";

/** Every API call to Cairn is itself an event. */
export interface CallRecorder {
  /** Room for the record of a call that will change something; undefined when not even the reserve has any. */
  reserve(): Reservation | undefined;
  /** Resolves to true when the record is durable. Uses up the reservation when one is given. */
  record(attempt: CallAttempt, reservation?: Reservation): Promise<boolean>;
}

// Two capped objects of 100 KB, the texts of 1 KB each, and the members around them (event/call-record.ts).
const callRecordBytesMax = 256 * 1024;

export function createCallRecorder(ports: IntakePorts): CallRecorder {
  return {
    reserve: () => ports.journal.reserve(callRecordBytesMax),
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
        records: [decide(attempt, finishedMs, ports)],
      };
      const outcome = await ports.journal.append(frame, reservation);
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

function decide(attempt: CallAttempt, finishedMs: number, ports: IntakePorts): FrameRecord {
  const record = callRecord(attempt, { eventId: ports.random.uuid(), finishedMs });
  const { caller, region } = attempt.call;
  const matchSet = ports.index().match(fieldsOf(attempt, record), { account: caller.accountId, region });
  return { bytes: new TextEncoder().encode(JSON.stringify(record)), matchSet };
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
