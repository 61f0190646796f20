// Records that Cairn makes of calls to other services, on their way in: scan → admit (decide) → journal, as posted events
// go; nothing unscanned is journaled. Calls under way at the same time share frames. Must not: know what a record says.
import { scanBatch } from "../event/scan.ts";
import { recordBytesMax } from "../event/record-limits.ts";
import type { AppendOutcome, FrameHeader, FrameRecord, Reservation } from "../journal/contract.ts";
import type { AccountId } from "../model/arn.ts";
import { admitRecord } from "./admit-record.ts";
import { createGatheredFrames } from "./gathered-frames.ts";
import { KnownPlaces, Places, type Refusal } from "./places.ts";
import type { IntakePorts } from "./ports.ts";

export interface RecordedCalls {
  /** Room for the records of one call, before it is passed on; undefined while there is none beside the own calls'. */
  reserve(): RecordRoom | undefined;
  /**
   * The records of one call, JSON texts without line breaks: all of them or none. `inadmissible`: one is no record, and the
   * room is still there; else the room is used up.
   */
  accept(records: readonly string[], room?: RecordRoom): Promise<"durable" | "refused" | "inadmissible">;
}

export interface RecordRoom {
  release(): void;
}

export interface RecordedCallsOptions {
  readonly defaultAccount: () => AccountId;
  /** What the journal keeps for Cairn's own calls. */
  readonly ownCallReserveBytes: number;
}

/** Most calls have one record; further ones take the room that events have. */
const roomBytes = recordBytesMax;
/** One name for all callers: their records share frames. */
const principal = "recorder";
/** A client that finds out how to make such a record could fill the log with them. */
const complaintPauseMs = 10_000;
const encoder = new TextEncoder();

export function createRecordedCalls(ports: IntakePorts, options: RecordedCallsOptions): RecordedCalls {
  const known = new KnownPlaces();
  const gathered = createGatheredFrames(ports.journal);
  const rooms = new Rooms(ports, options.ownCallReserveBytes);
  let nextComplaintMs = 0;
  const complain = (refusal: Refusal): void => {
    ports.metrics.count("events_rejected_total", { code: refusal.code });
    if (ports.clock.monotonicMs() < nextComplaintMs) return;
    nextComplaintMs = ports.clock.monotonicMs() + complaintPauseMs;
    const { code, message: problem } = refusal;
    ports.log.error({ code, problem }, "The record of a call to another service was not admitted.");
  };

  const admit = (texts: readonly string[]): FrameRecord[] => {
    const bytes = encoder.encode(texts.join("\n"));
    const scan = scanBatch(bytes);
    const admission = {
      index: ports.index(),
      places: new Places({ regions: ports.regions(), mayPut: () => true }, known),
      callerAccount: options.defaultAccount(),
      newEventId: () => ports.random.uuid(),
    };
    return (scan.kind === "malformed" ? [] : scan.records).flatMap((scanned) => {
      const result = admitRecord(bytes, scanned, admission);
      if (!("code" in result)) return [result];
      complain(result);
      return [];
    });
  };

  const append = async (records: readonly FrameRecord[], room: RecordRoom | undefined): Promise<boolean> => {
    const header: FrameHeader = {
      door: "recorder",
      principal,
      arrivedMs: ports.clock.nowMs(),
      configurationVersion: ports.index().version,
    };
    const reservation = room && rooms.use(room);
    // The room is one record's; one call may have a thousand.
    const [first, ...others] = records;
    const own: readonly Promise<AppendOutcome>[] =
      reservation && first
        ? [ports.journal.append({ id: ports.random.uuid(), header, records: [first] }, reservation)]
        : [];
    const shared = (own.length > 0 ? others : records).map((record) =>
      gathered.append(ports.random.uuid(), header, record),
    );
    const outcomes = await Promise.all([...own, ...shared]);
    return outcomes.every(isDurable);
  };

  return {
    reserve: () => rooms.reserve(),
    async accept(texts, room) {
      const records = admit(texts);
      if (records.length < texts.length) return "inadmissible";
      if (!(await append(records, room))) return "refused";
      ports.metrics.count("events_accepted_total", { door: "recorder" }, records.length);
      return "durable";
    },
  };
}

function isDurable({ kind }: AppendOutcome): boolean {
  return kind === "durable";
}

/** Room that is kept for calls under way. What the journal keeps for Cairn's own calls stays theirs. */
class Rooms {
  readonly #ports: IntakePorts;
  readonly #ownCallReserveBytes: number;
  readonly #kept = new Map<RecordRoom, Reservation>();

  constructor(ports: IntakePorts, ownCallReserveBytes: number) {
    this.#ports = ports;
    this.#ownCallReserveBytes = ownCallReserveBytes;
  }

  reserve(): RecordRoom | undefined {
    const { bytes, bytesMax } = this.#ports.journal.usage();
    const wanted = (this.#kept.size + 1) * roomBytes;
    if (bytes + wanted > bytesMax - this.#ownCallReserveBytes) return undefined;
    const reservation = this.#ports.journal.reserve(roomBytes);
    if (!reservation) return undefined;
    const room: RecordRoom = { release: () => this.use(room)?.release() };
    this.#kept.set(room, reservation);
    return room;
  }

  /** Hands the reservation over; undefined when it was used or released before. */
  use(room: RecordRoom): Reservation | undefined {
    const reservation = this.#kept.get(room);
    this.#kept.delete(room);
    return reservation;
  }
}
