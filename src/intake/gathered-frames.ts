// Records of calls that change nothing, gathered into frames: while a frame of a caller is on its way to the journal,
// the records of that caller's other calls wait for the next one. A frame costs more than its records do, and a caller
// in a hurry has many calls under way. Must not: reorder; what was decided first is appended first.
import type { AppendOutcome, FrameHeader, FrameRecord, Journal } from "../journal/contract.ts";

// So many go together; a frame of one record may be larger.
const recordsMax = 256;
const recordBytesMax = 256 * 1024;

export interface GatheredFrames {
  /** Resolves to the outcome of the frame that the record went with. `id` names the frame when the record is its first. */
  append(id: string, header: FrameHeader, record: FrameRecord): Promise<AppendOutcome>;
  /** Appends what waits, so that what is appended from now on comes after it. */
  flush(): void;
}

interface Gathered {
  readonly id: string;
  readonly header: FrameHeader;
  readonly records: FrameRecord[];
  bytes: number;
  readonly outcome: Promise<AppendOutcome>;
  readonly settle: (outcome: Promise<AppendOutcome>) => void;
}

export function createGatheredFrames(journal: Pick<Journal, "append">): GatheredFrames {
  /** By caller, while a frame of theirs is on its way: what waits for its end, if anything does. */
  const waiting = new Map<string, Gathered | undefined>();

  const send = (frame: Gathered): void => {
    const { id, header, records } = frame;
    waiting.set(header.principal, undefined);
    const outcome = journal.append({ id, header, records });
    frame.settle(outcome);
    const goOn = (): void => {
      const next = waiting.get(header.principal);
      if (next) send(next);
      else waiting.delete(header.principal);
    };
    outcome.then(goOn, goOn);
  };

  return {
    append(id, header, record) {
      const isUnderWay = waiting.has(header.principal);
      let frame = waiting.get(header.principal);
      if (frame && !takes(frame, header, record)) {
        send(frame);
        frame = undefined;
      }
      frame ??= gathered(id, header);
      frame.records.push(record);
      frame.bytes += record.bytes.length;
      if (isUnderWay) waiting.set(header.principal, frame);
      else send(frame);
      return frame.outcome;
    },
    flush() {
      for (const frame of waiting.values()) if (frame) send(frame);
    },
  };
}

function takes(frame: Gathered, header: FrameHeader, record: FrameRecord): boolean {
  return (
    frame.header.configurationVersion === header.configurationVersion &&
    frame.records.length < recordsMax &&
    frame.bytes + record.bytes.length <= recordBytesMax
  );
}

function gathered(id: string, header: FrameHeader): Gathered {
  let settle: (outcome: Promise<AppendOutcome>) => void = () => {};
  const outcome = new Promise<AppendOutcome>((resolve) => {
    settle = resolve;
  });
  return { id, header, records: [], bytes: 0, outcome, settle };
}
